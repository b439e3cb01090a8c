//! How much of what is set aside memory holds, and where the rest goes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::spill::{Span, SpillFile};

/// The bytes of a chunk, but for one that holds a single longer email.
pub(crate) const CHUNK: usize = 64 << 10;
/// The bytes of a chunk where there are many numbers.
const SMALL_CHUNK: usize = 4 << 10;

/// The disk did not take or give what was set aside.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep emails that are being joined in {}: {source}; free some space there, or raise --memory", .directory.display())]
pub struct SpillError {
    directory: PathBuf,
    source: io::Error,
}

/// How much may be held in memory, by all partitions that share it, and where the rest goes.
#[derive(Debug)]
pub struct Budget {
    directory: PathBuf,
    pub(crate) most: u64,
    /// What one writer may hold beside it.
    pub(crate) each: u64,
    pub(crate) held: AtomicU64,
    /// Bytes of the shortest chunks that partitions have chosen.
    chunk: AtomicUsize,
    pub(crate) file: Mutex<SpillFile>,
    /// Chunks that were read and can be filled again: memory that the kernel need not clear.
    pub(crate) free: Mutex<Free>,
    /// The same for what is read back from the file.
    read: Mutex<Vec<Vec<u8>>>,
}

/// Empty chunks.
#[derive(Debug, Default)]
pub(crate) struct Free {
    chunks: Vec<Vec<u8>>,
    pub(crate) bytes: u64,
    /// Nobody will fill them.
    is_over: bool,
}

impl Free {
    fn pop(&mut self) -> Option<Vec<u8>> {
        let chunk = self.chunks.pop()?;
        self.bytes -= chunk.capacity() as u64;
        Some(chunk)
    }
}

impl Budget {
    /// A budget of so many bytes, shared by so many workers; what is more goes to a file without a name in
    /// `directory`.
    pub fn new(directory: &Path, most: u64, workers: usize) -> Arc<Self> {
        let each = most / 16 / workers.max(1) as u64;
        let (held, chunk) = (AtomicU64::new(0), AtomicUsize::new(CHUNK));
        let (file, free, read) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { directory: directory.to_owned(), most, each, held, chunk, file, free, read })
    }

    /// How many bytes were written to the file.
    pub fn spilled(&self) -> u64 {
        lock(&self.file).written()
    }

    /// How long the chunks of partitions of so many numbers are: a writer holds a chunk of each, and all of them must fit.
    ///
    /// They are not longer than those of other partitions, whose empty ones are filled again: what is let go of one length,
    /// the allocator has no other use for before all around it is let go, too.
    pub(crate) fn chunk_of(&self, numbers: usize) -> usize {
        let fit = (self.each as usize / numbers.max(1)).clamp(SMALL_CHUNK, CHUNK);
        self.chunk.fetch_min(fit, Ordering::Relaxed).min(fit)
    }

    /// Says that no chunk will be filled any more: what is taken back from now on is let go.
    pub(crate) fn end(&self) {
        *lock(&self.free) = Free { is_over: true, ..Free::default() };
    }

    /// An empty chunk of this size.
    pub(crate) fn empty(&self, size: usize) -> Vec<u8> {
        // Chunks of another size are let go one by one.
        let free = lock(&self.free).pop().filter(|chunk| chunk.capacity() == size);
        free.unwrap_or_else(|| Vec::with_capacity(size))
    }

    /// How many bytes empty chunks may have.
    fn room(&self) -> u64 {
        self.most.saturating_sub(self.held.load(Ordering::Relaxed)).max(self.each)
    }

    /// Counts bytes as held, for which empty chunks make room; how many are held now.
    pub(crate) fn hold(&self, bytes: u64) -> u64 {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let room = self.room();
        let mut free = lock(&self.free);
        while free.bytes > room {
            free.pop();
        }
        held
    }

    /// Takes a chunk back, as long as the budget has room for it.
    pub(crate) fn recycle(&self, mut chunk: Vec<u8>) {
        let room = self.room();
        let mut free = lock(&self.free);
        let is_wanted = !free.is_over && chunk.capacity() == self.chunk.load(Ordering::Relaxed);
        if is_wanted && free.bytes + chunk.capacity() as u64 <= room {
            chunk.clear();
            free.bytes += chunk.capacity() as u64;
            free.chunks.push(chunk);
        }
    }

    pub(crate) fn failed(&self, source: io::Error) -> SpillError {
        SpillError { directory: self.directory.clone(), source }
    }

    /// Writes what was held of each number to the file; where it lies there.
    pub(crate) fn spill(&self, held: Vec<(u64, Vec<Vec<u8>>)>) -> Result<Vec<(u64, Vec<Span>)>, SpillError> {
        let bytes: usize = held.iter().flat_map(|(_, chunks)| chunks).map(Vec::len).sum();
        let mut file = lock(&self.file);
        let created = file.create(&self.directory, (bytes / held.len().max(1)) as u64);
        created.map_err(|error| self.failed(error))?;
        let spill = |(number, chunks): (u64, Vec<Vec<u8>>)| {
            let mut spans = Vec::new();
            for chunk in chunks {
                file.write(&chunk, &mut spans)?;
                self.held.fetch_sub(chunk.capacity() as u64, Ordering::Relaxed);
                self.recycle(chunk);
            }
            Ok((number, spans))
        };
        held.into_iter().map(spill).collect::<io::Result<_>>().map_err(|error| self.failed(error))
    }

    /// What lies in these spans, one after the other; they are free then.
    pub(crate) fn read(&self, spans: &[Span]) -> Result<Vec<u8>, SpillError> {
        let length = spans.iter().map(|(_, length)| *length as usize).sum();
        let kept = lock(&self.read).pop().filter(|kept| kept.capacity() >= length);
        let mut bytes = kept.unwrap_or_else(|| Vec::with_capacity(length));
        bytes.clear();
        let read = lock(&self.file).read(spans, &mut bytes);
        read.map(|()| bytes).map_err(|error| self.failed(error))
    }

    /// Takes back what was read from the file.
    pub(crate) fn recycle_read(&self, bytes: Vec<u8>) {
        // What is larger would take memory that no budget counts.
        if bytes.capacity() > 0 && bytes.capacity() as u64 <= self.each {
            lock(&self.read).push(bytes);
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
