//! The row form: one record of a stage as text.
//!
//! ```text
//! stage          1 byte
//! time           1 byte: 0 if there is none, then 10 of seven bits each, the highest first, so that texts sort as times do
//! joined by      1 byte: 1 if by the message id
//! message id     a text
//! members        all others in the stage's order: see `write`
//! ```
//!
//! It says all that a message keeps of a record. So two records are the same one if their texts are, and the order of the
//! texts is an order of the records, by stage and time first. All of it is UTF-8, so that what lies in a partition is
//! checked once and not each text of it: bytes that are no text are written as `byte` does.

use std::borrow::Cow;

use bumpalo::Bump;
use mimelake_parse::{Value, Verdict, Verdicts};
use mimelake_schema::{Field, Kind};

use crate::stage::Stage;

/// How many bytes a time takes.
const TIME: usize = 10;
/// The bytes before the message id.
const HEAD: usize = TIME + 3;

/// Appends the record of these members, which are those of the stage; there may be more behind them.
pub fn write(stage: Stage, members: &[Value<'_>], by_message_id: bool, out: &mut String) {
    // So much without texts, at most.
    out.reserve(HEAD + 32 * members.len());
    byte(stage as u8, out);
    let micros = if let Some(Value::Time(micros)) = members.first() { Some(*micros) } else { None };
    byte(micros.is_some().into(), out);
    write_time(micros.unwrap_or_default(), out);
    byte(by_message_id.into(), out);
    let message_id = stage.place(Field::MessageId).map_or(Value::Null, |place| members[place]);
    write_text(message_id.text(), out);
    for (kind, value) in stage.kinds().iter().zip(members) {
        if let Some(kind) = kind {
            write_value(*kind, value, out);
        }
    }
}

/// The first bytes that are written as two, each for a half of those that are left.
const TWO: [u8; 2] = [0x7E, 0x7F];
/// Where the second half begins.
const HALF: u8 = 0xBE;

/// Appends a byte that is no text as one or two ASCII characters, which sort as the byte does.
#[inline]
fn byte(byte: u8, out: &mut String) {
    if byte < TWO[0] {
        out.push(char::from(byte));
    } else {
        two(byte, out);
    }
}

// Apart, for nearly all are one character.
#[inline(never)]
fn two(byte: u8, out: &mut String) {
    let (first, second) = if byte < HALF { (TWO[0], byte - TWO[0]) } else { (TWO[1], byte - HALF) };
    out.push(char::from(first));
    out.push(char::from(second));
}

fn write_time(micros: i64, out: &mut String) {
    let micros = micros as u64 ^ 1 << 63;
    let bits: [u8; TIME] = std::array::from_fn(|place| (micros >> (7 * (TIME - 1 - place))) as u8 & 0x7F);
    out.push_str(std::str::from_utf8(&bits).unwrap_or_default());
}

fn write_value(kind: Kind, value: &Value<'_>, out: &mut String) {
    match (kind, value) {
        (Kind::Int, Value::Int(number)) => {
            byte(1, out);
            number.to_le_bytes().into_iter().for_each(|of_number| byte(of_number, out));
        }
        (Kind::Bool | Kind::Hit, Value::Bool(bit)) => byte(1 + u8::from(*bit), out),
        (Kind::Verdicts, Value::Verdicts(verdicts)) => write_verdicts(verdicts, out),
        (Kind::FileNames, Value::List(list)) => {
            length(list.len() + 1, out);
            list.iter().for_each(|text| write_text(Some(text), out));
        }
        (Kind::Text | Kind::Word, Value::Text(text)) => write_text(Some(text), out),
        _ => byte(0, out),
    }
}

pub(crate) fn write_text(text: Option<&str>, out: &mut String) {
    match text {
        Some(text) => {
            length(text.len() + 1, out);
            out.push_str(text);
        }
        None => byte(0, out),
    }
}

fn write_verdicts(verdicts: &Verdicts<'_>, out: &mut String) {
    byte(1, out);
    byte(option(verdicts.grey_email), out);
    for verdict in verdicts.each {
        match verdict {
            None => byte(u8::MAX, out),
            Some(Verdict { allow, info }) => {
                byte(option(allow), out);
                write_text(info, out);
            }
        }
    }
}

fn option(bit: Option<bool>) -> u8 {
    bit.map_or(0, |bit| 1 + u8::from(bit))
}

/// Appends a length, seven bits a byte, the lowest first; the highest bit says that more follow.
#[inline]
pub(crate) fn length(mut length: usize, out: &mut String) {
    while length > 0x7F {
        byte(length as u8 | 0x80, out);
        length >>= 7;
    }
    byte(length as u8, out);
}

/// A record's text while it is read. What ends early reads as nothing: the text is our own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn ascii(&mut self) -> u8 {
        let ascii = self.text.as_bytes().get(self.at).copied().unwrap_or_default();
        self.at += 1;
        ascii
    }

    /// The next byte that is no text.
    #[inline]
    pub(crate) fn byte(&mut self) -> u8 {
        let first = self.ascii();
        if first < TWO[0] { first } else { self.second(first) }
    }

    #[inline(never)]
    fn second(&mut self, first: u8) -> u8 {
        let from = if first == TWO[0] { TWO[0] } else { HALF };
        from.wrapping_add(self.ascii())
    }

    /// The next so many bytes of text.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &'a str {
        let from = self.at;
        self.at = from.saturating_add(count).min(self.text.len());
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// A length, seven bits a byte.
    #[inline]
    pub(crate) fn length(&mut self) -> usize {
        let first = self.byte();
        if first & 0x80 == 0 { first.into() } else { self.long_length(first) }
    }

    #[inline(never)]
    fn long_length(&mut self, first: u8) -> usize {
        let (mut length, mut shift) = (usize::from(first & 0x7F), 7);
        loop {
            let byte = self.byte();
            length |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 || shift > 56 {
                return length;
            }
        }
    }

    /// A text, if there is one.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.length().checked_sub(1)?;
        Some(self.take(length))
    }

    fn option(&mut self) -> Option<bool> {
        bit(self.byte())
    }

    fn value(&mut self, kind: Kind, bump: &'a Bump) -> Value<'a> {
        match kind {
            Kind::Int => match self.byte() {
                0 => Value::Null,
                _ => Value::Int(i64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            },
            Kind::Bool | Kind::Hit => self.option().map_or(Value::Null, Value::Bool),
            Kind::Verdicts => match self.byte() {
                0 => Value::Null,
                _ => Value::Verdicts(bump.alloc(self.verdicts())),
            },
            Kind::FileNames => match self.length() {
                0 => Value::Null,
                count => {
                    let texts = (1..count).map(|_| self.text().unwrap_or_default());
                    Value::List(bump.alloc_slice_fill_iter(texts.collect::<Vec<_>>()))
                }
            },
            _ => self.text().map_or(Value::Null, Value::Text),
        }
    }

    fn verdicts(&mut self) -> Verdicts<'a> {
        let mut verdicts = Verdicts { grey_email: self.option(), ..Verdicts::default() };
        for verdict in &mut verdicts.each {
            let first = self.byte();
            *verdict = (first != u8::MAX).then(|| Verdict { allow: bit(first), info: self.text() });
        }
        verdicts
    }
}

