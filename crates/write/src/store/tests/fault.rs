//! A disk that stops working at a chosen step, and may then lose what was not synced.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{fs, io};

use super::super::disk::Op;

/// Counts the steps of a disk; by default none fails.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Whether every later step fails too, as if the process had been killed.
    for_good: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Steps before the fault.
    left: i64,
    /// Changes of names that are not on the disk yet, oldest first.
    pending: Vec<Change>,
    /// Files whose bytes are not on the disk yet.
    unsynced: BTreeSet<PathBuf>,
}

#[derive(Debug)]
enum Change {
    Directory(PathBuf),
    File(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, over: Option<Vec<u8>> },
    Removed { path: PathBuf, bytes: Vec<u8> },
}

impl Change {
    /// The directory whose sync makes the change durable.
    fn directory(&self) -> &Path {
        let (Self::Directory(path)
        | Self::File(path)
        | Self::Renamed { to: path, .. }
        | Self::Removed { path, .. }) = self;
        path.parent().unwrap()
    }

    /// Undoes the change, as far as what the disk kept of later ones allows.
    fn undo(&self) {
        let _ = match self {
            // With all that is in it, synced or not: nothing leads there any more.
            Self::Directory(path) => fs::remove_dir_all(path),
            Self::File(path) => fs::remove_file(path),
            Self::Renamed { from, to, over } => {
                let _ = fs::rename(to, from);
                over.as_ref().map_or(Ok(()), |bytes| fs::write(to, bytes))
            }
            Self::Removed { path, bytes } => fs::write(path, bytes),
        };
    }
}

impl Default for Fault {
    fn default() -> Self {
        Self::full_once(i64::MAX)
    }
}

impl Fault {
    fn new(steps: i64, for_good: bool) -> Self {
        let state = State { left: steps, pending: Vec::new(), unsynced: BTreeSet::new() };
        Self { for_good, state: Mutex::new(state) }
    }

    /// The process is killed before step `steps`, from 0.
    pub(crate) fn kill(steps: i64) -> Self {
        Self::new(steps, true)
    }

    /// Only step `steps` fails, as if the disk had been full for a moment.
    pub(crate) fn full_once(steps: i64) -> Self {
        Self::new(steps, false)
    }

    /// Whether the fault has happened.
    pub(crate) fn happened(&self) -> bool {
        self.state.lock().unwrap().left < 0
    }

    pub(crate) fn pass(&self, op: Op<'_>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.left -= 1;
        if state.left == -1 || (state.left < 0 && self.for_good) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.note(op);
        Ok(())
    }

    /// Loses those changes that were not synced and that `lost` picks by their number.
    pub(crate) fn lose_power(&self, lost: impl Fn(usize) -> bool) {
        let state = self.state.lock().unwrap();
        for path in state.unsynced.iter().filter(|path| path.exists()) {
            fs::write(path, b"").unwrap();
        }
        for (_, change) in state.pending.iter().enumerate().rev().filter(|(number, _)| lost(*number)) {
            change.undo();
        }
    }
}

impl State {
    fn note(&mut self, op: Op<'_>) {
        match op {
            Op::CreateDir(path) => self.pending.push(Change::Directory(path.to_owned())),
            Op::Create(path) => {
                self.pending.push(Change::File(path.to_owned()));
                self.unsynced.insert(path.to_owned());
            }
            Op::Write(_) => {}
            Op::SyncFile(path) => {
                self.unsynced.remove(path);
            }
            Op::SyncDir(path) => self.pending.retain(|change| change.directory() != path),
            Op::Rename { from, to } => {
                if self.unsynced.remove(from) {
                    self.unsynced.insert(to.to_owned());
                }
                let over = fs::read(to).ok();
                self.pending.push(Change::Renamed { from: from.to_owned(), to: to.to_owned(), over });
            }
            Op::Remove(path) => {
                if let Ok(bytes) = fs::read(path) {
                    self.pending.push(Change::Removed { path: path.to_owned(), bytes });
                }
                self.unsynced.remove(path);
            }
        }
    }
}
