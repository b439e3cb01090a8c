//! From units to bytes.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use crate::bytes::Bytes;
use crate::error::{Fault, Reason};
use crate::spool::spool;
use crate::stream::{self, Container, Layer, Pipe, Section};
use crate::unit::{Origin, Place};
use crate::zip::Entry;
use crate::{LandingError, Limits, Unit};

/// Opens units, one after the other; each worker has its own.
///
/// Keeps the zip that it read last, and the nested zip that it spooled last, so that members of the same archive cost
/// no more than their bytes. In memory a reader holds at most 128 KiB of input per layer and its decoder's state: 40 KiB
/// for deflate, for zstd the window that the frame asks for, 128 MiB at most.
#[derive(Debug)]
pub struct Opener {
    limits: Limits,
    zip: Option<(Arc<Origin>, Bytes)>,
    nested: Option<(Arc<Entry>, Bytes)>,
}

impl Opener {
    /// Returns an opener that holds what it inflates to `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, zip: None, nested: None }
    }

    /// Returns the content of `unit` from its start, inflated.
    ///
    /// Compression is told by the bytes and undone up to twice for files and once for zip members.
    ///
    /// # Errors
    /// The file cannot be opened, a member has no header where its zip says, or the content is a container too deep
    /// to be opened. Damage within the content shows when it is read.
    pub fn open(&mut self, unit: &Unit) -> Result<UnitReader, LandingError> {
        self.reader(unit).map_err(|fault| LandingError::at(&unit.name, fault))
    }

    /// Returns the content of a [plain](Unit::is_plain) file from byte `start` on; nothing where it ends before.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Reason::NotSeekable`] where the unit is not a plain file.
    pub fn open_at(&mut self, unit: &Unit, start: u64) -> Result<UnitReader, LandingError> {
        section_at(unit, start)
            .map(|section| UnitReader::new(unit, start, Box::new(section)))
            .map_err(|fault| LandingError::at(&unit.name, fault))
    }

    /// Returns the gzip or zstd file that holds the content of `unit`, its compression not undone.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_packed(&mut self, unit: &Unit) -> Result<UnitReader, LandingError> {
        match self.layer(unit) {
            Ok((layer, ..)) => Ok(UnitReader::new(unit, layer.position(0), layer)),
            Err(fault) => Err(LandingError::at(&unit.name, fault)),
        }
    }

    fn reader(&mut self, unit: &Unit) -> Result<UnitReader, Fault> {
        let (layer, depth, size) = self.layer(unit)?;
        let start = layer.position(0);
        Ok(UnitReader::new(unit, start, stream::unwrap(layer, depth, &self.limits, size)?))
    }

    /// Returns the bytes of a file or member, how many compressions may be undone, and how much is due.
    fn layer(&mut self, unit: &Unit) -> Result<(Layer, u32, u64), Fault> {
        Ok(match &unit.place {
            Place::File { len, .. } => stored(&unit.origin, *len)?,
            Place::Member(entry) => {
                (entry.open(&self.zip(&unit.origin)?, &self.limits)?, IN_MEMBER, entry.stored)
            }
            Place::Nested(outer, entry) => {
                let bytes = self.nested(&unit.origin, outer)?;
                (entry.open(&bytes, &self.limits)?, IN_MEMBER, entry.stored)
            }
        })
    }

    fn zip(&mut self, origin: &Arc<Origin>) -> Result<Bytes, Fault> {
        if let Some((kept, bytes)) = &self.zip
            && Arc::ptr_eq(kept, origin)
        {
            return Ok(bytes.clone());
        }
        self.nested = None;
        let bytes = bytes_of(origin)?;
        self.zip = Some((Arc::clone(origin), bytes.clone()));
        Ok(bytes)
    }

    fn nested(&mut self, origin: &Arc<Origin>, outer: &Arc<Entry>) -> Result<Bytes, Fault> {
        if let Some((kept, bytes)) = &self.nested
            && Arc::ptr_eq(kept, outer)
        {
            return Ok(bytes.clone());
        }
        self.nested = None;
        let mut content = outer.open(&self.zip(origin)?, &self.limits)?;
        // What cut it short was reported when it was listed.
        let (bytes, _fault) = spool(&mut *content, &self.limits)?;
        self.nested = Some((Arc::clone(outer), bytes.clone()));
        Ok(bytes)
    }
}

