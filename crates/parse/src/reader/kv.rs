//! Windows of key-value lines into records.

use bumpalo::{Bump, collections::String as BumpString};

use super::batch::Batch;
use super::{Found, ROOM, Reader, Records, Skipped, Stretch, Window};
use crate::kv::{self, Close, Closer, Cut, Quotes};
use crate::{Flag, Flags, Reason, Sink};

impl Reader {
    pub(super) fn key_value<'a, S: Sink>(
        &mut self,
        window: Window<'a>,
        start: usize,
        closer: &mut Closer,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<Stretch, S::Error> {
        let mut at = start;
        if self.skipped.is_some() {
            let Some(line) = kv::cut(window.bytes, 0, window.at_end) else {
                return self.skip_window(window, batch).map(Stretch::Whole);
            };
            self.skip(window, Some(line.end), batch)?;
            at = line.next;
        }
        while let Some(line) = kv::cut(window.bytes, at, window.at_end) {
            if window.offset + at as u64 >= self.stop_at && kv::begins_record(&window.bytes[at..]) {
                self.stop_at = 0;
                return Ok(Stretch::Whole(at));
            }
            let Some(next) = self.line(window, line, closer, batch)? else { break };
            at = next;
            if batch.is_full() {
                return Ok(Stretch::Full(at));
            }
        }
        if window.offset + at as u64 >= self.stop_at {
            let rest = &window.bytes[at..];
            if kv::begins_record(rest) {
                self.stop_at = 0;
                return Ok(Stretch::Whole(at));
            }
            if kv::may_begin_record(rest) && !window.at_end {
                return Ok(Stretch::Whole(at));
            }
        }
        let left = window.bytes.len() - at;
        if left > self.max_record && kv::cut(window.bytes, at, window.at_end).is_none() {
            let offset = window.offset + at as u64;
            self.skipped = Some(Skipped { offset, head: Vec::new(), brackets: None });
            let rest = Window { bytes: &window.bytes[at..], offset, ..window };
            at += self.skip_window(rest, batch)?;
        }
        Ok(Stretch::Whole(at))
    }

