//! The rows of one file of the table in order: those it had, and those that are new.

use std::collections::VecDeque;
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

use super::place::{Slot, order};
use super::{Correlation, keys};
use crate::args::{ConvertArgs, SchemaKind, To};
use crate::convert::part::Part;

/// An email's text, with its order before it.
pub type InOrder<'e> = (u64, &'e str);

/// Where a file of the table is, below the output directory.
pub fn visible(args: &ConvertArgs, slot: Slot) -> String {
    format!("{}/{slot}.{}", EventType::Message.table(), args.extension().as_str())
}

/// Where its messages can be read back: the table itself, or where it is of another format a copy.
pub fn native(args: &ConvertArgs, slot: Slot) -> String {
    let is_native = args.to() == To::Parquet && args.schema() == SchemaKind::Native;
    format!("{}/{slot}.parquet", if is_native { EventType::Message.table() } else { keys::DIRECTORY })
}

/// Calls `each` with every message of a native file, and its row.
pub fn each_message(
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

/// The emails that stay in a file, in their order, a batch at a time.
pub struct Staying<'g> {
    part: Option<ReadPart>,
    /// The rows that do not stay, sorted.
    gone: std::iter::Peekable<std::slice::Iter<'g, u32>>,
    number: u32,
    waiting: VecDeque<(u64, String)>,
}

impl<'g> Staying<'g> {
    /// Those of this native file without the rows that are gone; none if there is no file.
    pub fn new(path: Option<&Path>, gone: &'g [u32]) -> anyhow::Result<Self> {
        let part = path.map(|path| ReadPart::open(path, None)).transpose()?;
        Ok(Self { part, gone: gone.iter().peekable(), number: 0, waiting: VecDeque::new() })
    }

    /// Hands the emails that come before this one to `each`; without one all that are left.
    pub fn before(
        &mut self,
        other: Option<InOrder<'_>>,
        each: &mut dyn FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        while self.fill()? {
            while let Some((order, email)) = self.waiting.front() {
                if other.is_some_and(|other| other < (*order, email)) {
                    return Ok(());
                }
                each(email)?;
                self.waiting.pop_front();
            }
        }
        Ok(())
    }

    /// Whether there is an email that waits, which is read if need be.
    fn fill(&mut self) -> anyhow::Result<bool> {
        let mut bump = Bump::new();
        while self.waiting.is_empty() {
            let Some(batch) = self.part.as_mut().and_then(Iterator::next) else {
                // Asked again, a part that has ended makes empty columns.
                self.part = None;
                return Ok(false);
            };
            let batch = batch?;
            let rows = Rows::of(EventType::Message, &batch)?;
            for row in 0..rows.len() {
                if self.gone.next_if_eq(&&self.number).is_none() {
                    let email = email_of(&rows.event(row, &bump));
                    self.waiting.push_back((order(Email::read(&email).first_seen()), email));
                    bump.reset();
                }
                self.number += 1;
            }
        }
        Ok(true)
    }
}

/// A file of the table while it is written: its rows, and their keys.
pub struct Table<'a, 's> {
    all: &'a Correlation<'s>,
    slot: Slot,
    /// The file that readers see, and the native copy of one of another format.
    parts: Vec<(Part, &'a Document)>,
    kept: keys::Kept,
    keys: Vec<[u64; 2]>,
    /// Bytes of emails that were written since the parts were last asked what they hold.
    unweighed: u64,
    bump: Bump,
}

impl<'a, 's> Table<'a, 's> {
    /// The file of this slot, without rows.
    pub fn create(all: &'a Correlation<'s>, slot: Slot) -> anyhow::Result<Self> {
        let args = all.run.args;
        let document = all.run.document(EventType::Message).context("messages have no document")?;
        let mut rooms = super::read::lock(&all.rooms).pop().unwrap_or_default().into_iter();
        let mut room = || rooms.next().flatten();
        let file = create(all, &visible(args, slot))?;
        let mut parts = vec![(Part::on(args, file, document, room())?, document)];
        if native(args, slot) != visible(args, slot) {
            let file = create(all, &native(args, slot))?;
            parts.push((Part::native(args, file, &all.native, room())?, &all.native));
        }
        let kept = keys::Kept::default();
        Ok(Self { all, slot, parts, kept, keys: Vec::new(), unweighed: 0, bump: Bump::new() })
    }

    /// Writes the rows of some emails.
    pub fn write(&mut self, emails: &[&str]) -> anyhow::Result<()> {
        let messages = emails.iter().map(|text| Message::of(&Email::read(text), &self.bump));
        let messages: Vec<_> = messages.collect();
        for message in &messages {
            self.keys.push(key::of_message(&message.event));
            self.kept.add(message);
        }
        self.unweighed += emails.iter().map(|text| text.len() as u64).sum::<u64>();
        let weigh = self.unweighed > self.all.share / 8;
        for (part, document) in &mut self.parts {
            let rows = messages.iter().map(|message| document.row(&message.event, &self.bump));
            part.write(&rows.collect::<Vec<_>>())?;
            if weigh && part.memory() > self.all.share * 2 {
                part.flush()?;
            }
        }
        if weigh {
            self.unweighed = 0;
        }
        self.bump.reset();
        Ok(())
    }

    /// Ends the file; what is kept of it.
    pub fn finish(self) -> anyhow::Result<keys::Kept> {
        let mut kept = self.all.state.closed(self.kept);
        let mut rooms = Vec::new();
        // The last of them is the native one.
        for (part, _) in self.parts {
            let (bytes, room) = part.finish_with_room()?;
            kept.bytes = bytes;
            rooms.push(room);
        }
        super::read::lock(&self.all.rooms).push(rooms);
        write_keys(self.all, self.slot, &kept, &self.keys)?;
        Ok(kept)
    }
}

/// Writes what is kept of a file.
pub fn write_keys(
    all: &Correlation<'_>,
    slot: Slot,
    kept: &keys::Kept,
    keys: &[[u64; 2]],
) -> anyhow::Result<()> {
    let mut file = create(all, &format!("{}/{slot}.keys", keys::DIRECTORY))?;
    file.write_all(&keys::encode(kept, keys)?)?;
    file.finish(kept.summary.total)?;
    Ok(())
}

fn create(all: &Correlation<'_>, place: &str) -> anyhow::Result<PartFile> {
    Ok(super::read::lock(&all.job).create_at(place)?)
}
