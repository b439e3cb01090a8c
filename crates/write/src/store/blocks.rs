//! A file that is written by blocks, past the kernel's cache where the system can do that.
//!
//! Of what is written once and not read again soon, the way through the cache is up to a third of the work: the kernel
//! finds memory for each page, copies it there, and writes it out later. Past the cache the disk takes it from here.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

/// So long are blocks.
const BLOCK: usize = 1 << 20;
/// Past the cache go bytes that begin at multiples of this, in memory and in the file, and are multiples of it.
const ALIGNED: usize = 4 << 10;
/// Less is not worth a way of its own.
const LEAST: usize = 128 << 10;
/// The longest row or so that makes a full buffer move.
const ROOM: usize = 64 << 10;

/// A file, and what was not written to it yet.
#[derive(Debug)]
pub(super) struct BlockFile {
    file: File,
    buffer: Vec<u8>,
    /// Where in the buffer begins what was not written: so that it is aligned.
    from: usize,
    way: Way,
}

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Nothing was written yet.
    Untried,
    PastCache,
    Cached,
}

impl BlockFile {
    /// The file, which is written from its beginning.
    pub(super) fn new(file: File) -> Self {
        Self { file, buffer: Vec::new(), from: 0, way: Way::Untried }
    }

    /// Has `append` add to what is to be written; how many bytes it added.
    pub(super) fn append(&mut self, append: impl FnOnce(&mut Vec<u8>)) -> io::Result<usize> {
        let before = self.buffer.len();
        append(&mut self.buffer);
        let added = self.buffer.len().saturating_sub(before);
        if self.waiting() >= BLOCK {
            self.write_blocks()?;
        } else if self.waiting() >= LEAST && self.buffer.capacity() < BLOCK {
            // Once, and not by doubling.
            self.align();
        }
        Ok(added)
    }

    /// Bytes of memory that it holds.
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// Writes what can be written now, and holds no more than the rest.
    pub(super) fn release(&mut self) -> io::Result<()> {
        if self.way == Way::Untried && self.waiting() < LEAST {
            // It will be a little at a time.
            self.way = Way::Cached;
        }
        self.write_blocks()?;
        (self.buffer, self.from) = (self.buffer[self.from..].to_vec(), 0);
        Ok(())
    }

    /// Writes the rest; the file.
    pub(super) fn finish(mut self) -> io::Result<File> {
        if self.way == Way::PastCache || self.waiting() >= LEAST {
            self.write_blocks()?;
        }
        if self.way == Way::PastCache {
            self.use_cache()?;
        }
        self.file.write_all(&self.buffer[self.from..])?;
        Ok(self.file)
    }

    fn waiting(&self) -> usize {
        self.buffer.len() - self.from
    }

    /// Writes all whole multiples of [`ALIGNED`], or everything where the way is through the cache.
    fn write_blocks(&mut self) -> io::Result<()> {
        if self.way == Way::Untried {
            self.way = if set_past_cache(&self.file, true) { Way::PastCache } else { Way::Cached };
        }
        if self.way == Way::PastCache {
            self.align();
        }
        let mut at = self.from;
        while self.way == Way::PastCache && self.buffer.len() - at >= ALIGNED {
            let whole = (self.buffer.len() - at) / ALIGNED * ALIGNED;
            match self.file.write(&self.buffer[at..at + whole]) {
                Ok(written) if written > 0 && written % ALIGNED == 0 => at += written,
                Ok(written) => {
                    at += written;
                    self.use_cache()?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The file system wants other multiples, or cannot do it after all.
                Err(error) if error.kind() == ErrorKind::InvalidInput => self.use_cache()?,
                Err(error) => return Err(error),
            }
        }
        if self.way == Way::Cached {
            self.file.write_all(&self.buffer[at..])?;
            at = self.buffer.len();
        }
        self.buffer.copy_within(at.., self.from);
        self.buffer.truncate(self.buffer.len() - (at - self.from));
        Ok(())
    }

    fn use_cache(&mut self) -> io::Result<()> {
        self.way = Way::Cached;
        if set_past_cache(&self.file, false) { Ok(()) } else { Err(ErrorKind::Unsupported.into()) }
    }

    /// Moves what is to be written to where it is aligned and has room for a block, which it is unless the buffer has grown.
    fn align(&mut self) {
        let rest = &self.buffer[self.from..];
        if rest.as_ptr().align_offset(ALIGNED) == 0 && self.buffer.capacity() >= BLOCK {
            return;
        }
        let mut aligned: Vec<u8> = Vec::with_capacity(rest.len().max(BLOCK) + ROOM + ALIGNED);
        let from = aligned.as_ptr().align_offset(ALIGNED).min(ALIGNED);
        aligned.resize(from, 0);
        aligned.extend_from_slice(rest);
        (self.buffer, self.from) = (aligned, from);
    }
}

/// Has what is written go past the cache, or through it again; whether the system can do that.
#[cfg(target_os = "linux")]
fn set_past_cache(file: &File, past: bool) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let set = |flags: OFlags| {
        let flags = if past { flags | OFlags::DIRECT } else { flags - OFlags::DIRECT };
        fcntl_setfl(file, flags)
    };
    fcntl_getfl(file).and_then(set).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn set_past_cache(_: &File, past: bool) -> bool {
    !past
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Append(usize),
        Release,
    }

    fn step() -> impl Strategy<Value = Step> {
        let lengths = prop_oneof![0..300_usize, 0..2 * ALIGNED, 0..2 * LEAST, BLOCK - 99..BLOCK + 2 * ROOM];
        prop_oneof![6 => lengths.prop_map(Step::Append), 1 => Just(Step::Release)]
    }

    /// What a file holds that had these bytes before.
    fn written(before: &[u8], way: Way, steps: &[Step]) -> (Vec<u8>, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut file = File::create(&path).unwrap();
        file.write_all(before).unwrap();
        let mut file = BlockFile { way, ..BlockFile::new(file) };
        let mut expected = before.to_vec();
        for step in steps {
            match step {
                Step::Append(length) => {
                    let bytes: Vec<u8> = (0..*length).map(|at| (expected.len() + at * 7) as u8).collect();
                    assert_eq!(file.append(|buffer| buffer.extend_from_slice(&bytes)).unwrap(), *length);
                    assert!(file.waiting() < BLOCK);
                    expected.extend(bytes);
                }
                Step::Release => {
                    file.release().unwrap();
                    assert!(file.held() < ALIGNED);
                }
            }
        }
        file.finish().unwrap();
        (fs::read(path).unwrap(), expected)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn a_file_holds_what_was_appended(steps in proptest::collection::vec(step(), 0..12), cached in any::<bool>()) {
            let way = if cached { Way::Cached } else { Way::Untried };
            let (found, expected) = written(b"", way, &steps);
            prop_assert!(found == expected, "{} bytes, not {}", found.len(), expected.len());
        }
    }

    #[test]
    fn what_cannot_go_past_the_cache_goes_through_it() {
        // The kernel refuses what is not aligned in the file.
        let steps = [Step::Append(BLOCK + 5), Step::Append(3), Step::Release, Step::Append(2 * BLOCK + 1)];
        let (found, expected) = written(b"x", Way::Untried, &steps);
        assert!(found == expected);
    }

    #[test]
    fn a_disk_that_is_full_is_an_error() {
        let Ok(file) = File::options().write(true).open("/dev/full") else { return };
        let mut file = BlockFile::new(file);
        let full = file.append(|buffer| buffer.resize(BLOCK, b'a')).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }
}
