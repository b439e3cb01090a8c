//! In which order files are changed, so that a row which moves is never seen twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use mimelake_correlate::email::Email;
use mimelake_correlate::key;

use super::place::Slot;
use super::state::Touched;

/// Which files rows have left for which.
#[derive(Debug, Default)]
pub struct Moves {
    /// Where rows were that were taken out.
    left: HashMap<u64, Vec<Slot>>,
    found: Mutex<BTreeSet<(Slot, Slot)>>,
}

impl Moves {
    /// No moves yet of the rows that were taken out.
    pub fn new(touched: &Touched) -> Self {
        let mut left: HashMap<u64, Vec<Slot>> = HashMap::new();
        for (slot, rows) in touched {
            for keys in &rows.keys {
                let slots = left.entry(name(*keys)).or_default();
                // Slot by slot, so the same one is the last.
                if slots.last() != Some(slot) {
                    slots.push(*slot);
                }
            }
        }
        Self { left, found: Mutex::default() }
    }

    /// Notes where an email's row goes.
    pub fn note(&self, email: &Email<'_>, to: Slot) {
        if self.left.is_empty() {
            return;
        }
        let [acode, id] = key::of_email(email);
        // It may have been without what is known of it now.
        for keys in BTreeSet::from([[acode, id], [0, id], [acode, 0]]) {
            for from in self.left.get(&name(keys)).into_iter().flatten().filter(|from| **from != to) {
                self.found.lock().unwrap_or_else(PoisonError::into_inner).insert((*from, to));
            }
        }
    }

    /// These files in an order in which a row leaves its file before it enters another.
    ///
    /// Where files exchange rows in a circle there is no such order; the last of them is changed first.
    pub fn order(self, mut slots: BTreeSet<Slot>) -> Vec<Slot> {
        let moves = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut waits: BTreeMap<Slot, usize> = BTreeMap::new();
        for (_, to) in &moves {
            *waits.entry(*to).or_default() += 1;
        }
        let mut free: BTreeSet<Slot> =
            slots.iter().filter(|slot| !waits.contains_key(slot)).copied().collect();
        let mut order = Vec::with_capacity(slots.len());
        while let Some(next) = free.pop_last().or_else(|| slots.last().copied()) {
            if !slots.remove(&next) {
                continue;
            }
            order.push(next);
            for (_, to) in moves.range((next, Slot::FIRST)..).take_while(|(from, _)| *from == next) {
                let waits = waits.entry(*to).or_default();
                *waits = waits.saturating_sub(1);
                if *waits == 0 {
                    free.insert(*to);
                }
            }
        }
        order
    }
}

/// Two keys in one.
fn name([acode, id]: [u64; 2]) -> u64 {
    acode.rotate_left(32) ^ id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(moves: &[(i64, i64)], days: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let slot = |day| Slot { day, share: 0, of: 1 };
        let found = moves.iter().map(|(from, to)| (slot(*from), slot(*to))).collect();
        let moves = Moves { left: HashMap::new(), found: Mutex::new(found) };
        moves.order(days.into_iter().map(slot).collect()).into_iter().map(|slot| slot.day).collect()
    }

    #[test]
    fn a_row_leaves_before_it_enters() {
        assert_eq!(order(&[], 1..=3), [3, 2, 1]);
        assert_eq!(order(&[(3, 1), (2, 1)], 1..=3), [3, 2, 1]);
        assert_eq!(order(&[(1, 3)], 1..=3), [2, 1, 3]);
        assert_eq!(order(&[(1, 2), (2, 3)], 1..=3), [1, 2, 3]);
        // In a circle each is there once all the same.
        assert_eq!(order(&[(1, 2), (2, 1), (1, 3)], 1..=3), [3, 2, 1]);
        assert_eq!(order(&[(1, 2), (2, 1), (3, 2)], 0..=3), [3, 0, 2, 1]);
    }
}
