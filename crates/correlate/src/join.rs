//! The whole join: events are set aside by key, then folded partition by partition.
//!
//! 1. [`Scatter`] turns events into records and sets them aside by their aCode, or where they are joined by it, by
//!    their message id.
//! 2. [`Join::fold`] makes the emails of one partition of aCodes. An email whose message id some record is joined by
//!    is set aside by that; all others are done.
//! 3. [`Join::attach`] gives the records of one partition of message ids to their emails.
//!
//! Partitions of one step are independent of each other, so a step can be shared among threads; a step begins when the
//! one before it has ended.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mimelake_parse::{Event, Value, time};
use mimelake_schema::Field;

use crate::budget::{Budget, SpillError, lock};
use crate::email::{self, Email};
use crate::key::Key;
use crate::keys::Keys;
use crate::partitions::{Entries, Partitions, Writer, fetch_ahead};
use crate::stage::Picker;
use crate::{fold, message, record};

/// One record for each of so many recipients; more stay together in the last.
const MAX_RECIPIENTS: usize = 64;
/// The records of one event have about as many bytes at the most.
const MAX_BYTES: usize = 1 << 20;
/// So many entries ahead of those that are folded, some are fetched from memory.
const AHEAD: usize = 6;
/// A worker hands over so many keys at a time.
const KEYS: usize = 1 << 16;
/// Bits of the filter of message ids.
const FILTER: usize = 1 << 26;

/// What is being joined.
#[derive(Debug)]
pub struct Join {
    acodes: Partitions,
    ids: Partitions,
    /// Which message ids records are joined by. A bit may be set for another id; then an email is set aside for
    /// nothing.
    filter: Vec<AtomicU64>,
    /// The number of partitions is a power of two; a hash goes to the one of its highest bits.
    shift: u32,
    pickers: Vec<Option<Picker>>,
    /// The keys of all records, if they are wanted.
    keys: Option<Mutex<Keys>>,
    days: Mutex<Days>,
}

/// The records of each day, in days since 1970; none for those that do not say when they were written.
pub type Days = HashMap<Option<i64>, Day>;

/// The records of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// How many there are.
    pub records: u64,
    /// How many bytes they have in the row form.
    pub bytes: u64,
    /// When the last of them was written, in microseconds since 1970.
    pub newest: Option<i64>,
}

impl std::ops::AddAssign for Day {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.newest = self.newest.max(other.newest);
    }
}

/// What reading and joining counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that were there more than once, and count once.
    pub duplicates: u64,
    /// Records of an email's stage that name neither an aCode nor a message id: they are in no message.
    pub unkeyed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.duplicates += other.duplicates;
        self.unkeyed += other.unkeyed;
    }
}

impl Join {
    /// A join in so many partitions, made a power of two.
    pub fn new(budget: &Arc<Budget>, partitions: usize) -> Self {
        let bits = partitions.clamp(2, 1 << 16).next_power_of_two().trailing_zeros();
        let partitions = || {
            let mut partitions = Partitions::new(budget);
            partitions.expect(1 << bits);
            partitions
        };
        Self {
            acodes: partitions(),
            ids: partitions(),
            filter: (0..FILTER / 64).map(|_| AtomicU64::new(0)).collect(),
            shift: u64::BITS - bits,
            pickers: Picker::all(),
            keys: None,
            days: Mutex::default(),
        }
    }

