//! Reading one piece of input: open, window, records, digest.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use mimelake_landing::{self as landing, LandingError, Opener, Unit, UnitReader, Window};
use mimelake_parse::{Account, Format, Reader, Sink, kv};
use mimelake_write::store::UnitKey;

use crate::interrupt;
use crate::trail::Trail;

/// A unit of input, or a slice of a large plain one.
#[derive(Clone, Debug)]
pub struct Piece {
    /// What to open.
    pub unit: Unit,
    /// The bytes whose records are wanted; none for all.
    pub slice: Option<(u64, u64)>,
    /// A record surely begins where the slice does.
    pub exact: bool,
    /// The slice begins inside a line, whose first half was read before.
    pub inside_line: bool,
    /// How the file's beginning is written, where the piece does not tell.
    pub format: Option<Format>,
    /// BLAKE3 of its content, where that is known and cannot change.
    pub digest: Option<[u8; 32]>,
}

impl Piece {
    /// All of a unit.
    pub fn whole(unit: Unit) -> Self {
        Self { unit, slice: None, exact: false, inside_line: false, format: None, digest: None }
    }

    /// Computes the digest of content that is kept in memory.
    pub fn digest_kept(&mut self) {
        self.digest = self.unit.kept_content().map(|content| blake3::hash(content).into());
    }
}

/// What was read of a piece.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What became of the lines.
    pub account: Account,
    /// BLAKE3 of the content (of the slice), if it was asked for.
    pub digest: [u8; 32],
    /// Bytes of content.
    pub inflated: u64,
    /// Of a stream, the slices of a trail that it turned out to hold.
    pub slices: Vec<UnitKey>,
    /// Why reading ended early, if it did.
    pub damage: Option<LandingError>,
}

/// How pieces are read; one for each worker, which keeps the buffers.
pub struct Source<'a> {
    opener: Opener,
    window: Option<Window<Tee>>,
    reader: Option<Reader>,
    /// What the next piece is compared with.
    trail: Option<Trail>,
    settings: Settings<'a>,
}

/// What holds for all pieces.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The format that is set, if one is.
    pub format: Option<Format>,
    /// The longest record.
    pub max_record: u64,
    /// The limits of containers.
    pub limits: landing::Limits,
    /// Whether digests are wanted.
    pub digest: bool,
    /// Stored bytes read so far, for the progress bar.
    pub done: &'a AtomicU64,
}

impl<'a> Source<'a> {
    /// A source for pieces.
    pub fn new(settings: Settings<'a>) -> Self {
        Self { opener: Opener::new(settings.limits), window: None, reader: None, trail: None, settings }
    }

    /// Has the next piece, all of a stream, compared with known slices.
    pub fn follow(&mut self, trail: Trail) {
        self.trail = Some(trail);
    }

