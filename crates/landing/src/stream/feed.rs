//! A buffer of input for a decoder.

use super::{Layer, Stream};
use crate::error::Fault;

/// The bytes of a layer, a chunk at a time, for the decoder above it.
pub(crate) struct Feed {
    layer: Layer,
    chunk: Vec<u8>,
    start: usize,
    end: usize,
    size: usize,
    /// Met behind the bytes that are in the chunk.
    pending: Option<Fault>,
}

impl Feed {
    const CHUNK: u64 = 128 << 10;
    /// Zero padding and the like must not make a read a chunk of one byte.
    const LEAST: u64 = 512;

    /// Returns a feed of `layer`, of which some `size` bytes are expected.
    pub(crate) fn new(layer: Layer, size: u64) -> Self {
        let size = size.clamp(Self::LEAST, Self::CHUNK) as usize;
        Self { layer, chunk: Vec::new(), start: 0, end: 0, size, pending: None }
    }

    /// Returns the first bytes, at least `n` unless the layer ends or breaks before.
    pub(crate) fn peek(&mut self, n: usize) -> &[u8] {
        if self.chunk.len() < n {
            self.chunk.resize(n, 0);
        }
        while self.end < n && self.pending.is_none() {
            match self.layer.read(self.chunk.get_mut(self.end..n).unwrap_or_default()) {
                Ok(0) => break,
                Ok(more) => self.end += more,
                Err(fault) => self.pending = Some(fault),
            }
        }
        self.chunk()
    }

    /// Returns the bytes at hand.
    pub(crate) fn chunk(&self) -> &[u8] {
        self.chunk.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
    }

    /// Returns the bytes at hand after reading more where there were none; empty at the end.
    pub(crate) fn filled(&mut self) -> Result<&[u8], Fault> {
        if self.start == self.end {
            if let Some(fault) = self.pending.take() {
                return Err(fault);
            }
            if self.chunk.len() < self.size {
                self.chunk.resize(self.size, 0);
            }
            self.start = 0;
            self.end = 0;
            self.end = self.layer.read(&mut self.chunk)?;
        }
        Ok(self.chunk())
    }

    /// Returns the next byte, or `None` at the end.
    pub(crate) fn byte(&mut self) -> Result<Option<u8>, Fault> {
        let byte = self.filled()?.first().copied();
        self.consume(1);
        Ok(byte)
    }

    /// Returns the position in the file of the byte that comes next.
    pub(crate) fn position(&self) -> u64 {
        self.layer.position((self.end - self.start) as u64)
    }
}

impl Stream for Feed {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let chunk = self.chunk();
        if chunk.is_empty() {
            // Straight from the layer: only what was peeked at is copied.
            return match self.pending.take() {
                Some(fault) => Err(fault),
                None => self.layer.read(out),
            };
        }
        let n = chunk.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), chunk.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        Ok(n)
    }

    fn position(&self, back: u64) -> u64 {
        self.layer.position((self.end - self.start) as u64 + back)
    }
}
