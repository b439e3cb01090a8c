//! Zip archives: the directory, and the way round it where it is missing.
//!
//! Written here, rather than left to a library, because archives arrive cut and damaged and every whole member of
//! them has to be had.

mod directory;
mod fields;
mod local;
mod salvage;

use crate::bytes::Bytes;
use crate::error::{Fault, Reason};
use crate::listing::Budget;
use crate::stream::{self, Layer, Section, Verify};
use crate::{LandingError, Limits};

use self::local::Local;

/// A member of a zip, as far as its directory or its own header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where its local header stands.
    pub(crate) header: u64,
    /// Compressed bytes.
    pub(crate) stored: u64,
    /// Its data cannot go beyond this byte, whatever `stored` says: the next member starts here, or the archive ends.
    pub(crate) end: u64,
    pub(crate) len: Option<u64>,
    pub(crate) crc32: Option<u32>,
    pub(crate) method: u16,
}

impl Entry {
    /// Returns the member's bytes, as packed.
    pub(crate) fn section(&self, bytes: &Bytes) -> Result<Section, Fault> {
        let local = Local::read(bytes, self.header)?;
        let end = local.data.saturating_add(self.stored).min(self.end);
        Ok(Section::new(bytes.clone(), local.data, end.max(local.data)))
    }

    /// Returns the member's content, checked against the directory.
    pub(crate) fn open(&self, bytes: &Bytes, limits: &Limits) -> Result<Layer, Fault> {
        let content = stream::unpack(self.section(bytes)?, self.method, limits, u64::MAX)?;
        Ok(Box::new(Verify::new(content, self.len, self.crc32)))
    }
}

/// The members of an archive and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    pub(crate) entries: Vec<(String, Entry)>,
    pub(crate) damages: Vec<LandingError>,
}

impl Archive {
    /// Returns the members that `bytes` hold, by the directory or, failing that, by walking.
    pub(crate) fn read(
        bytes: &Bytes,
        path: &str,
        limits: &Limits,
        budget: &mut Budget,
    ) -> Result<Self, Fault> {
        let len = bytes.len().map_err(|error| Fault::new(0, error))?;
        let mut archive = Self::default();
        let before = *budget;
        match directory::read(bytes, len, path, budget, &mut archive) {
            Ok(()) => {}
            Err(fault) if matches!(fault.reason, Reason::Directory(_)) => {
                *budget = before;
                archive = Self::default();
                archive.damages.push(LandingError::at(path, fault));
                salvage::walk(bytes, len, path, limits, budget, &mut archive)?;
            }
            Err(fault) => return Err(fault),
        }
        archive.part_overlaps(path);
        Ok(archive)
    }

    /// Adds a member unless it cannot be read or the budget is spent; `false` ends the listing.
    fn add(
        &mut self,
        path: &str,
        name: String,
        entry: Entry,
        is_encrypted: bool,
        budget: &mut Budget,
    ) -> bool {
        if let Err(reason) = budget.spend(path.len() + name.len()) {
            self.damages.push(LandingError::at(path, Fault::new(entry.header, reason)));
            return false;
        }
        let refused = if is_encrypted {
            Some(Reason::Encrypted)
        } else if stream::is_known(entry.method) {
            None
        } else {
            Some(Reason::Method(entry.method))
        };
        match refused {
            Some(reason) => {
                let member = format!("{path}!{name}");
                self.damages.push(LandingError::at(member, Fault::new(entry.header, reason)));
            }
            None => self.entries.push((name, entry)),
        }
        true
    }

    /// Ends each member where the next begins, so that no byte is inflated twice, however members overlap: a bomb
    /// of overlapping members yields next to nothing, and a member that merely lies about its size hides no other.
    fn part_overlaps(&mut self, path: &str) {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_key(|&i| self.entries.get(i).map(|(_, entry)| entry.header));
        let mut doubles = Vec::new();
        for pair in order.windows(2) {
            let &[i, next] = pair else { continue };
            let Some(start) = self.entries.get(next).map(|(_, entry)| entry.header) else { continue };
            let Some((name, entry)) = self.entries.get_mut(i) else { continue };
            let least = entry.header.saturating_add(Local::LEN).saturating_add(entry.stored);
            if entry.header == start {
                doubles.push(next);
            } else if least > start {
                let member = format!("{path}!{name}");
                self.damages.push(LandingError::at(member, Fault::new(start, Reason::Overlap)));
            }
            entry.end = entry.end.min(start);
        }
        self.drop_doubles(doubles, path);
    }

    fn drop_doubles(&mut self, mut doubles: Vec<usize>, path: &str) {
        doubles.sort_unstable();
        let mut index = 0;
        self.entries.retain(|(name, entry)| {
            let is_double = doubles.binary_search(&index).is_ok();
            index += 1;
            if is_double {
                let member = format!("{path}!{name}");
                self.damages.push(LandingError::at(member, Fault::new(entry.header, Reason::Overlap)));
            }
            !is_double
        });
    }
}

#[cfg(test)]
mod tests;
