//! The caps on what comes out of a decoder.

use crate::Limits;
use crate::error::{Fault, Reason};

/// Counts what a decoder put out, against what it took in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    limits: Limits,
    from: u64,
    out: u64,
}

impl Meter {
    /// Returns a meter of a decoder whose input starts at byte `from` of the file.
    pub(crate) fn new(limits: &Limits, from: u64) -> Self {
        Self { limits: *limits, from, out: 0 }
    }

    /// Adds `n` bytes put out.
    pub(crate) fn add(&mut self, n: usize) {
        self.out += n as u64;
    }

    /// Checks what came out so far, with the input read up to byte `at`; called before more is decoded, so that what
    /// crosses a cap is delivered first.
    pub(crate) fn check(&self, at: u64) -> Result<(), Fault> {
        if self.out > self.limits.max_inflated {
            return Err(Fault::new(at, Reason::Inflated(self.limits.max_inflated)));
        }
        let taken = at.saturating_sub(self.from).max(1);
        if self.out > Limits::RATIO_FROM && self.out > taken.saturating_mul(self.limits.max_ratio) {
            return Err(Fault::new(at, Reason::Ratio(self.limits.max_ratio)));
        }
        Ok(())
    }
}
