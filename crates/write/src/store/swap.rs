//! Files that take the place of others: for tables whose rows change.
//!
//! A part that is replaced by one of another name is seen twice, or not at all, for a moment. A file that is renamed
//! over another is not: a reader sees one or the other. So a job may prepare files for places of their own
//! ([`Job::create_at`]) and name places to be emptied ([`Job::remove_at`]). Its commit is recorded first, with all it
//! is going to do; then it is done, in the order that the job asks for ([`Job::swap_in_order`]). What a killed run has
//! not done yet, the next [`Store::open`] does. Between two renames a row that moves from one file to another is in
//! neither of them, if the one that it leaves comes first.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use super::error::{Result, StoreError};
use super::job::Job;
use super::layout::{CommitId, Layout, names};
use super::log::{self, Log};
use super::part::{Home, PartFile};

/// What becomes of one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Swap {
    /// The place: a path below the output directory, with `/`.
    #[serde(rename = "t")]
    pub place: String,
    /// The temporary file that takes it; none if it is emptied.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
}

impl Job<'_> {
    /// A file that takes a place below the output directory when the job is committed; what is there now stays until
    /// then. `place` is written with `/`.
    ///
    /// # Errors
    /// [`StoreError::BadName`] for a path that leads elsewhere, [`StoreError::Io`] if the file cannot be created.
    pub fn create_at(&self, place: &str) -> Result<PartFile> {
        check(place)?;
        let name = format!("{}-{}.swap", self.id(), self.number());
        self.parts().create(&self.store().layout.temporary(), Home::At(place.to_owned()), name)
    }

    /// Empties a place when the job is committed.
    ///
    /// # Errors
    /// [`StoreError::BadName`] for a path that leads elsewhere.
    pub fn remove_at(&mut self, place: &str) -> Result<()> {
        check(place)?;
        self.empty(Swap { place: place.to_owned(), file: None });
        Ok(())
    }

    /// Changes these places first and in this order when the job is committed; all others after them, from the last
    /// to the first.
    pub fn swap_in_order(&mut self, places: Vec<String>) {
        self.order(places);
    }
}

/// Refuses a place that is not below the output directory.
fn check(place: &str) -> Result<()> {
    let path = Path::new(place);
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_below && path.components().count() > 1 {
        return Ok(());
    }
    Err(StoreError::BadName { what: "place", name: place.to_owned() })
}

/// Makes the directories of a commit's places, and the file that says durably that its swaps may not have been done;
/// before its record.
pub(super) fn announce(disk: &Disk, layout: &Layout, id: &CommitId, swaps: &[Swap]) -> Result<PathBuf> {
    // What may fail for want of room is done before anything is recorded.
    let mut touched = BTreeSet::new();
    for swap in swaps.iter().filter(|swap| swap.file.is_some()) {
        create_parents(disk, layout, &layout.out.join(&swap.place), &mut touched)?;
    }
    for directory in touched {
        disk.sync_dir(&directory)?;
    }
    let pending = pending(layout, id);
    disk.write_file(&pending, b"")?;
    disk.sync_dir(&layout.temporary())?;
    Ok(pending)
}

/// Does the swaps of a recorded commit; doing some of them again is harmless.
pub(super) fn apply(disk: &Disk, layout: &Layout, id: &CommitId, swaps: &[Swap]) -> Result<()> {
    let mut touched = BTreeSet::new();
    for swap in swaps {
        check(&swap.place)?;
        let place = layout.out.join(&swap.place);
        create_parents(disk, layout, &place, &mut touched)?;
        match &swap.file {
            Some(file) => {
                let file = layout.temporary().join(file);
                if file.is_file() {
                    disk.rename(&file, &place)?;
                }
            }
            None => _ = disk.remove(&place)?,
        }
        touched.extend(place.parent().map(Path::to_owned));
    }
    for directory in touched {
        disk.sync_dir(&directory)?;
    }
    disk.remove(&pending(layout, id))?;
    Ok(())
}

/// Creates the directories that lead to a place, and adds those that hold new names to `touched`.
fn create_parents(disk: &Disk, layout: &Layout, place: &Path, touched: &mut BTreeSet<PathBuf>) -> Result<()> {
    let between = place.ancestors().skip(1).take_while(|path| *path != layout.out);
    let mut missing: Vec<&Path> = between.filter(|path| !path.is_dir()).collect();
    while let Some(directory) = missing.pop() {
        disk.create_dir(directory)?;
        touched.extend(directory.parent().map(Path::to_owned));
    }
    Ok(())
}

/// Does what runs that were stopped have not done.
pub(super) fn recover(disk: &Disk, layout: &Layout, log: &Log) -> Result<()> {
    for name in names(&layout.temporary())? {
        let Some(id) = name.strip_suffix(".pending").and_then(CommitId::parse) else { continue };
        if let Some(location) = log.index.location(&id) {
            apply(disk, layout, &id, &log::read(location)?.swaps)?;
        }
    }
    Ok(())
}

fn pending(layout: &Layout, id: &CommitId) -> PathBuf {
    layout.temporary().join(format!("{id}.pending"))
}
