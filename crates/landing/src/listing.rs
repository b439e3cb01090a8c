//! What a file holds.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};

use crate::bytes::Bytes;
use crate::error::{Fault, Reason};
use crate::find::FoundKind;
use crate::spool::spool;
use crate::stream::{self, Container, Pipe};
use crate::unit::{Origin, Place, Unit};
use crate::zip::{Archive, Entry};
use crate::{Found, LandingError, Limits};

/// The units of one file, and what was found damaged while listing them.
#[derive(Debug, Default)]
pub struct Listing {
    /// In the order of the zip's directory; one unit where the file is no zip.
    pub units: Vec<Unit>,
    /// Each names the file or member and the byte. The units are complete but for these; damage inside a unit shows
    /// when it is read.
    pub damages: Vec<LandingError>,
}

/// Returns the units of one found file.
///
/// A plain, gzip or zstd file is one unit; a zip is one per member, and a zip in a zip one per member of that (it is
/// spooled to a temporary file). What it is, its bytes tell, not its name. A zip whose directory is missing or broken
/// is walked from its start, and its cut last member is a unit too. Standard input and pipes are read as far as is
/// needed to tell, a zip there is spooled whole. Units of a file of up to 8 KiB keep its bytes, if
/// [`Limits::keep_small`] says so.
///
/// # Errors
/// The file cannot be opened or read.
pub fn units(found: &Found, limits: &Limits) -> Result<Listing, LandingError> {
    let name = found.path.to_string_lossy();
    let failed = |error: io::Error| LandingError::new(name.as_ref(), error);
    match found.kind {
        FoundKind::Stdin => units_of_stream(&name, Box::new(io::stdin()), limits),
        FoundKind::Stream => {
            units_of_stream(&name, Box::new(File::open(&found.path).map_err(failed)?), limits)
        }
        FoundKind::File | FoundKind::Unreadable => {
            let file = File::open(&found.path).map_err(failed)?;
            let small = if limits.keep_small { small(&file, found.len).map_err(failed)? } else { None };
            if let Some(bytes) = small {
                return of_bytes(&name, bytes.clone(), Origin::Open(bytes), limits);
            }
            let bytes = Bytes::File(Arc::new(file));
            of_bytes(&name, bytes, Origin::Path(found.path.clone()), limits)
        }
    }
}

/// A file of no more bytes is kept in memory once it is open: to open it again costs more than to read it.
const SMALL: usize = 8 << 10;

thread_local! {
    /// What a small file is read into: clearing as much for each costs more than copying what is read.
    static BUFFER: RefCell<[u8; SMALL + 1]> = const { RefCell::new([0; SMALL + 1]) };
}

/// Returns the bytes of a small file that has as many as when it was found.
fn small(file: &File, len: u64) -> io::Result<Option<Bytes>> {
    BUFFER.with_borrow_mut(|buffer| {
        let Some(room) = usize::try_from(len).ok().and_then(|len| buffer.get_mut(..=len)) else {
            return Ok(None);
        };
        // Room for one byte more than there should be shows that there are none. Where one read does not give all, the
        // file is read as others are.
        let n = Read::read(&mut &*file, room)?;
        Ok(room.get(..n).filter(|bytes| bytes.len() as u64 == len).map(|bytes| Bytes::Memory(bytes.into())))
    })
}

/// Returns the units of a file that is in memory; `name` is what it is called in units and errors.
///
/// # Errors
/// A nested zip cannot be spooled.
pub fn units_of_bytes(name: &str, bytes: Arc<[u8]>, limits: &Limits) -> Result<Listing, LandingError> {
    let bytes = Bytes::Memory(bytes);
    of_bytes(name, bytes.clone(), Origin::Open(bytes), limits)
}

fn of_bytes(name: &str, bytes: Bytes, origin: Origin, limits: &Limits) -> Result<Listing, LandingError> {
    let failed = |fault| LandingError::at(name, fault);
    let mut head = [0; Container::MAGIC];
    let n = bytes.read_full(&mut head, 0).map_err(failed)?;
    let container = Container::of(head.get(..n).unwrap_or_default());
    if container == Container::Zip {
        return Lister::new(name, bytes, origin, limits).list().map_err(failed);
    }
    let len = bytes.len().map_err(|error| LandingError::new(name, error))?;
    let unit = Unit::new(name.to_owned(), "", &Arc::new(origin), Place::File { container, len });
    let unit = if container.is_compressed() {
        Unit { len: container.stated_len(&bytes, len), packed_len: Some(len), ..unit }
    } else {
        Unit { len: Some(len), ..unit }
    };
    Ok(Listing { units: vec![Unit { stored_len: len, ..unit }], damages: Vec::new() })
}

