//! The row form: one record of a stage as bytes.
//!
//! ```text
//! stage          1 byte
//! time           1 byte: 0 if there is none, then 8 bytes, the highest first, so that bytes sort as times do
//! joined by      1 byte: 1 if by the message id
//! message id     a text
//! members        all others in the stage's order: see `write`
//! ```
//!
//! The bytes say all that a message keeps of a record. So two records are the same one if their bytes are, and the
//! order of the bytes is an order of the records, by stage and time first.

use std::borrow::Cow;

use bumpalo::Bump;
use mimelake_parse::{Value, Verdict, Verdicts};
use mimelake_schema::{Field, Kind};

use crate::stage::Stage;

/// The bytes before the members.
const HEAD: usize = 11;

/// Appends the record of these members, which are those of the stage.
pub fn write(stage: Stage, members: &[Value<'_>], by_message_id: bool, out: &mut Vec<u8>) {
    out.push(stage as u8);
    let micros = if let Some(Value::Time(micros)) = members.first() { Some(*micros) } else { None };
    out.push(u8::from(micros.is_some()));
    out.extend_from_slice(&(micros.unwrap_or_default() as u64 ^ 1 << 63).to_be_bytes());
    out.push(u8::from(by_message_id));
    let message_id = stage.place(Field::MessageId).map_or(Value::Null, |place| members[place]);
    write_text(message_id.text(), out);
    for (field, value) in stage.members().iter().zip(members).skip(1) {
        if !matches!(field, Field::JoinedBy | Field::MessageId) {
            write_value(field.row().kind, value, out);
        }
    }
}

fn write_value(kind: Kind, value: &Value<'_>, out: &mut Vec<u8>) {
    match (kind, value) {
        (Kind::Int, Value::Int(number)) => {
            out.push(1);
            out.extend_from_slice(&number.to_le_bytes());
        }
        (Kind::Bool | Kind::Hit, Value::Bool(bit)) => out.push(1 + u8::from(*bit)),
        (Kind::Verdicts, Value::Verdicts(verdicts)) => write_verdicts(verdicts, out),
        (Kind::FileNames, Value::List(list)) => {
            length(list.len() + 1, out);
            list.iter().for_each(|text| write_text(Some(text), out));
        }
        (Kind::Text | Kind::Word, Value::Text(text)) => write_text(Some(text), out),
        _ => out.push(0),
    }
}

fn write_text(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => {
            length(text.len() + 1, out);
            out.extend_from_slice(text.as_bytes());
        }
        None => out.push(0),
    }
}

fn write_verdicts(verdicts: &Verdicts<'_>, out: &mut Vec<u8>) {
    out.push(1);
    out.push(option(verdicts.grey_email));
    for verdict in verdicts.each {
        match verdict {
            None => out.push(u8::MAX),
            Some(Verdict { allow, info }) => {
                out.push(option(allow));
                write_text(info, out);
            }
        }
    }
}

fn option(bit: Option<bool>) -> u8 {
    bit.map_or(0, |bit| 1 + u8::from(bit))
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
pub(crate) fn length(mut length: usize, out: &mut Vec<u8>) {
    while length > 0x7F {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

/// A record's bytes while they are read. What ends early reads as nothing: the bytes are our own.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// The next so many bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length, seven bits a byte.
    pub fn length(&mut self) -> usize {
        let (mut length, mut shift) = (0, 0);
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
    pub fn text(&mut self) -> Option<&'a str> {
        Some(std::str::from_utf8(self.text_bytes()?).unwrap_or_default())
    }

    /// A text's bytes, if there is one.
    fn text_bytes(&mut self) -> Option<&'a [u8]> {
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
                _ => Value::Int(i64::from_le_bytes(self.take(8).try_into().unwrap_or_default())),
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
    pub fn read(bytes: &'a [u8], bump: &'a Bump) -> Self {
        let stage = stage(bytes);
        let by_message_id = bytes.get(HEAD - 1) == Some(&1);
        let mut rest = Bytes(bytes.get(HEAD..).unwrap_or_default());
        let time = time(bytes).map_or(Value::Null, Value::Time);
        let message_id = rest.text().map_or(Value::Null, Value::Text);
        let members = bump.alloc_slice_fill_iter(stage.members().iter().map(|field| match field {
            Field::Timestamp => time,
            Field::JoinedBy if by_message_id => Value::Text("message_id"),
            Field::JoinedBy => Value::Null,
            Field::MessageId => message_id,
            _ => rest.value(field.row().kind, bump),
        }));
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
        self.text(Field::Recipient).into_iter().flat_map(|text| text.split(", "))
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
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { text.into() } else { text.to_lowercase().into() }
}

/// The stage of a record's bytes.
pub fn stage(bytes: &[u8]) -> Stage {
    let number = bytes.first().copied().unwrap_or_default();
    Stage::ALL.get(usize::from(number)).copied().unwrap_or(Stage::Detection)
}

/// The time of a record's bytes.
pub fn time(bytes: &[u8]) -> Option<i64> {
    let time = bytes.get(1..10)?;
    let micros = u64::from_be_bytes(time[1..].try_into().ok()?) ^ 1 << 63;
    (time[0] == 1).then_some(micros as i64)
}

/// The message id of a record's bytes, bare; none if it says none.
pub fn message_id(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(message_id_bytes(bytes)).ok().filter(|id| !id.is_empty())
}

/// The bytes of [`message_id`]; empty if it says none.
pub(crate) fn message_id_bytes(bytes: &[u8]) -> &[u8] {
    crate::key::bare_id(said_id(bytes))
}

fn said_id(bytes: &[u8]) -> &[u8] {
    bytes.get(HEAD..).and_then(|rest| Bytes(rest).text_bytes()).unwrap_or_default()
}

/// Whether the message id of a record's bytes is said to its end.
pub fn has_whole_id(bytes: &[u8]) -> bool {
    said_id(bytes).trim_ascii_end().ends_with(b">")
}
