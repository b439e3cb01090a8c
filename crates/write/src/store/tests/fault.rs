//! A disk that stops working at a chosen step.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

/// Counts the steps of a disk; by default none fails.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Steps before the fault.
    left: AtomicI64,
    /// Whether every later step fails too, as if the process had been killed.
    for_good: bool,
}

impl Default for Fault {
    fn default() -> Self {
        Self { left: AtomicI64::new(i64::MAX), for_good: false }
    }
}

impl Fault {
    /// The process is killed before step `steps`, from 0.
    pub(crate) fn kill(steps: i64) -> Self {
        Self { left: AtomicI64::new(steps), for_good: true }
    }

    /// Only step `steps` fails, as if the disk had been full for a moment.
    pub(crate) fn full_once(steps: i64) -> Self {
        Self { left: AtomicI64::new(steps), for_good: false }
    }

    pub(crate) fn pass(&self) -> io::Result<()> {
        let left = self.left.fetch_sub(1, Ordering::Relaxed);
        if left == 0 || (left < 0 && self.for_good) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Whether the fault has happened.
    pub(crate) fn happened(&self) -> bool {
        self.left.load(Ordering::Relaxed) < 0
    }
}
