//! Windows of a file's bytes into events, with an account of every line.

use std::mem::take;

use bumpalo::Bump;

use crate::build::{Builder, Split};
use crate::json::Brackets;
use crate::kv::{Closer, Scanner};
use crate::{Account, Event, Flag, Flags, Pair, Reason, Reject, Sink};

mod batch;
mod json;
mod kv;

use batch::Batch;

/// The longest record, unless set otherwise: 16 MiB.
pub const MAX_RECORD: usize = 16 << 20;
/// How much of a record that is too long goes to the quarantine.
const HEAD: usize = 4096;

/// So large an arena is kept from one batch to the next, and so much room for a record of several lines.
const ROOM: usize = 1 << 20;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Key-value lines.
    KeyValue,
    /// JSON: API 1.0's envelope or array, or NDJSON.
    Json,
}

/// Reads one source, window by window, and then another.
#[derive(Debug)]
pub struct Reader {
    format: Format,
    max_record: usize,
    stop_at: u64,
    /// Key-value: the source begins inside a line, whose first half was read before.
    inside_line: bool,
    /// Key-value: the source goes on behind what can be read of it.
    cut_short: bool,
    place: json::Place,
    /// JSON: something stands on the line so far.
    line_open: bool,
    /// JSON: no line feed stands between the place reached and this byte of the source.
    line_to: u64,
    /// JSON: no record of a list is seen to begin anew between the place reached and this byte of the source.
    resume_to: u64,
    skipped: Option<Skipped>,
    records: Records,
}

/// What a record needs on its way to becoming an event.
#[derive(Debug)]
struct Records {
    builder: Builder,
    /// The name of the source.
    source: String,
    bump: Bump,
    scanner: Scanner,
    pairs: Vec<Pair>,
    joined: Vec<u8>,
    account: Account,
}

/// A record that is too long, while its end is still looked for.
#[derive(Debug)]
struct Skipped {
    offset: u64,
    head: Vec<u8>,
    /// JSON: what is open of an object that is in order so far. Its end is looked for, within its line; else the
    /// line's end is all there is to go by, and what else stands on the line goes with it.
    brackets: Option<Brackets>,
}

/// How far a window was read.
enum Stretch {
    /// To here, and there may be more.
    Full(usize),
    /// To here, and what is left belongs to the next window.
    Whole(usize),
}

/// A window of the source.
#[derive(Clone, Copy)]
struct Window<'a> {
    bytes: &'a [u8],
    /// The beginning of `bytes` that is UTF-8.
    text: &'a str,
    offset: u64,
    at_end: bool,
}

impl<'a> Window<'a> {
    fn new(bytes: &'a [u8], offset: u64, at_end: bool) -> Self {
        let text = simdutf8::basic::from_utf8(bytes).unwrap_or_else(|_| valid_beginning(bytes));
        Self { bytes, text, offset, at_end }
    }

    /// A stretch of the window as text, if it is text.
    fn text(&self, start: usize, end: usize) -> Option<&'a str> {
        self.text.get(start..end).or_else(|| std::str::from_utf8(&self.bytes[start..end]).ok())
    }
}

/// Empties an arena; of a long record's room nothing is kept.
fn empty(bump: &mut Bump) {
    bump.reset();
    if bump.allocated_bytes() > ROOM {
        *bump = Bump::new();
    }
}

