//! Zstandard files of one or more frames.

use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

use super::{Container, Feed, Meter, Stream};
use crate::Limits;
use crate::error::{Fault, Reason};

/// The longest header of a frame, in bytes.
pub(super) const FRAME_HEADER: usize = 18;

/// Returns how much content the frame that begins here says it has.
pub(super) fn stated_len(head: &[u8]) -> Option<u64> {
    zstd::zstd_safe::get_frame_content_size(head).ok().flatten()
}

/// The content of all frames, one after the other.
pub(crate) struct Zstd {
    feed: Feed,
    decoder: Decoder<'static>,
    meter: Meter,
    /// Bytes the decoder wants next: a block and the header of the one after. It never gets more at once, because a
    /// call that meets a fault does not tell what else it put out.
    wanted: usize,
    /// The decoder may hold content that did not fit into the last `out`.
    is_holding: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    InFrame,
    Between,
    Done,
}

impl Zstd {
    /// Bytes of a frame that are looked at first.
    const START: usize = 5;

    pub(crate) fn new(feed: Feed, limits: &Limits) -> Result<Self, Fault> {
        let at = feed.position();
        let decoder = Decoder::new().map_err(|error| Fault::new(at, error))?;
        let meter = Meter::new(limits, at);
        Ok(Self { feed, decoder, meter, wanted: Self::START, is_holding: false, state: State::First })
    }

    /// Decides between the next frame, the end and what does not belong here.
    fn between(&mut self) -> Result<(), Fault> {
        let at = self.feed.position();
        let mut head = Vec::with_capacity(Container::MAGIC);
        while head.len() < Container::MAGIC
            && let Some(byte) = self.feed.byte()?
        {
            head.push(byte);
        }
        if head.is_empty() {
            self.state = State::Done;
            return Ok(());
        }
        if Container::of(&head) != Container::Zstd {
            return Err(Fault::new(at, Reason::Trailing("zstd frame")));
        }
        self.decoder.reinit().map_err(|error| Fault::new(at, error))?;
        self.state = State::InFrame;
        let (wanted, _, _) =
            run(&mut self.decoder, &head, &mut []).map_err(|reason| Fault::new(at, reason))?;
        self.wanted = wanted;
        Ok(())
    }

    /// Decodes a block or a part of it; zero bytes where more input is needed first.
    fn step(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        self.meter.check(self.feed.position())?;
        let chunk = if self.is_holding { &[] } else { self.feed.filled()? };
        let input = chunk.get(..self.wanted.min(chunk.len())).unwrap_or_default();
        if input.is_empty() && !self.is_holding {
            return Err(Fault::new(self.feed.position(), Reason::Truncated("in the middle of a zstd frame")));
        }
        let result = run(&mut self.decoder, input, out);
        let (wanted, taken, n) = result.map_err(|reason| Fault::new(self.feed.position(), reason))?;
        self.feed.consume(taken);
        self.meter.add(n);
        self.is_holding = n == out.len();
        self.wanted = wanted.max(1);
        if wanted == 0 {
            self.is_holding = false;
            self.state = State::Between;
        }
        Ok(n)
    }
}

/// One call of the decoder: bytes wanted next, taken and put out.
fn run(decoder: &mut Decoder<'_>, input: &[u8], out: &mut [u8]) -> Result<(usize, usize, usize), Reason> {
    let mut input = InBuffer::around(input);
    let mut output = OutBuffer::around(out);
    match decoder.run(&mut input, &mut output) {
        Ok(wanted) => Ok((wanted, input.pos(), output.pos())),
        Err(error) => Err(Reason::Corrupt(error.to_string())),
    }
}

impl Stream for Zstd {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        loop {
            let n = match self.state {
                State::Done => return Ok(0),
                State::Between => {
                    self.between()?;
                    0
                }
                State::First | State::InFrame => self.step(out)?,
            };
            if n > 0 {
                return Ok(n);
            }
        }
    }

    fn position(&self, _back: u64) -> u64 {
        self.feed.position()
    }
}
