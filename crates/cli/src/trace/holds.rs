//! Whether a file can hold a name at all: most of an archive does not, and need not be cut into records.

use std::io::Read;

use memchr::memmem::Finder;
use mimelake_landing::{self as landing, Opener};
use mimelake_parse::Format;

use crate::args::ReadArgs;
use crate::interrupt;
use crate::source::Piece;

/// Bytes looked through at a time.
const BLOCK: usize = 256 << 10;
/// More names than this are looked for in the records instead.
const MANY: usize = 16;

/// Looks for names in bytes.
pub struct Scan<'a> {
    opener: Opener,
    /// None if bytes cannot tell.
    names: Option<Vec<Finder<'a>>>,
    /// How an ASCII character begins that JSON writes by its number, or without need behind a backslash.
    escapes: [Finder<'static>; 2],
    format: Option<Format>,
    max_record: u64,
    buffer: Vec<u8>,
}

impl<'a> Scan<'a> {
    /// A scan for any of these names.
    pub fn new(names: &[&'a str], read: &ReadArgs) -> Self {
        // In other names, what the file holds may differ from what is read of it.
        let plain = |name: &&str| name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        let tell = names.len() <= MANY && names.iter().all(plain);
        Self {
            opener: Opener::new(read.limits()),
            names: tell.then(|| names.iter().map(|name| Finder::new(name.as_bytes())).collect()),
            escapes: [Finder::new(br"\u00"), Finder::new(br"\/")],
            format: read.format(),
            max_record: read.max_record,
            buffer: Vec::new(),
        }
    }

    /// Whether a record of the piece may hold one of the names; also if the piece cannot be read to its end, which
    /// reading it then tells.
    pub fn may_hold(&mut self, piece: &Piece) -> anyhow::Result<bool> {
        let Some(names) = &self.names else { return Ok(true) };
        let (start, end) = piece.slice.unwrap_or((0, u64::MAX));
        let opened =
            if start > 0 { self.opener.open_at(&piece.unit, start) } else { self.opener.open(&piece.unit) };
        let Ok(reader) = opened else { return Ok(true) };
        // The last record of a slice ends behind it.
        let mut reader = reader.take((end - start).saturating_add(self.max_record));
        let kept = names.iter().map(|name| name.needle().len()).max().unwrap_or(0).max(4);
        let (mut is_first, mut is_json) = (true, false);
        self.buffer.clear();
        loop {
            interrupt::check()?;
            let before = self.buffer.len();
            if (&mut reader).take(BLOCK as u64).read_to_end(&mut self.buffer).is_err() {
                return Ok(true);
            }
            if std::mem::take(&mut is_first) {
                let format = landing::Format::of(&self.buffer);
                let is_odd = format.is_none() || landing::Format::is_utf16(&self.buffer);
                if is_odd && !self.buffer.is_empty() {
                    return Ok(true);
                }
                is_json = self.format.map_or(format == Some(landing::Format::Json), |f| f == Format::Json);
            }
            let escapes = if is_json { &self.escapes[..] } else { &[] };
            if names.iter().chain(escapes).any(|name| name.find(&self.buffer).is_some()) {
                return Ok(true);
            }
            if self.buffer.len() == before {
                return Ok(false);
            }
            let passed = self.buffer.len().saturating_sub(kept);
            self.buffer.drain(..passed);
        }
    }
}