    /// Reads the records of a piece into the sink; after each block, `between` may write out what it holds.
    ///
    /// # Errors
    /// What the sink or `between` return, and being stopped. Damage of the piece is in the outcome instead.
    pub fn read<S>(
        &mut self,
        piece: &Piece,
        sink: &mut S,
        mut between: impl FnMut(&mut S) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome>
    where
        S: Sink<Error = anyhow::Error>,
    {
        if let (None, Some(content)) = (piece.slice, piece.unit.kept_content()) {
            return self.read_kept(piece, content, sink, between);
        }
        let (start, end) = piece.slice.unwrap_or((0, u64::MAX));
        // The byte before the slice tells whether a line begins at it.
        let from = if piece.exact { start } else { start.saturating_sub(1) };
        let opened =
            if start > 0 { self.opener.open_at(&piece.unit, from) } else { self.opener.open(&piece.unit) };
        let reader = match opened {
            Ok(reader) => reader,
            Err(damage) => return Ok(Outcome::unopened(damage)),
        };
        let tee = Tee::new(reader, from, (start, end), self.settings.digest && piece.digest.is_none())
            .following(self.trail.take());
        let window = match self.window.take() {
            Some(mut window) => {
                window.restart(tee, from);
                window
            }
            None => Window::new(tee, landing::BLOCK).starting_at(from),
        };
        let (reader, settings) = (&mut self.reader, &self.settings);
        let mut reading = Reading { window, reader, piece, settings, counted: 0, damage: None };
        let account = reading.records(from < start, end, sink, &mut between);
        let tee = reading.window.reader();
        let (digest, inflated) = (piece.digest.unwrap_or_else(|| tee.digest()), tee.in_slice());
        let slices = tee.trail.as_ref().map(|trail| trail.found().to_vec()).unwrap_or_default();
        let damage = reading.damage.take();
        self.window = Some(reading.window);
        Ok(Outcome { account: account?, digest, inflated, slices, damage })
    }

    /// The same, of content that is kept in memory: it is read where it is.
    fn read_kept<S>(
        &mut self,
        piece: &Piece,
        content: &[u8],
        sink: &mut S,
        mut between: impl FnMut(&mut S) -> anyhow::Result<()>,
    ) -> anyhow::Result<Outcome>
    where
        S: Sink<Error = anyhow::Error>,
    {
        interrupt::check()?;
        let inflated = content.len() as u64;
        self.settings.done.fetch_add(inflated, Ordering::Relaxed);
        let hash = || if self.settings.digest { blake3::hash(content).into() } else { [0; 32] };
        let digest = piece.digest.unwrap_or_else(hash);
        if landing::Format::is_utf16(content) {
            let damage = Some(damaged(piece, Some(0), landing::Reason::Utf16));
            return Ok(Outcome { digest, inflated, damage, ..Outcome::default() });
        }
        let set = self.settings.format.or(piece.format);
        let format = set.or_else(|| format_of(content)).unwrap_or(Format::KeyValue);
        let mut reader = turned(self.reader.take(), format, piece, &self.settings, u64::MAX);
        reader.read(content, 0, true, sink)?;
        between(sink)?;
        let account = reader.account().clone();
        self.reader = Some(reader);
        Ok(Outcome { account, digest, inflated, ..Outcome::default() })
    }

    /// The digests of some ranges of a unit's content, which is read once, up to the end of the last of them.
    ///
    /// Of a damaged unit they cover what comes before the damage, as they do when it is converted. None if the
    /// operating system does not let it be read.
    pub fn digests(&mut self, unit: &Unit, ranges: &[(u64, u64)]) -> anyhow::Result<Option<Digests>> {
        self.opener.open(unit).map_or(Ok(None), |reader| digests(reader, unit.len, ranges))
    }

    /// The key of the gzip or zstd file that holds a unit's content; none if there is none that can be read again.
    pub fn packed(&mut self, unit: &Unit) -> anyhow::Result<Option<UnitKey>> {
        let reader = unit.packed_len.and_then(|_| self.opener.open_packed(unit).ok());
        let Some(reader) = reader else { return Ok(None) };
        let found = digests(reader, unit.packed_len, &[ALL])?;
        let key = |digest: &[u8; 32], len| UnitKey { crc32: unit.crc32, ..UnitKey::whole(len, *digest) };
        Ok(found.and_then(|found| Some(key(found.of.get(&ALL)?, found.len))))
    }
}

/// The range of all bytes.
pub const ALL: (u64, u64) = (0, u64::MAX);

/// The digests of some ranges of a content.
#[derive(Debug)]
pub struct Digests {
    /// The digest of each range.
    pub of: HashMap<(u64, u64), [u8; 32]>,
    /// How many bytes were read; the content's length, if a range goes to its end.
    pub len: u64,
    /// Why the content ends early, if it does.
    pub damage: Option<LandingError>,
}

/// As [`Source::digests`], of a content that has about so many bytes.
fn digests(
    mut reader: UnitReader,
    about: Option<u64>,
    ranges: &[(u64, u64)],
) -> anyhow::Result<Option<Digests>> {
    let mut hashers: Vec<_> = ranges.iter().map(|range| (*range, blake3::Hasher::new())).collect();
    let end = ranges.iter().map(|(_, end)| *end).max().unwrap_or(0);
    // For 100,000 small files a large one costs more than what is read.
    let mut buffer = vec![0; about.unwrap_or(u64::MAX).clamp(1 << 10, 256 << 10) as usize];
    let (mut len, mut damage) = (0, None);
    while len < end {
        interrupt::check()?;
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                for (range, hasher) in &mut hashers {
                    hasher.update(&buffer[overlap(*range, len, read)]);
                }
                len += read as u64;
            }
            Err(error) => match LandingError::from_io(error) {
                Ok(met) if !matches!(met.reason, landing::Reason::Io(_)) => {
                    damage = Some(met);
                    break;
                }
                _ => return Ok(None),
            },
        }
    }
    let of = hashers.iter().map(|(range, hasher)| (*range, hasher.finalize().into())).collect();
    Ok(Some(Digests { of, len, damage }))
}

