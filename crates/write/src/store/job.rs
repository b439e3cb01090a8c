//! One worker's job: its part files, and the commit that makes them count.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::{Result, StoreError};
use super::layout::{CommitId, Extension, check_names, part_name, quarantine_name};
use super::log::Location;
use super::part::{FinishedPart, Home, JobParts, PartFile};
use super::record::{self, Commit, CommittedInput, Counts, Part};
use super::recover::remove_parts;
use super::swap::{self, Swap};
use super::{Store, log};

/// A job in progress. Dropping it abandons it.
#[derive(Debug)]
pub struct Job<'s> {
    store: &'s Store,
    id: CommitId,
    parts: Arc<JobParts>,
    next: AtomicU32,
    quarantine: Option<PartFile>,
    replaces: Vec<CommitId>,
    /// The places to be emptied.
    emptied: Vec<Swap>,
    /// Places that are changed before others, in this order.
    order: Vec<String>,
    /// Finished parts whose files must go if the job fails: where they are now.
    files: Vec<PathBuf>,
    ended: bool,
}

impl<'s> Job<'s> {
    pub(super) fn new(store: &'s Store, id: CommitId) -> Self {
        let parts = Arc::new(JobParts::new(Arc::clone(&store.disk)));
        let next = AtomicU32::new(1);
        Self {
            store,
            id,
            parts,
            next,
            quarantine: None,
            replaces: Vec::new(),
            emptied: Vec::new(),
            order: Vec::new(),
            files: Vec::new(),
            ended: false,
        }
    }

    /// The id that the job's commit will have.
    pub fn id(&self) -> &CommitId {
        &self.id
    }

    /// A new part of `table` for `date`, which is `YYYY-MM-DD` or `unknown`.
    ///
    /// # Errors
    /// [`StoreError::BadName`] for a table or date of another form, [`StoreError::Io`] if the file cannot be
    /// created.
    pub fn create(&self, table: &str, date: &str, extension: Extension) -> Result<PartFile> {
        check_names(table, date)?;
        let number = self.number();
        let home = Home::Partition { table: table.to_owned(), date: date.to_owned() };
        self.parts.create(&self.store.layout.temporary(), home, part_name(&self.id, number, extension))
    }

    /// The job's file of rejects, created when it is first asked for. The commit finishes it.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the file cannot be created.
    pub fn quarantine(&mut self) -> Result<&mut PartFile> {
        let file = if let Some(file) = self.quarantine.take() {
            file
        } else {
            let name = quarantine_name(&self.id);
            self.parts.create(&self.store.layout.temporary(), Home::Quarantine, name)?
        };
        Ok(self.quarantine.insert(file))
    }

    /// Makes these commits void when this job is committed; their parts go then.
    ///
    /// Units of theirs that this job does not hold become unknown, and the next run converts them.
    pub fn replace(&mut self, commits: impl IntoIterator<Item = CommitId>) {
        self.replaces.extend(commits);
    }

    /// Makes the job's parts visible and final; returns the commit as it was recorded.
    ///
    /// # Errors
    /// [`StoreError::Unfinished`] if a part was neither finished nor discarded, [`StoreError::Io`] if the disk
    /// is full or fails. The job's files are removed then and nothing is committed, with one exception: if only
    /// the syncing of the record fails, the files stay, and the next start finds out whether it counts.
    pub fn commit(mut self, inputs: Vec<CommittedInput>, counts: Counts) -> Result<Commit> {
        if let Some(file) = self.quarantine.take() {
            file.finish(counts.rejected)?;
        }
        let finished = self.parts.take_finished()?;
        self.files = finished.iter().map(|part| part.path.clone()).collect();
        let commit = self.describe(&finished, inputs, counts);
        self.show(finished)?;
        if !commit.swaps.is_empty() {
            let (disk, layout) = (&self.store.disk, &self.store.layout);
            self.files.push(swap::announce(disk, layout, &self.id, &commit.swaps)?);
        }
        self.record(&commit)?;
        if !commit.swaps.is_empty() {
            let applied = swap::apply(&self.store.disk, &self.store.layout, &self.id, &commit.swaps);
            applied.inspect_err(|_| self.store.leave_marker())?;
        }
        Ok(commit)
    }

