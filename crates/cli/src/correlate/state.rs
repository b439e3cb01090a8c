//! What runs leave for later ones: for each file of the table the keys of its emails, and what it counts.
//!
//! `OUT/_mimelake/messages/event_date=…/part-….keys` is a line of JSON, and then for each row of the file, in its order,
//! the hashes of its aCode and of its message id, 8 bytes each. With that a run finds the rows that its records belong
//! to without reading the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use mimelake_correlate::email::Email;
use mimelake_correlate::key;
use mimelake_correlate::message::{Message, email_of};
use mimelake_schema::EventType;
use mimelake_write::store::Store;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::place::Slot;
use crate::args::ConvertArgs;
use crate::convert::Run;
use crate::report::Summary;

/// Where the files of keys lie, below the output directory.
pub const DIRECTORY: &str = "_mimelake/messages";

/// Bytes of a row's keys.
const ROW: usize = 16;

/// What was written before.
#[derive(Debug, Default)]
pub struct State {
    out: PathBuf,
    files: BTreeMap<Slot, Summary>,
}

/// The first line of a file of keys.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    #[serde(flatten)]
    summary: Summary,
}

const VERSION: u32 = 1;

/// The rows that new records belong to, sorted, by file. Files whose rows are all untouched are not in it.
pub type Touched = BTreeMap<Slot, Vec<u32>>;

/// The content of a file of keys.
pub fn encode(summary: &Summary, keys: &[[u64; 2]]) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(&Head { version: VERSION, summary: summary.clone() })?;
    bytes.push(b'\n');
    bytes.extend(keys.iter().flatten().flat_map(|key| key.to_le_bytes()));
    Ok(bytes)
}

impl State {
    /// What was written to this output directory.
    ///
    /// A file of the table whose keys are gone gets them anew. Of one that is gone itself, as where old days are
    /// removed, nothing is kept.
    pub fn load(run: &Run<'_>, store: &Store) -> anyhow::Result<Self> {
        let (args, out) = (run.args, store.out());
        let ending = format!(".{}", args.extension().as_str());
        let visible = slots(&out.join(EventType::Message.table()), &ending)?;
        let kept = slots(&out.join(DIRECTORY), ".keys")?;
        let gone: Vec<_> = kept.difference(&visible).collect();
        if !gone.is_empty() {
            run.progress.say(&format!(
                "note: {} files of messages are gone; what was kept of them goes too",
                gone.len()
            ));
        }
        for slot in gone {
            for ending in [".keys", ".parquet"] {
                let path = out.join(DIRECTORY).join(format!("{slot}{ending}"));
                if path.exists() {
                    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                }
            }
        }
        let lost: Vec<Slot> = visible.difference(&kept).copied().collect();
        lost.into_par_iter().try_for_each(|slot| rebuild(args, store, slot))?;
        let files = visible.into_iter().map(|slot| Ok((slot, open(out, slot)?.0.summary)));
        Ok(Self { out: out.to_owned(), files: files.collect::<anyhow::Result<_>>()? })
    }

    /// How many emails each day has.
    pub fn emails(&self) -> BTreeMap<i64, u64> {
        let mut emails = BTreeMap::new();
        for (slot, summary) in &self.files {
            *emails.entry(slot.day).or_default() += summary.total;
        }
        emails
    }

    /// One file with so many emails.
    #[cfg(test)]
    pub fn of(slot: Slot, emails: u64) -> Self {
        let summary = Summary { total: emails, ..Summary::default() };
        Self { out: PathBuf::new(), files: BTreeMap::from([(slot, summary)]) }
    }

    /// Whether nothing was written before.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files of the table.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.files.keys().copied()
    }

    /// Whether there is such a file.
    pub fn has(&self, slot: Slot) -> bool {
        self.files.contains_key(&slot)
    }

    /// What the files count that are not among these.
    pub fn untouched<'s>(&'s self, written: &BTreeMap<Slot, Summary>) -> impl Iterator<Item = &'s Summary> {
        self.files.iter().filter(|(slot, _)| !written.contains_key(slot)).map(|(_, summary)| summary)
    }

    /// The rows that records with these keys belong to, and all rows that share a key with one of those.
    pub fn touched(&self, keys: Vec<u64>) -> anyhow::Result<Touched> {
        let mut touched = Touched::new();
        let mut new = keys;
        let mut known = Keys::default();
        while !self.files.is_empty() && !new.is_empty() {
            known.extend(new);
            let rows = |slot: &Slot| Ok((*slot, self.rows(*slot, &known)?));
            let slots: Vec<_> = self.files.keys().collect();
            let found: Vec<(Slot, Rows)> = slots.into_par_iter().map(rows).collect::<anyhow::Result<_>>()?;
            new = Vec::new();
            for (slot, rows) in found {
                new.extend(rows.others);
                if !rows.places.is_empty() {
                    touched.insert(slot, rows.places);
                }
            }
        }
        Ok(touched)
    }

    /// The rows of a file that have one of these keys.
    fn rows(&self, slot: Slot, known: &Keys) -> anyhow::Result<Rows> {
        let (head, mut reader) = open(&self.out, slot)?;
        let mut rows = Rows::default();
        let mut bytes = vec![0; ROW << 12];
        for start in (0..head.summary.total).step_by(bytes.len() / ROW) {
            let count = (head.summary.total - start).min((bytes.len() / ROW) as u64) as usize;
            let bytes = &mut bytes[..count * ROW];
            reader
                .read_exact(bytes)
                .with_context(|| format!("cannot read {}", place(&self.out, slot).display()))?;
            let (pairs, _) = bytes.as_chunks::<ROW>();
            for (row, pair) in (start as u32..).zip(pairs) {
                let (halves, _) = pair.as_chunks::<8>();
                let pair = [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])];
                if pair.iter().any(|key| known.has(*key)) {
                    rows.places.push(row);
                    rows.others.extend(pair.into_iter().filter(|key| *key != 0 && !known.has(*key)));
                }
            }
        }
        Ok(rows)
    }
}

