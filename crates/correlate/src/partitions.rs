//! Bytes set aside by a number, in memory, and past a budget in one temporary file.
//!
//! An entry is a hash, or another number to sort by, and an email's text. Who writes has a [`Writer`] of its own, which
//! hands over whole chunks of entries; who reads takes all entries of one number.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::spill::{Span, SpillFile};

/// The bytes of a chunk, but for one that holds a single longer email.
const CHUNK: usize = 64 << 10;
/// The bytes of a chunk where there are many numbers.
const SMALL_CHUNK: usize = 4 << 10;
/// The bytes before an email: its length and its hash.
const HEAD: usize = 4 + 16;

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
    most: u64,
    /// What one writer may hold beside it.
    each: u64,
    held: AtomicU64,
    /// Bytes of a chunk as partitions last chose.
    chunk: AtomicUsize,
    file: Mutex<SpillFile>,
    /// Chunks that were read and can be filled again: memory that the kernel need not clear.
    free: Mutex<Free>,
    /// The same for what is read back from the file.
    read: Mutex<Vec<Vec<u8>>>,
}

/// Empty chunks.
#[derive(Debug, Default)]
struct Free {
    chunks: Vec<Vec<u8>>,
    bytes: u64,
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

    /// An empty chunk of this size.
    fn empty(&self, size: usize) -> Vec<u8> {
        // Chunks of another size are let go one by one.
        let free = lock(&self.free).pop().filter(|chunk| chunk.capacity() == size);
        free.unwrap_or_else(|| Vec::with_capacity(size))
    }

    /// How many bytes empty chunks may have.
    fn room(&self) -> u64 {
        self.most.saturating_sub(self.held.load(Ordering::Relaxed)).max(self.each)
    }

    /// Counts bytes as held, for which empty chunks make room; how many are held now.
    fn hold(&self, bytes: u64) -> u64 {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let room = self.room();
        let mut free = lock(&self.free);
        while free.bytes > room {
            free.pop();
        }
        held
    }

    /// Takes a chunk back, as long as the budget has room for it.
    fn recycle(&self, mut chunk: Vec<u8>) {
        let room = self.room();
        let mut free = lock(&self.free);
        let is_wanted = !free.is_over && chunk.capacity() == self.chunk.load(Ordering::Relaxed);
        if is_wanted && free.bytes + chunk.capacity() as u64 <= room {
            chunk.clear();
            free.bytes += chunk.capacity() as u64;
            free.chunks.push(chunk);
        }
    }

    fn failed(&self, source: io::Error) -> SpillError {
        SpillError { directory: self.directory.clone(), source }
    }

    /// Writes what was held of each number to the file; where it lies there.
    fn spill(&self, held: Vec<(u64, Vec<Vec<u8>>)>) -> Result<Vec<(u64, Vec<Span>)>, SpillError> {
        let mut file = lock(&self.file);
        let mut spill = |(number, chunks): (u64, Vec<Vec<u8>>)| {
            let mut spans = Vec::new();
            for chunk in chunks {
                file.write(&chunk, &self.directory, &mut spans)?;
                self.held.fetch_sub(chunk.capacity() as u64, Ordering::Relaxed);
                self.recycle(chunk);
            }
            Ok((number, spans))
        };
        held.into_iter().map(&mut spill).collect::<io::Result<_>>().map_err(|error| self.failed(error))
    }

