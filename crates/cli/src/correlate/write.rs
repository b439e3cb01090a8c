//! Which files of the table are written anew, and how.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use mimelake_correlate::email::Email;
use mimelake_correlate::message::email_of;
use mimelake_correlate::partitions::fetch_ahead;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::moves::Moves;
use super::place::{Slot, Slots};
use super::rows::{self, InOrder, Staying, Table};
use super::state::Touched;
use super::{Correlation, keys};
use crate::interrupt;

/// So many emails ahead of the one that is written, one is fetched from memory.
const AHEAD: usize = 2;
/// So many emails are written together at the most.
const TOGETHER: usize = 32;
/// So many bytes of emails, about.
const TOGETHER_BYTES: usize = 64 << 10;

/// A set of emails, as a number that their order does not change.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Set {
    hash: u128,
    count: u64,
}

impl Set {
    /// Adds an email's text.
    pub fn add(&mut self, email: &str) {
        self.hash = self.hash.wrapping_add(xxh3_128(email.as_bytes()));
        self.count += 1;
    }
}

impl AddAssign for Set {
    fn add_assign(&mut self, other: Self) {
        self.hash = self.hash.wrapping_add(other.hash);
        self.count += other.count;
    }
}

/// Sets of emails by their file.
pub type Sets = BTreeMap<Slot, Set>;

/// Adds sets to others.
pub fn merge(into: &mut Sets, sets: Sets) {
    for (slot, set) in sets {
        *into.entry(slot).or_default() += set;
    }
}

/// What a run changes in the table.
pub struct Changes<'c> {
    /// How many files each day has.
    pub slots: &'c Slots,
    /// The rows that were taken out.
    pub touched: &'c Touched,
    /// What those were.
    pub gone: Sets,
    /// What was set aside to be written.
    pub added: Sets,
}

/// Sets the emails aside anew of days that are shared among more files than before.
pub fn share_anew(all: &Correlation<'_>, changes: &mut Changes<'_>, moves: &Moves) -> anyhow::Result<()> {
    let shared: Vec<Slot> = all.state.slots().filter(|slot| !changes.slots.keeps(*slot)).collect();
    let one = |slot: &Slot| {
        let mut writer = all.emails.writer();
        let mut added = Sets::new();
        let mut gone = changes.gone_of(*slot).iter().peekable();
        rows::each_message(&all.native_path(*slot), &mut |row, event, _| {
            if gone.next_if_eq(&&row).is_none() {
                let email = email_of(event);
                let place = changes.slots.of(&Email::read(&email));
                added.entry(place.slot).or_default().add(&email);
                moves.add(*slot, place.slot);
                writer.put(place.number, place.order, &email)?;
            }
            Ok(())
        })?;
        writer.finish()?;
        Ok(added)
    };
    let added: Vec<Sets> = shared.par_iter().map(one).collect::<anyhow::Result<_>>()?;
    for sets in added {
        merge(&mut changes.added, sets);
    }
    Ok(())
}

/// Writes the files whose emails have changed; what is kept of each of those now.
pub fn all(all: &Correlation<'_>, changes: &Changes<'_>) -> anyhow::Result<BTreeMap<Slot, keys::Kept>> {
    all.emails.end();
    let moved = all.state.slots().filter(|slot| !changes.slots.keeps(*slot));
    let places: BTreeSet<Slot> =
        changes.added.keys().chain(changes.touched.keys()).copied().chain(moved).collect();
    let one = |slot: &Slot| {
        interrupt::check()?;
        Ok(file(all, changes, *slot)?.map(|kept| (*slot, kept)))
    };
    let written: Vec<_> =
        places.into_iter().collect::<Vec<_>>().par_iter().map(one).collect::<anyhow::Result<_>>()?;
    let written: BTreeMap<_, _> = written.into_iter().flatten().collect();
    for (slot, kept) in all.state.closing().filter(|(slot, _)| !written.contains_key(slot)) {
        rows::write_keys(all, slot, &kept, &[])?;
    }
    Ok(written)
}

impl Changes<'_> {
    fn gone_of(&self, slot: Slot) -> &[u32] {
        self.touched.get(&slot).map_or(&[], |rows| &rows.numbers)
    }
}

/// Writes one file anew; none if it says what it said before.
fn file(all: &Correlation<'_>, changes: &Changes<'_>, slot: Slot) -> anyhow::Result<Option<keys::Kept>> {
    let keeps = changes.slots.keeps(slot);
    let gone = changes.gone_of(slot);
    let set = |sets: &Sets| sets.get(&slot).copied().unwrap_or_default();
    let added = set(&changes.added);
    if keeps && added == set(&changes.gone) {
        return Ok(None);
    }
    let stay = if keeps { all.state.rows(slot).saturating_sub(gone.len() as u64) } else { 0 };
    if stay + added.count == 0 {
        let args = all.run.args;
        let keys = format!("{}/{slot}.keys", keys::DIRECTORY);
        let mut job = super::read::lock(&all.job);
        for place in BTreeSet::from([rows::visible(args, slot), rows::native(args, slot), keys]) {
            job.remove_at(&place)?;
        }
        return Ok(Some(keys::Kept::default()));
    }
    let before = (stay > 0).then(|| all.native_path(slot));
    let mut staying = Staying::new(before.as_deref(), gone)?;
    let mut table = Table::create(all, slot)?;
    for number in changes.slots.numbers(slot) {
        let entries = all.emails.take(number)?;
        let mut new: Vec<InOrder<'_>> = entries.iter().collect();
        new.sort_unstable();
        let mut waiting = Vec::new();
        let mut bytes = 0;
        for (at, email) in new.iter().enumerate() {
            if let Some((_, next)) = new.get(at + AHEAD) {
                fetch_ahead(next);
            }
            staying.before(Some(*email), &mut |other| {
                table.write(&std::mem::take(&mut waiting))?;
                bytes = 0;
                table.write(&[other])
            })?;
            waiting.push(email.1);
            bytes += email.1.len();
            if waiting.len() >= TOGETHER || bytes >= TOGETHER_BYTES {
                table.write(&waiting)?;
                waiting.clear();
                bytes = 0;
            }
        }
        table.write(&waiting)?;
    }
    staying.before(None, &mut |email| table.write(&[email]))?;
    Ok(Some(table.finish()?))
}
