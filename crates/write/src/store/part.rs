//! A part file while it is written.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blocks::BlockFile;
use super::disk::Disk;
use super::error::{Result, StoreError};

/// A part file that is being written, invisible until its job is committed.
///
/// It must be ended by [`finish`](Self::finish) or [`discard`](Self::discard); a part that is only dropped, as
/// after an error, stops its job from being committed. Errors of writing name the file and keep their kind.
#[derive(Debug)]
pub struct PartFile {
    writer: Option<BlockFile>,
    /// Where the file is now.
    path: PathBuf,
    home: Home,
    name: String,
    bytes: u64,
    parts: Arc<JobParts>,
}

/// The place of a part when it is visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    /// `<table>/event_date=<date>/`
    Partition { table: String, date: String },
    /// `_quarantine/`
    Quarantine,
    /// A place below the output directory.
    At(String),
}

/// A part that is complete and synced, but not visible.
#[derive(Debug)]
pub(super) struct FinishedPart {
    pub(super) path: PathBuf,
    pub(super) home: Home,
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// What a job shares with its part files.
#[derive(Debug)]
pub(super) struct JobParts {
    disk: Arc<Disk>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Names of parts that are being written, or were dropped without an end.
    open: Vec<String>,
    finished: Vec<FinishedPart>,
}

impl JobParts {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        Self { disk, state: Mutex::default() }
    }

    /// Starts a part as a file in `directory`.
    pub(super) fn create(self: &Arc<Self>, directory: &Path, home: Home, name: String) -> Result<PartFile> {
        let path = directory.join(&name);
        let file = self.disk.create_file(&path)?;
        self.lock().open.push(name.clone());
        let writer = Some(BlockFile::new(file));
        Ok(PartFile { writer, path, home, name, bytes: 0, parts: Arc::clone(self) })
    }

    /// Takes the finished parts.
    ///
    /// # Errors
    /// [`StoreError::Unfinished`] if a part was not ended.
    pub(super) fn take_finished(&self) -> Result<Vec<FinishedPart>> {
        let mut state = self.lock();
        match state.open.first() {
            Some(name) => Err(StoreError::Unfinished { name: name.clone() }),
            None => Ok(std::mem::take(&mut state.finished)),
        }
    }

    /// Takes the finished parts, whatever the state of the others.
    pub(super) fn give_up(&self) -> Vec<FinishedPart> {
        std::mem::take(&mut self.lock().finished)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartFile {
    /// The part's final file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes written so far, whether or not they have left the buffer.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Has `append` add to the file what is written next. Spares a copy.
    ///
    /// # Errors
    /// The disk is full or fails.
    pub fn append(&mut self, append: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let added = writer.append(append).map_err(|error| self.named(&error))?;
        self.bytes += added as u64;
        Ok(())
    }

    /// About how many bytes of memory it holds.
    pub fn memory(&self) -> usize {
        self.writer.as_ref().map_or(0, BlockFile::held)
    }

    /// Ends the part: writes the rest, syncs the file and hands it to its job. `rows` is how many it holds.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the disk is full or fails; the file is removed then, and its job cannot be
    /// committed.
    pub fn finish(mut self, rows: u64) -> Result<()> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let file = writer.finish().map_err(StoreError::io("write", &self.path));
        if let Err(error) = file.and_then(|file| self.parts.disk.sync_file(&file, &self.path)) {
            self.remove();
            return Err(error);
        }
        let mut state = self.parts.lock();
        state.open.retain(|name| *name != self.name);
        state.finished.push(FinishedPart {
            path: std::mem::take(&mut self.path),
            home: self.home.clone(),
            name: std::mem::take(&mut self.name),
            rows,
            bytes: self.bytes,
        });
        Ok(())
    }

    /// Ends the part as if it had never been started.
    pub fn discard(mut self) {
        self.parts.lock().open.retain(|name| *name != self.name);
        self.close();
    }

    /// Closes and removes an unfinished file.
    fn close(&mut self) {
        if self.writer.take().is_some() {
            self.remove();
        }
    }

    /// Best effort: what stays is removed by the next start.
    fn remove(&self) {
        let _ = self.parts.disk.remove(&self.path);
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", self.path.display()))
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(|buffer| buffer.extend_from_slice(bytes))?;
        Ok(bytes.len())
    }

    /// Writes what it holds, but for a few bytes at most: the file is there when it is finished.
    fn flush(&mut self) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.release().map_err(|error| self.named(&error))
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        self.close();
    }
}
