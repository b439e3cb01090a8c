//! One key and its value, as places in the record.

use std::fmt;

use mimelake_schema::Key;

/// A stretch of a record, in bytes. Records are shorter than 4 GiB.
// One number: two that are written one by one and copied together make the processor wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Span(u64);

impl Span {
    /// The stretch from `start` to before `end`.
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        Self(start as u64 & u64::from(u32::MAX) | (end as u64) << u32::BITS)
    }

    /// The first byte.
    #[inline]
    pub fn start(self) -> usize {
        self.0 as u32 as usize
    }

    /// The byte after the last.
    #[inline]
    pub fn end(self) -> usize {
        (self.0 >> u32::BITS) as usize
    }

    /// The same stretch, seen from `by` bytes further on.
    #[inline]
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self::new(self.start() - by, self.end() - by)
    }

    /// The stretch of `bytes`.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start()..self.end()]
    }

    /// The stretch of `text`.
    #[inline]
    pub fn of_text(self, text: &str) -> &str {
        &text[self.start()..self.end()]
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start(), self.end())
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
