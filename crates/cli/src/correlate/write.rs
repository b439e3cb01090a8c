//! The files of the table: the emails of each are sorted by time and become rows.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use bumpalo::Bump;
use mimelake_columns::document::Document;
use mimelake_columns::rows::Rows;
use mimelake_correlate::email::Email;
use mimelake_correlate::key;
use mimelake_correlate::message::{Message, email_of};
use mimelake_parse::Event;
use mimelake_schema::EventType;
use mimelake_write::parquet::ReadPart;
use mimelake_write::store::PartFile;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::Correlation;
use super::place::{Slot, Slots};
use super::state::{self, Touched};
use crate::args::{ConvertArgs, SchemaKind, To};
use crate::convert::part::Part;
use crate::interrupt;
use crate::report::Summary;

/// Sets the emails aside anew of days that are shared among more files than before.
pub fn share_anew(all: &Correlation<'_>, slots: &Slots, touched: &Touched) -> anyhow::Result<()> {
    let moved: Vec<Slot> = all.state.slots().filter(|slot| !slots.keeps(*slot)).collect();
    moved.par_iter().try_for_each(|slot| {
        let mut writer = all.emails.writer();
        let mut gone = touched.get(slot).into_iter().flatten().copied().peekable();
        each_message(all, *slot, &mut |row, event, _| {
            if gone.next_if_eq(&row).is_none() {
                let bytes = email_of(event);
                let number = slots.of(&Email::read(&bytes)).number();
                writer.put(number, 0, |out| out.extend_from_slice(&bytes))?;
            }
            Ok(())
        })?;
        Ok(writer.finish()?)
    })
}

/// Writes the files whose emails have changed; what each of those counts now.
pub fn all(
    all: &Correlation<'_>,
    slots: &Slots,
    touched: &Touched,
) -> anyhow::Result<BTreeMap<Slot, Summary>> {
    let new = all.emails.numbers().into_iter().map(Slot::of_number);
    let moved = all.state.slots().filter(|slot| !slots.keeps(*slot));
    let places: BTreeSet<Slot> = new.chain(touched.keys().copied()).chain(moved).collect();
    let one = |slot: &Slot| {
        interrupt::check()?;
        let gone = Gone { all: !slots.keeps(*slot), rows: touched.get(slot).map_or(&[], Vec::as_slice) };
        Ok(file(all, *slot, gone)?.map(|summary| (*slot, summary)))
    };
    let written: Vec<_> =
        places.into_iter().collect::<Vec<_>>().par_iter().map(one).collect::<anyhow::Result<_>>()?;
    Ok(written.into_iter().flatten().collect())
}

/// The rows of a file that were taken out of it.
#[derive(Clone, Copy)]
struct Gone<'a> {
    all: bool,
    rows: &'a [u32],
}

/// A set of emails, as a number that their order does not change.
#[derive(Default, PartialEq)]
struct Set(u128, u64);

impl Set {
    fn add(&mut self, email: &[u8]) {
        self.0 = self.0.wrapping_add(xxh3_128(email));
        self.1 += 1;
    }
}

/// Where messages can be read back: the table itself, or where it is of another format a copy.
pub fn native(args: &ConvertArgs, slot: Slot) -> String {
    let is_native = args.to() == To::Parquet && args.schema() == SchemaKind::Native;
    format!("{}/{slot}.parquet", if is_native { EventType::Message.table() } else { state::DIRECTORY })
}

fn visible(args: &ConvertArgs, slot: Slot) -> String {
    format!("{}/{slot}.{}", EventType::Message.table(), args.extension().as_str())
}

