//! Layers of decoding, each a stream of bytes over the one below.

mod deflate;
mod feed;
mod gzip;
mod meter;
mod raw;
mod verify;
mod zstd;

pub(crate) use feed::Feed;
pub(crate) use raw::{Pipe, Section};
pub(crate) use verify::Verify;

use self::deflate::Deflate;
use self::gzip::Gzip;
use self::meter::Meter;
use self::zstd::Zstd;
use crate::Limits;
use crate::bytes::Bytes;
use crate::error::{Fault, Reason};

/// A stream of bytes that knows how far into the file it is.
pub(crate) trait Stream: Send {
    /// Returns how many bytes were written to the front of `out` (which is not empty); zero at the end.
    ///
    /// A fault is returned by itself, after every byte before it was delivered.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault>;

    /// Returns the position in the file of the byte that was delivered `back` bytes ago; for decoders, of the
    /// compressed byte that is read next.
    fn position(&self, back: u64) -> u64;
}

pub(crate) type Layer = Box<dyn Stream>;

/// What the first bytes of a stream tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Plain,
    Gzip,
    Zstd,
    Zip,
}

impl Container {
    /// Bytes that must be seen to tell.
    pub(crate) const MAGIC: usize = 4;

    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or a skippable one.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            // A member, an empty archive, a spanning mark.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }

    /// Whether it is undone when its content is read.
    pub(crate) fn is_compressed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd)
    }

    /// Returns how long the content of a compressed file of `len` bytes is by the file's own word.
    ///
    /// A hint: gzip speaks of its last member only and in 32 bits, zstd of its first frame.
    pub(crate) fn stated_len(self, bytes: &Bytes, len: u64) -> Option<u64> {
        match self {
            Self::Gzip => {
                let mut stated = [0; 4];
                let n = bytes.read_full(&mut stated, len.checked_sub(4)?).ok()?;
                (n == stated.len()).then(|| u32::from_le_bytes(stated).into())
            }
            Self::Zstd => {
                let mut head = [0; zstd::FRAME_HEADER];
                let n = bytes.read_full(&mut head, 0).ok()?;
                zstd::stated_len(head.get(..n).unwrap_or_default())
            }
            Self::Plain | Self::Zip => None,
        }
    }
}

/// Returns the content of `layer` with up to `depth` compressions undone, as the bytes themselves tell.
pub(crate) fn unwrap(mut layer: Layer, depth: u32, limits: &Limits, size: u64) -> Result<Layer, Fault> {
    for left in (0..=depth).rev() {
        let mut feed = Feed::new(layer, size);
        let container = Container::of(feed.peek(Container::MAGIC));
        let at = feed.position();
        layer = match container {
            Container::Plain => return Ok(Box::new(feed)),
            Container::Zip => return Err(Fault::new(at, Reason::TooDeep("a zip inside another container"))),
            Container::Gzip | Container::Zstd if left == 0 => {
                return Err(Fault::new(at, Reason::TooDeep("a compressed file inside another")));
            }
            Container::Gzip => Box::new(Gzip::new(feed, limits)),
            Container::Zstd => Box::new(Zstd::new(feed, limits)?),
        };
    }
    Ok(layer)
}

/// Returns the content of a zip member that is packed by `method`, read in chunks of up to `chunk` bytes.
pub(crate) fn unpack(section: Section, method: u16, limits: &Limits, chunk: u64) -> Result<Layer, Fault> {
    let at = section.position(0);
    let size = section.remaining().min(chunk);
    Ok(match method {
        0 => Box::new(section),
        8 => Box::new(Deflate::new(Feed::new(Box::new(section), size), limits)),
        20 | 93 => Box::new(Zstd::new(Feed::new(Box::new(section), size), limits)?),
        other => return Err(Fault::new(at, Reason::Method(other))),
    })
}

/// Whether [`unpack`] knows `method`.
pub(crate) fn is_known(method: u16) -> bool {
    matches!(method, 0 | 8 | 20 | 93)
}
