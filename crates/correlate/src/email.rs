//! The records of one email, or some of them, as text.
//!
//! ```text
//! account, aCode     texts; the aCode is bare, and missing where the records are joined by the message id
//! shared             1 byte: 1 if other emails have the same aCode
//! records            each a length and its text
//! ```
//!
//! It is what lies in partitions: a record that was just read is an email of one record.

use crate::form::{Reader, length, write_text};
use crate::record;

/// The records of an email.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Email<'a> {
    /// The account, empty if the records do not say.
    pub account: &'a str,
    /// The bare aCode; none if the records are joined by their message id alone.
    pub acode: Option<&'a str>,
    /// Whether other emails have the same aCode.
    pub shared: bool,
    /// Its records, as [`record::write`] writes them.
    pub records: Vec<&'a str>,
}

impl<'a> Email<'a> {
    /// Appends the email.
    pub fn write(&self, out: &mut String) {
        write_head(self.account, self.acode, self.shared, out);
        for record in &self.records {
            write_record(record, out);
        }
    }

    /// Reads an email.
    pub fn read(text: &'a str) -> Self {
        let (head, records) = read(text);
        Self { records: records.collect(), ..head }
    }

    /// When its first record was written.
    pub fn first_seen(&self) -> Option<i64> {
        self.records.iter().filter_map(|record| record::time(record)).min()
    }

    /// The message id: the longest that a record says, for some are cut; of those the first in the alphabet.
    pub fn message_id(&self) -> Option<&'a str> {
        let ids = self.records.iter().filter_map(|record| record::message_id(record));
        ids.max_by(|a, b| a.len().cmp(&b.len()).then_with(|| b.cmp(a)))
    }
}

/// An email of this text, still without its records, and the records one by one.
pub(crate) fn read(text: &str) -> (Email<'_>, impl Iterator<Item = &str>) {
    let mut reader = Reader::new(text, 0);
    let account = reader.text().unwrap_or_default();
    let acode = reader.text();
    let shared = reader.byte() == 1;
    let records = std::iter::from_fn(move || {
        if reader.is_at_end() {
            return None;
        }
        let length = reader.length();
        Some(reader.take(length))
    });
    (Email { account, acode, shared, records: Vec::new() }, records)
}

/// Appends an email of this one record, as [`Email::write`] does.
pub fn write_one(account: &str, acode: Option<&str>, record: &str, out: &mut String) {
    write_head(account, acode, false, out);
    write_record(record, out);
}

fn write_head(account: &str, acode: Option<&str>, shared: bool, out: &mut String) {
    write_text(Some(account), out);
    write_text(acode, out);
    out.push(char::from(u8::from(shared)));
}

fn write_record(record: &str, out: &mut String) {
    length(record.len(), out);
    out.push_str(record);
}
