//! The members of an archive without a directory, by walking from header to header.

use memchr::memmem;

use super::fields::{u16_at, u32_at, u64_at};
use super::local::Local;
use super::{Archive, Entry};
use crate::bytes::Bytes;
use crate::error::Fault;
use crate::listing::Budget;
use crate::stream::{self, Section};
use crate::{LandingError, Limits};

/// Puts every member that begins in the first `len` bytes into `archive`, the cut last one included.
pub(super) fn walk(
    bytes: &Bytes,
    len: u64,
    path: &str,
    limits: &Limits,
    budget: &mut Budget,
    archive: &mut Archive,
) -> Result<(), Fault> {
    let buffer = vec![0; 128 << 10];
    let mut walk = Walk { bytes, len, limits, effort: len.saturating_mul(Walk::EFFORT), buffer };
    let mut from = 0;
    let mut cut = None;
    while let Some(at) = walk.next_header(from)? {
        let local = match Local::read(bytes, at) {
            Ok(local) => local,
            Err(fault) if fault.is_truncation() => {
                // Cut here; or its name's length is wrong, and others follow.
                cut = cut.or(Some(fault));
                from = at + 4;
                continue;
            }
            Err(fault) => return Err(fault),
        };
        let (entry, next) = walk.member(&local, at)?;
        from = next;
        let is_directory = local.name.ends_with('/') && entry.len == Some(0);
        let is_encrypted = local.is_encrypted();
        if !is_directory && !archive.add(path, local.name, entry, is_encrypted, budget) {
            break;
        }
    }
    archive.damages.extend(cut.map(|fault| LandingError::at(path, fault)));
    Ok(())
}

/// The size in a header whose sizes stand elsewhere.
const UNKNOWN: u64 = u32::MAX as u64;
const DESCRIPTOR_SIGNATURE: &[u8; 4] = b"PK\x07\x08";

