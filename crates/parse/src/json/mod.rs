//! JSON deliveries: objects into pairs, whatever they are wrapped in.

mod object;
mod text;

pub(crate) use object::{Brackets, ENVELOPE, Stop, array, first_key, object, skip_value, value, walk};
pub(crate) use text::unescape;

/// Where the first byte stands that is not JSON white space, from `at` on.
#[inline]
pub(crate) fn skip_blank(bytes: &[u8], at: usize) -> usize {
    // Most often there is none.
    if bytes.get(at).is_some_and(|byte| *byte > b' ') {
        return at;
    }
    bytes[at..]
        .iter()
        .position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t'))
        .map_or(bytes.len(), |p| at + p)
}
