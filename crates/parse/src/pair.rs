//! One key and its value, as places in the record.

use mimelake_schema::Key;

/// A stretch of a record, in bytes. Records are shorter than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// The stretch from `start` to before `end`.
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The same stretch, seen from `by` bytes further on.
    #[inline]
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self { start: self.start - by as u32, end: self.end - by as u32 }
    }

    /// The stretch of `bytes`.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    /// The stretch of `text`.
    #[inline]
    pub fn of_text(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Key-value: up to the next boundary.
    Bare,
    /// Key-value: between two `\`; the span leaves them out.
    Quoted,
    /// Key-value: after a `\` that nothing closes; the span leaves it out.
    Unterminated,
    /// Key-value: a JSON object or array.
    Json,
    /// JSON: a string without escapes; the span leaves the quotes out.
    Text,
    /// JSON: a string with escapes, not yet undone.
    Escaped,
    /// JSON: a number or a boolean.
    Literal,
    /// JSON: an object or an array.
    Nested,
    /// JSON: null.
    Null,
}

/// The most pairs of one record, far beyond what any log writes: a record with more is rejected, so that one of
/// millions takes no more memory than its bytes.
pub const MAX_PAIRS: usize = 1 << 16;

/// One key and its value, as places in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: Span,
    /// The value, without its quotes.
    pub value: Span,
    /// How the value is written.
    pub form: Form,
    /// JSON only: the key has escapes, not yet undone.
    pub key_escaped: bool,
    /// Which known key it is. Key-value only: those of JSON are looked up later.
    pub known: Option<Key>,
}