fn valid_beginning(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

impl Reader {
    /// A reader of a source with this name, which is written to `source_file` and may speak for a type.
    pub fn new(format: Format, source: &str) -> Self {
        let records = Records {
            builder: Builder::new(source),
            source: source.to_owned(),
            bump: Bump::new(),
            scanner: Scanner::default(),
            pairs: Vec::new(),
            joined: Vec::new(),
            account: Account::default(),
        };
        Self::of(format, records)
    }

    /// The reader of another source, as if it were new; it keeps what was allocated and learned, which saves time where
    /// sources have a few records each.
    #[must_use]
    pub fn turned_to(self, format: Format, source: &str) -> Self {
        let mut records = self.records;
        records.builder.turn_to(source);
        source.clone_into(&mut records.source);
        records.account = Account::default();
        Self::of(format, records)
    }

    fn of(format: Format, records: Records) -> Self {
        Self {
            format,
            max_record: MAX_RECORD,
            stop_at: u64::MAX,
            inside_line: false,
            cut_short: false,
            place: json::Place::Top,
            line_open: false,
            line_to: 0,
            resume_to: 0,
            skipped: None,
            records,
        }
    }

    /// Sets the length from which on a record is rejected; at least 1 KiB, at most 1 GiB.
    #[must_use]
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes.clamp(1 << 10, 1 << 30);
        self
    }

    /// Stops before the first `datetime=` line that begins at or after this offset.
    ///
    /// With [`kv::sure_start`](crate::kv::sure_start) it lets several readers share a large file.
    #[must_use]
    pub fn stop_at(mut self, offset: u64) -> Self {
        self.stop_at = offset;
        self
    }

    /// Says that the first line of key-value input is the rest of one whose beginning was read before: it is
    /// rejected, lest it be taken for a record.
    #[must_use]
    pub fn inside_line(mut self, inside: bool) -> Self {
        self.inside_line = inside;
        self
    }

    /// Says that the source goes on behind what can be read of it: a last key-value line without its end is rejected, lest
    /// half a record be taken for one.
    pub fn cut_short(&mut self) {
        self.cut_short = true;
    }

    /// Whether a reader with `stop_at` has come there.
    pub fn has_stopped(&self) -> bool {
        self.stop_at == 0
    }

    /// What became of the lines read so far.
    pub fn account(&self) -> &Account {
        &self.records.account
    }

    /// Reads the whole records of `window`, which begins at `offset` of the source; so many bytes are done
    /// with.
    ///
    /// The rest must come again at the beginning of the next window, with more behind it. With `at_end`,
    /// where nothing follows the window, all of it is read. What is left is never longer than twice the
    /// longest record.
    ///
    /// # Errors
    /// What the sink returns.
    pub fn read<S: Sink>(
        &mut self,
        window: &[u8],
        offset: u64,
        at_end: bool,
        sink: &mut S,
    ) -> Result<usize, S::Error> {
        let bom = if offset == 0 && window.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let window = Window::new(window, offset, at_end);
        // Events borrow from them while the next ones are read.
        let (mut bump, source) = (take(&mut self.records.bump), take(&mut self.records.source));
        let read = self.window(window, bom, &mut bump, &source, sink);
        (self.records.bump, self.records.source) = (bump, source);
        read
    }

    /// Reads the records of a window from here, and hands over so many events at a time as the sink wants.
    fn window<S: Sink>(
        &mut self,
        window: Window<'_>,
        start: usize,
        bump: &mut Bump,
        source: &str,
        sink: &mut S,
    ) -> Result<usize, S::Error> {
        let mut closer = Closer::default();
        let mut at = start;
        loop {
            let mut batch = Batch::new(bump, source, sink);
            let read = match self.format {
                Format::KeyValue => self.key_value(window, at, &mut closer, &mut batch),
                Format::Json => self.json(window, at, &mut batch),
            };
            let read = read?;
            batch.end()?;
            empty(bump);
            match read {
                Stretch::Full(next) => at = next,
                Stretch::Whole(end) => return Ok(end),
            }
        }
    }

    /// Goes on past a record that is too long; where it ends, or the window's end if it does not.
    fn skip<S: Sink>(
        &mut self,
        window: Window<'_>,
        end: Option<usize>,
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<(), S::Error> {
        let Some(skipped) = &mut self.skipped else { return Ok(()) };
        let stretch = &window.bytes[..end.unwrap_or(window.bytes.len())];
        let room = HEAD - skipped.head.len();
        skipped.head.extend_from_slice(&stretch[..stretch.len().min(room)]);
        if let Some(end) = end {
            let (offset, head) = (skipped.offset, take(&mut skipped.head));
            self.skipped = None;
            let length = window.offset + end as u64 - offset;
            self.records.reject(offset, length, Reason::TooLong, &head, batch)?;
        }
        Ok(())
    }
}

impl Records {
    fn reject<S: Sink>(
        &mut self,
        offset: u64,
        length: u64,
        reason: Reason,
        bytes: &[u8],
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<(), S::Error> {
        self.account.reject(reason);
        batch.reject(&Reject { offset, length, reason, recovered: false, bytes })
    }

    /// The event of the record at `start..end`, split into `self.pairs`; `lines` lines of the window are it.
    #[inline]
    fn event<'a, S: Sink>(
        &mut self,
        record: Found<'a>,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<(), S::Error> {
        let split = Split {
            text: record.text,
            pairs: &mut self.pairs,
            is_json: record.is_json,
            offset: record.offset,
            flags: record.flags,
        };
        let event: Event<'a> = self.builder.build(split, batch.source, batch.bump, &mut self.account);
        self.account.event(&event, record.lines);
        batch.push(event);
        if event.flags.has(Flag::InvalidUtf8) {
            self.account.rejects[Reason::InvalidUtf8 as usize] += 1;
            let (offset, bytes, length) = (record.offset, record.bytes, record.bytes.len() as u64);
            batch.reject(&Reject { offset, length, reason: Reason::InvalidUtf8, recovered: true, bytes })?;
        }
        Ok(())
    }
}

/// A record that was found, and read as text.
#[derive(Clone, Copy)]
struct Found<'a> {
    text: &'a str,
    bytes: &'a [u8],
    offset: u64,
    lines: u64,
    is_json: bool,
    flags: Flags,
}
