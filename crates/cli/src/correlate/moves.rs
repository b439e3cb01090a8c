//! In which order files are changed, so that a row which moves is never seen twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use mimelake_correlate::email::Email;
use mimelake_correlate::key;

use super::place::Slot;
use super::state::Touched;

/// Which files rows have left for which.
#[derive(Debug, Default)]
pub struct Moves {
    /// Where rows were that were taken out, by their key: the aCode, or without one the message id; sorted.
    left: Vec<(u64, Slot)>,
    found: Mutex<BTreeSet<(Slot, Slot)>>,
}

impl Moves {
    /// No moves yet of the rows that were taken out.
    pub fn new(touched: &Touched) -> Self {
        let key = |[acode, id]: [u64; 2]| if acode == 0 { id } else { acode };
        let rows = touched.iter().flat_map(|(slot, rows)| rows.keys.iter().map(|keys| (key(*keys), *slot)));
        let mut left: Vec<_> = rows.collect();
        left.sort_unstable();
        left.dedup();
        Self { left, found: Mutex::default() }
    }

    /// Notes where an email's row goes.
    pub fn note(&self, email: &Email<'_>, to: Slot) {
        if self.left.is_empty() {
            return;
        }
        // A row that had the message id alone may have become part of an email.
        for key in key::of_email(email) {
            let from = self.left.partition_point(|(other, _)| *other < key);
            for (_, from) in self.left[from..].iter().take_while(|(other, _)| *other == key) {
                self.add(*from, to);
            }
        }
    }

    /// Notes that a row goes from one file to another, or stays.
    pub fn add(&self, from: Slot, to: Slot) {
        if from != to {
            self.found.lock().unwrap_or_else(PoisonError::into_inner).insert((from, to));
        }
    }

    /// These files in an order in which a row leaves its file before it enters another.
    ///
    /// Where files exchange rows in a circle there is no such order; the last of them is changed first.
    pub fn order(self, mut slots: BTreeSet<Slot>) -> Vec<Slot> {
        let mut moves = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        // A file that stays as it is has lost nothing.
        moves.retain(|(from, _)| slots.contains(from));
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

#[cfg(test)]
mod tests {
    use mimelake_correlate::record;
    use mimelake_correlate::stage::Stage;
    use mimelake_parse::Value;
    use mimelake_schema::Field;

    use super::super::state::Rows;
    use super::*;

    fn order(moves: &[(i64, i64)], days: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let slot = |day| Slot { day, share: 0, of: 1 };
        let found = moves.iter().map(|(from, to)| (slot(*from), slot(*to))).collect();
        let moves = Moves { left: Vec::new(), found: Mutex::new(found) };
        moves.order(days.into_iter().map(slot).collect()).into_iter().map(|slot| slot.day).collect()
    }

    #[test]
    fn a_row_leaves_before_it_enters() {
        assert_eq!(order(&[], 1..=3), [3, 2, 1]);
        assert_eq!(order(&[(3, 1), (2, 1)], 1..=3), [3, 2, 1]);
        assert_eq!(order(&[(1, 3)], 1..=3), [2, 1, 3]);
        assert_eq!(order(&[(1, 2), (2, 3)], 1..=3), [1, 2, 3]);
        // A file that is not written delays none.
        assert_eq!(order(&[(9, 3), (3, 5)], [2, 3, 5]), [3, 5, 2]);
        // In a circle each is there once all the same.
        assert_eq!(order(&[(1, 2), (2, 1), (1, 3)], 1..=3), [3, 2, 1]);
        assert_eq!(order(&[(1, 2), (2, 1), (3, 2)], 0..=3), [3, 0, 2, 1]);
    }

    #[test]
    fn a_move_is_found_by_the_acode_whatever_the_id_or_by_the_id_alone() {
        let slot = |day| Slot { day, share: 0, of: 1 };
        let mut with_id = String::new();
        let members = Stage::Receipt.members().iter();
        let members =
            members.map(|field| if *field == Field::MessageId { Value::Text("<a@b>") } else { Value::Null });
        record::write(Stage::Receipt, &members.collect::<Vec<_>>(), false, &mut with_id);
        let email = |acode| Email { account: "C0A0", acode, shared: false, records: vec![&with_id] };
        let [acode, id] = key::of_email(&email(Some("x")));
        for (before, after, moves) in [
            ([acode, id], Some("x"), true),
            ([acode, 7], Some("x"), true),
            ([acode, 0], Some("x"), true),
            ([0, id], Some("x"), true),
            ([0, id], None, true),
            ([5, id], Some("x"), false),
            ([5, 6], Some("x"), false),
        ] {
            let rows = Rows { numbers: vec![0], keys: vec![before] };
            let noted = Moves::new(&Touched::from([(slot(3), rows)]));
            noted.note(&email(after), slot(3));
            noted.note(&email(after), slot(5));
            let found = noted.found.into_inner().unwrap();
            assert_eq!(
                found.into_iter().collect::<Vec<_>>(),
                if moves { vec![(slot(3), slot(5))] } else { vec![] }
            );
        }
    }
}
