//! A window of bytes that moves over a stream.

use std::io::{self, Read};

/// The usual block of a [`Window`]: 2 MiB.
pub const BLOCK: usize = 2 << 20;

/// The unconsumed bytes of a stream, in one slice, refilled on demand.
///
/// A record that does not end in the window is kept: [`fill`](Self::fill) moves it to the front and reads at least as
/// many bytes again, so a caller that scans it anew after each fill still works in linear time. The buffer grows only
/// for such a record and shrinks after it.
#[derive(Debug)]
pub struct Window<R> {
    reader: R,
    /// Initialised throughout; `start..end` is unconsumed.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    block: usize,
    at_end: bool,
    /// Met while bytes of the same fill were still to be delivered.
    pending: Option<io::Error>,
}

impl<R> Window<R> {
    /// Returns an empty window over `reader` that is filled in steps of `block` bytes (at least one).
    pub fn new(reader: R, block: usize) -> Self {
        let block = block.max(1);
        let buffer = vec![0; block];
        Self { reader, buffer, start: 0, end: 0, offset: 0, block, at_end: false, pending: None }
    }

    /// Returns the window, its first byte being at `offset` of the content.
    #[must_use]
    pub fn starting_at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// Starts over with another reader, whose first byte is at `offset` of its content, and returns the former one.
    ///
    /// Keeps the buffer, which spares the allocation when thousands of small members are read, but for what a long record
    /// had added to it.
    pub fn restart(&mut self, reader: R, offset: u64) -> R {
        if self.buffer.len() > self.block {
            self.buffer.truncate(self.block);
            self.buffer.shrink_to_fit();
        }
        (self.start, self.end, self.offset) = (0, 0, offset);
        self.at_end = false;
        self.pending = None;
        std::mem::replace(&mut self.reader, reader)
    }

    /// Returns the unconsumed bytes.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Returns where in the content stream `bytes()[0]` stands.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream has no more bytes than those in the window.
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    /// Returns the reader, for its counters.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// Drops the first `n` bytes, or all where there are fewer.
    pub fn consume(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }
}

impl<R: Read> Window<R> {
    /// Returns how many bytes were added to the window; zero means that the stream is [at its end](Self::at_end).
    ///
    /// # Errors
    /// What the reader reports, after the bytes that it delivered before. The stream then counts as ended: the
    /// window keeps its bytes and further fills add nothing.
    pub fn fill(&mut self) -> io::Result<usize> {
        if let Some(error) = self.pending.take() {
            self.at_end = true;
            return Err(error);
        }
        if self.at_end {
            return Ok(0);
        }
        self.make_room();
        let before = self.end;
        while self.end < self.buffer.len() {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.reader.read(free) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(n) => self.end += n.min(free.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.end == before => {
                    self.at_end = true;
                    return Err(error);
                }
                Err(error) => {
                    self.pending = Some(error);
                    break;
                }
            }
        }
        Ok(self.end - before)
    }

    /// Drops bytes up to where `resume` says, and returns how many: the way past a record that is too long to hold.
    ///
    /// `resume` sees the window's bytes and whether they are the last, and answers with the index to go on at. While
    /// it answers `None`, all but the last `keep` bytes are dropped and more are read; `keep` is one less than the
    /// length of what it looks for. Where it never answers, everything is dropped.
    ///
    /// # Errors
    /// As [`fill`](Self::fill); what was passed until then is dropped.
    pub fn skip_until(
        &mut self,
        keep: usize,
        mut resume: impl FnMut(&[u8], bool) -> Option<usize>,
    ) -> io::Result<u64> {
        let from = self.offset;
        loop {
            if let Some(index) = resume(self.bytes(), self.at_end) {
                self.consume(index);
                return Ok(self.offset - from);
            }
            let kept = if self.at_end { 0 } else { keep };
            self.consume(self.bytes().len().saturating_sub(kept));
            if self.at_end {
                return Ok(self.offset - from);
            }
            self.fill()?;
        }
    }

    /// Moves the unconsumed bytes to the front and sizes the buffer for as many again, at least for a block.
    fn make_room(&mut self) {
        let tail = self.end - self.start;
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, tail);
        let size = self.block.max(tail.saturating_mul(2));
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        } else if self.buffer.len() / 4 > size {
            self.buffer.truncate(size);
            self.buffer.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests;