fn bit(byte: u8) -> Option<bool> {
    (byte > 0).then_some(byte > 1)
}

/// A record that was read back.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What it tells of.
    pub stage: Stage,
    /// The members of the stage.
    pub members: &'a [Value<'a>],
}

impl<'a> Record<'a> {
    /// Reads a record.
    pub fn read(text: &'a str, bump: &'a Bump) -> Self {
        let stage = stage(text);
        let by_message_id = text.as_bytes().get(HEAD - 1) == Some(&1);
        let mut rest = Reader { text, at: HEAD };
        let time = time(text).map_or(Value::Null, Value::Time);
        let message_id = rest.text().map_or(Value::Null, Value::Text);
        let (fields, kinds) = (stage.members(), stage.kinds());
        let members = bump.alloc_slice_fill_with(fields.len(), |place| match (kinds[place], fields[place]) {
            (Some(kind), _) => rest.value(kind, bump),
            (_, Field::Timestamp) => time,
            (_, Field::MessageId) => message_id,
            _ if by_message_id => Value::Text("message_id"),
            _ => Value::Null,
        });
        Self { stage, members }
    }

    /// A member's value; null if the stage does not have it.
    pub fn get(&self, member: Field) -> Value<'a> {
        self.stage.place(member).map_or(Value::Null, |place| self.members[place])
    }

    /// A member's text, if it says something.
    pub fn text(&self, member: Field) -> Option<&'a str> {
        self.get(member).text().filter(|text| !text.is_empty())
    }

    /// The recipients that it speaks of; those that stay together are joined by a comma and a blank, which no address
    /// has.
    pub fn recipients(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        // To split is dear, and nearly all are one.
        let (one, several) = match self.text(Field::Recipient) {
            Some(text) if text.as_bytes().contains(&b',') => (None, Some(text)),
            one => (one, None),
        };
        one.into_iter().chain(several.into_iter().flat_map(|text| text.split(", ")))
    }

    /// The same in lower case, for they are the same in any case of letters.
    pub fn recipients_folded(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        self.recipients().map(fold_case)
    }

    /// When it was written, in microseconds since 1970.
    pub fn time(&self) -> Option<i64> {
        if let Some(Value::Time(micros)) = self.members.first() { Some(*micros) } else { None }
    }
}

