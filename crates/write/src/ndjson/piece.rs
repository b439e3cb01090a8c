//! Bytes that are the same in every row.

use super::line::{Line, SHORT};

/// Prepared bytes.
#[derive(Debug)]
pub(super) struct Piece {
    /// The first bytes, with zeros behind a short piece.
    head: [u8; SHORT],
    length: usize,
    /// What does not fit in the head.
    tail: Vec<u8>,
}

impl Piece {
    /// A piece of these bytes.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let (first, tail) = bytes.split_at(bytes.len().min(SHORT));
        let mut head = [0; SHORT];
        head[..first.len()].copy_from_slice(first);
        Self { head, length: first.len(), tail: tail.into() }
    }

    /// Appends the piece.
    #[inline]
    pub(super) fn write(&self, out: &mut Line<'_>) {
        out.short(&self.head, self.length);
        if !self.tail.is_empty() {
            out.bytes(&self.tail);
        }
    }
}
