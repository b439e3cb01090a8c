//! The keys of what is new, in bounded memory.

/// Bits of the quick answer, for each key.
const BITS: usize = 16;

/// Bits that each key sets in the filter.
const EACH: u64 = 4;

/// A set of keys, which are hashes. Past so many it is a filter: then it may have keys that were not added, but never
/// lacks one that was.
#[derive(Debug)]
pub struct Keys {
    most: usize,
    /// The keys, until there are too many.
    exact: Option<Vec<u64>>,
    /// Some bits for each key; a quick no where the keys are there too.
    bits: Vec<u64>,
}

impl Keys {
    /// No keys; past `most` of them it becomes a filter of as many words.
    pub fn new(most: usize) -> Self {
        Self { most: most.next_power_of_two().max(64), exact: Some(Vec::new()), bits: Vec::new() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.exact.as_ref().is_some_and(Vec::is_empty)
    }

    /// Adds keys, which are gone from `keys` then.
    pub fn append(&mut self, keys: &mut Vec<u64>) {
        let Some(exact) = &mut self.exact else {
            set(&mut self.bits, keys);
            keys.clear();
            return;
        };
        exact.append(keys);
        if exact.len() <= self.most {
            return;
        }
        exact.sort_unstable();
        exact.dedup();
        // A set that is nearly full would be sorted each time.
        if exact.len() > self.most / 4 * 3 {
            self.bits = vec![0; self.most];
            set(&mut self.bits, exact);
            self.exact = None;
        }
    }

    /// Makes [`has`](Self::has) ready, after keys were added.
    pub fn settle(&mut self) {
        if let Some(exact) = &mut self.exact {
            exact.sort_unstable();
            exact.dedup();
            self.bits = vec![0; (exact.len() * BITS / 64).next_power_of_two()];
            set(&mut self.bits, exact);
        }
    }

    /// Whether the key is one of them.
    pub fn has(&self, key: u64) -> bool {
        let is_set = |(word, bit)| self.bits.get::<usize>(word).is_some_and(|word| word & bit != 0);
        places(self.bits.len(), key).all(is_set)
            && self.exact.as_ref().is_none_or(|exact| exact.binary_search(&key).is_ok())
    }
}

/// The bits of a key in so many words: the word, and the bit in it.
fn places(words: usize, key: u64) -> impl Iterator<Item = (usize, u64)> {
    let step = key.rotate_left(32) | 1;
    (0..EACH).map(move |n| {
        let key = key.wrapping_add(step.wrapping_mul(n));
        let at = ((u128::from(key) * (words as u128 * 64)) >> 64) as usize;
        (at / 64, 1 << (at % 64))
    })
}

fn set(bits: &mut [u64], keys: &[u64]) {
    for key in keys {
        for (word, bit) in places(bits.len(), *key) {
            bits[word] |= bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes())
    }

    #[test]
    fn no_key_is_lacking_however_many_there_are() {
        for (count, others) in [(0, 0..=0), (1, 0..=0), (40, 0..=0), (200, 0..=10), (5000, 500..=1000)] {
            let mut keys = Keys::new(64);
            for from in (0..count).step_by(7) {
                keys.append(&mut (from..count.min(from + 9)).map(key).collect());
            }
            keys.settle();
            assert_eq!(keys.is_empty(), count == 0);
            assert!((0..count).all(|n| keys.has(key(n))), "{count}");
            let found = (10_000..11_000).filter(|n| keys.has(key(*n))).count();
            assert!(others.contains(&found), "{count}: {found}");
            assert!(keys.bits.len() <= 64);
        }
    }
}
