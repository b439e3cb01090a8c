//! Records of one key to emails. Each step is a function of the set of records alone: their order, how they were
//! split, and that some came twice change nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::email::Email;
use crate::record::{Record, has_whole_id, message_id, stage, time};
use crate::stage::Stage;

/// The emails of one aCode, of all its records.
///
/// Records belong together by their message id. An id that is cut belongs to the one it is the beginning of; one that
/// some record says with its closing bracket is not cut.
/// Records without an id belong to the aCode's one email; if it has several, they are an email of their own.
///
/// `records` gets sorted, and each is there once afterwards; how many were there more often comes back.
pub fn by_acode<'a>(
    account: &'a str,
    acode: &'a str,
    mut records: Vec<&'a str>,
    emails: &mut Vec<Email<'a>>,
) -> u64 {
    let duplicates = once(&mut records);
    let email = |shared, records| Email { account, acode: Some(acode), shared, records };
    let mut ids = records.iter().filter_map(|record| message_id(record));
    if ids.next().is_none_or(|first| ids.all(|id| id == first)) {
        emails.push(email(false, records));
        return duplicates;
    }
    let ids: Vec<Option<&str>> = records.iter().map(|record| message_id(record)).collect();
    let whole = Whole::of(&records, &ids);
    if whole.ids.len() < 2 {
        emails.push(email(false, records));
        return duplicates;
    }
    let mut by_id: Vec<Vec<&str>> = vec![Vec::new(); whole.ids.len()];
    let mut without = Vec::new();
    for (record, id) in records.into_iter().zip(ids) {
        match id.and_then(|id| whole.place(id)) {
            Some(place) => by_id[place].push(record),
            None => without.push(record),
        }
    }
    emails.extend(by_id.into_iter().chain([without]).filter(|r| !r.is_empty()).map(|r| email(true, r)));
    duplicates
}

/// Sorts the records and leaves each once; how many are gone.
fn once(records: &mut Vec<&str>) -> u64 {
    let before = records.len();
    records.sort_unstable();
    records.dedup();
    (before - records.len()) as u64
}

/// The message ids of one aCode that are not the beginning of another.
struct Whole<'a> {
    ids: Vec<&'a str>,
    /// Each id that occurs and the place of the one that it belongs to; sorted.
    places: Vec<(&'a str, usize)>,
}

impl<'a> Whole<'a> {
    fn of(records: &[&str], ids: &[Option<&'a str>]) -> Self {
        let said = ids.iter().zip(records).filter_map(|(id, record)| Some(((*id)?, !has_whole_id(record))));
        let mut sorted: Vec<(&str, bool)> = said.collect();
        sorted.sort_unstable();
        // Of an id that is said in both ways the whole one is first.
        sorted.dedup_by_key(|(id, _)| *id);
        // Sorted, an id stands right before those that it is the beginning of.
        let mut whole: Vec<&str> = Vec::new();
        let mut places = Vec::with_capacity(sorted.len());
        for (at, (id, may_be_cut)) in sorted.iter().enumerate() {
            places.push((*id, whole.len()));
            if !may_be_cut || !sorted.get(at + 1).is_some_and(|(next, _)| next.starts_with(id)) {
                whole.push(id);
            }
        }
        Self { ids: whole, places }
    }

    fn place(&self, id: &str) -> Option<usize> {
        let found = self.places.binary_search_by(|(known, _)| (*known).cmp(id)).ok()?;
        Some(self.places[found].1)
    }
}

/// Gives records that are joined by one message id to the emails that have it; those that none has are an email of
/// their own. `emails` are all emails of that id; the emails come back with what they got, and the number of records
/// that were there more than once.
///
/// If several emails have the id, a record goes to those to whose recipients it speaks, and of those to the last that
/// was there before it.
pub fn by_message_id<'a>(
    account: &'a str,
    mut emails: Vec<Email<'a>>,
    mut loose: Vec<&'a str>,
    done: &mut Vec<Email<'a>>,
) -> u64 {
    let duplicates = once(&mut loose);
    if emails.is_empty() {
        if !loose.is_empty() {
            done.push(Email { account, acode: None, shared: false, records: loose });
        }
        return duplicates;
    }
    emails.sort_by_cached_key(|email| {
        (email.first_seen(), email.acode.map(str::to_owned), email.records.clone())
    });
    if emails.len() == 1 {
        emails[0].records.extend(loose);
    } else {
        let owners = Owners::of(&emails);
        let places: Vec<usize> = loose.iter().map(|record| owners.place(record)).collect();
        for (record, place) in loose.into_iter().zip(places) {
            emails[place].records.push(record);
        }
    }
    for mut email in emails {
        email.records.sort_unstable();
        done.push(email);
    }
    duplicates
}

/// Emails of one message id, by recipient.
struct Owners {
    first_seen: Vec<Option<i64>>,
    by_recipient: HashMap<String, Vec<usize>>,
    all: Vec<usize>,
}

impl Owners {
    fn of(emails: &[Email<'_>]) -> Self {
        let mut by_recipient: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, email) in emails.iter().enumerate() {
            for recipient in email.records.iter().flat_map(|record| recipients(record)) {
                let places = by_recipient.entry(recipient).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        let first_seen = emails.iter().map(Email::first_seen).collect();
        Self { first_seen, by_recipient, all: (0..emails.len()).collect() }
    }

    /// The email that a record goes to.
    fn place(&self, record: &str) -> usize {
        let named = recipients(record).into_iter().find_map(|recipient| self.by_recipient.get(&recipient));
        let places = named.unwrap_or(&self.all);
        let time = time(record);
        let before = places.partition_point(|place| self.first_seen[*place] <= time);
        places[before.saturating_sub(1)]
    }
}

/// The recipients of a record's text, in lower case.
fn recipients(record: &str) -> Vec<String> {
    if stage(record) == Stage::Process {
        return Vec::new();
    }
    let bump = bumpalo::Bump::new();
    Record::read(record, &bump).recipients_folded().map(Cow::into_owned).collect()
}
