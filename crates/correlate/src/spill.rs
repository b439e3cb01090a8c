//! The file that takes what memory has no room for. It has no name, so nothing is left of it after a kill.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Where bytes lie in the file, and how many.
pub(crate) type Span = (u64, u64);

/// As much is written at a time, and written over once all of it was read.
const BLOCK: usize = if cfg!(test) { 64 << 10 } else { 1 << 20 };
/// So many blocks the kernel's cache takes, mostly without the disk: 1 GiB. Of more it takes several times as much of the
/// processor for each byte.
const CACHED: usize = if cfg!(test) { 3 } else { 1 << 10 };
/// Through the kernel's cache as much: of longer writes a virtual machine may take several times as much.
const STRETCH: usize = 64 << 10;
/// Past the cache go bytes that begin at multiples of this, in memory and in the file, and are multiples of it.
const ALIGNED: usize = 4 << 10;

/// A temporary file, made when it is first written to.
///
/// What was read is written over: of the joined emails most go where the records lay that they were made of, which takes
/// half the disk.
#[derive(Debug, Default)]
pub(crate) struct SpillFile {
    file: Option<File>,
    /// Whether the system can read and write past the kernel's cache, and what is read together is worth a read of the disk.
    may_pass: bool,
    /// Whether it does now.
    passes: bool,
    /// How many bytes of each block were not read yet.
    left: Vec<u32>,
    /// Blocks that were read.
    free: Vec<usize>,
    /// The block that is filled, which is not in the file yet.
    filled: Filled,
    /// Room for what is read.
    room: Aligned,
    written: u64,
}

#[derive(Debug, Default)]
struct Filled {
    number: Option<usize>,
    bytes: Aligned,
    len: usize,
}

impl SpillFile {
    /// How many bytes were written in all.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// How many bytes the file has, once all is written.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        (self.left.len() * BLOCK) as u64
    }

    /// Makes the file in this directory, if it is not there, for stretches of about so many bytes that are read together.
    pub(crate) fn create(&mut self, directory: &Path, stretch: u64) -> io::Result<()> {
        if self.file.is_none() {
            let file = self.file.insert(tempfile::tempfile_in(directory)?);
            self.passes = stretch >= STRETCH as u64 && set_past_cache(file, true);
            self.may_pass = self.passes;
        }
        Ok(())
    }

    /// Writes bytes to the file, which must have been created; adds where they are, in as many pieces as there are.
    pub(crate) fn write(&mut self, mut bytes: &[u8], spans: &mut Vec<Span>) -> io::Result<()> {
        self.written += bytes.len() as u64;
        while !bytes.is_empty() {
            let number = self.begin();
            let (from, length) = (self.filled.len, bytes.len().min(BLOCK - self.filled.len));
            let (piece, rest) = bytes.split_at(length);
            self.filled.bytes.block()[from..from + length].copy_from_slice(piece);
            self.filled.len += length;
            self.left[number] += length as u32;
            let place = (number * BLOCK + from) as u64;
            match spans.last_mut() {
                Some((start, before)) if *start + *before == place => *before += length as u64,
                _ => spans.push((place, length as u64)),
            }
            if self.filled.len == BLOCK {
                self.end()?;
            }
            bytes = rest;
        }
        Ok(())
    }

    /// The block that is filled.
    fn begin(&mut self) -> usize {
        *self.filled.number.get_or_insert_with(|| {
            self.filled.len = 0;
            self.free.pop().unwrap_or_else(|| {
                self.left.push(0);
                self.left.len() - 1
            })
        })
    }

    /// Writes the block that is full, unless all of it was read meanwhile.
    fn end(&mut self) -> io::Result<()> {
        let Some(number) = self.filled.number.take() else { return Ok(()) };
        if self.left[number] == 0 {
            self.free.push(number);
            return Ok(());
        }
        let file = at_block(&mut self.file, number, 0, (self.may_pass, &mut self.passes))?;
        let block = self.filled.bytes.block();
        if self.passes {
            match file.write_all(block) {
                // The file system wants other multiples, or cannot do it after all.
                Err(error) if error.kind() == ErrorKind::InvalidInput => self.may_pass = false,
                written => return written,
            }
        }
        let file = at_block(&mut self.file, number, 0, (self.may_pass, &mut self.passes))?;
        block.chunks(STRETCH).try_for_each(|stretch| file.write_all(stretch))
    }

    /// Appends what lies in these spans to `bytes`; they are free then.
    pub(crate) fn read(&mut self, spans: &[Span], bytes: &mut Vec<u8>) -> io::Result<()> {
        for (from, length) in spans {
            let (mut from, end) = (*from as usize, (*from + *length) as usize);
            while from < end {
                let number = from / BLOCK;
                let to = end.min((number + 1) * BLOCK);
                self.read_block(number, from % BLOCK..from % BLOCK + (to - from), bytes)?;
                from = to;
            }
        }
        Ok(())
    }

    fn read_block(
        &mut self,
        number: usize,
        range: std::ops::Range<usize>,
        bytes: &mut Vec<u8>,
    ) -> io::Result<()> {
        let length = range.len();
        if self.filled.number == Some(number) {
            bytes.extend_from_slice(&self.filled.bytes.block()[range]);
        } else {
            let (start, end) = (range.start / ALIGNED * ALIGNED, range.end.next_multiple_of(ALIGNED));
            let file = at_block(&mut self.file, number, start, (self.may_pass, &mut self.passes))?;
            let room = &mut self.room.block()[start..end];
            file.read_exact(room)?;
            bytes.extend_from_slice(&room[range.start - start..range.end - start]);
        }
        self.left[number] -= length as u32;
        if self.left[number] == 0 && self.filled.number != Some(number) {
            self.free.push(number);
        }
        Ok(())
    }
}

