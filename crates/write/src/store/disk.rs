//! The few file operations the store is made of, each one step that may fail or be the last.
//!
//! Everything that changes the disk goes through here, so that a test can stop a run before any one of them, and
//! can lose what was not synced by then.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::error::{Result, StoreError};

/// Tests lose by themselves what was not synced; waiting for the disk would only make them slow.
const SYNCS: bool = !cfg!(test);

/// One step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op<'a> {
    CreateDir(&'a Path),
    Create(&'a Path),
    Write(&'a Path),
    SyncFile(&'a Path),
    SyncDir(&'a Path),
    Rename {
        #[cfg_attr(not(test), expect(dead_code, reason = "the disk of the tests undoes renames"))]
        from: &'a Path,
        to: &'a Path,
    },
    Remove(&'a Path),
}

impl Op<'_> {
    fn verb(&self) -> &'static str {
        match self {
            Self::CreateDir(_) => "create directory",
            Self::Create(_) => "create",
            Self::Write(_) => "write",
            Self::SyncFile(_) => "sync",
            Self::SyncDir(_) => "sync directory",
            Self::Rename { .. } => "rename to",
            Self::Remove(_) => "remove",
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::CreateDir(path)
            | Self::Create(path)
            | Self::Write(path)
            | Self::SyncFile(path)
            | Self::SyncDir(path)
            | Self::Rename { to: path, .. }
            | Self::Remove(path) => path,
        }
    }
}

/// The file system as the store uses it.
#[derive(Debug, Default)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) fault: super::tests::fault::Fault,
}

impl Disk {
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "the disk of the tests can fail"))]
    fn step<T>(&self, op: Op<'_>, act: impl FnOnce() -> io::Result<T>) -> Result<T> {
        #[cfg(test)]
        self.fault.pass(op).map_err(StoreError::io(op.verb(), op.path()))?;
        act().map_err(StoreError::io(op.verb(), op.path()))
    }

    /// Creates one directory; says whether it was new.
    pub(super) fn create_dir(&self, path: &Path) -> Result<bool> {
        if path.is_dir() {
            return Ok(false);
        }
        self.step(Op::CreateDir(path), || match fs::create_dir(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
            created => created.map(|()| true),
        })
    }

    /// Creates a file that must not exist yet.
    pub(super) fn create_file(&self, path: &Path) -> Result<File> {
        self.step(Op::Create(path), || File::create_new(path))
    }

    /// Waits until the file's bytes are on the disk.
    pub(super) fn sync_file(&self, file: &File, path: &Path) -> Result<()> {
        self.step(Op::SyncFile(path), || if SYNCS { file.sync_all() } else { Ok(()) })
    }

    /// Waits until the directory's names are on the disk. Nothing to do where directories cannot be opened.
    pub(super) fn sync_dir(&self, path: &Path) -> Result<()> {
        self.step(
            Op::SyncDir(path),
            || if SYNCS && cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) },
        )
    }

    /// Gives a file its final name.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step(Op::Rename { from, to }, || fs::rename(from, to))
    }

    /// Removes a file; says whether there was one.
    pub(super) fn remove(&self, path: &Path) -> Result<bool> {
        self.step(Op::Remove(path), || match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        })
    }

    /// Writes a whole file in one go and syncs it; its name is not durable yet.
    pub(super) fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create_file(path)?;
        self.step(Op::Write(path), || file.write_all(bytes))?;
        self.sync_file(&file, path)
    }
}
