//! From inputs to jobs: what there is to read, cut into pieces, in the order of time.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use anyhow::Context;
use mimelake_landing::{self as landing, Found, FoundKind, LandingError, Limits, Unit};
use mimelake_parse::Format;
use mimelake_write::store::{CommitId, CommittedUnit, FileStamp, Listing, UnitKey};

use crate::convert::replaced::Elsewhere;
use crate::pipe::Pipe;
use crate::source::{Piece, format_of};

/// A large plain file is read in slices, so that several workers share it: at most so long.
const SLICE: u64 = 64 << 20;
/// The most content of one job.
const MAX_JOB: u64 = 1 << 30;
/// The least content of one job, where there is enough for several.
const MIN_JOB: u64 = 16 << 20;
/// So many jobs there are at least, where there is enough for them: with fewer, some workers wait for the last.
const JOBS: u64 = 8;
/// So many of the last jobs are halved, so that less is left to one worker when the others have nothing more to do.
const LATE: u64 = 2;
/// So many files are planned at a time, so that the plan of an archive of any size fits in memory. The bytes of small
/// files take 32 MiB of it at most, and as much for those that are listed meanwhile. With `--force` all are planned at once.
pub const FILES_AT_ONCE: usize = 4096;
/// How much a compressed file is taken to inflate, where it does not say.
const USUAL_RATIO: u64 = 10;

/// A file that was found, and what it holds.
#[derive(Debug)]
pub struct File {
    /// Its place among the files that are planned together.
    pub number: usize,
    /// As the commit log knows it.
    pub stamp: FileStamp,
    /// What it is made of.
    pub listing: Listing,
    /// Whether it can be read once: standard input or a pipe, but for a zip, which is kept until the run ends.
    pub is_stream: bool,
    /// Whether it came by standard input or a pipe, which may not be there again: its pieces are committed one by one.
    pub is_passing: bool,
    /// The stream itself, where all of it is one unit.
    pub pipe: Option<Pipe>,
    /// Damage met while listing it.
    pub damages: Vec<LandingError>,
    /// The beginning of a plain file that has grown: its slices, whose rows are in earlier commits. They are
    /// committed together with the one piece that is new.
    pub beginning: Vec<CommittedUnit>,
    /// Its pieces, in order.
    pub pieces: Vec<(u32, Piece)>,
}

/// The stamp of a found file. Standard input has none that lasts: it is never looked up.
pub fn stamp(found: &Found) -> FileStamp {
    let path = match found.kind {
        FoundKind::Stdin => found.path.clone(),
        _ => absolute(&found.path),
    };
    FileStamp { path, len: found.len, modified_ns: found.modified_ns }
}

/// The path from the root. Where the program stands is asked once and not for each file.
fn absolute(path: &Path) -> PathBuf {
    static HERE: LazyLock<PathBuf> = LazyLock::new(|| std::env::current_dir().unwrap_or_default());
    let mut whole = PathBuf::with_capacity(HERE.as_os_str().len() + 1 + path.as_os_str().len());
    whole.push(&*HERE);
    whole.push(path);
    if cfg!(unix) {
        // What was found has no `.` and no empty parts.
        return whole;
    }
    std::path::absolute(&whole).unwrap_or(whole)
}

/// Lists what a file holds, a large plain file of key-value lines in slices.
pub fn list(found: &Found, limits: &Limits, format: Option<Format>) -> Result<File, LandingError> {
    list_stamped(found, stamp(found), limits, format)
}

/// The same, of a file whose stamp is at hand.
pub fn list_stamped(
    found: &Found,
    stamp: FileStamp,
    limits: &Limits,
    format: Option<Format>,
) -> Result<File, LandingError> {
    let (listing, pipe) = open(found, limits)?;
    let own = |unit: &Unit| unit.name == found.path.to_string_lossy();
    let single = listing.units.len() == 1 && own(&listing.units[0]);
    let is_plain = single && listing.units[0].is_plain();
    let units = listing.units.len() as u32;
    let kind = if is_plain { Listing::Plain } else { Listing::Members(units) };
    let mut pieces = Vec::with_capacity(listing.units.len());
    for (index, unit) in (0..).zip(listing.units) {
        let slices = match unit.len {
            Some(len) if is_plain && len >= 2 * MIN_JOB && is_key_value(&found.path, format) => {
                whole_records(&found.path, slices(len))
            }
            _ => Vec::new(),
        };
        let piece = Piece::whole(unit);
        if slices.len() > 1 {
            pieces.extend(
                slices.into_iter().map(|slice| (index, Piece { slice: Some(slice), ..piece.clone() })),
            );
        } else {
            pieces.push((index, piece));
        }
    }
    let pipe = pipe.filter(|_| single);
    Ok(File {
        number: 0,
        stamp,
        listing: kind,
        is_stream: pipe.is_some(),
        is_passing: found.kind != FoundKind::File,
        pipe,
        damages: listing.damages,
        beginning: Vec::new(),
        pieces,
    })
}

