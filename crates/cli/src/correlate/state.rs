//! What runs leave for later ones: what each file of the table counts, and which of its rows new records belong to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use mimelake_correlate::join::Days;
use mimelake_correlate::keys::Keys;
use mimelake_parse::time;
use mimelake_schema::EventType;
use mimelake_write::store::Store;
use rayon::prelude::*;

use super::chain::Chain;
use super::keys::{self, DIRECTORY, Kept};
use super::place::Slot;
use crate::args::ConvertArgs;
use crate::convert::Run;
use crate::report::Summary;

/// What was written before.
#[derive(Debug, Default)]
pub struct State {
    out: PathBuf,
    files: BTreeMap<Slot, Kept>,
    /// Files whose emails are all quiet since before this, in microseconds since 1970, are closed.
    closes: Option<i64>,
}

/// The rows that new records belong to, by file. Files whose rows are all untouched are not in it.
pub type Touched = BTreeMap<Slot, Rows>;

/// Rows of a file, sorted.
#[derive(Debug, Default)]
pub struct Rows {
    /// Their numbers.
    pub numbers: Vec<u32>,
    /// Their keys.
    pub keys: Vec<[u64; 2]>,
}

impl Rows {
    /// Adds rows and their keys, some of which may be there.
    pub fn extend(&mut self, rows: impl Iterator<Item = (u32, [u64; 2])>) {
        let before = std::mem::take(self);
        let mut all: Vec<_> = before.numbers.into_iter().zip(before.keys).chain(rows).collect();
        all.sort_unstable();
        all.dedup();
        (self.numbers, self.keys) = all.into_iter().unzip();
    }
}

/// After so many rounds over all keys they are held and followed.
const ROUNDS: usize = 4;

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
        lost.into_par_iter().try_for_each(|slot| keys::rebuild(args, store, slot))?;
        let files = visible.into_iter().map(|slot| Ok((slot, keys::kept(args, store, slot)?)));
        Ok(Self { out: out.to_owned(), files: files.collect::<anyhow::Result<_>>()?, closes: None })
    }

    /// From now on files are closed whose emails are all quiet for so long, before the newest record; `days` are those
    /// of the new ones.
    ///
    /// Records from the future would close all that is there, so they do not count. If a file is closed too early, that
    /// costs time in later runs and nothing else.
    pub fn close_after(&mut self, window: Duration, days: &Days) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64;
        let new = days.values().filter_map(|day| day.newest);
        let seen = self.files.values().filter_map(|kept| kept.last_seen).chain(new);
        let newest = seen.filter(|seen| *seen < now.saturating_add(time::DAY)).max();
        let window = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        self.closes = newest.map(|newest| newest.saturating_sub(window));
    }

    /// What is kept of a file, and whether it is closed.
    pub fn closed(&self, kept: Kept) -> Kept {
        let is_quiet = kept.last_seen.zip(self.closes).is_some_and(|(last, closes)| last < closes);
        Kept { closed: kept.closed || is_quiet, ..kept }
    }

    /// The files that are to be closed, and what is kept of them then.
    pub fn closing(&self) -> impl Iterator<Item = (Slot, Kept)> {
        let closed = self.files.iter().map(|(slot, kept)| (*slot, self.closed(kept.clone())));
        closed.filter(|(slot, kept)| kept.closed && !self.files[slot].closed)
    }

    /// How many emails each day has.
    pub fn emails(&self) -> BTreeMap<i64, u64> {
        let mut emails = BTreeMap::new();
        for (slot, kept) in &self.files {
            *emails.entry(slot.day).or_default() += kept.summary.total;
        }
        emails
    }

    /// One file with so many emails.
    #[cfg(test)]
    pub fn of(slot: Slot, emails: u64) -> Self {
        let summary = Summary { total: emails, ..Summary::default() };
        let kept = Kept { summary, ..Kept::default() };
        Self { files: BTreeMap::from([(slot, kept)]), ..Self::default() }
    }

    /// Whether nothing was written before.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files of the table.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.files.keys().copied()
    }

    /// How many rows a file has; none if there is no such file.
    pub fn rows(&self, slot: Slot) -> u64 {
        self.files.get(&slot).map_or(0, |kept| kept.summary.total)
    }

    /// What the files count that are not among these.
    pub fn untouched<'s>(&'s self, written: &BTreeMap<Slot, Kept>) -> impl Iterator<Item = &'s Summary> {
        self.files.iter().filter(|(slot, _)| !written.contains_key(slot)).map(|(_, kept)| &kept.summary)
    }

    /// The rows that records with these keys belong to, and all rows that share a key with one of those.
    pub fn touched(&self, args: &ConvertArgs, keys: Option<Keys>) -> anyhow::Result<Touched> {
        let mut touched = Touched::new();
        let Some(mut known) = keys else { return Ok(touched) };
        if self.files.is_empty() || known.is_empty() {
            return Ok(touched);
        }
        for round in 1.. {
            known.settle();
            let one = |slot: &Slot| Ok((*slot, self.look_up(args, *slot, &known)?));
            let slots: Vec<_> = self.files.keys().collect();
            let found: Vec<(Slot, Rows)> = slots.into_par_iter().map(one).collect::<anyhow::Result<_>>()?;
            let mut new = Vec::new();
            for (slot, rows) in found.into_iter().filter(|(_, rows)| !rows.numbers.is_empty()) {
                let others = rows.keys.iter().flatten().filter(|key| **key != 0 && !known.has(**key));
                new.extend(others);
                touched.insert(slot, rows);
            }
            if new.is_empty() {
                break;
            }
            if round == ROUNDS {
                self.chain(args)?.follow(new, |key| known.has(key), &mut touched);
                break;
            }
            known.append(&mut new);
        }
        Ok(touched)
    }

    /// The keys of all rows.
    fn chain(&self, args: &ConvertArgs) -> anyhow::Result<Chain> {
        let one = |slot: &Slot| {
            let mut rows = Vec::new();
            keys::each(args, &self.out, *slot, &mut |_, keys| rows.push(keys))?;
            Ok((*slot, rows))
        };
        let slots: Vec<_> = self.files.keys().collect();
        Ok(Chain::new(slots.into_par_iter().map(one).collect::<anyhow::Result<_>>()?))
    }

    /// The rows of a file that have one of these keys.
    fn look_up(&self, args: &ConvertArgs, slot: Slot, known: &Keys) -> anyhow::Result<Rows> {
        let mut rows = Rows::default();
        keys::each(args, &self.out, slot, &mut |row, keys| {
            if keys.iter().any(|key| known.has(*key)) {
                rows.numbers.push(row);
                rows.keys.push(keys);
            }
        })?;
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

/// The names in a directory, sorted; none if there is no such directory.
fn names(directory: &Path) -> anyhow::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<Result<Vec<_>, _>>),
    };
    let entries = entries.with_context(|| format!("cannot read {}", directory.display()))?;
    let mut names: Vec<_> = entries.iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}
