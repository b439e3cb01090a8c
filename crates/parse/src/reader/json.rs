//! Windows of JSON into records, whatever they are wrapped in.

use bumpalo::collections::String as BumpString;
use memchr::memchr;
use mimelake_schema::Keys;

use super::batch::Batch;
use super::{Found, Reader, Skipped, Stretch, Window};
use crate::json::{Brackets, ENVELOPE, Stop, first_key, object, skip_blank, skip_value};
use crate::kv::balanced_end;
use crate::{Flag, Flags, MAX_PAIRS, Reason, Sink};

/// What surrounds the next record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing: NDJSON, or objects joined by commas.
    Top,
    /// An array at the top.
    Array,
    /// The array of an envelope.
    Envelope,
    /// An envelope, behind its array.
    Tail,
}

/// What was done with what stands at a place.
enum Step {
    /// Go on here.
    To(usize),
    /// More bytes are needed, of an object that is in order so far, or of something else.
    More { in_order: bool },
}

impl Reader {
    pub(super) fn json<'a, S: Sink>(
        &mut self,
        window: Window<'a>,
        start: usize,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<Stretch, S::Error> {
        let mut at = start;
        if self.skipped.is_some() {
            at = self.skip_on(window, batch)?;
        }
        let in_order = loop {
            if batch.is_full() {
                return Ok(Stretch::Full(at));
            }
            at = self.between(window.bytes, at);
            let Some(first) = window.bytes.get(at) else { return Ok(Stretch::Whole(at)) };
            let step = match (self.place, first) {
                (Place::Tail, _) => self.tail(window, at, batch)?,
                (_, b'{') => self.object(window, at, batch)?,
                (Place::Top, b'[') => {
                    self.place = Place::Array;
                    Step::To(at + 1)
                }
                (Place::Array, b']') => {
                    self.place = Place::Top;
                    Step::To(at + 1)
                }
                (Place::Envelope, b']') => {
                    self.place = Place::Tail;
                    Step::To(at + 1)
                }
                _ => self.stray(window, at, batch)?,
            };
            match step {
                Step::To(next) => at = next,
                Step::More { in_order } => break in_order,
            }
        };
        if window.bytes.len() - at > self.max_record {
            let offset = window.offset + at as u64;
            let brackets = in_order.then(Brackets::default);
            self.skipped = Some(Skipped { offset, head: Vec::new(), brackets });
            let rest = Window { bytes: &window.bytes[at..], offset, ..window };
            at += self.skip_on(rest, batch)?;
        }
        Ok(Stretch::Whole(at))
    }

