//! What a start does after a run that did not end well: nothing that no commit names stays visible.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::{Result, StoreError};
use super::layout::{Layout, check_names, is_run, job_of_part, job_of_quarantine, names};
use super::log::Log;
use super::record::Commit;

/// The number in `_mimelake/version`; it grows when an older program could misread the directory.
const FORMAT: u32 = 1;

/// Checks the format of the output directory, or writes it into a new one, and creates our directories.
pub(super) fn prepare(disk: &Disk, layout: &Layout) -> Result<()> {
    let version = layout.version();
    match std::fs::read_to_string(&version) {
        Ok(text) => check_version(&version, &text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => write_version(disk, layout)?,
        Err(error) => return Err(StoreError::io("read", &version)(error)),
    }
    let mut new = disk.create_dir(&layout.commits())?;
    new |= disk.create_dir(&layout.temporary())?;
    new |= disk.create_dir(&layout.runs())?;
    if new {
        disk.sync_dir(&layout.state())?;
    }
    Ok(())
}

fn check_version(path: &Path, text: &str) -> Result<()> {
    let path = path.to_owned();
    match text.trim_ascii().parse() {
        Ok(found) if found > FORMAT => Err(StoreError::NewerFormat { path, found, known: FORMAT }),
        Ok(_) => Ok(()),
        Err(_) => Err(StoreError::Corrupt { path, line: 1, reason: "not a format number".to_owned() }),
    }
}

/// A directory without a version is new to us, so parts of ours in it have lost their record.
fn write_version(disk: &Disk, layout: &Layout) -> Result<()> {
    if names(&layout.commits())?.is_empty() {
        layout.visit_parts(&mut |part, _| Err(StoreError::StateLost { part: part.to_owned() }))?;
    }
    let temporary = layout.state().join("version.tmp");
    disk.remove(&temporary)?;
    disk.write_file(&temporary, format!("{FORMAT}\n").as_bytes())?;
    disk.rename(&temporary, &layout.version())?;
    disk.sync_dir(&layout.state())?;
    disk.sync_dir(&layout.out)
}

/// Removes what no live commit names: parts of runs that did not end well, replaced parts, temporary files.
///
/// Parts of runs that were never started in this directory are left alone: someone put them there.
pub(super) fn sweep(disk: &Disk, layout: &Layout, log: &Log) -> Result<()> {
    let mut touched = BTreeSet::new();
    for commit in &log.void {
        remove_parts(disk, layout, commit, &mut touched)?;
    }
    let runs: Vec<String> = names(&layout.runs())?.into_iter().filter(|name| is_run(name)).collect();
    if !runs.is_empty() {
        layout.visit_parts(&mut |part, job| {
            let stale = runs.iter().any(|run| run == job.run());
            if stale && log.index.location(&job).is_none() {
                remove(disk, part, &mut touched)?;
            }
            Ok(())
        })?;
    }
    for directory in touched {
        disk.sync_dir(&directory)?;
    }
    for name in names(&layout.temporary())? {
        disk.remove(&layout.temporary().join(name))?;
    }
    for run in runs {
        disk.remove(&layout.runs().join(run))?;
    }
    Ok(())
}

/// Removes the files a commit names and adds their directories to `touched`.
pub(super) fn remove_parts(
    disk: &Disk,
    layout: &Layout,
    commit: &Commit,
    touched: &mut BTreeSet<PathBuf>,
) -> Result<()> {
    for part in commit.parts.iter().filter(|part| job_of_part(&part.name).is_some()) {
        check_names(&part.table, &part.date)?;
        remove(disk, &layout.partition(&part.table, &part.date).join(&part.name), touched)?;
    }
    if let Some(name) = commit.quarantine.as_ref().filter(|name| job_of_quarantine(name).is_some()) {
        remove(disk, &layout.quarantine().join(name), touched)?;
    }
    Ok(())
}

/// The directory counts as touched even if the file was gone: the run that removed it may not have synced.
fn remove(disk: &Disk, path: &Path, touched: &mut BTreeSet<PathBuf>) -> Result<()> {
    disk.remove(path)?;
    touched.extend(path.parent().filter(|parent| parent.is_dir()).map(Path::to_owned));
    Ok(())
}