/// A text in lower case; most are already.
pub(crate) fn fold_case(text: &str) -> Cow<'_, str> {
    // Without an end before the last byte many are looked at at once.
    let is_lower = |byte: u8| byte.is_ascii() & !byte.is_ascii_uppercase();
    if text.bytes().fold(true, |all, byte| all & is_lower(byte)) {
        text.into()
    } else {
        text.to_lowercase().into()
    }
}

/// The stage of a record's text.
pub fn stage(record: &str) -> Stage {
    let number = record.as_bytes().first().copied().unwrap_or_default();
    Stage::ALL.get(usize::from(number)).copied().unwrap_or(Stage::Detection)
}

/// The time of a record's text.
pub fn time(record: &str) -> Option<i64> {
    let [1, time @ ..] = record.as_bytes().get(1..TIME + 2)? else { return None };
    let micros = time.iter().fold(0, |micros: u64, bits| micros << 7 | u64::from(*bits));
    Some((micros ^ 1 << 63) as i64)
}

/// The message id of a record's text, bare; none if it says none.
pub fn message_id(record: &str) -> Option<&str> {
    Some(crate::key::bare_message_id(said_id(record))).filter(|id| !id.is_empty())
}

fn said_id(record: &str) -> &str {
    Reader { text: record, at: HEAD }.text().unwrap_or_default()
}

/// Whether the message id of a record's text is said to its end.
pub fn has_whole_id(record: &str) -> bool {
    said_id(record).trim_ascii_end().ends_with('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_that_sorts_as_they_do() {
        let written = |bytes: &[u8]| {
            let mut out = String::new();
            for number in bytes {
                byte(*number, &mut out);
            }
            out
        };
        for number in 0..=u8::MAX {
            let text = written(&[number]);
            assert_eq!(Reader::new(&text).byte(), number);
            assert!(text.is_ascii() && number.checked_sub(1).is_none_or(|less| written(&[less]) < text));
        }
        for at in [0, 1, 0x7D, 0x7E, 0x7F, 0x80, 300, 1 << 14, usize::MAX >> 8] {
            let mut text = String::new();
            length(at, &mut text);
            assert_eq!(Reader::new(&text).length(), at);
        }
    }

    #[test]
    fn times_sort() {
        let times = [i64::MIN, -1, 0, 1, 1_772_000_000_000_000, i64::MAX];
        let texts = times.map(|time| {
            let mut text = String::new();
            let mut members = vec![Value::Null; Stage::Delivery.members().len()];
            members[0] = Value::Time(time);
            write(Stage::Delivery, &members, false, &mut text);
            text
        });
        assert!(texts.is_sorted());
        assert_eq!(texts.map(|text| time(&text)), times.map(Some));
    }
}