    pub(super) fn store(&self) -> &'s Store {
        self.store
    }

    pub(super) fn parts(&self) -> &Arc<JobParts> {
        &self.parts
    }

    /// A number that no other file of the job has.
    pub(super) fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn empty(&mut self, place: Swap) {
        self.emptied.push(place);
    }

    pub(super) fn order(&mut self, places: Vec<String>) {
        self.order = places;
    }

    /// Removes all that the job has written.
    pub fn abandon(self) {
        drop(self);
    }

    fn describe(&self, finished: &[FinishedPart], inputs: Vec<CommittedInput>, counts: Counts) -> Commit {
        let mut parts = Vec::new();
        let mut quarantine = None;
        let mut swaps = self.emptied.clone();
        for part in finished {
            match &part.home {
                Home::At(place) => {
                    swaps.push(Swap { place: place.clone(), file: Some(part.name.clone()) });
                }
                Home::Quarantine => quarantine = Some(part.name.clone()),
                Home::Partition { table, date } => parts.push(Part {
                    table: table.clone(),
                    date: date.clone(),
                    name: part.name.clone(),
                    rows: part.rows,
                    bytes: part.bytes,
                }),
            }
        }
        let ranks: HashMap<&str, usize> = self.order.iter().map(String::as_str).zip(0..).collect();
        let rank = |swap: &Swap| ranks.get(&*swap.place).copied().unwrap_or(usize::MAX);
        swaps.sort_unstable_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| b.cmp(a)));
        let (settings, replaces) = (self.store.settings.clone(), self.replaces.clone());
        Commit { id: self.id.clone(), settings, parts, quarantine, counts, replaces, swaps, inputs }
    }

    /// Renames the parts to their places and makes their names durable.
    fn show(&mut self, finished: Vec<FinishedPart>) -> Result<()> {
        let mut touched = BTreeSet::new();
        for (at, part) in finished.into_iter().enumerate() {
            if matches!(part.home, Home::At(_)) {
                continue;
            }
            let directory = self.store.home_directory(&part.home, &mut touched)?;
            let target = directory.join(&part.name);
            self.store.disk.rename(&part.path, &target)?;
            self.files[at] = target;
            touched.insert(directory);
        }
        for directory in &touched {
            self.store.disk.sync_dir(directory)?;
        }
        self.store.directories_are_durable(touched);
        Ok(())
    }

    /// Writes the record, and enters it into the index once it is durable.
    fn record(&mut self, commit: &Commit) -> Result<()> {
        let (disk, layout) = (&self.store.disk, &self.store.layout);
        let path = layout.commit_file(&self.id);
        let temporary = layout.temporary().join(format!("{}.jsonl", self.id));
        let line = record::encode(commit).map_err(|error| StoreError::io("write", &path)(error.into()))?;
        self.files.push(temporary.clone());
        disk.write_file(&temporary, &line)?;
        disk.rename(&temporary, &path)?;
        // From here on a reader may see the record, so the files it names must stay.
        self.files.clear();
        if let Err(error) = disk.sync_dir(&layout.commits()) {
            self.store.leave_marker();
            return Err(error);
        }
        self.ended = true;
        let location = Location { file: path.into(), offset: 0, len: line.len() as u64, line: 1 };
        self.store.enter(commit, location)
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.quarantine = None;
            self.files.extend(self.parts.give_up().into_iter().map(|part| part.path));
            if self.files.iter().any(|file| self.store.disk.remove(file).is_err()) {
                // The next start removes what could not be removed now.
                self.store.leave_marker();
            }
        }
        self.store.job_ended();
    }
}

impl Store {
    /// Enters a durable commit into the index and removes the parts that it replaces.
    fn enter(&self, commit: &Commit, location: Location) -> Result<()> {
        let mut touched = BTreeSet::new();
        for id in &commit.replaces {
            // Another job of the run may have replaced it already.
            let Some(old) = self.index().location(id).cloned() else { continue };
            let old = log::read(&old)?;
            self.index_mut().void(&old);
            // The new rows count from here on, so a failure is not the job's: the next start removes the rest.
            let _ = remove_parts(&self.disk, &self.layout, &old, &mut touched);
        }
        self.index_mut().add(commit, location);
        Ok(())
    }
}