/// What of `read` bytes that begin at `at` lies in a range.
fn overlap((start, end): (u64, u64), at: u64, read: usize) -> std::ops::Range<usize> {
    let first = start.saturating_sub(at).min(read as u64) as usize;
    let last = end.saturating_sub(at).min(read as u64) as usize;
    first..last.max(first)
}

impl Outcome {
    fn unopened(damage: LandingError) -> Self {
        Self { damage: Some(damage), ..Self::default() }
    }
}

/// One piece while it is read.
struct Reading<'a> {
    window: Window<Tee>,
    /// That of the piece before.
    reader: &'a mut Option<Reader>,
    piece: &'a Piece,
    settings: &'a Settings<'a>,
    counted: u64,
    damage: Option<LandingError>,
}

impl Reading<'_> {
    fn records<S>(
        &mut self,
        search: bool,
        end: u64,
        sink: &mut S,
        between: &mut impl FnMut(&mut S) -> anyhow::Result<()>,
    ) -> anyhow::Result<Account>
    where
        S: Sink<Error = anyhow::Error>,
    {
        self.fill()?;
        if self.window.offset() == 0 && landing::Format::is_utf16(self.window.bytes()) {
            self.damage = Some(damaged(self.piece, Some(0), landing::Reason::Utf16));
            return Ok(Account::default());
        }
        if search && !self.seek_sure_start(end)? {
            return Ok(Account::default());
        }
        let format = self.format()?;
        let mut reader = turned(self.reader.take(), format, self.piece, self.settings, end);
        loop {
            if self.damage.as_ref().is_some_and(|damage| damage.reason.cuts_content()) {
                reader.cut_short();
            }
            let window = &self.window;
            let done = reader.read(window.bytes(), window.offset(), window.at_end(), sink)?;
            let at_end = self.window.at_end();
            self.window.consume(done);
            between(sink)?;
            if at_end || reader.has_stopped() {
                let account = reader.account().clone();
                *self.reader = Some(reader);
                return Ok(account);
            }
            self.fill()?;
        }
    }

    /// Moves to the first sure start of a record in the slice; false if there is none.
    fn seek_sure_start(&mut self, end: u64) -> anyhow::Result<bool> {
        // A line end and what may follow it at the end of the window are looked at again.
        const KEPT: usize = 16;
        loop {
            if let Some(at) = kv::sure_start(self.window.bytes(), 1) {
                self.window.consume(at);
                return Ok(self.window.offset() < end);
            }
            if self.window.at_end() || self.window.offset() >= end {
                return Ok(false);
            }
            let passed = self.window.bytes().len().saturating_sub(KEPT);
            self.window.consume(passed);
            self.fill()?;
        }
    }

    /// The format that is set, or that the first bytes tell.
    fn format(&mut self) -> anyhow::Result<Format> {
        if let Some(format) = self.settings.format.or(self.piece.format) {
            return Ok(format);
        }
        loop {
            match format_of(self.window.bytes()) {
                Some(format) => return Ok(format),
                None if self.window.at_end() || self.window.bytes().len() > landing::BLOCK => {
                    return Ok(Format::KeyValue);
                }
                None => self.fill()?,
            }
        }
    }

    /// Fills the window; damage ends the content there.
    fn fill(&mut self) -> anyhow::Result<()> {
        interrupt::check()?;
        if let Err(error) = self.window.fill() {
            let named = |error| damaged(self.piece, None, landing::Reason::Io(error));
            self.damage = Some(LandingError::from_io(error).unwrap_or_else(named));
            // A stream that the signal cut short is not damaged.
            interrupt::check()?;
        }
        let read = self.window.reader().reader.compressed();
        self.settings.done.fetch_add(read.saturating_sub(self.counted), Ordering::Relaxed);
        self.counted = self.counted.max(read);
        Ok(())
    }
}

/// A reader of a piece up to `end`, made of that of another.
fn turned(other: Option<Reader>, format: Format, piece: &Piece, settings: &Settings<'_>, end: u64) -> Reader {
    let name = &piece.unit.name;
    let reader = match other {
        Some(reader) => reader.turned_to(format, name),
        None => Reader::new(format, name),
    };
    let max_record = usize::try_from(settings.max_record).unwrap_or(usize::MAX);
    reader.max_record(max_record).stop_at(end).inside_line(piece.inside_line)
}

/// The format that the first bytes tell.
pub fn format_of(bytes: &[u8]) -> Option<Format> {
    landing::Format::of(bytes).map(|format| match format {
        landing::Format::Json => Format::Json,
        landing::Format::KeyValue => Format::KeyValue,
    })
}

