//! The records of one email, or some of them, as bytes.
//!
//! ```text
//! account, aCode     texts; the aCode is bare, and missing where the records are joined by the message id
//! shared             1 byte: 1 if other emails have the same aCode
//! records            each a length and its bytes
//! ```
//!
//! It is what lies in partitions: a record that was just read is an email of one record.

use crate::record::{self, Bytes, length};

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
    pub records: Vec<&'a [u8]>,
}

impl<'a> Email<'a> {
    /// Appends the email.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_head(self.account, self.acode, self.shared, out);
        for record in &self.records {
            length(record.len(), out);
            out.extend_from_slice(record);
        }
    }

    /// Reads an email.
    pub fn read(bytes: &'a [u8]) -> Self {
        let (head, records) = read(bytes);
        Self { records: records.collect(), ..head }
    }

    /// When its first record was written.
    pub fn first_seen(&self) -> Option<i64> {
        self.records.iter().filter_map(|record| record::time(record)).min()
    }

    /// The message id: the longest that a record says, for some are cut; of those the first in the alphabet.
    pub fn message_id(&self) -> Option<&'a str> {
        let ids = self.records.iter().map(|record| record::message_id_bytes(record));
        let id = ids.max_by(|a, b| a.len().cmp(&b.len()).then_with(|| b.cmp(a)))?;
        std::str::from_utf8(id).ok().filter(|id| !id.is_empty())
    }
}

/// An email of these bytes, still without its records, and the records one by one.
pub(crate) fn read(bytes: &[u8]) -> (Email<'_>, impl Iterator<Item = &[u8]>) {
    let mut bytes = Bytes(bytes);
    let account = bytes.text().unwrap_or_default();
    let acode = bytes.text();
    let shared = bytes.take(1) == [1];
    let records = std::iter::from_fn(move || {
        if bytes.0.is_empty() {
            return None;
        }
        let length = bytes.length();
        Some(bytes.take(length))
    });
    (Email { account, acode, shared, records: Vec::new() }, records)
}

/// Appends an email of one record, which `write` appends.
pub fn write_one(account: &str, acode: Option<&str>, record: &[u8], out: &mut Vec<u8>) {
    write_head(account, acode, false, out);
    length(record.len(), out);
    out.extend_from_slice(record);
}

fn write_head(account: &str, acode: Option<&str>, shared: bool, out: &mut Vec<u8>) {
    for text in [Some(account), acode] {
        length(text.map_or(0, |text| text.len() + 1), out);
        out.extend_from_slice(text.unwrap_or_default().as_bytes());
    }
    out.push(u8::from(shared));
}
