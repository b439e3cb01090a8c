//! The output directory: what makes part files count, and what makes a second run add nothing.
//!
//! ```text
//! OUT/<table>/event_date=YYYY-MM-DD/part-<run>-<job>-<n>.parquet | .ndjson
//! OUT/_quarantine/rejects-<run>-<job>.ndjson
//! OUT/_mimelake/version          the number of this format
//! OUT/_mimelake/lock             held by the one run that writes
//! OUT/_mimelake/commits/*.jsonl  a line for every finished job
//! OUT/_mimelake/runs/<run>       a run that has not ended well yet
//! OUT/_mimelake/tmp/             files being written
//! ```
//!
//! A [`Job`] writes its parts as temporary files, syncs them, renames them to their places, syncs the directories,
//! and then writes its [`Commit`] in the same way. Until the commit is there the parts do not count, and the next
//! [`Store::open`] removes them; so a run may be killed at any moment, and another run completes it. Tables whose rows
//! change are written another way: see [`Job::create_at`].
//!
//! ```
//! # use std::io::Write;
//! # use mimelake_write::store::{Counts, Extension, Store, Wait};
//! # let out = tempfile::tempdir()?;
//! let store = Store::open(out.path(), "ndjson/ecs", Wait::Fail)?;
//! let job = store.begin()?;
//! let mut part = job.create("receipt", "2026-01-31", Extension::Ndjson)?;
//! part.write_all(b"{}\n")?;
//! part.finish(1)?;
//! let commit = job.commit(Vec::new(), Counts { records: 1, lines: 1, ..Counts::default() })?;
//! assert_eq!(commit.parts[0].bytes, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod disk;
mod error;
mod index;
mod job;
mod key;
mod layout;
mod lock;
mod log;
mod part;
mod record;
mod recover;
mod swap;
#[cfg(test)]
mod tests;
mod units;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use error::StoreError;
pub use index::StampState;
pub use job::Job;
pub use key::UnitKey;
pub use layout::{CommitId, Extension};
pub use lock::Wait;
pub use part::PartFile;
pub use record::{Commit, CommittedInput, CommittedUnit, Counts, FileStamp, Listing, Part};
pub use swap::Swap;

use disk::Disk;
use error::Result;
use index::Index;
use layout::Layout;
use lock::Lock;
use part::Home;

/// More commit files than this are merged into one at the next start.
const MANY_FILES: usize = if cfg!(test) { 3 } else { 64 };

/// An output directory, held by this run.
///
/// Workers share it by reference; each has its own [`Job`].
#[derive(Debug)]
pub struct Store {
    disk: Arc<Disk>,
    layout: Layout,
    settings: String,
    run: String,
    index: RwLock<Index>,
    next_job: AtomicU64,
    open_jobs: AtomicU64,
    /// Whether the run's marker has been written.
    marked: Mutex<bool>,
    /// Something of the run could not be removed, so its marker must stay.
    unclean: AtomicBool,
    /// Directories whose own names are known to be on the disk.
    durable: Mutex<HashSet<PathBuf>>,
    /// Last, so that it is let go after everything else.
    _lock: Lock,
}

impl Store {
    /// The output directory `out`, created if need be, locked, cleaned of what a killed run left, and loaded.
    ///
    /// `settings` names the kind of output, such as `parquet/native`: what was converted to another kind in the
    /// same directory is unknown here, and its parts are left alone.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another run holds the directory and `wait` does not wait for it,
    /// [`StoreError::NewerFormat`], [`StoreError::Corrupt`] and [`StoreError::StateLost`] if what was converted
    /// cannot be told, [`StoreError::Io`] if the file system fails.
    pub fn open(out: &Path, settings: &str, wait: Wait<'_>) -> Result<Self> {
        Self::open_on(Arc::default(), out, settings, wait)
    }