/// The units of a file, and the stream that they are read from, if it is one.
fn open(found: &Found, limits: &Limits) -> Result<(landing::Listing, Option<Pipe>), LandingError> {
    let path = match found.kind {
        FoundKind::Stdin => None,
        FoundKind::Stream => Some(&*found.path),
        FoundKind::File | FoundKind::Unreadable => return Ok((landing::units(found, limits)?, None)),
    };
    let pipe = Pipe::open(path);
    let name = found.path.to_string_lossy();
    let listing = landing::units_of_stream(&name, Box::new(pipe.clone()), limits)?;
    Ok((listing, Some(pipe)))
}

/// The slices of so many bytes: all of nearly the same length, but the last two in halves, where those are not too small.
fn slices(len: u64) -> impl Iterator<Item = (u64, u64)> {
    let count = (len / MIN_JOB).min(JOBS).max(len.div_ceil(SLICE)).max(1);
    let halves = if len / count / 2 < MIN_JOB { 0 } else { 2 * LATE };
    let place = move |half: u64| (u128::from(len) * u128::from(half) / u128::from(2 * count)) as u64;
    let whole = (0..2 * count - halves).step_by(2).map(move |half| (place(half), place(half + 2)));
    whole.chain((2 * count - halves..2 * count).map(move |half| (place(half), place(half + 1))))
}

/// The same slices, but for that each begins where a record surely does: so all bytes of its records are its own, and
/// whoever has the same slice has the same records. Where none begins for long, it stays with the slice before.
fn whole_records(path: &Path, slices: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut file = std::fs::File::open(path).ok();
    let mut whole: Vec<(u64, u64)> = Vec::new();
    for (start, end) in slices {
        let Some(before) = whole.last_mut() else {
            whole.push((start, end));
            continue;
        };
        let begin = file.as_mut().and_then(|file| sure_start(file, start)).filter(|begin| *begin < end);
        before.1 = begin.unwrap_or(end);
        whole.extend(begin.map(|begin| (begin, end)));
    }
    whole
}

/// Where a record surely begins, at this byte or not far behind it.
fn sure_start(file: &mut std::fs::File, at: u64) -> Option<u64> {
    const STEP: u64 = 64 << 10;
    const KEPT: usize = 16;
    let before = at.checked_sub(1)?;
    file.seek(SeekFrom::Start(before)).ok()?;
    let (mut bytes, mut from) = (Vec::new(), 1);
    while bytes.len() < MIN_JOB as usize / 4 {
        if file.take(STEP).read_to_end(&mut bytes).ok()? == 0 {
            break;
        }
        if let Some(found) = mimelake_parse::kv::sure_start(&bytes, from) {
            return Some(before + found as u64);
        }
        // A line end and what may follow it are looked at again.
        from = bytes.len().saturating_sub(KEPT).max(1);
    }
    None
}

fn is_key_value(path: &Path, format: Option<Format>) -> bool {
    format.or_else(|| Some(beginning(path)?.0)) == Some(Format::KeyValue)
}

/// How a plain file of UTF-8 begins: its format, and its first byte that is not blank.
pub fn beginning(path: &Path) -> Option<(Format, u8)> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(1 << 12).read_to_end(&mut bytes).ok()?;
    if landing::Format::is_utf16(&bytes) {
        return None;
    }
    let format = format_of(&bytes)?;
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    Some((format, *text.iter().find(|byte| !byte.is_ascii_whitespace())?))
}

