//! What becomes of a leaf: where its cells and what is in them go among the columns.

use std::ops::Range;

use mimelake_columns::batch::unique_pairs;
use mimelake_columns::document::{Cell, Leaf, LeafKind};
use mimelake_parse::{ExtraPair, Verdicts};

use super::chunk::{Around, Chunk, Scope};
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
    Struct(Members),
    Structs(Members),
}

/// The members of structs.
struct Members {
    encoders: Vec<Encoder>,
    /// The structs.
    scope: Scope,
}

impl Encoder {
    /// The encoder of a leaf whose columns begin with this one.
    fn new(leaf: &Leaf, first: usize) -> Self {
        let members = |leaves| Members { encoders: Self::all(leaves, first), scope: Scope::default() };
        let shape = match leaf.kind {
            LeafKind::Text | LeafKind::Int | LeafKind::Bool | LeafKind::Time => Shape::One,
            LeafKind::TextList => Shape::Texts,
            LeafKind::Verdicts => Shape::Verdicts,
            LeafKind::Pairs => Shape::Pairs,
            LeafKind::Struct(leaves) => Shape::Struct(members(leaves)),
            LeafKind::Structs(leaves) => Shape::Structs(members(leaves)),
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

    /// Appends a cell of the row or struct that was begun last to its columns among all of them; about how many bytes
    /// it takes. A cell of another kind counts as null.
    #[expect(
        clippy::inline_always,
        reason = "a call for each cell of each row costs a fifth of what is done with it"
    )]
    #[inline(always)]
    pub(super) fn push(&mut self, chunks: &mut [Chunk], cell: &Cell<'_>, scope: &Scope) -> usize {
        match (&self.shape, cell) {
            (Shape::One, cell) => chunks[self.chunks.start].push(cell, scope),
            (Shape::Texts | Shape::Verdicts | Shape::Pairs, Cell::Null) => 0,
            _ => self.push_many(chunks, cell, scope),
        }
    }

    /// Says that there is nothing of the leaf in the row or struct that was begun last.
    pub(super) fn push_null(&mut self, around: Around) {
        if let Shape::Struct(members) | Shape::Structs(members) = &mut self.shape {
            members.push_null(around);
        }
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    fn push_many(&mut self, chunks: &mut [Chunk], cell: &Cell<'_>, scope: &Scope) -> usize {
        match (&mut self.shape, cell) {
            (Shape::Texts, Cell::List(list)) => push_list(&mut chunks[self.chunks.start], list, scope),
            (Shape::Verdicts, Cell::Verdicts(verdicts)) => {
                push_verdicts(&mut chunks[self.chunks.clone()], verdicts, scope)
            }
            (Shape::Pairs, Cell::Pairs(pairs)) => push_pairs(&mut chunks[self.chunks.clone()], pairs, scope),
            (Shape::Struct(members), Cell::Struct(record)) => {
                members.push(chunks, record, scope.around().within())
            }
            (Shape::Structs(members), Cell::Structs(records)) => {
                members.push_all(chunks, records, scope.around())
            }
            _ => {
                self.push_null(scope.around());
                0
            }
        }
    }

    /// Appends to the columns what is read off the rows or structs that have nothing of them.
    pub(super) fn settle(&mut self, chunks: &mut [Chunk], scope: &Scope) {
        match &mut self.shape {
            Shape::Struct(members) | Shape::Structs(members) => {
                let Members { encoders, scope } = members;
                for encoder in encoders {
                    encoder.settle(chunks, scope);
                }
                scope.clear();
            }
            _ => {
                for chunk in &mut chunks[self.chunks.clone()] {
                    chunk.settle(scope);
                }
            }
        }
    }
}

impl Members {
    /// Appends a struct whose members stand there.
    fn push(&mut self, chunks: &mut [Chunk], record: &[Cell<'_>], around: Around) -> usize {
        self.scope.begin(around);
        let mut bytes = self.encoders.len();
        for (member, cell) in self.encoders.iter_mut().zip(record) {
            bytes += member.push(chunks, cell, &self.scope);
        }
        for member in self.encoders.iter_mut().skip(record.len()) {
            member.push_null(self.scope.around());
        }
        bytes
    }

    // Apart, so that the loop over a row stays small.
    #[inline(never)]
    fn push_all(&mut self, chunks: &mut [Chunk], records: &[&[Cell<'_>]], around: Around) -> usize {
        if records.is_empty() {
            self.push_null(around.within());
        }
        let records = records.iter().enumerate();
        records.map(|(number, record)| self.push(chunks, record, around.element(number))).sum()
    }

    /// Says that there is no struct, nor one in it.
    fn push_null(&mut self, around: Around) {
        self.scope.begin(around);
        for encoder in &mut self.encoders {
            encoder.push_null(around);
        }
    }
}

#[inline(never)]
fn push_list(chunk: &mut Chunk, list: &[&str], scope: &Scope) -> usize {
    let around = scope.around();
    if list.is_empty() {
        chunk.push_element(&Cell::Null, around.within(), scope);
    }
    let texts = list.iter().enumerate();
    texts.map(|(number, text)| chunk.push_element(&Cell::Text(text), around.element(number), scope)).sum()
}

#[inline(never)]
fn push_pairs(chunks: &mut [Chunk], pairs: &[ExtraPair<'_>], scope: &Scope) -> usize {
    let [keys, values] = chunks else { return 0 };
    let around = scope.around();
    if pairs.is_empty() {
        keys.push_element(&Cell::Null, around.within(), scope);
        values.push_element(&Cell::Null, around.within(), scope);
    }
    let (mut number, mut bytes) = (0, 0);
    unique_pairs(pairs, |key, value| {
        let around = around.element(number);
        number += 1;
        bytes += keys.push_element(&Cell::Text(key), around, scope);
        bytes += values.push_element(&value.map_or(Cell::Null, Cell::Text), around, scope);
    });
    bytes
}

/// Appends verdicts: `allow` and `info` of each, and whether it is grey email.
#[inline(never)]
fn push_verdicts(chunks: &mut [Chunk], verdicts: &Verdicts<'_>, scope: &Scope) -> usize {
    let around = scope.around().within();
    let (each, last) = chunks.as_chunks_mut::<2>();
    let mut bytes = 0;
    for ([allow, info], verdict) in each.iter_mut().zip(verdicts.each) {
        let around = if verdict.is_some() { around.within() } else { around };
        let verdict = verdict.unwrap_or_default();
        bytes += allow.push_within(&verdict.allow.map_or(Cell::Null, Cell::Bool), around, scope);
        bytes += info.push_within(&verdict.info.map_or(Cell::Null, Cell::Text), around, scope);
    }
    let grey_email = verdicts.grey_email.map_or(Cell::Null, Cell::Bool);
    bytes + last.iter_mut().map(|chunk| chunk.push_within(&grey_email, around, scope)).sum::<usize>()
}
