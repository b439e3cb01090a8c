//! What became of every line, and what records raised.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use mimelake_schema::EventType;

use crate::{Event, Flag, Reason};

/// How many unknown keys are counted by name; the rest count under [`OTHER_KEYS`].
const MAX_UNKNOWN_KEYS: usize = 1000;
/// How much of a key is its name here: JSON sets no limit.
const MAX_KEY_SHOWN: usize = 128;
/// The name that unknown keys beyond the first thousand count under.
const OTHER_KEYS: &str = "(other keys)";

/// The account of some input: every line is in exactly one of records, rejected and blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Lines read. For JSON a record is a line.
    pub lines: u64,
    /// Lines that belong to records; a record that spans lines counts each of them.
    pub records: u64,
    /// Lines that were no records.
    pub rejected: u64,
    /// Empty lines.
    pub blank: u64,
    /// Of `records`, the lines that only continue one: `records - continued` are the events.
    pub continued: u64,
    /// Events by type.
    pub events: [u64; EventType::ALL.len()],
    /// Flags raised.
    pub flags: [u64; Flag::ALL.len()],
    /// Rejects by reason, recovered ones included.
    pub rejects: [u64; Reason::ALL.len()],
    /// Keys that no column took.
    pub unknown_keys: BTreeMap<String, u64>,
}

impl Account {
    /// Whether every line is accounted for.
    pub fn holds(&self) -> bool {
        self.records + self.rejected + self.blank == self.lines
            && self.events.iter().sum::<u64>() + self.continued == self.records
    }

    /// Counts one event that took so many lines.
    #[inline]
    pub(crate) fn event(&mut self, event: &Event<'_>, lines: u64) {
        self.lines += lines;
        self.records += lines;
        self.continued += lines - 1;
        self.events[event.event_type as usize] += 1;
        if !event.flags.is_empty() {
            event.flags.iter().for_each(|flag| self.flags[flag as usize] += 1);
        }
    }

    /// Counts one line that was no record.
    pub(crate) fn reject(&mut self, reason: Reason) {
        self.lines += 1;
        self.rejected += 1;
        self.rejects[reason as usize] += 1;
    }

    /// Counts one empty line.
    pub(crate) fn blank(&mut self) {
        self.lines += 1;
        self.blank += 1;
    }

    /// Counts one key that no column took.
    pub(crate) fn unknown_key(&mut self, key: &str) {
        let key = &key[..key.floor_char_boundary(MAX_KEY_SHOWN)];
        if let Some(count) = self.unknown_keys.get_mut(key) {
            *count += 1;
            return;
        }
        let name = if self.unknown_keys.len() < MAX_UNKNOWN_KEYS { key } else { OTHER_KEYS };
        *self.unknown_keys.entry(name.to_owned()).or_default() += 1;
    }
}

impl AddAssign<&Self> for Account {
    fn add_assign(&mut self, other: &Self) {
        self.lines += other.lines;
        self.records += other.records;
        self.rejected += other.rejected;
        self.blank += other.blank;
        self.continued += other.continued;
        let add = |to: &mut [u64], from: &[u64]| to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        add(&mut self.events, &other.events);
        add(&mut self.flags, &other.flags);
        add(&mut self.rejects, &other.rejects);
        for (key, count) in &other.unknown_keys {
            let full = self.unknown_keys.len() >= MAX_UNKNOWN_KEYS && !self.unknown_keys.contains_key(key);
            *self.unknown_keys.entry(if full { OTHER_KEYS } else { key }.to_owned()).or_default() += count;
        }
    }
}
