//! The files of the table: the emails of each are sorted by time and become rows.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

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

use super::place::{Slot, Slots};
use super::state::{self, Touched};
use super::{Correlation, path};
use crate::args::{ConvertArgs, SchemaKind, To};
use crate::convert::part::Part;
use crate::interrupt;
use crate::report::Summary;

/// Writes the files that new emails go to or touched ones come from; what each counts now.
pub fn all(all: &Correlation<'_>, _: &Slots, touched: &Touched) -> anyhow::Result<BTreeMap<Slot, Summary>> {
    let new = all.emails.numbers().into_iter().map(Slot::of_number);
    let slots: BTreeSet<Slot> = new.chain(touched.keys().copied()).collect();
    let one = |slot: &Slot| {
        interrupt::check()?;
        Ok((*slot, file(all, *slot, touched.get(slot).map_or(&[], Vec::as_slice))?))
    };
    slots.into_iter().collect::<Vec<_>>().par_iter().map(one).collect()
}

/// Where messages can be read back: the table itself, or where it is of another format a copy.
fn native(args: &ConvertArgs, slot: Slot) -> String {
    let is_native = args.to() == To::Parquet && args.schema() == SchemaKind::Native;
    format!("{}/{slot}.parquet", if is_native { EventType::Message.table() } else { state::DIRECTORY })
}

fn visible(args: &ConvertArgs, slot: Slot) -> String {
    format!("{}/{slot}.{}", EventType::Message.table(), args.extension().as_str())
}

/// Writes one file anew; `gone` are its rows that were taken apart.
fn file(all: &Correlation<'_>, slot: Slot, gone: &[u32]) -> anyhow::Result<Summary> {
    let entries = all.emails.take(slot.number())?;
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut gone = gone.iter().copied().peekable();
    each_message(all, slot, &mut |row, event, _| {
        if gone.next_if_eq(&row).is_none() {
            kept.push(email_of(event));
        }
        Ok(())
    })?;
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
        return Ok(Summary::default());
    }
    let (summary, rows) = rows(all, slot, &emails)?;
    let mut file = create(all, &keys)?;
    file.write_all(&state::encode(&summary, &rows)?)?;
    file.finish(summary.total)?;
    Ok(summary)
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
    let document = match args.schema() {
        SchemaKind::Native => Document::native(EventType::Message, false),
        SchemaKind::Ecs => Document::ecs(EventType::Message, false),
    };
    let mut parts = vec![(Part::on(args, create(all, &visible(args, slot))?, &document)?, &document)];
    let native_document = Document::native(EventType::Message, false);
    if native(args, slot) != visible(args, slot) {
        let file = create(all, &native(args, slot))?;
        parts.push((Part::native(args, file, &native_document)?, &native_document));
    }
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
    let mut bump = Bump::new();
    let mut number = 0;
    for batch in ReadPart::open(&path(all.store.out(), &native(all.run.args, slot)), None)? {
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