    fn open_on(disk: Arc<Disk>, out: &Path, settings: &str, wait: Wait<'_>) -> Result<Self> {
        let layout = Layout { out: out.to_owned() };
        let state = layout.state();
        std::fs::create_dir_all(&state).map_err(StoreError::io("create directory", &state))?;
        let lock = Lock::take(&layout.lock(), wait)?;
        recover::prepare(&disk, &layout)?;
        let mut log = log::load(&layout, settings)?;
        let run = layout::new_run(log.newest.as_ref());
        swap::recover(&disk, &layout, &log)?;
        recover::sweep(&disk, &layout, &log)?;
        if log.files.len() > MANY_FILES || !log.void.is_empty() {
            log::merge(&disk, &layout, &run, &log.files)?;
            log = log::load(&layout, settings)?;
        }
        Ok(Self {
            disk,
            layout,
            settings: settings.to_owned(),
            run,
            index: RwLock::new(log.index),
            next_job: AtomicU64::new(1),
            open_jobs: AtomicU64::new(0),
            marked: Mutex::new(false),
            unclean: AtomicBool::new(false),
            durable: Mutex::default(),
            _lock: lock,
        })
    }

    /// The directory that was opened.
    pub fn out(&self) -> &Path {
        &self.layout.out
    }

    /// Where the run may keep what it needs until it ends; emptied by the next start.
    pub fn temporary(&self) -> PathBuf {
        self.layout.temporary()
    }

    /// The other kinds of output that the directory holds, sorted.
    pub fn other_settings(&self) -> Vec<String> {
        self.index().other_settings()
    }

    /// What is known of a file by its path, length and time of change.
    pub fn stamp_state(&self, stamp: &FileStamp) -> StampState {
        self.index().stamp_state(stamp)
    }

    /// Whether any converted content had this length, and this CRC-32 if both sides state one. If not, no digest
    /// need be computed to know it is new.
    pub fn length_known(&self, len: u64, crc32: Option<u32>) -> bool {
        self.index().length_known(len, crc32)
    }

    /// Whether contents of this length may have been converted in slices. Where not, a content is known by the digest of
    /// all of it.
    pub fn is_cut(&self, len: u64) -> bool {
        self.index().is_cut(len)
    }

    /// The converted units and slices of contents of this length, and of this CRC-32 if both sides state one.
    pub fn candidates(&self, len: u64, crc32: Option<u32>) -> Vec<UnitKey> {
        self.index().candidates(len, crc32)
    }

    /// Whether these bytes have been converted, be it as part of a content that has grown since.
    pub fn knows(&self, key: &UnitKey) -> bool {
        self.index().knows(key)
    }

    /// The converted slices of the plain file that was last seen under this path, by their start; each says how long the
    /// file was. For files that grow: if the digests still fit, only the rest is new.
    pub fn known_slices(&self, path: &Path) -> Vec<UnitKey> {
        self.index().slices(path)
    }

    /// The converted contents of a compressed file or zip of this path that could not be read to its end, by their
    /// number in it: once it is mended, one of them may be the beginning of what it holds, or what damage made of it.
    pub fn cut_short(&self, path: &Path) -> Vec<(u32, UnitKey)> {
        self.index().cut_short(path)
    }

    /// Whether the file of this path could not be read to its end when it was last committed.
    pub fn was_damaged(&self, path: &Path) -> bool {
        self.index().was_damaged(path)
    }

    /// Whether the file of this path looked so when it was last committed.
    pub fn was_seen_last(&self, stamp: &FileStamp) -> bool {
        self.index().was_seen_last(stamp)
    }

    /// The converted slices of all contents that were not converted whole, or not at once; each once. For streams, of
    /// which nobody knows beforehand how long they are.
    pub fn all_slices(&self) -> Vec<UnitKey> {
        self.index().all_slices()
    }

    /// The live commits that hold the rows of these units, oldest first, each once.
    pub fn commits_of(&self, units: &[UnitKey]) -> Vec<CommitId> {
        self.index().commits_of(units)
    }

    /// Whether this run has made a commit.
    pub fn made(&self, id: &CommitId) -> bool {
        id.is_of(&self.run)
    }