fn damaged(piece: &Piece, offset: Option<u64>, reason: landing::Reason) -> LandingError {
    LandingError { path: piece.unit.name.clone(), offset, reason }
}

/// A reader that computes the digest of a slice of what it reads.
struct Tee {
    reader: UnitReader,
    at: u64,
    slice: (u64, u64),
    hasher: Option<blake3::Hasher>,
    trail: Option<Trail>,
}

impl Tee {
    fn new(reader: UnitReader, at: u64, slice: (u64, u64), digest: bool) -> Self {
        Self { reader, at, slice, hasher: digest.then(blake3::Hasher::new), trail: None }
    }

    fn following(self, trail: Option<Trail>) -> Self {
        Self { trail, ..self }
    }

    fn digest(&self) -> [u8; 32] {
        self.hasher.as_ref().map_or([0; 32], |hasher| hasher.finalize().into())
    }

    /// How many bytes of the slice were read.
    fn in_slice(&self) -> u64 {
        self.at.min(self.slice.1).saturating_sub(self.slice.0)
    }
}

impl Read for Tee {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[overlap(self.slice, self.at, read)]);
        }
        if let Some(trail) = &mut self.trail {
            trail.update(&buffer[..read]);
        }
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use mimelake_landing::{Found, FoundKind, Limits};
    use mimelake_parse::Collector;

    use super::*;

    /// A collector whose errors are those of the program.
    #[derive(Default)]
    struct Collect(Collector);

    impl Sink for Collect {
        type Error = anyhow::Error;

        fn event(&mut self, event: &mimelake_parse::Event<'_>, bump: &bumpalo::Bump) -> anyhow::Result<()> {
            Ok(self.0.event(event, bump)?)
        }

        fn reject(&mut self, reject: &mimelake_parse::Reject<'_>) -> anyhow::Result<()> {
            Ok(self.0.reject(reject)?)
        }
    }

    fn text() -> String {
        let line = |n: usize| match n % 7 {
            3 => format!("stray {n}\n"),
            5 => format!(
                "datetime=2026-03-02T10:00:{:02}+0000|Subject=\\open {n}\nclosed\\|Act=Acc|Rcpt=r{n}\r\n",
                n % 60
            ),
            _ => format!("datetime=2026-03-02T10:00:{:02}+0000|aCode=a{n}|Act=Acc|Rcpt=r{n}\n", n % 60),
        };
        (0..400).map(line).collect()
    }

    fn read(source: &mut Source<'_>, piece: &Piece, all: &mut Collect) -> Outcome {
        source.read(piece, all, |_| Ok(())).unwrap()
    }

    #[test]
    fn slices_give_what_the_whole_gives() {
        let text = text();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let found = Found {
            path: file.path().to_owned(),
            len: text.len() as u64,
            modified_ns: 0,
            kind: FoundKind::File,
        };
        let unit = landing::units(&found, &Limits::default()).unwrap().units.remove(0);
        let done = AtomicU64::new(0);
        let settings = Settings {
            format: None,
            max_record: 1 << 20,
            limits: Limits::default(),
            digest: true,
            done: &done,
        };
        let mut whole = Collect::default();
        let outcome = read(&mut Source::new(settings), &Piece::whole(unit.clone()), &mut whole);
        assert_eq!(outcome.digest, *blake3::hash(text.as_bytes()).as_bytes());
        for size in [50, 333, 5000, text.len()] {
            let slices = (0..text.len()).step_by(size).map(|start| (start, (start + size).min(text.len())));
            for fresh in [true, false] {
                let (mut source, mut parts) = (Source::new(settings), Collect::default());
                let mut account = Account::default();
                for (start, end) in slices.clone() {
                    if fresh {
                        source = Source::new(settings);
                    }
                    let slice = Some((start as u64, end as u64));
                    let piece = Piece { slice, ..Piece::whole(unit.clone()) };
                    let part = read(&mut source, &piece, &mut parts);
                    assert_eq!(
                        part.digest,
                        *blake3::hash(&text.as_bytes()[start..end]).as_bytes(),
                        "{start}..{end}"
                    );
                    account += &part.account;
                }
                assert_eq!(parts.0.events, whole.0.events, "slices of {size}");
                assert_eq!(parts.0.rejects, whole.0.rejects, "slices of {size}");
                assert_eq!(account, outcome.account, "slices of {size}");
            }
        }
    }
}
