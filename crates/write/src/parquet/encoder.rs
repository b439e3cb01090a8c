//! What becomes of a leaf: where its cells and what is in them go among the columns.

use std::ops::Range;

use mimelake_columns::batch::unique_pairs;
use mimelake_columns::document::{Cell, Leaf, LeafKind};
use mimelake_parse::{ExtraPair, Verdicts};

use super::chunk::{Around, Chunk};
use super::plan;

/// Splits the cells of a leaf over its columns.
pub(super) struct Encoder {
    shape: Shape,
    /// The columns.
    chunks: Range<usize>,
}

/// What a cell is made of.
enum Shape {
    One,
    Texts,
    Verdicts,
    Pairs,
    Struct(Vec<Encoder>),
    Structs(Vec<Encoder>),
}

impl Encoder {
    /// The encoder of a leaf whose columns begin with this one.
    pub(super) fn new(leaf: &Leaf, first: usize) -> Self {
        let shape = match leaf.kind {
            LeafKind::Text | LeafKind::Int | LeafKind::Bool | LeafKind::Time => Shape::One,
            LeafKind::TextList => Shape::Texts,
            LeafKind::Verdicts => Shape::Verdicts,
            LeafKind::Pairs => Shape::Pairs,
            LeafKind::Struct(members) => Shape::Struct(Self::all(members, first)),
            LeafKind::Structs(members) => Shape::Structs(Self::all(members, first)),
        };
        Self { shape, chunks: first..first + plan::columns(leaf).len() }
    }

    /// The encoders of leaves that stand behind each other.
    pub(super) fn all(leaves: &[Leaf], mut first: usize) -> Vec<Self> {
        let encoder = |leaf| {
            let encoder = Self::new(leaf, first);
            first = encoder.chunks.end;
            encoder
        };
        leaves.iter().map(encoder).collect()
    }

    /// Appends a cell that stands there to its columns among all of them; about how many bytes it takes. A cell of another
    /// kind counts as null.
    #[inline]
    pub(super) fn push(&self, chunks: &mut [Chunk], cell: &Cell<'_>, around: Around) -> usize {
        match (&self.shape, cell) {
            (Shape::One, cell) => chunks[self.chunks.start].push(cell, around),
            (Shape::Texts, Cell::List(list)) => push_list(&mut chunks[self.chunks.start], list, around),
            (Shape::Verdicts, Cell::Verdicts(verdicts)) => {
                push_verdicts(&mut chunks[self.chunks.clone()], verdicts, around.within())
            }
            (Shape::Pairs, Cell::Pairs(pairs)) => self.push_pairs(chunks, pairs, around),
            (Shape::Struct(members), Cell::Struct(record)) => {
                push_record(members, chunks, record, around.within())
            }
            (Shape::Structs(members), Cell::Structs(records)) => {
                self.push_records(members, chunks, records, around)
            }
            _ => self.push_null(chunks, around),
        }
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    fn push_null(&self, chunks: &mut [Chunk], around: Around) -> usize {
        chunks[self.chunks.clone()].iter_mut().for_each(|chunk| chunk.push_null(around));
        0
    }

    #[inline(never)]
    fn push_records(
        &self,
        members: &[Self],
        chunks: &mut [Chunk],
        records: &[&[Cell<'_>]],
        around: Around,
    ) -> usize {
        if records.is_empty() {
            return self.push_null(chunks, around.within());
        }
        let element = |(number, record): (usize, &&[Cell<'_>])| {
            push_record(members, chunks, record, around.element(number))
        };
        records.iter().enumerate().map(element).sum()
    }

    #[inline(never)]
    fn push_pairs(&self, chunks: &mut [Chunk], pairs: &[ExtraPair<'_>], around: Around) -> usize {
        if pairs.is_empty() {
            return self.push_null(chunks, around.within());
        }
        let [keys, values] = &mut chunks[self.chunks.clone()] else { return 0 };
        let (mut number, mut bytes) = (0, 0);
        unique_pairs(pairs, |key, value| {
            let around = around.element(number);
            number += 1;
            bytes += keys.push_text(key, around);
            bytes += values.push(&value.map_or(Cell::Null, Cell::Text), around);
        });
        bytes
    }
}

/// Appends the members of a struct, nulls for those that it lacks.
fn push_record(members: &[Encoder], chunks: &mut [Chunk], record: &[Cell<'_>], around: Around) -> usize {
    let mut bytes = members.len();
    for (member, cell) in members.iter().zip(record) {
        bytes += member.push(chunks, cell, around);
    }
    for member in members.iter().skip(record.len()) {
        member.push_null(chunks, around);
    }
    bytes
}

#[inline(never)]
fn push_list(chunk: &mut Chunk, list: &[&str], around: Around) -> usize {
    if list.is_empty() {
        chunk.push_null(around.within());
    }
    list.iter().enumerate().map(|(number, text)| chunk.push_text(text, around.element(number))).sum()
}

/// Appends verdicts: `allow` and `info` of each, and whether it is grey email.
#[inline(never)]
fn push_verdicts(chunks: &mut [Chunk], verdicts: &Verdicts<'_>, around: Around) -> usize {
    let (each, last) = chunks.as_chunks_mut::<2>();
    let mut bytes = 0;
    for ([allow, info], verdict) in each.iter_mut().zip(verdicts.each) {
        let around = if verdict.is_some() { around.within() } else { around };
        let verdict = verdict.unwrap_or_default();
        bytes += allow.push(&verdict.allow.map_or(Cell::Null, Cell::Bool), around);
        bytes += info.push(&verdict.info.map_or(Cell::Null, Cell::Text), around);
    }
    let grey_email = verdicts.grey_email.map_or(Cell::Null, Cell::Bool);
    bytes + last.iter_mut().map(|chunk| chunk.push(&grey_email, around)).sum::<usize>()
}