    /// Takes all of the window as part of a record that is too long, but for what may be part of its end.
    fn skip_window<S: Sink>(
        &mut self,
        window: Window<'_>,
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<usize, S::Error> {
        const KEPT: usize = b"\rdatetime=".len();
        let done = if window.at_end { window.bytes.len() } else { window.bytes.len().saturating_sub(KEPT) };
        let part = Window { bytes: &window.bytes[..done], ..window };
        self.skip(part, window.at_end.then_some(done), batch)?;
        Ok(done)
    }

    /// Reads the record that begins with this line; none if the window ends too early to tell its end.
    fn line<'a, S: Sink>(
        &mut self,
        window: Window<'a>,
        line: Cut,
        closer: &mut Closer,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<Option<usize>, S::Error> {
        let bytes = &window.bytes[line.start..line.end];
        let offset = window.offset + line.start as u64;
        let records = &mut self.records;
        if bytes.len() > self.max_record {
            let head = &bytes[..super::HEAD.min(bytes.len())];
            records.reject(offset, bytes.len() as u64, Reason::TooLong, head, batch)?;
            return Ok(Some(line.next));
        }
        if bytes.trim_ascii().is_empty() {
            self.inside_line = false;
            records.account.blank();
            return Ok(Some(line.next));
        }
        let is_rest = std::mem::take(&mut self.inside_line);
        let scanned = if is_rest {
            Err(Reason::NoKey)
        } else if self.cut_short && line.is_open() {
            Err(Reason::CutRecord)
        } else {
            records.scanner.scan(bytes, &mut records.pairs)
        };
        match scanned {
            Ok(quotes @ Quotes::Closed) => {
                let text = window.text(line.start, line.end);
                self.record(Whole { bytes, raw: bytes, text, offset, lines: 1, quotes }, batch)?;
                Ok(Some(line.next))
            }
            Ok(Quotes::Open) => self.open_line(window, line, closer, batch),
            Err(reason) => {
                records.reject(offset, bytes.len() as u64, reason, bytes, batch)?;
                Ok(Some(line.next))
            }
        }
    }

    /// Reads the record whose first line ends inside an open quote.
    fn open_line<'a, S: Sink>(
        &mut self,
        window: Window<'a>,
        first: Cut,
        closer: &mut Closer,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<Option<usize>, S::Error> {
        let limit = first.start + self.max_record;
        let (mut last, mut lines, mut quotes) = (first, 1, Quotes::Open);
        let mut joined = std::mem::take(&mut self.records.joined);
        joined.clear();
        joined.extend_from_slice(&window.bytes[first.start..first.end]);
        loop {
            match closer.look(window.bytes, last.next, window.at_end, lines - 1, limit) {
                Close::More => {
                    self.records.joined = joined;
                    return Ok(None);
                }
                Close::Nowhere => break,
                Close::In(close, _) if self.cut_short && close.is_open() => break,
                Close::In(close, added) => {
                    join(window, last.next, close.end, &mut joined);
                    (last, lines) = (close, lines + added);
                }
            }
            match self.records.scanner.scan(&joined, &mut self.records.pairs) {
                Ok(Quotes::Open) => {}
                Ok(Quotes::Closed) => {
                    quotes = Quotes::Closed;
                    break;
                }
                Err(_) => {
                    // Too many pairs in all: the first line stands alone, the others are read for themselves.
                    (last, lines) = (first, 1);
                    joined.truncate(first.end - first.start);
                    _ = self.records.scanner.scan(&joined, &mut self.records.pairs);
                    break;
                }
            }
        }
        let raw = &window.bytes[first.start..last.end];
        let offset = window.offset + first.start as u64;
        let bytes: &[u8] = batch.bump.alloc_slice_copy(&joined);
        if joined.capacity() <= ROOM {
            self.records.joined = joined;
        }
        let text = std::str::from_utf8(bytes).ok();
        self.record(Whole { bytes, raw, text, offset, lines, quotes }, batch)?;
        Ok(Some(last.next))
    }

    /// Hands over a record that is scanned; one that is not UTF-8 is mended and scanned again.
    #[inline]
    fn record<'a, S: Sink>(
        &mut self,
        record: Whole<'a>,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<(), S::Error> {
        let records = &mut self.records;
        let mut flags = Flags::default();
        let text = if let Some(text) = record.text {
            text
        } else {
            flags.raise(Flag::InvalidUtf8);
            records.mended(record.bytes, batch.bump)
        };
        if record.quotes == Quotes::Open {
            flags.raise(Flag::UnterminatedQuote);
        }
        let lines = u64::from(record.lines);
        let found = Found { text, bytes: record.raw, offset: record.offset, lines, is_json: false, flags };
        records.event(found, batch)
    }
}

/// A whole record.
#[derive(Clone, Copy)]
struct Whole<'a> {
    /// Its content, line ends inside being LF.
    bytes: &'a [u8],
    /// Its bytes as they stand in the source.
    raw: &'a [u8],
    /// Its content as text, if it is text.
    text: Option<&'a str>,
    offset: u64,
    lines: u32,
    quotes: Quotes,
}

impl Records {
    /// A record as UTF-8, and scanned again.
    #[cold]
    fn mended<'a>(&mut self, record: &[u8], bump: &'a Bump) -> &'a str {
        let mended = BumpString::from_utf8_lossy_in(record, bump).into_bump_str();
        // What is no UTF-8 is no key and no syntax, so the pairs are the same at other places.
        _ = self.scanner.scan(mended.as_bytes(), &mut self.pairs);
        mended
    }
}

/// Appends the lines from `start` up to `end`, each after a line feed.
fn join(window: Window<'_>, start: usize, end: usize, joined: &mut Vec<u8>) {
    let mut at = start;
    while let Some(line) = kv::cut(window.bytes, at, window.at_end) {
        joined.push(b'\n');
        joined.extend_from_slice(&window.bytes[line.start..line.end]);
        at = line.next;
        if line.end >= end {
            break;
        }
    }
}
