//! Raw deflate, as in zip members and gzip files.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Feed, Meter, Stream};
use crate::Limits;
use crate::error::{Fault, Reason};

/// The step that zip and gzip share: deflate out of a feed, with nothing lost before a fault.
pub(crate) struct Inflate {
    state: Decompress,
    pub(crate) meter: Meter,
    /// Met in a step that had put out bytes before.
    pending: Option<Fault>,
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This many bytes were put out; at least one.
    Out(usize),
    /// The deflate stream is over; this many bytes were put out last.
    Done(usize),
}

impl Inflate {
    pub(crate) fn new(limits: &Limits, from: u64) -> Self {
        Self { state: Decompress::new(false), meter: Meter::new(limits, from), pending: None }
    }

    /// Starts over for the next deflate stream; the caps go on counting.
    pub(crate) fn reset(&mut self) {
        self.state.reset(false);
    }

    /// Inflates into `out`, which is not empty.
    pub(crate) fn step(&mut self, feed: &mut Feed, out: &mut [u8]) -> Result<Step, Fault> {
        if let Some(fault) = self.pending.take() {
            return Err(fault);
        }
        self.meter.check(feed.position())?;
        let mut done = 0;
        loop {
            let rest = out.get_mut(done..).unwrap_or_default();
            let (n, status) = match self.inflate(feed, rest) {
                Ok(step) => step,
                Err((n, fault)) if done + n == 0 => return Err(fault),
                Err((n, fault)) => {
                    self.pending = Some(fault);
                    return Ok(self.out(done + n));
                }
            };
            done += n;
            if status == Status::StreamEnd {
                self.meter.add(done);
                return Ok(Step::Done(done));
            }
            if done > 0 && (done == out.len() || feed.chunk().is_empty()) {
                return Ok(self.out(done));
            }
        }
    }

    fn out(&mut self, n: usize) -> Step {
        self.meter.add(n);
        Step::Out(n)
    }

    /// One call of the decoder; a fault comes with the number of bytes put out before it.
    fn inflate(&mut self, feed: &mut Feed, out: &mut [u8]) -> Result<(usize, Status), (usize, Fault)> {
        let chunk = feed.filled().map_err(|fault| (0, fault))?;
        let at_end = chunk.is_empty();
        let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
        let result = self.state.decompress(chunk, out, FlushDecompress::None);
        let taken = (self.state.total_in() - before_in) as usize;
        let n = (self.state.total_out() - before_out) as usize;
        feed.consume(taken);
        let at = feed.position();
        match result {
            Ok(Status::StreamEnd) => Ok((n, Status::StreamEnd)),
            Ok(_) if n == 0 && at_end => {
                Err((0, Fault::new(at, Reason::Truncated("in the middle of compressed data"))))
            }
            Ok(_) if n == 0 && taken == 0 => {
                Err((0, Fault::new(at, Reason::Corrupt("compressed data that leads nowhere".to_owned()))))
            }
            Ok(status) => Ok((n, status)),
            // What the decoder says of it depends on how much was asked for at once.
            Err(_) => Err((n, Fault::new(at, Reason::Corrupt("bad compressed data".to_owned())))),
        }
    }
}

/// A deflated zip member.
pub(crate) struct Deflate {
    feed: Feed,
    inflate: Inflate,
    is_done: bool,
}

impl Deflate {
    pub(crate) fn new(feed: Feed, limits: &Limits) -> Self {
        let inflate = Inflate::new(limits, feed.position());
        Self { feed, inflate, is_done: false }
    }
}

impl Stream for Deflate {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        if self.is_done {
            return Ok(0);
        }
        match self.inflate.step(&mut self.feed, out)? {
            Step::Out(n) => Ok(n),
            Step::Done(n) => {
                self.is_done = true;
                Ok(n)
            }
        }
    }

    fn position(&self, _back: u64) -> u64 {
        self.feed.position()
    }
}