    /// The same, and it remembers the keys of all records in this set.
    #[must_use]
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = Some(Mutex::new(keys));
        self
    }

    /// The keys of all records that were taken so far, as [`crate::key::of_email`] makes them; none if they were not
    /// remembered. Those of later records are not remembered.
    pub fn take_keys(&mut self) -> Option<Keys> {
        self.keys.take().map(|keys| keys.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The days of the records that were taken so far.
    pub fn days(&self) -> Days {
        lock(&self.days).clone()
    }

    /// A sink for the events of one worker.
    pub fn scatter(&self) -> Scatter<'_> {
        Scatter {
            join: self,
            acodes: self.acodes.writer(),
            ids: self.ids.writer(),
            record: String::new(),
            email: String::new(),
            counts: Counts::default(),
            keys: Vec::new(),
            day: (None, Day::default()),
        }
    }

    /// The numbers of the partitions of aCodes.
    pub fn acode_partitions(&self) -> Vec<u64> {
        self.acodes.numbers()
    }

    /// The numbers of the partitions of message ids.
    pub fn id_partitions(&self) -> Vec<u64> {
        self.ids.numbers()
    }

    /// Folds one partition of aCodes; `done` gets the emails that no other record can belong to.
    ///
    /// # Errors
    /// [`SpillError`], and those of `done`.
    pub fn fold<E: From<SpillError>>(
        &self,
        partition: u64,
        done: &mut impl FnMut(&Email<'_>) -> Result<(), E>,
    ) -> Result<Counts, E> {
        let entries = self.acodes.take(partition)?;
        let mut counts = Counts::default();
        let mut ids = self.ids.writer();
        let mut emails = Vec::new();
        let mut text = String::new();
        let all = groups(&entries);
        let mut ahead = all.iter().skip(AHEAD);
        for group in all.chunk_by(|a, b| a.0 == b.0) {
            ahead.by_ref().take(group.len()).for_each(|(_, text)| fetch_ahead(text));
            let mut group: Vec<_> = group.iter().map(|(_, text)| email::read(text)).collect();
            // Keys of one hash are nearly always one key.
            group.sort_by(|(a, _), (b, _)| (a.account, a.acode).cmp(&(b.account, b.acode)));
            for same in group.chunk_by_mut(|(a, _), (b, _)| (a.account, a.acode) == (b.account, b.acode)) {
                let Some((first, _)) = same.first() else { continue };
                let (account, acode) = (first.account, first.acode.unwrap_or_default());
                let records = same.iter_mut().flat_map(|(_, records)| records).collect();
                counts.duplicates += fold::by_acode(account, acode, records, &mut emails);
            }
            for email in emails.drain(..) {
                match self.joined_by_id(&email) {
                    Some(hash) => {
                        text.clear();
                        email.write(&mut text);
                        ids.put(self.partition(hash), hash, &text)?;
                    }
                    None => done(&email)?,
                }
            }
        }
        ids.finish()?;
        Ok(counts)
    }

    /// Folds one partition of message ids; `done` gets its emails.
    ///
    /// # Errors
    /// [`SpillError`], and those of `done`.
    pub fn attach<E: From<SpillError>>(
        &self,
        partition: u64,
        done: &mut impl FnMut(&Email<'_>) -> Result<(), E>,
    ) -> Result<Counts, E> {
        let entries = self.ids.take(partition)?;
        let mut counts = Counts::default();
        let mut emails = Vec::new();
        for group in groups(&entries).chunk_by(|a, b| a.0 == b.0) {
            let mut group: Vec<(Email<'_>, &str)> = group
                .iter()
                .map(|(_, text)| Email::read(text))
                .map(|email| {
                    let id = email.message_id().unwrap_or_default();
                    (email, id)
                })
                .collect();
            let key = |(email, id): &(Email<'_>, &str)| (email.account.to_owned(), (*id).to_owned());
            group.sort_by_cached_key(key);
            for same in group.chunk_by(|a, b| (a.0.account, a.1) == (b.0.account, b.1)) {
                let Some((first, _)) = same.first() else { continue };
                let (mut owners, mut loose) = (Vec::new(), Vec::new());
                for (email, _) in same {
                    match email.acode {
                        Some(_) => owners.push(email.clone()),
                        None => loose.extend_from_slice(&email.records),
                    }
                }
                counts.duplicates += fold::by_message_id(first.account, owners, loose, &mut emails);
            }
            for email in emails.drain(..) {
                done(&email)?;
            }
        }
        Ok(counts)
    }

    fn partition(&self, hash: u64) -> u64 {
        hash >> self.shift
    }

    fn bit(hash: u64) -> (usize, u64) {
        let bit = hash as usize % FILTER;
        (bit / 64, 1 << (bit % 64))
    }

    /// The hash of the email's message id, if a record may be joined by it.
    fn joined_by_id(&self, email: &Email<'_>) -> Option<u64> {
        let hash = Key::MessageId(email.message_id()?).hash(email.account);
        let (word, bit) = Self::bit(hash);
        (self.filter[word].load(Ordering::Relaxed) & bit != 0).then_some(hash)
    }
}

/// The entries, those of one hash together.
fn groups(entries: &Entries) -> Vec<(u64, &str)> {
    let mut all: Vec<_> = entries.iter().collect();
    all.sort_unstable_by_key(|(hash, _)| *hash);
    all
}

/// Takes the events of one worker.
#[derive(Debug)]
pub struct Scatter<'j> {
    join: &'j Join,
    acodes: Writer<'j>,
    ids: Writer<'j>,
    record: String,
    /// The record as an email of its own.
    email: String,
    counts: Counts,
    keys: Vec<u64>,
    /// The day of the last record, and those of it in a row.
    day: (Option<i64>, Day),
}

impl Scatter<'_> {
    /// Takes an event; one of a type that no message is made of is passed over.
    ///
    /// # Errors
    /// [`SpillError`] if the disk does not take what is past the budget.
    pub fn event(&mut self, event: &Event<'_>) -> Result<(), SpillError> {
        if event.event_type == mimelake_schema::EventType::Message {
            return self.message(event);
        }
        let Some(picker) = &self.join.pickers[event.event_type as usize] else { return Ok(()) };
        let Some(key) = Key::of(event) else {
            self.counts.unkeyed += 1;
            return Ok(());
        };
        let account = event.get(Field::Account).text().unwrap_or_default();
        let mut members = picker.members(event);
        let stage = picker.stage();
        let place = stage.place(Field::Recipient);
        let recipients = picker.recipients(event);
        let mut most = MAX_RECIPIENTS;
        if recipients.len() > 1 {
            self.record.clear();
            record::write(stage, &members, false, &mut self.record);
            most = (MAX_BYTES / self.record.len().max(1)).clamp(1, MAX_RECIPIENTS);
        }
        let (one_each, rest) = recipients.split_at(recipients.len().min(most - 1));
        let rest = match rest {
            [] => None,
            [last] => Some(Cow::Borrowed(*last)),
            together => Some(together.join(", ").into()),
        };
        let named = one_each.iter().copied().chain(rest.as_deref()).map(Some);
        let nobody = recipients.is_empty() || place.is_none();
        for recipient in named.chain(nobody.then_some(None)) {
            if let Some(place) = place {
                members[place] = recipient.map_or(Value::Null, Value::Text);
            } else if recipient.is_some() {
                continue;
            }
            self.record.clear();
            record::write(stage, &members, matches!(key, Key::MessageId(_)), &mut self.record);
            let record = std::mem::take(&mut self.record);
            self.put(account, key, &record)?;
            self.record = record;
        }
        Ok(())
    }

    /// Takes a message apart into its records.
    fn message(&mut self, event: &Event<'_>) -> Result<(), SpillError> {
        let text = |field| event.get(field).text();
        let account = text(Field::Account).unwrap_or_default();
        for (record, by_message_id) in message::records_of(event) {
            if by_message_id {
                let id = record::message_id(&record).unwrap_or_default();
                self.put(account, Key::MessageId(id), &record)?;
            } else {
                self.put(account, Key::Acode(text(Field::Acode).unwrap_or_default()), &record)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, account: &str, key: Key<'_>, record: &str) -> Result<(), SpillError> {
        let hash = key.hash(account);
        if self.join.keys.is_some() {
            let id = record::message_id(record).map(|id| Key::MessageId(id).hash(account));
            self.keys.extend([Some(hash), id].into_iter().flatten());
            if self.keys.len() > KEYS {
                self.hand_over_keys();
            }
        }
        self.count_day(record);
        let partition = self.join.partition(hash);
        self.email.clear();
        match key {
            Key::Acode(acode) => {
                email::write_one(account, Some(acode), record, &mut self.email);
                self.acodes.put(partition, hash, &self.email)
            }
            Key::MessageId(_) => {
                let (word, bit) = Join::bit(hash);
                self.join.filter[word].fetch_or(bit, Ordering::Relaxed);
                email::write_one(account, None, record, &mut self.email);
                self.ids.put(partition, hash, &self.email)
            }
        }
    }

    fn count_day(&mut self, record: &str) {
        let newest = record::time(record);
        let day = newest.map(|micros| micros.div_euclid(time::DAY));
        if self.day.0 != day {
            self.end_day();
            self.day.0 = day;
        }
        self.day.1 += Day { records: 1, bytes: record.len() as u64, newest };
    }

    fn end_day(&mut self) {
        let (day, counts) = std::mem::take(&mut self.day);
        if counts.records > 0 {
            *lock(&self.join.days).entry(day).or_default() += counts;
        }
    }

    fn hand_over_keys(&mut self) {
        if let Some(keys) = &self.join.keys {
            self.keys.sort_unstable();
            self.keys.dedup();
            lock(keys).append(&mut self.keys);
        }
    }

    /// Hands over what is left; what was counted.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub fn finish(mut self) -> Result<Counts, SpillError> {
        self.acodes.finish()?;
        self.ids.finish()?;
        self.end_day();
        self.hand_over_keys();
        Ok(self.counts)
    }
}