    /// What lies in these spans, one after the other; they are free then.
    fn read(&self, spans: &[Span]) -> Result<Vec<u8>, SpillError> {
        let length = spans.iter().map(|(_, length)| *length as usize).sum();
        let kept = lock(&self.read).pop().filter(|kept| kept.capacity() >= length);
        let mut bytes = kept.unwrap_or_else(|| Vec::with_capacity(length));
        bytes.clear();
        let read = lock(&self.file).read(spans, &mut bytes);
        read.map(|()| bytes).map_err(|error| self.failed(error))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Entries by number.
#[derive(Debug)]
pub struct Partitions {
    budget: Arc<Budget>,
    /// Bytes of a chunk.
    chunk: usize,
    parts: Mutex<HashMap<u64, Part>>,
    /// The bytes that these partitions hold of the budget.
    held: AtomicU64,
}

#[derive(Debug, Default)]
struct Part {
    held: Vec<Vec<u8>>,
    spilled: Vec<Span>,
}

impl Partitions {
    /// No entries yet.
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), chunk: CHUNK, parts: Mutex::default(), held: AtomicU64::new(0) }
    }

    /// Expects entries of about so many numbers: a writer holds a chunk of each, and all of them must fit.
    ///
    /// Chunks are not longer than those of the budget's other partitions, whose empty ones are filled again: what is
    /// let go of one length, the allocator has no other use for before all around it is let go, too.
    pub fn expect(&mut self, numbers: usize) {
        let fit = (self.budget.each as usize / numbers.max(1)).clamp(SMALL_CHUNK, CHUNK);
        self.chunk = self.budget.chunk.fetch_min(fit, Ordering::Relaxed).min(fit);
    }

    /// A writer, which must be finished.
    pub fn writer(&self) -> Writer<'_> {
        Writer { partitions: self, chunks: HashMap::new(), held: 0 }
    }

    /// Says that nothing more is set aside, here nor by others of the same budget: what is taken from now on gives its
    /// memory back.
    pub fn end(&self) {
        *lock(&self.budget.free) = Free { is_over: true, ..Free::default() };
    }

    /// The numbers that have entries, sorted.
    pub fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<_> = lock(&self.parts).keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// All entries of a number, which are gone from here.
    ///
    /// # Errors
    /// [`SpillError`] if the file cannot be read.
    pub fn take(&self, number: u64) -> Result<Entries, SpillError> {
        let part = lock(&self.parts).remove(&number).unwrap_or_default();
        let held: usize = part.held.iter().map(Vec::capacity).sum();
        self.budget.held.fetch_sub(held as u64, Ordering::Relaxed);
        self.held.fetch_sub(held as u64, Ordering::Relaxed);
        let read = if part.spilled.is_empty() { Vec::new() } else { self.budget.read(&part.spilled)? };
        Ok(Entries { budget: Arc::clone(&self.budget), chunks: part.held, read })
    }

    fn give(&self, number: u64, chunk: Vec<u8>) -> Result<(), SpillError> {
        let (all, own) = self.add(number, chunk);
        // While others hold it all, pieces of a few bytes each would go to the file.
        if all > self.budget.most && own >= self.budget.most / 8 { self.spill() } else { Ok(()) }
    }

    /// Adds a chunk to those of a number; how many bytes all partitions hold then, and these.
    fn add(&self, number: u64, chunk: Vec<u8>) -> (u64, u64) {
        let mut parts = lock(&self.parts);
        let held = &mut parts.entry(number).or_default().held;
        let (grown, emptied) = match held.last_mut() {
            // Chunks that are mostly room would take memory that no budget counts.
            Some(last) if last.len() + chunk.len() <= last.capacity().max(self.chunk) => {
                let before = last.capacity();
                last.extend_from_slice(&chunk);
                (last.capacity() - before, Some(chunk))
            }
            _ => {
                let size = chunk.capacity();
                held.push(chunk);
                (size, None)
            }
        };
        // Counted before another worker can see it, and spill it.
        let all = self.budget.hold(grown as u64);
        let own = self.held.fetch_add(grown as u64, Ordering::Relaxed) + grown as u64;
        drop(parts);
        if let Some(emptied) = emptied {
            self.budget.recycle(emptied);
        }
        (all, own)
    }

    /// Sets all that is held aside in the file.
    fn spill(&self) -> Result<(), SpillError> {
        let mut held = Vec::new();
        for (number, part) in lock(&self.parts).iter_mut().filter(|(_, part)| !part.held.is_empty()) {
            held.push((*number, std::mem::take(&mut part.held)));
        }
        let size: usize = held.iter().flat_map(|(_, chunks)| chunks).map(Vec::capacity).sum();
        self.held.fetch_sub(size as u64, Ordering::Relaxed);
        let spans = self.budget.spill(held)?;
        let mut parts = lock(&self.parts);
        for (number, spans) in spans {
            parts.entry(number).or_default().spilled.extend(spans);
        }
        Ok(())
    }
}