/// The file at this byte of a block, which it takes past the cache where it may and the block is one of many.
fn at_block<'f>(
    file: &'f mut Option<File>,
    number: usize,
    start: usize,
    (may_pass, passes): (bool, &mut bool),
) -> io::Result<&'f mut File> {
    let file = file.as_mut().ok_or(ErrorKind::NotFound)?;
    let wants = may_pass && number >= CACHED;
    if wants != *passes && set_past_cache(file, wants) {
        *passes = wants;
    }
    file.seek(SeekFrom::Start((number * BLOCK + start) as u64))?;
    Ok(file)
}

/// A block of memory that begins at a multiple of [`ALIGNED`], made when it is first used.
#[derive(Debug, Default)]
struct Aligned {
    bytes: Vec<u8>,
    from: usize,
}

impl Aligned {
    fn block(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = vec![0; BLOCK + ALIGNED];
            self.from = self.bytes.as_ptr().align_offset(ALIGNED).min(ALIGNED);
        }
        &mut self.bytes[self.from..self.from + BLOCK]
    }
}

/// Has what is written and read go past the kernel's cache, or through it; whether the system can do that.
#[cfg(target_os = "linux")]
fn set_past_cache(file: &File, past: bool) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    fcntl_getfl(file)
        .and_then(|flags| {
            let others = flags - OFlags::DIRECT;
            fcntl_setfl(file, if past { others | OFlags::DIRECT } else { others })
        })
        .is_ok()
}

#[cfg(not(target_os = "linux"))]
fn set_past_cache(_: &File, past: bool) -> bool {
    !past
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Write(usize),
        /// Reads what was written by one of the writes that were not read yet.
        Read(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let lengths = prop_oneof![0..100_usize, 0..2 * ALIGNED, BLOCK - 9..BLOCK + 9, 0..9 * BLOCK];
        prop_oneof![3 => lengths.prop_map(Step::Write), 2 => any::<usize>().prop_map(Step::Read)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn what_was_written_is_read(steps in proptest::collection::vec(step(), 0..40), stretch in 0..2_u64) {
            let directory = tempfile::tempdir().unwrap();
            let mut file = SpillFile::default();
            file.create(directory.path(), stretch * STRETCH as u64).unwrap();
            let mut held: Vec<(Vec<u8>, Vec<Span>)> = Vec::new();
            let mut most = 0;
            for (number, step) in steps.into_iter().chain((0..40).map(Step::Read)).enumerate() {
                match step {
                    Step::Write(length) => {
                        let bytes: Vec<u8> = (0..length).map(|at| (at * 7 + number) as u8).collect();
                        let mut spans = Vec::new();
                        // In chunks, as they come.
                        for chunk in bytes.chunks(STRETCH) {
                            file.write(chunk, &mut spans).unwrap();
                        }
                        held.push((bytes, spans));
                    }
                    Step::Read(which) if !held.is_empty() => {
                        let (expected, spans) = held.swap_remove(which % held.len());
                        let mut found = Vec::new();
                        file.read(&spans, &mut found).unwrap();
                        prop_assert!(found == expected, "{spans:?}");
                    }
                    Step::Read(_) => {}
                }
                most = most.max(held.iter().map(|(bytes, _)| bytes.len()).sum::<usize>());
            }
            prop_assert!(held.is_empty() && file.left.iter().all(|left| *left == 0));
            // All of it is written over.
            let blocks = file.left.len();
            file.write(&vec![1; blocks * BLOCK], &mut Vec::new()).unwrap();
            prop_assert!(file.left.len() <= blocks + 1);
        }
    }

    #[test]
    fn a_file_that_cannot_go_past_the_cache_goes_through_it() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = SpillFile::default();
        file.create(directory.path(), u64::MAX).unwrap();
        // Memory that is not aligned is refused.
        file.filled.bytes = Aligned { bytes: vec![0; BLOCK + ALIGNED], from: 0 };
        file.filled.bytes.from = file.filled.bytes.bytes.as_ptr().align_offset(ALIGNED) ^ 1;
        let (bytes, mut spans, mut found) = (vec![7; (CACHED + 1) * BLOCK + 5], Vec::new(), Vec::new());
        file.write(&bytes, &mut spans).unwrap();
        assert_eq!(file.filled.len, 5);
        file.read(&spans, &mut found).unwrap();
        assert!(found == bytes);
    }
}
