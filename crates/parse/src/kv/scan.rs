//! The scanner that runs: one record into pairs, on memchr.

use memchr::{memchr, memchr2};
use mimelake_schema::{Key, Order};
use wide::u8x32;

use super::{JSON_TRIES, MAX_KEY, MAX_NESTING};
use crate::memo::Memo;
use crate::{Form, MAX_PAIRS, Pair, Reason, Span};

/// Which bytes a key may hold: 1 a letter, 2 a digit or `_`.
const KEY_CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'A'..=b'Z' | b'a'..=b'z' => 1,
            b'0'..=b'9' | b'_' => 2,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// Where the `=` of a key that begins at `start` stands; none if no key begins there.
///
/// ```
/// use mimelake_parse::kv::key_end;
/// assert_eq!(key_end(b"Act=Acc", 0), Some(3));
/// assert_eq!(key_end(b"9x=1", 0), None);
/// ```
#[inline]
pub fn key_end(record: &[u8], start: usize) -> Option<usize> {
    let rest = record.get(start..)?;
    if KEY_CLASS[usize::from(*rest.first()?)] != 1 {
        return None;
    }
    let end = 1 + rest[1..].iter().take(MAX_KEY).position(|&b| KEY_CLASS[usize::from(b)] == 0)?;
    (rest[end] == b'=').then_some(start + end)
}

/// Whether every quote of a record is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// All are.
    Closed,
    /// One is open to the record's end: a value is [`Form::Unterminated`].
    Open,
}

/// Splits records into their pairs; it remembers the keys of the last ones, which the next has most often.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    order: Order,
    /// JSON that is closed where it ends, and holds no `|`.
    whole: Memo<()>,
}

impl Scanner {
    /// Splits one record into its pairs, which replace those in `pairs`; their spans are places in `record`.
    ///
    /// # Errors
    /// [`Reason::NoKey`] if it does not begin with a key and `=`, [`Reason::TooManyPairs`] if it has more than
    /// [`MAX_PAIRS`].
    pub fn scan(&mut self, record: &[u8], pairs: &mut Vec<Pair>) -> Result<Quotes, Reason> {
        pairs.clear();
        let end = record.len() - record.iter().rev().take_while(|&&b| b == b'|').count();
        let record = &record[..end];
        self.order.begin();
        let mut rest = Rest {
            record,
            order: &mut self.order,
            whole: &mut self.whole,
            quotes_close: true,
            quotes: Quotes::Closed,
            json_tries: JSON_TRIES,
        };
        let first = rest.heading(0).ok_or(Reason::NoKey)?;
        rest.pairs(first, pairs)?;
        Ok(rest.quotes)
    }
}

/// What is known of the record so far.
struct Rest<'a> {
    record: &'a [u8],
    order: &'a mut Order,
    whole: &'a mut Memo<()>,
    /// False once a closing `\` was searched for and not found.
    quotes_close: bool,
    quotes: Quotes,
    json_tries: u32,
}

/// A key and where its `=` stands.
struct Heading {
    start: usize,
    equals: usize,
    known: Option<Key>,
}

/// A value, and what the boundary that ends it begins.
struct Found {
    value: Span,
    form: Form,
    next: Option<Heading>,
}

/// Where the first `|` stands.
// Four of five values are shorter than what is looked at here, without a call.
#[inline]
fn bar(text: &[u8]) -> Option<usize> {
    const AT_ONCE: usize = 32;
    let Some((first, rest)) = text.split_first_chunk::<AT_ONCE>() else { return memchr(b'|', text) };
    match u8x32::new(*first).simd_eq(u8x32::splat(b'|')).to_bitmask() {
        0 => memchr(b'|', rest).map(|place| AT_ONCE + place),
        bars => Some(bars.trailing_zeros() as usize),
    }
}