/// The files below a directory that have this ending.
fn slots(directory: &Path, ending: &str) -> anyhow::Result<BTreeSet<Slot>> {
    let mut slots = BTreeSet::new();
    for name in names(directory)? {
        let Some(date) = name.strip_prefix("event_date=") else { continue };
        let files = names(&directory.join(&name))?;
        slots.extend(files.iter().filter_map(|file| Slot::parse(date, file.strip_suffix(ending)?)));
    }
    Ok(slots)
}

/// Makes the keys of a file of the table from the file itself.
fn rebuild(args: &ConvertArgs, store: &Store, slot: Slot) -> anyhow::Result<()> {
    let (mut summary, mut keys) = (Summary::default(), Vec::new());
    let native = store.out().join(super::write::native(args, slot));
    super::write::each_message_of(&native, &mut |_, event, bump| {
        let bytes = email_of(event);
        let email = Email::read(&bytes);
        keys.push(key::of_email(&email));
        summary.add(&Message::of(&email, bump));
        Ok(())
    })
    .with_context(|| {
        format!("what is kept of {} is lost; correlate into another directory", native.display())
    })?;
    let (temporary, target) =
        (store.temporary().join(format!("{}.keys", slot.number())), place(store.out(), slot));
    let write = || {
        fs::create_dir_all(target.parent().unwrap_or(&target))?;
        fs::write(&temporary, encode(&summary, &keys).map_err(std::io::Error::other)?)?;
        File::open(&temporary)?.sync_all()?;
        fs::rename(&temporary, &target)
    };
    write().with_context(|| format!("cannot write {}", target.display()))
}

#[derive(Default)]
struct Rows {
    places: Vec<u32>,
    /// Keys of these rows that were not looked for.
    others: Vec<u64>,
}

fn place(out: &Path, slot: Slot) -> PathBuf {
    out.join(DIRECTORY).join(format!("{slot}.keys"))
}

fn open(out: &Path, slot: Slot) -> anyhow::Result<(Head, BufReader<File>)> {
    let path = place(out, slot);
    let read = || -> anyhow::Result<_> {
        let mut reader = BufReader::with_capacity(1 << 16, File::open(&path)?);
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line)?;
        let head: Head = serde_json::from_slice(&line)?;
        ensure!(head.version == VERSION, "it is of version {}", head.version);
        Ok((head, reader))
    };
    read().with_context(|| {
        format!(
            "cannot read what {} says of earlier messages; correlate into another directory",
            path.display()
        )
    })
}

/// The names in a directory, sorted; none if there is no such directory.
fn names(directory: &Path) -> anyhow::Result<Vec<String>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

/// A set of keys that says no quickly.
#[derive(Debug, Default)]
struct Keys {
    sorted: Vec<u64>,
    /// A bit for each of a key's highest bits.
    bits: Vec<u64>,
    shift: u32,
}

impl Keys {
    fn extend(&mut self, keys: Vec<u64>) {
        self.sorted.extend(keys);
        self.sorted.sort_unstable();
        self.sorted.dedup();
        let bits = (self.sorted.len() * 16).next_power_of_two().max(64);
        self.shift = u64::BITS - bits.trailing_zeros();
        self.bits = vec![0; bits / 64];
        for key in &self.sorted {
            let bit = (key >> self.shift) as usize;
            self.bits[bit / 64] |= 1 << (bit % 64);
        }
    }

    fn has(&self, key: u64) -> bool {
        let bit = (key >> self.shift) as usize;
        self.bits[bit / 64] & 1 << (bit % 64) != 0 && self.sorted.binary_search(&key).is_ok()
    }
}
