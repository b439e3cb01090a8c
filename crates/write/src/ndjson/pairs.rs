//! Pairs as an object whose keys stand once.

use std::collections::HashMap;

use mimelake_parse::ExtraPair;

use super::{line::Line, text, value};

/// Up to this many, a look at each is quicker than hashing.
const FEW: usize = 16;

/// Appends an object with the keys in the order of their first appearance; a key that comes more than
/// once has an array of all its values.
pub(super) fn write(pairs: &[ExtraPair<'_>], out: &mut Line<'_>) {
    if pairs.len() <= FEW { write_few(pairs, out) } else { write_many(pairs, out) }
}

fn write_few(pairs: &[ExtraPair<'_>], out: &mut Line<'_>) {
    let start = out.end();
    for (place, pair) in pairs.iter().enumerate() {
        let (before, after) = pairs.split_at(place);
        if before.iter().any(|p| p.key == pair.key) {
            continue;
        }
        key(pair.key, out);
        let same = after.iter().filter(|p| p.key == pair.key).map(|p| p.value);
        values(same, out);
    }
    value::end_object(start, out);
}

/// In linear time: each pair is linked to the next one with its key.
fn write_many(pairs: &[ExtraPair<'_>], out: &mut Line<'_>) {
    let mut next = vec![None; pairs.len()];
    let mut is_first = vec![true; pairs.len()];
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (place, pair) in pairs.iter().enumerate() {
        if let Some(before) = last.insert(pair.key, place) {
            next[before] = Some(place);
            is_first[place] = false;
        }
    }
    let start = out.end();
    for first in (0..pairs.len()).filter(|place| is_first[*place]) {
        key(pairs[first].key, out);
        let chain = std::iter::successors(Some(first), |place| next[*place]);
        values(chain.map(|place| pairs[place].value), out);
    }
    value::end_object(start, out);
}

fn key(key: &str, out: &mut Line<'_>) {
    out.byte(b',');
    text::write(key, out);
    out.byte(b':');
}

/// One value as it is, several as an array.
fn values<'a>(mut values: impl Iterator<Item = Option<&'a str>>, out: &mut Line<'_>) {
    let first = values.next().flatten();
    let Some(second) = values.next() else { return optional(first, out) };
    out.byte(b'[');
    optional(first, out);
    for value in std::iter::once(second).chain(values) {
        out.byte(b',');
        optional(value, out);
    }
    out.byte(b']');
}

fn optional(value: Option<&str>, out: &mut Line<'_>) {
    match value {
        Some(value) => text::write(value, out),
        None => out.bytes(b"null"),
    }
}
