//! Bytes set aside by a number, in memory, and past a budget in one temporary file.
//!
//! An entry is a hash, or another number to sort by, and an email's text. Who writes has a [`Writer`] of its own, which
//! hands over whole chunks of entries; who reads takes all entries of one number.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hashbrown::HashMap;

use crate::budget::{Budget, CHUNK, SpillError, lock};
use crate::spill::Span;

/// The bytes before an email: its length and its hash.
const HEAD: usize = 4 + 8;

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

    /// Expects entries of about so many numbers.
    pub fn expect(&mut self, numbers: usize) {
        self.chunk = self.budget.chunk_of(numbers);
    }

    /// A writer, which must be finished.
    pub fn writer(&self) -> Writer<'_> {
        Writer { partitions: self, chunks: HashMap::new(), held: 0 }
    }

    /// Says that nothing more is set aside, here nor by others of the same budget: what is taken from now on gives its
    /// memory back.
    pub fn end(&self) {
        self.budget.end();
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
    /// [`SpillError`] if the file cannot be read, or gives back what are no emails.
    pub fn take(&self, number: u64) -> Result<Entries, SpillError> {
        let part = lock(&self.parts).remove(&number).unwrap_or_default();
        let held: usize = part.held.iter().map(Vec::capacity).sum();
        self.budget.held.fetch_sub(held as u64, Ordering::Relaxed);
        self.held.fetch_sub(held as u64, Ordering::Relaxed);
        let read = if part.spilled.is_empty() { Vec::new() } else { self.budget.read(&part.spilled)? };
        if !is_whole(&read) {
            let changed = "what was set aside there came back changed: look at the disk, and run again";
            return Err(self.budget.failed(io::Error::new(io::ErrorKind::InvalidData, changed)));
        }
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
        // What is read one after the other lies so.
        held.sort_unstable_by_key(|(number, _)| *number);
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
    pub fn put(&mut self, number: u64, hash: u64, email: &str) -> Result<(), SpillError> {
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
        self.budget.recycle_read(std::mem::take(&mut self.read));
    }
}

impl Entries {
    /// The hash and the email's text of each entry.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        let entries = self.chunks.iter().chain([&self.read]).flat_map(|chunk| entries(chunk));
        // It was text.
        entries.map(|(hash, email)| (hash, simdutf8::basic::from_utf8(email).unwrap_or_default()))
    }
}

/// The hash and the bytes of each entry of a chunk, up to one that is not whole.
fn entries(chunk: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = chunk;
    std::iter::from_fn(move || {
        let (head, behind) = rest.split_at_checked(HEAD)?;
        let length = u32::from_le_bytes(head[..4].try_into().ok()?);
        let hash = u64::from_le_bytes(head[4..].try_into().ok()?);
        let (email, behind) = behind.split_at_checked(length as usize)?;
        rest = behind;
        Some((hash, email))
    })
}

/// Whether a chunk is nothing but entries with text, as all are that were written.
fn is_whole(chunk: &[u8]) -> bool {
    let mut length = 0;
    let are_text = entries(chunk).all(|(_, email)| {
        length += HEAD + email.len();
        simdutf8::basic::from_utf8(email).is_ok()
    });
    are_text && length == chunk.len()
}

/// Has the processor fetch a text that is wanted soon, while it does other work: what is sorted lies anywhere.
#[inline]
pub fn fetch_ahead(text: &str) {
    const CACHE_LINE: usize = 64;
    std::hint::black_box(text.as_bytes().iter().step_by(CACHE_LINE).fold(0, |all, byte| all ^ byte));
}

#[cfg(test)]
mod tests;
