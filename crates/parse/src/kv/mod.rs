//! Key-value lines: the grammar as a reader can check it, and the scanner that runs.
//!
//! Mimecast documents the format by samples only. The rules, for one record:
//!
//! - Pairs `key=value` are separated by `|`. A key is `[A-Za-z][A-Za-z0-9_]{0,63}` before `=`, at the
//!   record's start or after a separator. A `|` that no key follows belongs to the value; `|`s at the
//!   record's end are dropped.
//! - A value that starts with `\` is quoted up to the first later `\` that stands before a boundary or
//!   the record's end; everything between is content. Without such a close it runs to the next boundary.
//! - A value that starts with `{` or `[` is JSON up to its balanced end, if a boundary or the record's
//!   end follows; nesting goes to 64.
//! - Everything else runs to the next boundary.
//! - A record has at most [`MAX_PAIRS`](crate::MAX_PAIRS) pairs; one that has more is rejected whole.
//!
//! Time stays linear on hostile records: a close that was searched for and not found is not searched
//! for again, and after [`JSON_TRIES`] values that began like JSON and were not, the rest of the record
//! is not tried.

pub mod grammar;
mod lines;
mod scan;

pub(crate) use lines::{Close, Closer, begins_record, may_begin_record};
pub use lines::{Cut, cut, sure_start};
pub(crate) use scan::balanced_end;
pub use scan::{Quotes, Scanner, key_end};

/// How many values of one record may begin like JSON and turn out not to be.
pub const JSON_TRIES: u32 = 16;
/// How deep JSON values nest.
pub const MAX_NESTING: u32 = 64;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 64;