/// Writes one file anew, without the rows that are gone; none if it says what it said before.
fn file(all: &Correlation<'_>, slot: Slot, gone: Gone<'_>) -> anyhow::Result<Option<Summary>> {
    let entries = all.emails.take(slot.number())?;
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let (mut before, mut after) = (Set::default(), Set::default());
    let mut rows_gone = gone.rows.iter().copied().peekable();
    each_message(all, slot, &mut |row, event, _| {
        let email = email_of(event);
        before.add(&email);
        if rows_gone.next_if_eq(&row).is_none() && !gone.all {
            after.add(&email);
            kept.push(email);
        }
        Ok(())
    })?;
    entries.iter().for_each(|(_, bytes)| after.add(bytes));
    if before == after {
        return Ok(None);
    }
    let new = entries.iter().map(|(_, bytes)| bytes);
    let mut emails: Vec<(Option<i64>, &[u8])> = new
        .chain(kept.iter().map(Vec::as_slice))
        .map(|bytes| (Email::read(bytes).first_seen(), bytes))
        .collect();
    emails.sort_unstable();
    let keys = format!("{}/{slot}.keys", state::DIRECTORY);
    if emails.is_empty() {
        let mut job = super::read::lock(&all.job);
        for place in BTreeSet::from([visible(all.run.args, slot), native(all.run.args, slot), keys]) {
            job.remove_at(&place)?;
        }
        return Ok(Some(Summary::default()));
    }
    let (summary, rows) = rows(all, slot, &emails)?;
    let mut file = create(all, &keys)?;
    file.write_all(&state::encode(&summary, &rows)?)?;
    file.finish(summary.total)?;
    Ok(Some(summary))
}

fn create(all: &Correlation<'_>, place: &str) -> anyhow::Result<PartFile> {
    Ok(super::read::lock(&all.job).create_at(place)?)
}

/// Writes the rows of emails; what they count, and their keys.
fn rows(
    all: &Correlation<'_>,
    slot: Slot,
    emails: &[(Option<i64>, &[u8])],
) -> anyhow::Result<(Summary, Vec<[u64; 2]>)> {
    let args = all.run.args;
    let document = all.run.document(EventType::Message).context("messages have no document")?;
    let mut parts = vec![(Part::on(args, create(all, &visible(args, slot))?, document)?, document)];
    let native_document = Document::native(EventType::Message, false);
    if native(args, slot) != visible(args, slot) {
        let file = create(all, &native(args, slot))?;
        parts.push((Part::native(args, file, &native_document)?, &native_document));
    }
    let share = args.write.memory / 8 / args.read.threads() as u64;
    let mut summary = Summary::default();
    let mut keys = Vec::with_capacity(emails.len());
    let mut bump = Bump::new();
    for (_, bytes) in emails {
        let email = Email::read(bytes);
        keys.push(key::of_email(&email));
        let message = Message::of(&email, &bump);
        summary.add(&message);
        for (part, document) in &mut parts {
            part.write(document.row(&message.event, &bump))?;
            if keys.len() % 1024 == 0 && part.memory() > share {
                part.flush()?;
            }
        }
        bump.reset();
    }
    for (part, _) in parts {
        part.finish()?;
    }
    Ok((summary, keys))
}

/// Calls `each` with every message of a file as it was before, and its row; with none if there is no such file.
pub fn each_message(
    all: &Correlation<'_>,
    slot: Slot,
    each: &mut dyn FnMut(u32, &Event<'_>, &Bump) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if !all.state.has(slot) {
        return Ok(());
    }
    each_message_of(&all.store.out().join(native(all.run.args, slot)), each)
}

/// Calls `each` with every message of a native file, and its row.
pub fn each_message_of(
    path: &Path,
    each: &mut dyn FnMut(u32, &Event<'_>, &Bump) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut bump = Bump::new();
    let mut number = 0;
    for batch in ReadPart::open(path, None)? {
        let batch = batch?;
        let rows = Rows::of(EventType::Message, &batch)?;
        for row in 0..rows.len() {
            each(number, &rows.event(row, &bump), &bump)?;
            bump.reset();
            number += 1;
        }
    }
    Ok(())
}
