//! Which converted slices a stream is made of. It shows while the stream is read: nobody knows beforehand how long it is,
//! and so which slices to ask for.

use std::collections::BTreeMap;

use mimelake_write::store::UnitKey;

/// Compares what is read with slices that are known: first with those that begin where it begins, and where one of
/// them ends, with those that begin there.
#[derive(Debug)]
pub struct Trail {
    /// The slices by where they begin, sorted by their ends.
    known: BTreeMap<u64, Vec<UnitKey>>,
    /// What is compared now, or was.
    followed: Vec<Followed>,
    at: u64,
    found: Vec<UnitKey>,
}

/// The slices that begin at one place.
#[derive(Debug)]
struct Followed {
    start: u64,
    at: u64,
    hasher: blake3::Hasher,
    /// The first whose end was not reached.
    next: usize,
}

impl Trail {
    /// A trail among these slices.
    pub fn new(slices: Vec<UnitKey>) -> Self {
        let mut known: BTreeMap<u64, Vec<UnitKey>> = BTreeMap::new();
        for slice in slices {
            known.entry(slice.start).or_default().push(slice);
        }
        for slices in known.values_mut() {
            slices.sort_unstable_by_key(|slice| slice.end);
        }
        let mut trail = Self { known, followed: Vec::new(), at: 0, found: Vec::new() };
        trail.follow(0);
        trail
    }

    fn follow(&mut self, start: u64) {
        if self.known.contains_key(&start) && self.followed.iter().all(|other| other.start != start) {
            self.followed.push(Followed { start, at: start, hasher: blake3::Hasher::new(), next: 0 });
        }
    }

    /// Goes on with the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let begin = self.at;
        self.at += bytes.len() as u64;
        // What is found adds others, which begin among these bytes.
        let mut number = 0;
        while number < self.followed.len() {
            self.compare(number, bytes, begin);
            number += 1;
        }
    }

    /// Compares all slices of one place that end among these bytes.
    fn compare(&mut self, number: usize, bytes: &[u8], begin: u64) {
        loop {
            let followed = &mut self.followed[number];
            let Some(slice) = self.known.get(&followed.start).and_then(|slices| slices.get(followed.next))
            else {
                return;
            };
            let (slice, to) = (*slice, slice.end.min(self.at));
            followed.hasher.update(&bytes[(followed.at - begin) as usize..(to - begin) as usize]);
            followed.at = to;
            if to < slice.end {
                return;
            }
            followed.next += 1;
            if followed.hasher.finalize() == slice.digest {
                self.found.push(slice);
                self.follow(slice.end);
            }
        }
    }

    /// The slices that were read.
    pub fn found(&self) -> &[UnitKey] {
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slice(content: &[u8], start: usize, end: usize) -> UnitKey {
        let digest = blake3::hash(&content[start..end]).into();
        UnitKey { len: content.len() as u64, start: start as u64, end: end as u64, digest, crc32: None }
    }

    /// What slices a content is made of, from its beginning, asked one after the other.
    fn oracle(content: &[u8], known: &[UnitKey]) -> Vec<UnitKey> {
        let mut found: Vec<UnitKey> = Vec::new();
        let mut starts = vec![0];
        while let Some(start) = starts.pop() {
            for key in known.iter().filter(|key| key.start == start && key.end <= content.len() as u64) {
                if slice(content, key.start as usize, key.end as usize).digest == key.digest
                    && !found.contains(key)
                {
                    found.push(*key);
                    starts.push(key.end);
                }
            }
        }
        found
    }

    proptest! {
        #[test]
        fn slices_are_found_as_if_they_were_asked_one_by_one(
            content in proptest::collection::vec(0..2_u8, 1..60),
            other in proptest::collection::vec(0..2_u8, 60),
            cuts in proptest::collection::vec((any::<bool>(), 0..60_usize, 1..20_usize), 0..30),
            steps in proptest::collection::vec(1..20_usize, 1..8),
        ) {
            let of = |(own, start, len): &(bool, usize, usize)| {
                let content = if *own { &content } else { &other };
                let end = (start + len).min(content.len());
                (*start < end).then(|| slice(content, *start, end))
            };
            let known: Vec<UnitKey> = cuts.iter().filter_map(of).collect();
            let mut trail = Trail::new(known.clone());
            let (mut at, mut step) = (0, steps.iter().cycle());
            while at < content.len() {
                let end = content.len().min(at + step.next().unwrap());
                trail.update(&content[at..end]);
                at = end;
            }
            let place = |key: &UnitKey| (key.start, key.end, key.digest);
            let places = |keys: Vec<UnitKey>| keys.iter().map(place).collect::<std::collections::BTreeSet<_>>();
            prop_assert_eq!(places(trail.found().to_vec()), places(oracle(&content, &known)));
        }
    }
}