/// One piece of a job.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The file it belongs to.
    pub file: Arc<File>,
    /// The unit's number in the file's listing.
    pub index: u32,
    /// What to read.
    pub piece: Piece,
    /// Its digest and the length of its unit's content, if they had to be known beforehand.
    pub digest: Option<([u8; 32], u64)>,
    /// The key of the gzip or zstd file that it is, if that had to be known beforehand.
    pub packed: Option<UnitKey>,
    /// Why the content ends early, if that was met beforehand.
    pub damage: Option<Arc<LandingError>>,
    /// Of a slice, the digest of the whole, if another file of the run may be the same.
    pub whole: Option<[u8; 32]>,
    /// The cuts of the same content that have been converted, if all of it has.
    pub twins: Vec<UnitKey>,
    /// The others, of some of it.
    pub parts: Vec<UnitKey>,
    /// With `--force`: the commits of earlier runs that hold its rows.
    pub replaces: Vec<CommitId>,
    /// With `--force`: the files of those commits that are not read again.
    pub elsewhere: Arc<Elsewhere>,
    /// With `--force`: the cuts of its bytes that those commits hold.
    pub cuts: Vec<UnitKey>,
}

impl Planned {
    /// The pieces of a file.
    pub fn of(mut file: File) -> impl Iterator<Item = Self> {
        let pieces = std::mem::take(&mut file.pieces);
        let file = Arc::new(file);
        pieces.into_iter().map(move |(index, piece)| Self {
            file: Arc::clone(&file),
            index,
            digest: piece.digest.zip(piece.unit.len),
            piece,
            packed: None,
            damage: None,
            whole: None,
            twins: Vec::new(),
            parts: Vec::new(),
            replaces: Vec::new(),
            elsewhere: Arc::default(),
            cuts: Vec::new(),
        })
    }

    /// About how many bytes of content it has.
    pub fn size(&self) -> u64 {
        let unit = &self.piece.unit;
        match (self.piece.slice, unit.len) {
            (Some((start, end)), _) => end - start,
            (None, Some(len)) if unit.packed_len.is_none() => len,
            // What a compressed file says of its length may be wrong by far.
            (None, _) => unit.packed_len.unwrap_or(unit.stored_len).saturating_mul(USUAL_RATIO),
        }
    }

    /// Stored bytes, for the progress bar.
    pub fn stored(&self) -> u64 {
        self.piece.slice.map_or(self.piece.unit.stored_len, |(start, end)| end - start)
    }
}

/// Cuts the pieces into jobs, in the order of time that the names of files and members tell.
///
/// What a job holds depends on the input only, not on the number of threads. The last are half as large as the others,
/// where those are not small.
pub fn jobs(mut pieces: Vec<Planned>) -> Vec<Vec<Planned>> {
    pieces.sort_by_cached_key(|planned| time_in_name(planned.piece.unit.leaf_name()));
    let total: u64 = pieces.iter().map(Planned::size).sum();
    let least = MIN_JOB.max(total / JOBS).min(SLICE);
    let room = (total / 16).clamp(least, MAX_JOB);
    let late_room = if room / 2 < MIN_JOB { room } else { room / 2 };
    let mut jobs: Vec<Vec<Planned>> = Vec::new();
    let mut filled = u64::MAX;
    let mut left = total;
    for planned in pieces {
        let size = planned.size();
        let room = if left.saturating_sub(size / 2) <= LATE * room { late_room } else { room };
        left = left.saturating_sub(size);
        // A piece goes where more than half of it fits; a stream has a job of its own, as only reading it shows
        // whether it is known.
        let alone = |planned: &Planned| planned.file.is_passing;
        let apart = alone(&planned) || jobs.last().and_then(|job| job.last()).is_some_and(alone);
        if apart || filled.saturating_add(size / 2) > room {
            jobs.push(Vec::new());
            filled = 0;
        }
        filled += size;
        if let Some(job) = jobs.last_mut() {
            job.push(planned);
        }
    }
    jobs
}

/// So many threads that jobs are done by.
///
/// # Errors
/// If the operating system has none left.
pub fn pool(threads: usize) -> anyhow::Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start the worker threads")
}

/// The date and time of 14 to 17 digits in a name such as `receipt_20260302090000123.siem`, if it has one; shorter ones
/// end in zero bytes.
fn time_in_name(name: &str) -> Option<[u8; 17]> {
    let mut runs = name.as_bytes().rsplit(|byte| !byte.is_ascii_digit());
    let run = runs.find(|run| (14..=17).contains(&run.len()))?;
    let mut time = [0; 17];
    time.iter_mut().zip(run).for_each(|(to, digit)| *to = *digit);
    Some(time)
}

