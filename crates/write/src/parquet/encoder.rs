//! What encodes a leaf.

use mimelake_columns::document::{Cell, Leaf, LeafKind};
use parquet::basic::Compression as CodecName;
use parquet::schema::types::ColumnDescPtr;

use super::chunk::Chunk;

/// What encodes the cells of a leaf.
pub(super) enum Encoder {
    /// A column of its own.
    Chunk(Box<Chunk>),
    /// The columns of a scan's verdicts.
    Verdicts(Vec<Chunk>),
    /// The library's writer, as so many columns.
    Rest(usize),
}

impl Encoder {
    /// The encoder of a leaf that has these columns.
    pub(super) fn new(leaf: &Leaf, columns: &[ColumnDescPtr], codec: CodecName) -> Self {
        match Chunk::of_leaf(leaf, columns, codec) {
            Some(chunks) if leaf.kind == LeafKind::Verdicts => Self::Verdicts(chunks),
            Some(mut chunks) if chunks.len() == 1 => Self::Chunk(Box::new(chunks.remove(0))),
            _ => Self::Rest(columns.len()),
        }
    }

    /// Appends a row's cell, if it is encoded here; about how many bytes it takes.
    #[inline]
    pub(super) fn push(&mut self, cell: &Cell<'_>) -> usize {
        match self {
            Self::Chunk(chunk) => chunk.push(cell),
            Self::Verdicts(chunks) => push_verdicts(chunks, cell),
            Self::Rest(_) => 0,
        }
    }

    /// The chunks that are encoded here.
    pub(super) fn chunks(&mut self) -> &mut [Chunk] {
        match self {
            Self::Chunk(chunk) => std::slice::from_mut(chunk),
            Self::Verdicts(chunks) => chunks,
            Self::Rest(_) => &mut [],
        }
    }

    /// How many columns the library's writer encodes.
    pub(super) fn rest(&self) -> usize {
        if let Self::Rest(columns) = self { *columns } else { 0 }
    }
}

/// Appends verdicts: `allow` and `info` of each, and whether it is grey email. A struct around a null shows in the
/// null's depth.
// Apart, so that the loop over a row stays small.
#[inline(never)]
fn push_verdicts(chunks: &mut [Chunk], cell: &Cell<'_>) -> usize {
    let Cell::Verdicts(verdicts) = cell else {
        return chunks.iter_mut().map(|chunk| chunk.push(&Cell::Null)).sum();
    };
    let (each, last) = chunks.as_chunks_mut::<2>();
    let mut bytes = 0;
    for ([allow, info], verdict) in each.iter_mut().zip(verdicts.each) {
        let depth = if verdict.is_some() { 2 } else { 1 };
        let verdict = verdict.unwrap_or_default();
        bytes += allow.push_in(&verdict.allow.map_or(Cell::Null, Cell::Bool), depth);
        bytes += info.push_in(&verdict.info.map_or(Cell::Null, Cell::Text), depth);
    }
    let grey_email = verdicts.grey_email.map_or(Cell::Null, Cell::Bool);
    bytes + last.iter_mut().map(|chunk| chunk.push_in(&grey_email, 1)).sum::<usize>()
}