/// Compressions undone in a file.
const IN_FILE: u32 = 2;
/// Compressions undone in a zip member.
const IN_MEMBER: u32 = 1;

/// Returns the bytes of a plain file from `start` on.
fn section_at(unit: &Unit, start: u64) -> Result<Section, Fault> {
    match (&unit.place, &*unit.origin) {
        (Place::File { container: Container::Plain, len }, Origin::Path(_) | Origin::Open(_)) => {
            Ok(Section::new(bytes_of(&unit.origin)?, start.min(*len), *len))
        }
        _ => Err(Fault::new(start, Reason::NotSeekable)),
    }
}

/// Returns the bytes of a file or pipe as they are stored, how many compressions may be undone, and how much is due.
fn stored(origin: &Origin, len: u64) -> Result<(Layer, u32, u64), Fault> {
    let Origin::Pipe(pipe) = origin else {
        return Ok((Box::new(Section::new(bytes_of(origin)?, 0, len)), IN_FILE, len));
    };
    let taken = pipe.lock().ok().and_then(|mut pipe| pipe.take());
    let pipe = Pipe::new(taken.ok_or_else(|| Fault::new(0, Reason::StreamTaken))?);
    Ok((Box::new(pipe), IN_FILE, u64::MAX))
}

fn bytes_of(origin: &Origin) -> Result<Bytes, Fault> {
    match origin {
        Origin::Path(path) => {
            let file = File::open(path).map_err(|error| Fault::new(0, error))?;
            Ok(Bytes::File(Arc::new(file)))
        }
        Origin::Open(bytes) => Ok(bytes.clone()),
        Origin::Pipe(_) => Err(Fault::new(0, Reason::NotSeekable)),
    }
}

/// The content of one unit.
///
/// Reading delivers every byte that can be decoded; where the container is damaged it then fails once, with an
/// [`io::Error`] that [`LandingError::from_io`] turns back into file, byte and reason. After that it is at its end.
pub struct UnitReader {
    name: String,
    /// Gone after a fault.
    layer: Option<Layer>,
    start: u64,
    compressed: u64,
    inflated: u64,
}

impl UnitReader {
    fn new(unit: &Unit, start: u64, layer: Layer) -> Self {
        Self { name: unit.name.clone(), layer: Some(layer), start, compressed: 0, inflated: 0 }
    }

    /// Returns how many bytes as stored in the file were consumed so far.
    pub fn compressed(&self) -> u64 {
        self.layer.as_ref().map_or(self.compressed, |layer| layer.position(0).saturating_sub(self.start))
    }

    /// Returns how many bytes of content were delivered so far.
    pub fn inflated(&self) -> u64 {
        self.inflated
    }
}

impl Read for UnitReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let Some(layer) = &mut self.layer else { return Ok(0) };
        match layer.read(out) {
            Ok(n) => {
                self.inflated += n as u64;
                Ok(n)
            }
            Err(fault) => {
                self.compressed = self.compressed();
                self.layer = None;
                let kind = match &fault.reason {
                    Reason::Io(error) => error.kind(),
                    Reason::Truncated(_) => io::ErrorKind::UnexpectedEof,
                    _ => io::ErrorKind::InvalidData,
                };
                Err(io::Error::new(kind, LandingError::at(&self.name, fault)))
            }
        }
    }
}

impl std::fmt::Debug for UnitReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnitReader")
            .field("name", &self.name)
            .field("compressed", &self.compressed())
            .field("inflated", &self.inflated)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
