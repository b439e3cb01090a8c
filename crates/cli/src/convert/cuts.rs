//! The cuts of a content: it may have been converted whole, in slices, or line by line as it grew.

use std::collections::HashSet;

use mimelake_write::store::{Store, UnitKey};

use crate::source::{ALL, Digests};

/// A cut, and the digest of its bytes, in a content of any length.
pub type Place = (u64, u64, [u8; 32]);

/// The place of a cut.
pub fn place(key: &UnitKey) -> Place {
    (key.start, key.end, key.digest)
}

/// The cuts of a content of this length that have been converted.
pub fn known_cuts(store: &Store, found: &Digests, len: u64) -> Vec<UnitKey> {
    let cut = |(&(start, end), &digest): (&(u64, u64), &[u8; 32])| {
        let end = if (start, end) == ALL { len } else { end };
        UnitKey { len, start, end, digest, crc32: None }
    };
    found.of.iter().map(cut).filter(|key| store.knows(key)).collect()
}

/// The cuts that all of a content of this length can be put together of, in every way; none if it cannot.
pub fn covers(cuts: &[UnitKey], len: u64) -> Vec<UnitKey> {
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable_by_key(|key| (key.start, key.end));
    let (mut reached, mut leads) = (HashSet::from([0]), HashSet::from([len]));
    for key in &cuts {
        if reached.contains(&key.start) {
            reached.insert(key.end);
        }
    }
    for key in cuts.iter().rev() {
        if leads.contains(&key.end) {
            leads.insert(key.start);
        }
    }
    cuts.retain(|key| reached.contains(&key.start) && leads.contains(&key.end));
    cuts
}

/// These ranges, sorted, those that touch as one.
pub fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    ranges.dedup_by(|(start, end), before| {
        let touches = *start <= before.1;
        if touches {
            before.1 = before.1.max(*end);
        }
        touches
    });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_put_together_of_its_cuts_in_every_way() {
        let kept = |len, cuts: &[(u64, u64)]| -> Vec<_> {
            let key = |(start, end): &(u64, u64)| UnitKey {
                len,
                start: *start,
                end: *end,
                digest: [0; 32],
                crc32: None,
            };
            covers(&cuts.iter().map(key).collect::<Vec<_>>(), len)
                .iter()
                .map(|key| (key.start, key.end))
                .collect()
        };
        for (len, cuts, expected) in [
            (0, &[][..], &[][..]),
            (0, &[(0, 0)], &[(0, 0)]),
            (9, &[(0, 5)], &[]),
            (9, &[(5, 9)], &[]),
            (9, &[(5, 9), (0, 4)], &[]),
            (9, &[(5, 9), (0, 5)], &[(0, 5), (5, 9)]),
            (9, &[(0, 9), (0, 5)], &[(0, 9)]),
            (9, &[(0, 9), (0, 5), (5, 9), (2, 9), (5, 7)], &[(0, 5), (0, 9), (5, 9)]),
            (9, &[(0, 3), (3, 6), (3, 9), (6, 9), (1, 3)], &[(0, 3), (3, 6), (3, 9), (6, 9)]),
            (9, &[(0, 12)], &[]),
        ] {
            assert_eq!(kept(len, cuts), expected, "{len} {cuts:?}");
        }
    }

    #[test]
    fn ranges_that_touch_are_one() {
        for (ranges, expected) in [
            (&[][..], &[][..]),
            (&[(3, 5), (0, 3)], &[(0, 5)]),
            (&[(0, 9), (2, 3), (4, 12), (13, 14)], &[(0, 12), (13, 14)]),
            (&[(5, 6), (1, 2), (2, 2)], &[(1, 2), (5, 6)]),
        ] {
            assert_eq!(joined(ranges.to_vec()), expected, "{ranges:?}");
        }
    }
}
