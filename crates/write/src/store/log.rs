//! The commit files: reading them, reading one record again, merging many into one.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::disk::Disk;
use super::error::{Result, StoreError};
use super::index::Index;
use super::layout::{CommitId, Layout, names};
use super::record::{self, Commit};

/// Where a record stands.
#[derive(Debug, Clone)]
pub(super) struct Location {
    pub(super) file: Arc<Path>,
    pub(super) offset: u64,
    pub(super) len: u64,
    /// Line number, from 1.
    pub(super) line: u64,
}

/// What the commit files said.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) index: Index,
    /// Commits that another one replaced, but whose records are still there.
    pub(super) void: Vec<Commit>,
    /// The files read, oldest first.
    pub(super) files: Vec<PathBuf>,
    /// What the newest file is named after.
    pub(super) newest: Option<CommitId>,
}

/// Reads all commit files of an output directory.
pub(super) fn load(layout: &Layout, settings: &str) -> Result<Log> {
    let files = files(layout)?;
    let mut index = Index::new(settings);
    let mut seen = HashMap::new();
    let mut replaced = HashSet::new();
    for file in &files {
        each_line(file, &mut |line, location| {
            let commit: Commit = parse(line, location)?;
            if seen.insert(commit.id.clone(), location.clone()).is_none() {
                if !replaced.contains(&commit.id) {
                    index.add(&commit, location.clone());
                }
                replaced.extend(commit.replaces);
            }
            Ok(())
        })?;
    }
    let mut void = Vec::new();
    for id in replaced {
        if let Some(location) = seen.get(&id) {
            let commit = read(location)?;
            index.void(&commit);
            void.push(commit);
        }
    }
    let newest = files.last().and_then(|file| CommitId::parse(file.file_stem()?.to_str()?));
    Ok(Log { index, void, files, newest })
}

/// Reads one record again.
pub(super) fn read(location: &Location) -> Result<Commit> {
    let failed = || StoreError::io("read", &location.file);
    let mut file = File::open(&location.file).map_err(failed())?;
    file.seek(SeekFrom::Start(location.offset)).map_err(failed())?;
    let mut line = Vec::new();
    file.take(location.len).read_to_end(&mut line).map_err(failed())?;
    parse(&line, location)
}

/// Writes all live records into one file and removes the others.
///
/// The merged file has its name before the first of the others goes, and reading a record twice is harmless, so
/// this may stop anywhere. Void records are dropped: their parts must be gone for good.
pub(super) fn merge(disk: &Disk, layout: &Layout, run: &str, files: &[PathBuf]) -> Result<()> {
    let replaced = replaced(files)?;
    let temporary = layout.temporary().join("merged");
    let target = layout.commit_file(&CommitId::new(run, 0));
    let file = disk.create_file(&temporary)?;
    let mut writer = std::io::BufWriter::new(file);
    let mut seen = HashSet::new();
    for file in files {
        each_line(file, &mut |line, location| {
            let id = parse::<Head>(line, location)?.id;
            if replaced.contains(&id) || !seen.insert(id) {
                return Ok(());
            }
            writer.write_all(line).map_err(StoreError::io("write", &temporary))
        })?;
    }
    let file =
        writer.into_inner().map_err(|error| StoreError::io("write", &temporary)(error.into_error()))?;
    disk.sync_file(&file, &temporary)?;
    drop(file);
    if seen.is_empty() {
        return Ok(());
    }
    disk.rename(&temporary, &target)?;
    disk.sync_dir(&layout.commits())?;
    for file in files {
        disk.remove(file)?;
    }
    disk.sync_dir(&layout.commits())
}

/// The part of a record that merging needs.
#[derive(Deserialize)]
struct Head {
    id: CommitId,
    #[serde(rename = "r", default)]
    replaces: Vec<CommitId>,
}

fn replaced(files: &[PathBuf]) -> Result<HashSet<CommitId>> {
    let mut replaced = HashSet::new();
    for file in files {
        each_line(file, &mut |line, location| {
            replaced.extend(parse::<Head>(line, location)?.replaces);
            Ok(())
        })?;
    }
    Ok(replaced)
}

/// The commit files, oldest first; other names in the directory are not ours.
fn files(layout: &Layout) -> Result<Vec<PathBuf>> {
    let ours = |name: &String| name.strip_suffix(".jsonl").and_then(CommitId::parse).is_some();
    Ok(names(&layout.commits())?
        .iter()
        .filter(|name| ours(name))
        .map(|name| layout.commits().join(name))
        .collect())
}

fn each_line(file: &Path, visit: &mut dyn FnMut(&[u8], &Location) -> Result<()>) -> Result<()> {
    let mut reader =
        BufReader::with_capacity(1 << 18, File::open(file).map_err(StoreError::io("open", file))?);
    let mut location = Location { file: file.into(), offset: 0, len: 0, line: 0 };
    let mut line = Vec::new();
    loop {
        line.clear();
        location.offset += location.len;
        location.len = reader.read_until(b'\n', &mut line).map_err(StoreError::io("read", file))? as u64;
        location.line += 1;
        if line.is_empty() && location.line > 1 {
            return Ok(());
        }
        visit(&line, &location)?;
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8], location: &Location) -> Result<T> {
    record::decode(line).map_err(|reason| StoreError::Corrupt {
        path: location.file.to_path_buf(),
        line: location.line,
        reason,
    })
}
