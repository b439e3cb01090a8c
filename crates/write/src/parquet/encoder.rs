//! What becomes of a leaf: where its cells and what is in them go among the columns.

use std::ops::Range;

use mimelake_columns::batch::unique_pairs;
use mimelake_columns::document::{Cell, Leaf, LeafKind};
use mimelake_parse::ExtraPair;

use super::chunk::{Around, Chunk, Place, Scope};
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

/// A row or a struct, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Placed<'r> {
    /// One cell for each leaf; those that are not there are null.
    pub(super) cells: &'r [Cell<'r>],
    pub(super) place: Place,
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

    /// Appends the cells at this place of rows or structs to their columns among all of them; about how many bytes they
    /// take. A cell of another kind counts as null.
    pub(super) fn push_all(
        &mut self,
        chunks: &mut [Chunk],
        rows: &[Placed<'_>],
        at: usize,
        scope: &Scope,
    ) -> usize {
        let columns = &mut chunks[self.chunks.clone()];
        let cells = rows.iter().filter_map(|row| Some((row.place, row.cells.get(at)?)));
        match &mut self.shape {
            Shape::One => columns[0].push_all(cells, scope),
            Shape::Texts => {
                let lists = cells.map(|(place, cell)| match cell {
                    Cell::List(list) => push_list(&mut columns[0], list, place, scope),
                    _ => 0,
                });
                lists.sum()
            }
            Shape::Verdicts => push_verdicts(columns, cells, scope),
            Shape::Pairs => {
                let pairs = cells.map(|(place, cell)| match cell {
                    Cell::Pairs(pairs) => push_pairs(columns, pairs, place, scope),
                    _ => 0,
                });
                pairs.sum()
            }
            Shape::Struct(members) => {
                let structs = members.structs(rows, at);
                members.push_all(chunks, &structs)
            }
            Shape::Structs(members) => {
                let elements = members.elements(rows, at);
                members.push_all(chunks, &elements)
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
    /// The struct that each row has at this place; nothing is in one that is not there.
    fn structs<'r>(&mut self, rows: &[Placed<'r>], at: usize) -> Vec<Placed<'r>> {
        let placed = rows.iter().map(|row| match row.cells.get(at) {
            Some(Cell::Struct(cells)) => Placed { cells, place: self.scope.begin(row.place.around.within()) },
            _ => self.nothing(row.place.around),
        });
        placed.collect()
    }

    /// The structs of the list that each row has at this place; nothing is in one that is not there or is empty.
    fn elements<'r>(&mut self, rows: &[Placed<'r>], at: usize) -> Vec<Placed<'r>> {
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            let around = row.place.around;
            match row.cells.get(at) {
                Some(Cell::Structs([])) => placed.push(self.nothing(around.within())),
                Some(Cell::Structs(structs)) => {
                    let place = |(number, cells): (usize, &&'r _)| Placed {
                        cells,
                        place: self.scope.begin(around.element(number)),
                    };
                    placed.extend(structs.iter().enumerate().map(place));
                }
                _ => placed.push(self.nothing(around)),
            }
        }
        placed
    }

    fn nothing<'r>(&mut self, around: Around) -> Placed<'r> {
        Placed { cells: &[], place: self.scope.begin(around) }
    }

    /// Appends the members of structs that were begun.
    fn push_all(&mut self, chunks: &mut [Chunk], structs: &[Placed<'_>]) -> usize {
        let mut bytes = self.encoders.len() * structs.len();
        for (at, member) in self.encoders.iter_mut().enumerate() {
            bytes += member.push_all(chunks, structs, at, &self.scope);
        }
        bytes
    }
}

fn push_list(chunk: &mut Chunk, list: &[&str], place: Place, scope: &Scope) -> usize {
    let around = place.around;
    if list.is_empty() {
        chunk.push_element(&Cell::Null, around.within(), place, scope);
    }
    let texts = list.iter().enumerate();
    texts
        .map(|(number, text)| chunk.push_element(&Cell::Text(text), around.element(number), place, scope))
        .sum()
}

fn push_pairs(chunks: &mut [Chunk], pairs: &[ExtraPair<'_>], place: Place, scope: &Scope) -> usize {
    let [keys, values] = chunks else { return 0 };
    let around = place.around;
    if pairs.is_empty() {
        keys.push_element(&Cell::Null, around.within(), place, scope);
        values.push_element(&Cell::Null, around.within(), place, scope);
    }
    let (mut number, mut bytes) = (0, 0);
    unique_pairs(pairs, |key, value| {
        let around = around.element(number);
        number += 1;
        bytes += keys.push_element(&Cell::Text(key), around, place, scope);
        bytes += values.push_element(&value.map_or(Cell::Null, Cell::Text), around, place, scope);
    });
    bytes
}

/// Appends verdicts: `allow` and `info` of each, and whether it is grey email.
fn push_verdicts<'c>(
    chunks: &mut [Chunk],
    cells: impl Iterator<Item = (Place, &'c Cell<'c>)> + Clone,
    scope: &Scope,
) -> usize {
    let said = cells.filter_map(|(place, cell)| match cell {
        Cell::Verdicts(verdicts) => Some((place, *verdicts)),
        _ => None,
    });
    let (each, last) = chunks.as_chunks_mut::<2>();
    let mut bytes = 0;
    for (number, [allow, info]) in each.iter_mut().enumerate() {
        for (place, verdicts) in said.clone() {
            let verdict = verdicts.each.get(number).copied().flatten();
            let around = place.around.within();
            let around = if verdict.is_some() { around.within() } else { around };
            let verdict = verdict.unwrap_or_default();
            bytes += allow.push_within(&verdict.allow.map_or(Cell::Null, Cell::Bool), around, place, scope);
            bytes += info.push_within(&verdict.info.map_or(Cell::Null, Cell::Text), around, place, scope);
        }
    }
    for chunk in last {
        for (place, verdicts) in said.clone() {
            let grey_email = verdicts.grey_email.map_or(Cell::Null, Cell::Bool);
            bytes += chunk.push_within(&grey_email, place.around.within(), place, scope);
        }
    }
    bytes
}
