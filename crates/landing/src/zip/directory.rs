//! The central directory at the end of an archive.

use memchr::memmem;

use super::fields::{ENCRYPTED, u16_at, u32_at, u64_at, widen};
use super::{Archive, Entry};
use crate::LandingError;
use crate::bytes::Bytes;
use crate::error::{Fault, Reason};
use crate::listing::Budget;
use crate::stream::{Feed, Section};

/// Where the directory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    start: u64,
    end: u64,
    /// Members, as far as the field that counts them reaches.
    count: u64,
    count_mask: u64,
}

const END_LEN: u64 = 22;
const MAX_COMMENT: u64 = 0xffff;
/// Places that look like the end record but lead nowhere, before the search is given up.
const MAX_TRIES: usize = 16;

/// Puts the members that the directory lists into `archive`.
///
/// A fault with [`Reason::Directory`] says that there is none to go by.
pub(super) fn read(
    bytes: &Bytes,
    len: u64,
    path: &str,
    budget: &mut Budget,
    archive: &mut Archive,
) -> Result<(), Fault> {
    let place = find(bytes, len, path, archive)?;
    let section = Section::new(bytes.clone(), place.start, place.end);
    let mut feed = Feed::new(Box::new(section), place.end - place.start);
    let mut count = 0_u64;
    while feed.position() < place.end {
        let at = feed.position();
        let Some(listed) = Listed::read(&mut feed)? else {
            return Err(Fault::new(at, Reason::Directory("is broken")));
        };
        count += 1;
        if listed.name.ends_with('/') && listed.len == 0 {
            continue;
        }
        let entry = listed.entry(&place);
        if !archive.add(path, listed.name, entry, listed.is_encrypted, budget) {
            return Ok(());
        }
    }
    if count & place.count_mask == place.count {
        Ok(())
    } else {
        Err(Fault::new(place.end, Reason::Directory("does not hold as many members as it says")))
    }
}

/// Returns where the directory stands, going by the last end record that leads to one.
fn find(bytes: &Bytes, len: u64, path: &str, archive: &mut Archive) -> Result<Place, Fault> {
    let from = len.saturating_sub(END_LEN + MAX_COMMENT);
    let mut tail = vec![0; (len - from) as usize];
    bytes.read_full(&mut tail, from)?;
    for at in memmem::rfind_iter(&tail, b"PK\x05\x06").take(MAX_TRIES) {
        let record = tail.get(at..).unwrap_or_default();
        if record.len() as u64 >= END_LEN
            && let Some(place) = follow(bytes, record, from + at as u64)?
        {
            let own = END_LEN as usize + usize::from(u16_at(record, 20));
            if record.get(own..).is_some_and(|rest| rest.iter().any(|&byte| byte != 0)) {
                let fault = Fault::new(from + (at + own) as u64, Reason::Trailing("part of the zip"));
                archive.damages.push(LandingError::at(path, fault));
            }
            return Ok(place);
        }
    }
    Err(Fault::new(len, Reason::Directory("is missing")))
}

/// Returns the place that an end record speaks of, if a directory does stand there.
fn follow(bytes: &Bytes, record: &[u8], at: u64) -> Result<Option<Place>, Fault> {
    let mut count = u64::from(u16_at(record, 10));
    let mut count_mask = 0xffff;
    let mut size = u64::from(u32_at(record, 12));
    let mut start = u64::from(u32_at(record, 16));
    let mut end = at;
    if let Some((record, wide_at)) = wide_record(bytes, at)? {
        (count, count_mask) = (u64_at(&record, 32), u64::MAX);
        (size, start) = (u64_at(&record, 40), u64_at(&record, 48));
        end = wide_at;
    }
    // Offsets count from the file's start, for it begins with a member. Where they do not fit, this is the end of
    // some other archive: one stored as a member of this one, whose own end is cut off.
    let place = match start.checked_add(size) {
        Some(stop) if stop <= end => Place { start, end: stop, count, count_mask },
        _ => return Ok(None),
    };
    // None is due only where nothing stands before the end.
    if place.start == place.end {
        return Ok((place.count == 0 && end == 0).then_some(place));
    }
    Ok(begins_directory(bytes, &place)?.then_some(place))
}

/// Whether an entry stands at the place.
fn begins_directory(bytes: &Bytes, place: &Place) -> Result<bool, Fault> {
    let mut signature = [0; 4];
    bytes.read_full(&mut signature, place.start)?;
    Ok(signature == *Listed::SIGNATURE)
}

/// Returns the zip64 end record, and where it stands, if there is one for the end record at `at`.
fn wide_record(bytes: &Bytes, at: u64) -> Result<Option<([u8; 56], u64)>, Fault> {
    let mut locator = [0; 20];
    let Some(locator_at) = at.checked_sub(locator.len() as u64) else { return Ok(None) };
    bytes.read_full(&mut locator, locator_at)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let mut record = [0; 56];
    let wide_at = u64_at(&locator, 8);
    let n = bytes.read_full(&mut record, wide_at)?;
    let is_record = n == record.len() && record.starts_with(b"PK\x06\x06") && wide_at < locator_at;
    Ok(is_record.then_some((record, wide_at)))
}

/// A member as the directory lists it.
struct Listed {
    name: String,
    header: u64,
    stored: u64,
    len: u64,
    crc32: u32,
    method: u16,
    is_encrypted: bool,
}

impl Listed {
    const LEN: usize = 46;
    const SIGNATURE: &[u8; 4] = b"PK\x01\x02";

    /// Returns the next member, or `None` where no whole one follows.
    fn read(feed: &mut Feed) -> Result<Option<Self>, Fault> {
        let Some(fixed) = take(feed, Self::LEN)? else { return Ok(None) };
        if !fixed.starts_with(Self::SIGNATURE) {
            return Ok(None);
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(&fixed, at)));
        let Some(rest) = take(feed, name + extra + comment)? else { return Ok(None) };
        let (mut stored, mut len) = (u64::from(u32_at(&fixed, 20)), u64::from(u32_at(&fixed, 24)));
        let mut header = u64::from(u32_at(&fixed, 42));
        let fields = rest.get(name..name + extra).unwrap_or_default();
        widen(fields, &mut [&mut len, &mut stored, &mut header]);
        Ok(Some(Self {
            name: String::from_utf8_lossy(rest.get(..name).unwrap_or_default()).into_owned(),
            header,
            stored,
            len,
            crc32: u32_at(&fixed, 16),
            method: u16_at(&fixed, 10),
            is_encrypted: u16_at(&fixed, 8) & ENCRYPTED != 0,
        }))
    }

    fn entry(&self, place: &Place) -> Entry {
        Entry {
            header: self.header,
            stored: self.stored,
            end: place.start,
            len: Some(self.len),
            crc32: Some(self.crc32),
            method: self.method,
        }
    }
}

/// Returns the next `n` bytes, or `None` where fewer are left.
fn take(feed: &mut Feed, n: usize) -> Result<Option<Vec<u8>>, Fault> {
    let mut taken = Vec::with_capacity(n);
    while taken.len() < n {
        let chunk = feed.filled()?;
        let more = chunk.get(..chunk.len().min(n - taken.len())).unwrap_or_default();
        if more.is_empty() {
            return Ok(None);
        }
        taken.extend_from_slice(more);
        let more = more.len();
        feed.consume(more);
    }
    Ok(Some(taken))
}