    /// The inputs of a live commit, all of which must be converted again by who replaces it.
    ///
    /// # Errors
    /// [`StoreError::UnknownCommit`] if there is no such live commit, [`StoreError::Io`] or
    /// [`StoreError::Corrupt`] if its record cannot be read again.
    pub fn inputs_of(&self, id: &CommitId) -> Result<Vec<CommittedInput>> {
        let location = self.index().location(id).cloned();
        let location = location.ok_or_else(|| StoreError::UnknownCommit { id: id.to_string() })?;
        Ok(log::read(&location)?.inputs)
    }

    /// A new job.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the run's marker cannot be written, which is done once.
    pub fn begin(&self) -> Result<Job<'_>> {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        if !*marked {
            self.disk.write_file(&self.layout.runs().join(&self.run), b"")?;
            self.disk.sync_dir(&self.layout.runs())?;
            *marked = true;
        }
        drop(marked);
        self.open_jobs.fetch_add(1, Ordering::Relaxed);
        let number = self.next_job.fetch_add(1, Ordering::Relaxed);
        Ok(Job::new(self, CommitId::new(&self.run, number)))
    }

    /// Remembers files whose units are all known under new names or times; writes one commit without parts.
    ///
    /// # Errors
    /// As [`Job::commit`].
    pub fn remember_aliases(&self, mut inputs: Vec<CommittedInput>) -> Result<Commit> {
        for unit in inputs.iter_mut().flat_map(|input| &mut input.units) {
            unit.alias = true;
        }
        self.begin()?.commit(inputs, Counts::default())
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave_marker(&self) {
        self.unclean.store(true, Ordering::Relaxed);
    }

    fn job_ended(&self) {
        self.open_jobs.fetch_sub(1, Ordering::Relaxed);
    }

    /// The directory of a part, created if need be. Directories that hold names which may not be on the disk yet
    /// are added to `touched`; another job may have created them and not have synced them.
    fn home_directory(&self, home: &Home, touched: &mut BTreeSet<PathBuf>) -> Result<PathBuf> {
        let out = &self.layout.out;
        let (parents, directory) = match home {
            Home::Quarantine => (vec![out.clone()], self.layout.quarantine()),
            // Whoever swaps files makes their directories: see `swap`.
            Home::At(place) => return Ok(out.join(place)),
            Home::Partition { table, date } => {
                (vec![out.clone(), self.layout.table(table)], self.layout.partition(table, date))
            }
        };
        if !self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(&directory) {
            for path in parents.iter().skip(1).chain([&directory]) {
                self.disk.create_dir(path)?;
            }
            touched.extend(parents);
        }
        Ok(directory)
    }

    /// Remembers that these directories and all names on the way to them are on the disk.
    fn directories_are_durable(&self, synced: BTreeSet<PathBuf>) {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).extend(synced);
    }
}

/// The paths of all parts that readers of an output directory see, as `OUT/<table>/event_date=…/<part>`, in the order
/// of table and date; none if it holds none.
///
/// Nothing is locked: while another run writes there, its parts come and go.
///
/// # Errors
/// [`StoreError::Io`] if a directory cannot be read.
pub fn visible_parts(out: &Path) -> Result<Vec<PathBuf>> {
    let layout = Layout { out: out.to_owned() };
    let mut parts = Vec::new();
    layout.visit_parts(&mut |path, _| {
        if !path.starts_with(layout.quarantine()) {
            parts.push(path.to_owned());
        }
        Ok(())
    })?;
    Ok(parts)
}

/// Whether a directory is an output directory.
pub fn is_output(directory: &Path) -> bool {
    Layout { out: directory.to_owned() }.version().is_file()
}

impl Drop for Store {
    fn drop(&mut self) {
        let marked = *self.marked.get_mut().unwrap_or_else(PoisonError::into_inner);
        let clean = !*self.unclean.get_mut() && *self.open_jobs.get_mut() == 0;
        if marked && clean {
            // If it stays, the next start only looks for parts that are not there.
            let _ = self.disk.remove(&self.layout.runs().join(&self.run));
        }
    }
}