#[cfg(test)]
impl File {
    /// A plain file of these pieces.
    pub fn of(pieces: Vec<(u32, Piece)>) -> Self {
        Self {
            number: 0,
            stamp: FileStamp { path: "a".into(), len: 0, modified_ns: 0 },
            listing: Listing::Plain,
            is_stream: false,
            is_passing: false,
            pipe: None,
            damages: Vec::new(),
            beginning: Vec::new(),
            pieces,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_all() {
        for (len, whole, halves) in [
            (1, 1, 0),
            (MIN_JOB * 3 / 2 + 1, 1, 0),
            (MIN_JOB * 2, 2, 0),
            (MIN_JOB * 9, 8, 0),
            (MIN_JOB * 16 - 1, 8, 0),
            (MIN_JOB * 16, 6, 4),
            (SLICE * 8, 6, 4),
            (SLICE * 8 + 1, 7, 4),
            (SLICE * 75 - 7, 73, 4),
        ] {
            let slices: Vec<_> = slices(len).collect();
            assert_eq!(slices.len(), whole + halves);
            assert_eq!(slices.first().map(|s| s.0), Some(0));
            assert_eq!(slices.last().map(|s| s.1), Some(len));
            assert!(slices.windows(2).all(|pair| pair[0].1 == pair[1].0));
            let fair = len / (whole + halves / 2) as u64;
            let is_fair = |(at, (start, end)): (usize, &(u64, u64))| {
                let fair = if at < whole { fair } else { fair / 2 };
                (fair..=fair + 1).contains(&(end - start))
            };
            assert!(slices.iter().enumerate().all(is_fair));
        }
    }

    #[test]
    fn slices_begin_where_records_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let line = "datetime=2026-03-02T10:00:00+0000|aCode=a\n";
        let len = line.len() as u64;
        let text = format!("{}{}{line}", line.repeat(3), "no record\n".repeat(20));
        std::fs::write(&path, &text).unwrap();
        let end = text.len() as u64;
        for (slices, expected) in [
            (&[(0, end)][..], &[(0, end)][..]),
            (&[(0, len), (len, end)], &[(0, len), (len, end)]),
            (&[(0, 1), (1, len + 1), (len + 1, end)], &[(0, len), (len, 2 * len), (2 * len, end)]),
            (&[(0, 2 * len + 1), (2 * len + 1, end)], &[(0, end - len), (end - len, end)]),
            (
                &[(0, 2 * len + 1), (2 * len + 1, end - len), (end - len, end)],
                &[(0, end - len), (end - len, end)],
            ),
            (&[(0, len), (len, end - 5), (end - 5, end)], &[(0, len), (len, end)]),
        ] {
            assert_eq!(whole_records(&path, slices.iter().copied()), expected, "{slices:?}");
        }
        assert_eq!(whole_records(Path::new("gone"), [(0, 5), (5, 9)].into_iter()), [(0, 9)]);
    }

    #[test]
    fn the_last_jobs_are_small() {
        let listing = landing::units_of_bytes("a", b"a=b".as_slice().into(), &Limits::default());
        let unit = listing.unwrap().units.remove(0);
        let file = |sizes: &[u64]| {
            let piece = |size: &u64| {
                let mut unit = unit.clone();
                unit.len = Some(*size);
                (0, Piece::whole(unit))
            };
            File::of(sizes.iter().map(piece).collect())
        };
        let counts = |sizes: &[u64]| -> Vec<usize> {
            jobs(Planned::of(file(sizes)).collect()).iter().map(Vec::len).collect()
        };
        let slices = |len| slices(len).map(|(start, end)| end - start).collect::<Vec<_>>();
        assert_eq!(counts(&slices(500_000_000)), [1; 10]);
        assert_eq!(counts(&slices(500_000_007)), [1; 10]);
        assert_eq!(counts(&[MIN_JOB / 4; 64]), [8, 8, 8, 8, 8, 8, 4, 4, 4, 4]);
        assert_eq!(counts(&[MIN_JOB; 64]), [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2, 2, 2, 2]);
    }

    #[test]
    fn times_in_names() {
        assert_eq!(time_in_name("receipt_20260302090000123.siem"), Some(*b"20260302090000123"));
        assert_eq!(time_in_name("20260302090000-7"), Some(*b"20260302090000\0\0\0"));
        assert_eq!(time_in_name("events.json"), None);
        let order = ["20260302090000", "20260302090000000", "20260302090001"].map(time_in_name);
        assert!(order.is_sorted());
    }
}
