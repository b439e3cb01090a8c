//! The few file operations the store is made of, each one step that may fail or be the last.
//!
//! Everything that changes the disk goes through here, so that a test can stop a run before any one of them.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::error::{Result, StoreError};

/// The file system as the store uses it.
#[derive(Debug, Default)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) fault: super::tests::fault::Fault,
}

impl Disk {
    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the test build can fail here")]
    fn step(&self, _action: &'static str, _path: &Path) -> Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn step(&self, action: &'static str, path: &Path) -> Result<()> {
        self.fault.pass().map_err(StoreError::io(action, path))
    }

    /// Creates one directory; says whether it was new.
    pub(super) fn create_dir(&self, path: &Path) -> Result<bool> {
        if path.is_dir() {
            return Ok(false);
        }
        self.step("create directory", path)?;
        match fs::create_dir(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(false),
            Err(error) => Err(StoreError::io("create directory", path)(error)),
        }
    }

    /// Creates a file that must not exist yet.
    pub(super) fn create_file(&self, path: &Path) -> Result<File> {
        self.step("create", path)?;
        File::create_new(path).map_err(StoreError::io("create", path))
    }

    /// Waits until the file's bytes are on the disk.
    pub(super) fn sync_file(&self, file: &File, path: &Path) -> Result<()> {
        self.step("sync", path)?;
        file.sync_all().map_err(StoreError::io("sync", path))
    }

    /// Waits until the directory's names are on the disk. Nothing to do where directories cannot be opened.
    pub(super) fn sync_dir(&self, path: &Path) -> Result<()> {
        self.step("sync directory", path)?;
        if cfg!(unix) {
            let directory = File::open(path).map_err(StoreError::io("open directory", path))?;
            directory.sync_all().map_err(StoreError::io("sync directory", path))?;
        }
        Ok(())
    }

    /// Gives a file its final name.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step("rename to", to)?;
        fs::rename(from, to).map_err(StoreError::io("rename to", to))
    }

    /// Removes a file; says whether there was one.
    pub(super) fn remove(&self, path: &Path) -> Result<bool> {
        self.step("remove", path)?;
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io("remove", path)(error)),
        }
    }

    /// Writes a whole file in one go and syncs it; its name is not durable yet.
    pub(super) fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.create_file(path)?;
        self.step("write", path)?;
        file.write_all(bytes).map_err(StoreError::io("write", path))?;
        self.sync_file(&file, path)
    }
}