/// Sets entries aside.
#[derive(Debug)]
pub struct Writer<'p> {
    partitions: &'p Partitions,
    chunks: HashMap<u64, Vec<u8>>,
    held: usize,
}

impl Writer<'_> {
    /// Sets an email aside under a number.
    ///
    /// # Errors
    /// [`SpillError`] if the file does not take what is past the budget.
    pub fn put(&mut self, number: u64, hash: u128, email: &str) -> Result<(), SpillError> {
        let too_long = |_| io::Error::other("one email has more than 4 GiB of records");
        let length = u32::try_from(email.len()).map_err(too_long);
        let length = length.map_err(|error| self.partitions.budget.failed(error))?;
        let size = HEAD + email.len();
        let Self { partitions, chunks, held } = self;
        let chunk = chunks.entry(number).or_default();
        if chunk.capacity() - chunk.len() < size {
            let next = if size > partitions.chunk {
                Vec::with_capacity(size)
            } else {
                partitions.budget.empty(partitions.chunk)
            };
            *held = *held + next.capacity() - chunk.capacity();
            let full = std::mem::replace(chunk, next);
            if !full.is_empty() {
                partitions.give(number, full)?;
            }
        }
        chunk.extend_from_slice(&length.to_le_bytes());
        chunk.extend_from_slice(&hash.to_le_bytes());
        chunk.extend_from_slice(email.as_bytes());
        // More numbers than were expected.
        if *held as u64 > partitions.budget.each { self.finish() } else { Ok(()) }
    }

    /// Hands over what is left.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn finish(&mut self) -> Result<(), SpillError> {
        self.held = 0;
        for (number, chunk) in self.chunks.drain().filter(|(_, chunk)| !chunk.is_empty()) {
            self.partitions.give(number, chunk)?;
        }
        Ok(())
    }
}

/// The entries of one number.
#[derive(Debug)]
pub struct Entries {
    budget: Arc<Budget>,
    chunks: Vec<Vec<u8>>,
    /// What was in the file.
    read: Vec<u8>,
}

impl Drop for Entries {
    fn drop(&mut self) {
        self.chunks.drain(..).for_each(|chunk| self.budget.recycle(chunk));
        // What is larger would take memory that no budget counts.
        if self.read.capacity() > 0 && self.read.capacity() as u64 <= self.budget.each {
            lock(&self.budget.read).push(std::mem::take(&mut self.read));
        }
    }
}

impl Entries {
    /// The hash and the email's text of each entry.
    pub fn iter(&self) -> impl Iterator<Item = (u128, &str)> {
        self.chunks.iter().chain([&self.read]).flat_map(|chunk| {
            let mut rest = chunk.as_slice();
            std::iter::from_fn(move || {
                let (head, behind) = rest.split_at_checked(HEAD)?;
                let length = u32::from_le_bytes(head[..4].try_into().ok()?);
                let hash = u128::from_le_bytes(head[4..].try_into().ok()?);
                let (email, behind) = behind.split_at_checked(length as usize)?;
                rest = behind;
                // It was text, and is unless the disk has changed it.
                Some((hash, simdutf8::basic::from_utf8(email).unwrap_or_default()))
            })
        })
    }
}

