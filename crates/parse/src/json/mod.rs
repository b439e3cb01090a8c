//! JSON deliveries: objects into pairs, whatever they are wrapped in.

mod object;
mod text;

pub(crate) use object::{Brackets, ENVELOPE, Stop, array, first_key, members, object, skip_value};
pub(crate) use text::unescape;

/// Where the first byte stands that is not JSON white space, from `at` on.
#[inline]
pub(crate) fn skip_blank(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|b| !matches!(b, b' ' | b'\n' | b'\r' | b'\t'))
        .map_or(bytes.len(), |p| at + p)
}
