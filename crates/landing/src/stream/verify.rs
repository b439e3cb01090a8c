//! The check of a zip member against its directory.

use flate2::Crc;

use super::{Layer, Stream};
use crate::error::{Fault, Reason};

/// A member's bytes, and a fault after the last where they are not those that the directory speaks of.
pub(crate) struct Verify {
    layer: Layer,
    crc: Crc,
    len: u64,
    expected_len: Option<u64>,
    expected_crc: Option<u32>,
}

impl Verify {
    pub(crate) fn new(layer: Layer, expected_len: Option<u64>, expected_crc: Option<u32>) -> Self {
        Self { layer, crc: Crc::new(), len: 0, expected_len, expected_crc }
    }

    fn check(&self) -> Result<(), Fault> {
        let at = self.layer.position(0);
        if let Some(expected) = self.expected_len.filter(|&expected| expected != self.len) {
            return Err(Fault::new(at, Reason::Length { expected, found: self.len }));
        }
        if let Some(expected) = self.expected_crc.filter(|&expected| expected != self.crc.sum()) {
            return Err(Fault::new(at, Reason::Checksum { expected, found: self.crc.sum() }));
        }
        Ok(())
    }
}

impl Stream for Verify {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let n = self.layer.read(out)?;
        if n == 0 {
            self.check()?;
        }
        self.crc.update(out.get(..n).unwrap_or_default());
        self.len += n as u64;
        Ok(n)
    }

    fn position(&self, back: u64) -> u64 {
        self.layer.position(back)
    }
}
