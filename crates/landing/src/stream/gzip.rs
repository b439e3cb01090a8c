//! Gzip files of one or more members.

use flate2::Crc;

use super::deflate::{Inflate, Step};
use super::{Feed, Stream};
use crate::Limits;
use crate::error::{Fault, Reason};

/// The content of all members, one after the other.
pub(crate) struct Gzip {
    feed: Feed,
    inflate: Inflate,
    crc: Crc,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a member's header.
    Header,
    /// In a member's data.
    Data,
    /// Before a member's checksum and length.
    Trailer,
    /// After a member: another one, zeros, or the end.
    Between,
    Done,
}

const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const HEADER_CRC: u8 = 1 << 1;
const RESERVED: u8 = 0xe0;

impl Gzip {
    pub(crate) fn new(feed: Feed, limits: &Limits) -> Self {
        let inflate = Inflate::new(limits, feed.position());
        Self { feed, inflate, crc: Crc::new(), state: State::Header }
    }

    fn data(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let n = match self.inflate.step(&mut self.feed, out)? {
            Step::Out(n) => n,
            Step::Done(n) => {
                self.state = State::Trailer;
                n
            }
        };
        self.crc.update(out.get(..n).unwrap_or_default());
        Ok(n)
    }

    fn header(&mut self) -> Result<(), Fault> {
        let at = self.feed.position();
        let [id1, id2, method, flags, _mtime @ .., _extra_flags, _system]: [u8; 10] = self.take(IN_HEADER)?;
        if (id1, id2) != (0x1f, 0x8b) {
            return Err(Fault::new(at, Reason::Trailing("gzip member")));
        }
        if method != 8 || flags & RESERVED != 0 {
            return Err(Fault::new(at, Reason::Corrupt("gzip header".to_owned())));
        }
        if flags & EXTRA != 0 {
            let len = u16::from_le_bytes(self.take(IN_HEADER)?);
            for _ in 0..len {
                let [_] = self.take(IN_HEADER)?;
            }
        }
        for text in [NAME, COMMENT] {
            while flags & text != 0 && self.take(IN_HEADER)? != [0] {}
        }
        if flags & HEADER_CRC != 0 {
            let [_, _] = self.take(IN_HEADER)?;
        }
        self.crc = Crc::new();
        self.inflate.reset();
        self.state = State::Data;
        Ok(())
    }

    fn trailer(&mut self) -> Result<(), Fault> {
        let at = self.feed.position();
        let expected = u32::from_le_bytes(self.take(IN_TRAILER)?);
        let len = u32::from_le_bytes(self.take(IN_TRAILER)?);
        // What follows may still be in order, but nothing tells where it would begin in the content.
        if expected != self.crc.sum() {
            return Err(Fault::new(at, Reason::Checksum { expected, found: self.crc.sum() }));
        }
        if len != self.crc.amount() {
            let (expected, found) = (u64::from(len), u64::from(self.crc.amount()));
            return Err(Fault::new(at, Reason::Length { expected, found }));
        }
        self.state = State::Between;
        Ok(())
    }

    /// Passes the zeros that some writers pad with.
    fn between(&mut self) -> Result<(), Fault> {
        loop {
            let chunk = self.feed.filled()?;
            let zeros = chunk.iter().take_while(|&&byte| byte == 0).count();
            let (is_end, is_member) = (chunk.is_empty(), zeros < chunk.len());
            self.feed.consume(zeros);
            if is_end {
                self.state = State::Done;
                return Ok(());
            }
            if is_member {
                return self.next_member();
            }
        }
    }

    fn next_member(&mut self) -> Result<(), Fault> {
        if self.feed.chunk().first() != Some(&0x1f) {
            return Err(Fault::new(self.feed.position(), Reason::Trailing("gzip member")));
        }
        self.state = State::Header;
        Ok(())
    }

    fn take<const N: usize>(&mut self, place: &'static str) -> Result<[u8; N], Fault> {
        let mut taken = [0; N];
        for to in &mut taken {
            let Some(byte) = self.feed.byte()? else {
                return Err(Fault::new(self.feed.position(), Reason::Truncated(place)));
            };
            *to = byte;
        }
        Ok(taken)
    }
}

const IN_HEADER: &str = "in a gzip header";
const IN_TRAILER: &str = "in a gzip checksum";

impl Stream for Gzip {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.state {
                State::Header => self.header()?,
                State::Data => match self.data(out)? {
                    0 => {}
                    n => return Ok(n),
                },
                State::Trailer => self.trailer()?,
                State::Between => self.between()?,
                State::Done => return Ok(0),
            }
        }
    }

    fn position(&self, _back: u64) -> u64 {
        self.feed.position()
    }
}