/// Returns the units of what can be read only once; `name` is what it is called in units and errors.
///
/// # Errors
/// The stream cannot be read; a zip cannot be spooled.
pub fn units_of_stream(
    name: &str,
    mut pipe: Box<dyn Read + Send>,
    limits: &Limits,
) -> Result<Listing, LandingError> {
    let mut head = Vec::new();
    let magic = Container::MAGIC as u64;
    pipe.by_ref().take(magic).read_to_end(&mut head).map_err(|error| LandingError::new(name, error))?;
    let container = Container::of(&head);
    let whole: Box<dyn Read + Send> = Box::new(Cursor::new(head).chain(pipe));
    if container != Container::Zip {
        let origin = Arc::new(Origin::Pipe(Mutex::new(Some(whole))));
        let unit = Unit::new(name.to_owned(), "", &origin, Place::File { container, len: 0 });
        return Ok(Listing { units: vec![unit], damages: Vec::new() });
    }
    let failed = |fault| LandingError::at(name, fault);
    let (bytes, fault) = spool(&mut Pipe::new(whole), limits).map_err(failed)?;
    let mut listing = Lister::new(name, bytes.clone(), Origin::Open(bytes), limits).list().map_err(failed)?;
    listing.damages.extend(fault.map(failed));
    Ok(listing)
}

/// What the listing of one file may still take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    limits: Limits,
    members: u64,
    bytes: u64,
}

impl Budget {
    fn new(limits: &Limits) -> Self {
        Self { limits: *limits, members: limits.max_members, bytes: limits.max_listing }
    }

    /// Takes off one member whose name and path have `name` bytes.
    pub(crate) fn spend(&mut self, name: usize) -> Result<(), Reason> {
        let Some(members) = self.members.checked_sub(1) else {
            return Err(Reason::Members(self.limits.max_members));
        };
        // The name is held by the entry and then by the unit.
        let bytes = 2 * name + size_of::<Unit>() + size_of::<(String, Entry)>();
        let Some(bytes) = self.bytes.checked_sub(bytes as u64) else {
            return Err(Reason::Listing(self.limits.max_listing));
        };
        (self.members, self.bytes) = (members, bytes);
        Ok(())
    }
}

/// Lists one zip and the zips in it.
struct Lister<'a> {
    path: &'a str,
    bytes: Bytes,
    origin: Arc<Origin>,
    limits: &'a Limits,
    budget: Budget,
    listing: Listing,
}

impl<'a> Lister<'a> {
    fn new(path: &'a str, bytes: Bytes, origin: Origin, limits: &'a Limits) -> Self {
        let (budget, listing) = (Budget::new(limits), Listing::default());
        Self { path, bytes, origin: Arc::new(origin), limits, budget, listing }
    }

    fn list(mut self) -> Result<Listing, Fault> {
        let archive = Archive::read(&self.bytes, self.path, self.limits, &mut self.budget)?;
        self.listing.damages = archive.damages;
        for (member, entry) in archive.entries {
            let name = format!("{}!{member}", self.path);
            let container = self.container(&self.bytes, &entry);
            if container == Container::Zip {
                if let Err(fault) = self.nested(&name, &entry) {
                    self.listing.damages.push(LandingError::at(name, fault));
                }
            } else {
                let unit = Unit::new(name, self.path, &self.origin, Place::Member(entry));
                self.listing.units.push(described(unit, &entry, container));
            }
        }
        Ok(self.listing)
    }

    /// What a member's first bytes tell; where they cannot be had, reading it will say why.
    fn container(&self, bytes: &Bytes, entry: &Entry) -> Container {
        let mut head = [0; Container::MAGIC];
        let section = entry.section(bytes);
        let content = section.and_then(|section| stream::unpack(section, entry.method, self.limits, FEW));
        let Ok(mut content) = content else { return Container::Plain };
        let mut n = 0;
        while let Some(rest) = head.get_mut(n..).filter(|rest| !rest.is_empty()) {
            match content.read(rest) {
                Ok(0) | Err(_) => break,
                Ok(more) => n += more,
            }
        }
        Container::of(head.get(..n).unwrap_or_default())
    }

    fn nested(&mut self, name: &str, outer: &Entry) -> Result<(), Fault> {
        let (bytes, fault) = spool(&mut *outer.open(&self.bytes, self.limits)?, self.limits)?;
        self.listing.damages.extend(fault.map(|fault| LandingError::at(name, fault)));
        let archive = Archive::read(&bytes, name, self.limits, &mut self.budget)?;
        self.listing.damages.extend(archive.damages);
        let outer = Arc::new(*outer);
        for (member, entry) in archive.entries {
            let container = self.container(&bytes, &entry);
            let place = Place::Nested(Arc::clone(&outer), entry);
            let unit = Unit::new(format!("{name}!{member}"), name, &self.origin, place);
            self.listing.units.push(described(unit, &entry, container));
        }
        Ok(())
    }
}

/// Returns a member with what its entry and its first bytes say of it.
fn described(unit: Unit, entry: &Entry, container: Container) -> Unit {
    let unit = Unit { crc32: entry.crc32, stored_len: entry.stored, ..unit };
    match entry.len {
        _ if !container.is_compressed() => Unit { len: entry.len, ..unit },
        Some(_) => Unit { packed_len: entry.len, ..unit },
        // Without a length the compressed bytes are not told from others, so their checksum is of no use.
        None => Unit { crc32: None, ..unit },
    }
}

/// Compressed bytes that are enough to see a member's first ones.
const FEW: u64 = 512;

#[cfg(test)]
mod tests;
