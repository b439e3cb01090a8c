//! Bytes as they are stored.

use std::io::{self, Read};

use super::Stream;
use crate::bytes::Bytes;
use crate::error::Fault;

/// A stretch of a file.
#[derive(Debug)]
pub(crate) struct Section {
    bytes: Bytes,
    at: u64,
    end: u64,
}

impl Section {
    pub(crate) fn new(bytes: Bytes, start: u64, end: u64) -> Self {
        Self { bytes, at: start, end }
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }
}

impl Stream for Section {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let n = usize::try_from(self.remaining()).unwrap_or(usize::MAX).min(out.len());
        let Some(out) = out.get_mut(..n).filter(|out| !out.is_empty()) else { return Ok(0) };
        let n = self.bytes.read_at(out, self.at).map_err(|error| Fault::new(self.at, error))?;
        self.at += n as u64;
        Ok(n)
    }

    fn position(&self, back: u64) -> u64 {
        self.at.saturating_sub(back)
    }
}

/// A source that is read once, from its start.
pub(crate) struct Pipe {
    reader: Box<dyn Read + Send>,
    at: u64,
}

impl Pipe {
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader, at: 0 }
    }
}

impl Stream for Pipe {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.reader.read(out) {
                Ok(n) => {
                    self.at += n as u64;
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::new(self.at, error)),
            }
        }
    }

    fn position(&self, back: u64) -> u64 {
        self.at.saturating_sub(back)
    }
}