struct Walk<'a> {
    bytes: &'a Bytes,
    len: u64,
    limits: &'a Limits,
    /// Compressed bytes that may still be inflated to find where members end: without a bound, headers planted in
    /// each other's data would have the same bytes inflated again and again.
    effort: u64,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    const EFFORT: u64 = 4;
    /// Members are small as a rule, and what is read beyond one is read again for the next.
    const CHUNK: u64 = 16 << 10;

    /// Returns the member behind a local header, and where to go on.
    fn member(&mut self, local: &Local, header: u64) -> Result<(Entry, u64), Fault> {
        let entry = Entry {
            header,
            stored: local.stored,
            end: self.len,
            len: Some(local.len),
            crc32: Some(local.crc32),
            method: local.method,
        };
        let is_sized = !matches!(local.stored, 0 | UNKNOWN);
        if !local.has_descriptor() || is_sized {
            return Ok((entry, local.data.saturating_add(local.stored).min(self.len)));
        }
        let unsized_entry = Entry { len: None, crc32: None, stored: self.len - local.data, ..entry };
        if local.method == 0 {
            return self.stored(unsized_entry, local);
        }
        self.packed(unsized_entry, local)
    }

    /// Finds the end of a packed member by unpacking it.
    fn packed(&mut self, entry: Entry, local: &Local) -> Result<(Entry, u64), Fault> {
        let section = Section::new(self.bytes.clone(), local.data, self.len);
        let mut len = 0;
        let Ok(mut content) = stream::unpack(section, local.method, self.limits, Self::CHUNK) else {
            return self.up_to_next(entry, local, local.data);
        };
        let fault = loop {
            match content.read(&mut self.buffer) {
                Ok(0) => break None,
                Ok(n) => len += n as u64,
                Err(fault) => break Some(fault),
            }
        };
        let end = content.position(0).min(self.len);
        self.effort = self.effort.saturating_sub(end - local.data);
        if fault.is_some() {
            // Cut, or so damaged that the decoder ran past the end: the next header tells.
            let from = if self.effort > 0 { local.data } else { end };
            return self.up_to_next(entry, local, from);
        }
        let stored = end - local.data;
        let (crc32, next) = self.descriptor(end, stored, len)?;
        Ok((Entry { stored, len: Some(len), crc32, ..entry }, next))
    }

    /// Finds the end of a member that is not packed, by the descriptor that repeats its length.
    fn stored(&mut self, entry: Entry, local: &Local) -> Result<(Entry, u64), Fault> {
        if self.effort == 0 {
            return self.up_to_next(entry, local, local.data);
        }
        let found = self.scan(DESCRIPTOR_SIGNATURE, 24, local.data, |at, record| {
            let stored = at - local.data;
            descriptor(record, stored, stored).is_some()
        })?;
        let end = found.unwrap_or(self.len);
        self.effort = self.effort.saturating_sub(end - local.data);
        if found.is_none() {
            return self.up_to_next(entry, local, local.data);
        }
        let stored = end - local.data;
        let (crc32, next) = self.descriptor(end, stored, stored)?;
        Ok((Entry { stored, len: Some(stored), crc32, ..entry }, next))
    }

    /// Returns `entry` with all that stands before the next header from byte `from` on.
    fn up_to_next(&self, entry: Entry, local: &Local, from: u64) -> Result<(Entry, u64), Fault> {
        let next = self.next_header(from)?.unwrap_or(self.len);
        Ok((Entry { stored: next.saturating_sub(local.data), ..entry }, next))
    }

    /// Returns the checksum in the descriptor at `at`, and where to go on.
    ///
    /// Where the sizes there are not those of the data, the checksum will not be either, and reading the member says
    /// so. `None` where the archive is cut before it.
    fn descriptor(&self, at: u64, stored: u64, len: u64) -> Result<(Option<u32>, u64), Fault> {
        let mut record = [0; 24];
        let n = self.bytes.read_full(&mut record, at)?;
        let record = record.get(..n).unwrap_or_default();
        let (crc32, size) = match descriptor(record, stored, len) {
            Some((crc32, size)) => (Some(crc32), size),
            None if record.len() < 16 => (None, 0),
            None if record.starts_with(DESCRIPTOR_SIGNATURE) => (Some(u32_at(record, 4)), 0),
            None => (Some(u32_at(record, 0)), 0),
        };
        Ok((crc32, at + size))
    }

    /// Returns where the next thing that looks like a local header stands.
    fn next_header(&self, from: u64) -> Result<Option<u64>, Fault> {
        self.scan(Local::SIGNATURE, Local::LEN as usize, from, |_, fixed| {
            let [version, method, name] = [4, 8, 26].map(|at| u16_at(fixed, at));
            fixed.len() < Local::LEN as usize || (version & 0xff < 100 && method < 100 && name > 0)
        })
    }

    /// Returns where `signature` stands next and the `need` bytes from there on (fewer at the end) are accepted.
    fn scan(
        &self,
        signature: &[u8],
        need: usize,
        from: u64,
        accept: impl Fn(u64, &[u8]) -> bool,
    ) -> Result<Option<u64>, Fault> {
        let finder = memmem::Finder::new(signature);
        // As a rule it stands right here; the search grows where it does not.
        let mut buffer = vec![0; 64];
        let mut at = from;
        while at < self.len {
            let n = self.bytes.read_full(&mut buffer, at)?;
            let seen = buffer.get(..n).unwrap_or_default();
            let is_last = n < buffer.len();
            for found in finder.find_iter(seen) {
                let record = seen.get(found..n.min(found + need)).unwrap_or_default();
                if (record.len() == need || is_last) && accept(at + found as u64, record) {
                    return Ok(Some(at + found as u64));
                }
            }
            if is_last {
                return Ok(None);
            }
            at += (n - (need - 1)) as u64;
            buffer.resize((buffer.len() * 4).min(256 << 10), 0);
        }
        Ok(None)
    }
}

/// Returns the checksum in a descriptor and its length, if it repeats the sizes.
fn descriptor(record: &[u8], stored: u64, len: u64) -> Option<(u32, u64)> {
    let signed = if record.starts_with(DESCRIPTOR_SIGNATURE) { 4 } else { 0 };
    let fields = record.get(signed..)?;
    let narrow =
        [u32_at(fields, 4), u32_at(fields, 8)].map(u64::from) == [stored, len].map(|size| size & UNKNOWN);
    let wide = [u64_at(fields, 4), u64_at(fields, 12)] == [stored, len];
    let size = if wide && fields.len() >= 20 {
        20
    } else if narrow && fields.len() >= 12 {
        12
    } else {
        return None;
    };
    Some((u32_at(fields, 0), signed as u64 + size))
}