impl Rest<'_> {
    fn pairs(&mut self, first: Heading, pairs: &mut Vec<Pair>) -> Result<(), Reason> {
        let mut heading = first;
        loop {
            let found = self.value(heading.equals + 1);
            pairs.push(Pair {
                key: Span::new(heading.start, heading.equals),
                value: found.value,
                form: found.form,
                key_escaped: false,
                known: heading.known,
            });
            let Some(next) = found.next else { return Ok(()) };
            if pairs.len() == MAX_PAIRS {
                return Err(Reason::TooManyPairs);
            }
            heading = next;
        }
    }

    /// The key that begins at `start`, if one does; the record's next one, then.
    #[inline]
    fn heading(&mut self, start: usize) -> Option<Heading> {
        match self.order.expected(self.record.get(start..)?) {
            Some((key, len)) => Some(Heading { start, equals: start + len, known: Some(key) }),
            None => self.unexpected(start),
        }
    }

    #[inline(never)]
    fn unexpected(&mut self, start: usize) -> Option<Heading> {
        let equals = key_end(self.record, start)?;
        Some(Heading { start, equals, known: self.order.find(&self.record[start..equals]) })
    }

    #[inline]
    fn value(&mut self, start: usize) -> Found {
        let special = match self.record.get(start) {
            Some(b'\\') => Some(self.quoted(start)),
            Some(b'{' | b'[') => self.json(start),
            _ => None,
        };
        special.unwrap_or_else(|| self.up_to_boundary(start, start, Form::Bare))
    }

    /// The value that runs from `start` to the first boundary at or after `from`.
    #[inline]
    fn up_to_boundary(&mut self, start: usize, from: usize, form: Form) -> Found {
        let mut from = from;
        while let Some(bar) = self.record.get(from..).and_then(bar).map(|p| from + p) {
            if let next @ Some(_) = self.heading(bar + 1) {
                return Found { value: Span::new(start, bar), form, next };
            }
            from = bar + 1;
        }
        Found { value: Span::new(start, self.record.len()), form, next: None }
    }

    /// The value whose end is `end`, if a boundary or the record's end stands there.
    #[inline]
    fn ends_at(&mut self, value: Span, form: Form, end: usize) -> Option<Found> {
        if end == self.record.len() {
            return Some(Found { value, form, next: None });
        }
        let next = if self.record[end] == b'|' { self.heading(end + 1)? } else { return None };
        Some(Found { value, form, next: Some(next) })
    }

    fn quoted(&mut self, open: usize) -> Found {
        let mut from = open + 1;
        while self.quotes_close {
            let Some(close) = memchr(b'\\', &self.record[from..]).map(|p| from + p) else {
                self.quotes_close = false;
                break;
            };
            if let Some(found) = self.ends_at(Span::new(open + 1, close), Form::Quoted, close + 1) {
                return found;
            }
            from = close + 1;
        }
        self.quotes = Quotes::Open;
        self.up_to_boundary(open + 1, open + 1, Form::Unterminated)
    }

    fn json(&mut self, start: usize) -> Option<Found> {
        if self.json_tries == 0 {
            return None;
        }
        let found =
            self.balanced_end(start).and_then(|end| self.ends_at(Span::new(start, end), Form::Json, end));
        if found.is_none() {
            self.json_tries -= 1;
        }
        found
    }

    /// As the function of that name, for text that was seen before without reading it.
    fn balanced_end(&mut self, start: usize) -> Option<usize> {
        let rest = &self.record[start..];
        let up_to_bar = &rest[..memchr(b'|', rest).unwrap_or(rest.len())];
        if self.whole.get(up_to_bar).is_some() {
            return Some(start + up_to_bar.len());
        }
        let end = balanced_end(self.record, start)?;
        if end == start + up_to_bar.len() {
            self.whole.put(up_to_bar, ());
        }
        Some(end)
    }
}

/// Where the JSON object or array that opens at `start` is closed, strings and escapes honoured.
pub(crate) fn balanced_end(text: &[u8], start: usize) -> Option<usize> {
    // One bit for each open bracket: 1 for `{`.
    let (mut kinds, mut depth) = (0_u64, 0_u32);
    let mut at = start;
    loop {
        match text.get(at)? {
            open @ (b'{' | b'[') => {
                if depth == MAX_NESTING {
                    return None;
                }
                kinds = kinds << 1 | u64::from(*open == b'{');
                depth += 1;
            }
            close @ (b'}' | b']') => {
                if kinds & 1 != u64::from(*close == b'}') {
                    return None;
                }
                kinds >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => at = string_end(text, at + 1)?,
            _ => {}
        }
        at += 1;
    }
}

/// Where the `"` that closes the string stands whose content begins at `from`.
fn string_end(text: &[u8], from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
    }
}