/// Has the processor fetch a text that is wanted soon, while it does other work: what is sorted lies anywhere.
#[inline]
pub fn fetch_ahead(text: &str) {
    const CACHE_LINE: usize = 64;
    std::hint::black_box(text.as_bytes().iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some fit no chunk.
    fn text(n: u64) -> String {
        "é".repeat(if n % 1000 == 999 { CHUNK } else { n as usize % 8 * 20 })
    }

    #[test]
    fn what_was_set_aside_comes_back_whatever_the_budget() {
        for most in [0, 1 << 10, 1 << 30] {
            let directory = tempfile::tempdir().unwrap();
            let budget = Budget::new(directory.path(), most, 1);
            let partitions = Partitions::new(&budget);
            let mut writer = partitions.writer();
            for n in 0..5000_u64 {
                writer.put(n % 7, n.into(), &text(n)).unwrap();
            }
            writer.finish().unwrap();
            assert_eq!(partitions.numbers(), [0, 1, 2, 3, 4, 5, 6]);
            let mut found = Vec::new();
            for number in partitions.numbers() {
                for (hash, email) in partitions.take(number).unwrap().iter() {
                    let n = hash as u64;
                    assert_eq!((n % 7, email), (number, &*text(n)));
                    found.push(n);
                }
            }
            found.sort_unstable();
            assert_eq!(found, (0..5000).collect::<Vec<_>>());
            assert_eq!(budget.spilled() > 0, most < 1 << 20);
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_is_set_aside_anew_lies_where_it_lay() {
        for most in [0, 1 << 16, 1 << 20] {
            let directory = tempfile::tempdir().unwrap();
            let budget = Budget::new(directory.path(), most, 1);
            let [mut first, mut second] = [(); 2].map(|()| Partitions::new(&budget));
            first.expect(16);
            second.expect(3);
            let mut writer = first.writer();
            for n in 0..5000_u64 {
                writer.put(n % 16, n.into(), &text(n)).unwrap();
            }
            writer.finish().unwrap();
            let once = budget.spilled();
            let mut writer = second.writer();
            for number in first.numbers() {
                for (hash, email) in first.take(number).unwrap().iter() {
                    writer.put(hash as u64 % 3, hash, email).unwrap();
                }
            }
            writer.finish().unwrap();
            second.end();
            let mut found = Vec::new();
            for number in second.numbers() {
                for (hash, email) in second.take(number).unwrap().iter() {
                    assert_eq!((hash as u64 % 3, email), (number, &*text(hash as u64)));
                    found.push(hash as u64);
                }
            }
            found.sort_unstable();
            assert_eq!(found, (0..5000).collect::<Vec<_>>());
            let spilled = budget.spilled();
            let file = lock(&budget.file).len();
            assert!(once > 0 && spilled > once);
            assert!(file < spilled, "{most}: nothing was written over");
        }
    }

    #[test]
    fn empty_chunks_make_room_for_long_emails() {
        let directory = tempfile::tempdir().unwrap();
        let budget = Budget::new(directory.path(), 4 << 20, 1);
        let [short, long] = [(); 2].map(|()| Partitions::new(&budget));
        let mut writer = short.writer();
        (0..40_000_u64)
            .for_each(|n| writer.put(n % 7, n.into(), "of sixty bytes and some, as they are").unwrap());
        writer.finish().unwrap();
        short.numbers().into_iter().for_each(|number| drop(short.take(number).unwrap()));
        assert!(lock(&budget.free).bytes > 1 << 20);
        let mut writer = long.writer();
        let email = "e".repeat(CHUNK);
        for n in 0..100_u64 {
            writer.put(n % 7, n.into(), &email).unwrap();
            let held = budget.held.load(Ordering::Relaxed);
            assert!(held + lock(&budget.free).bytes <= budget.most + budget.each + 2 * CHUNK as u64, "{n}");
        }
        writer.finish().unwrap();
        assert_eq!(long.take(3).unwrap().iter().count(), 14);
    }

    #[test]
    fn a_directory_that_is_gone_is_named() {
        let budget = Budget::new(Path::new("no/such/place"), 0, 1);
        let partitions = Partitions::new(&budget);
        let mut writer = partitions.writer();
        let error = writer.put(0, 0, "x").and_then(|()| writer.finish()).unwrap_err();
        assert!(error.to_string().contains("no/such/place"), "{error}");
    }
}