    /// Goes on past an object that is too long; where it ends, or the window's end if it does not.
    fn skip_on<S: Sink>(
        &mut self,
        window: Window<'_>,
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<usize, S::Error> {
        let brackets = self.skipped.as_mut().and_then(|skipped| skipped.brackets.as_mut());
        let end = match brackets {
            Some(brackets) => brackets.end(window.bytes),
            None => memchr(b'\n', window.bytes),
        };
        let end = end.or(window.at_end.then_some(window.bytes.len()));
        self.skip(window, end, batch)?;
        Ok(end.unwrap_or(window.bytes.len()))
    }

    /// Past white space and commas; empty lines between records are counted.
    fn between(&mut self, bytes: &[u8], start: usize) -> usize {
        let mut at = start;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' if self.line_open => self.line_open = false,
                b'\n' if self.place == Place::Top => self.records.account.blank(),
                b'\n' | b' ' | b'\t' | b'\r' => {}
                b',' if self.place != Place::Tail => {}
                _ => break,
            }
            at += 1;
        }
        self.line_open |= at < bytes.len();
        at
    }

    fn object<'a, S: Sink>(
        &mut self,
        window: Window<'a>,
        at: usize,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<Step, S::Error> {
        self.records.pairs.clear();
        match object(window.bytes, at, self.place == Place::Top, &mut self.records.pairs) {
            Ok(end) if end - at > self.max_record => self.reject(window, at, end, Reason::TooLong, batch),
            Ok(end) if self.records.pairs.len() > MAX_PAIRS => {
                self.reject(window, at, end, Reason::TooManyPairs, batch)
            }
            Ok(end) => {
                self.whole_object(window, at, end, batch)?;
                Ok(Step::To(end))
            }
            Err(Stop::Envelope(inside)) => {
                self.place = Place::Envelope;
                Ok(Step::To(inside))
            }
            Err(Stop::More) if !window.at_end => Ok(Step::More { in_order: true }),
            Err(Stop::More) => self.broken(window, at, Reason::CutJson, batch),
            Err(Stop::Bad) => self.broken(window, at, Reason::BadJson, batch),
        }
    }

    /// Rejects the object that is broken: up to its balanced end on the line, or to where the next record of a
    /// list begins, or the whole line.
    fn broken<S: Sink>(
        &mut self,
        window: Window<'_>,
        at: usize,
        reason: Reason,
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<Step, S::Error> {
        let line_end = self.line_end(window, at);
        let line = &window.bytes[..line_end.unwrap_or(window.bytes.len())];
        // The line's end is not waited for: all of a file may stand on one line.
        let line_length = line.len();
        let resumed = self.next_record(window, at + 1, line_length);
        let line = &window.bytes[..line_length];
        let balanced = balanced_end(&line[..resumed.unwrap_or(line.len())], at);
        match balanced.or(resumed).or(line_end) {
            Some(end) => self.reject(window, at, end, reason, batch),
            None => Ok(Step::More { in_order: false }),
        }
    }

    /// Rejects something that is no object: a value up to its end, or the rest of the line.
    fn stray<S: Sink>(
        &mut self,
        window: Window<'_>,
        at: usize,
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<Step, S::Error> {
        let line_end = self.line_end(window, at);
        let line = &window.bytes[..line_end.unwrap_or(window.bytes.len())];
        match (skip_value(line, at), line_end) {
            (Ok(end), _) => self.reject(window, at, end, Reason::NotAnObject, batch),
            (Err(_), Some(end)) => self.reject(window, at, end, Reason::BadJson, batch),
            (Err(_), None) => Ok(Step::More { in_order: false }),
        }
    }

    /// Past what follows the array of an envelope, up to its `}`.
    fn tail<S: Sink>(
        &mut self,
        window: Window<'_>,
        at: usize,
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<Step, S::Error> {
        match window.bytes[at] {
            b'}' => {
                self.place = Place::Top;
                return Ok(Step::To(at + 1));
            }
            b',' => {
                // The members left are read as an object of their own would be.
                let members = &mut self.records.pairs;
                members.clear();
                match object(window.bytes, at, false, members) {
                    Ok(end) if members.iter().all(|pair| ENVELOPE.contains(&pair.key.of(window.bytes))) => {
                        self.place = Place::Top;
                        return Ok(Step::To(end));
                    }
                    Ok(end) => {
                        self.place = Place::Top;
                        return self.reject(window, at, end, Reason::BadJson, batch);
                    }
                    Err(Stop::More) if !window.at_end => return Ok(Step::More { in_order: false }),
                    Err(_) => {}
                }
            }
            _ => {}
        }
        let step = self.stray(window, at, batch)?;
        if matches!(step, Step::To(_)) {
            self.place = Place::Top;
        }
        Ok(step)
    }

    fn whole_object<'a, S: Sink>(
        &mut self,
        window: Window<'a>,
        at: usize,
        end: usize,
        batch: &mut Batch<'a, '_, S>,
    ) -> Result<(), S::Error> {
        let bytes = &window.bytes[at..end];
        let mut flags = Flags::default();
        let (text, whole) = match window.text(at, end) {
            Some(text) => (text, true),
            None => {
                flags.raise(Flag::InvalidUtf8);
                (BumpString::from_utf8_lossy_in(bytes, batch.bump).into_bump_str(), false)
            }
        };
        let records = &mut self.records;
        if whole {
            for pair in &mut records.pairs {
                pair.key = pair.key.shifted(at);
                pair.value = pair.value.shifted(at);
            }
        } else {
            records.pairs.clear();
            _ = object(text.as_bytes(), 0, false, &mut records.pairs);
        }
        let offset = window.offset + at as u64;
        records.event(Found { text, bytes, offset, lines: 1, is_json: true, flags }, batch)
    }

    fn reject<S: Sink>(
        &mut self,
        window: Window<'_>,
        at: usize,
        end: usize,
        reason: Reason,
        batch: &mut Batch<'_, '_, S>,
    ) -> Result<Step, S::Error> {
        let bytes = &window.bytes[at..end];
        let held = if reason == Reason::TooLong { &bytes[..super::HEAD.min(bytes.len())] } else { bytes };
        self.records.reject(window.offset + at as u64, bytes.len() as u64, reason, held, batch)?;
        Ok(Step::To(end))
    }

    /// Where the line ends; none if that is not in the window yet.
    ///
    /// Each byte is looked at once, however many records the line holds.
    fn line_end(&mut self, window: Window<'_>, at: usize) -> Option<usize> {
        let length = window.bytes.len();
        let from = (self.line_to.saturating_sub(window.offset) as usize).clamp(at, length);
        let found = memchr(b'\n', &window.bytes[from..]).map(|p| from + p);
        self.line_to = window.offset + found.unwrap_or(length) as u64;
        found.or(window.at_end.then_some(length))
    }

    /// Where the object ends that stands before the next record of a list: at the `}` of `},{"key"`, for a known
    /// key.
    ///
    /// Each byte is looked at once, however many broken records stand before it.
    fn next_record(&mut self, window: Window<'_>, from: usize, end: usize) -> Option<usize> {
        /// What may be seen in part at the window's end.
        const KEPT: usize = 96;
        let line = &window.bytes[..end];
        let mut at = (self.resume_to.saturating_sub(window.offset) as usize).clamp(from, end.max(from));
        while let Some(brace) = line.get(at..).and_then(|rest| memchr(b'}', rest)).map(|p| at + p) {
            if begins_record(line, brace + 1) {
                self.resume_to = window.offset + brace as u64;
                return Some(brace + 1);
            }
            at = brace + 1;
        }
        self.resume_to = window.offset + end.saturating_sub(KEPT).max(from) as u64;
        None
    }
}

/// Whether a comma stands here, and behind it an object whose first key is known.
fn begins_record(line: &[u8], at: usize) -> bool {
    let comma = skip_blank(line, at);
    let key = || first_key(line, skip_blank(line, comma + 1));
    line.get(comma) == Some(&b',') && key().is_some_and(|key| Keys::get().find(key).is_some())
}
