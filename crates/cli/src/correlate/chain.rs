//! Rows that hang together by many links, as where aCodes and message ids are shared crosswise.
//!
//! A round over all keys for each link would cost the square of a long chain. So after some rounds all keys are held
//! once, 48 bytes a row, and followed from link to link.

use std::collections::{BTreeSet, HashSet};

use super::place::Slot;
use super::state::Touched;

/// The keys of all rows.
#[derive(Debug)]
pub struct Chain {
    files: Vec<(Slot, Vec<[u64; 2]>)>,
    /// Each key, and the file and row that have it; sorted.
    places: Vec<(u64, u32, u32)>,
}

impl Chain {
    /// Of these files, whose rows have these keys in their order.
    pub fn new(files: Vec<(Slot, Vec<[u64; 2]>)>) -> Self {
        let mut places = Vec::new();
        for (file, (_, rows)) in (0_u32..).zip(&files) {
            let of_row = (0_u32..).zip(rows).flat_map(|(row, keys)| keys.map(|key| (key, file, row)));
            places.extend(of_row.filter(|(key, ..)| *key != 0));
        }
        places.sort_unstable();
        Self { files, places }
    }

    /// Adds the rows that have one of these keys, those that share a key with one of these, and so on. The rows of
    /// keys that are known are there already.
    pub fn follow(&self, mut keys: Vec<u64>, known: impl Fn(u64) -> bool, touched: &mut Touched) {
        let mut seen: HashSet<u64> = keys.iter().copied().collect();
        let mut found: BTreeSet<(u32, u32)> = BTreeSet::new();
        while let Some(key) = keys.pop() {
            let from = self.places.partition_point(|place| place.0 < key);
            for (_, file, row) in self.places[from..].iter().take_while(|place| place.0 == key) {
                if found.insert((*file, *row)) {
                    let others = self.keys(*file, *row).into_iter().filter(|key| *key != 0);
                    keys.extend(others.filter(|key| !known(*key) && seen.insert(*key)));
                }
            }
        }
        let found: Vec<_> = found.into_iter().collect();
        for of_file in found.chunk_by(|a, b| a.0 == b.0) {
            let rows = of_file.iter().map(|(file, row)| (*row, self.keys(*file, *row)));
            touched.entry(self.files[of_file[0].0 as usize].0).or_default().extend(rows);
        }
    }

    fn keys(&self, file: u32, row: u32) -> [u64; 2] {
        self.files[file as usize].1[row as usize]
    }
}
