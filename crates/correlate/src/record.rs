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
//! texts is an order of the records, by stage and time first. What it is made of: the module `form`.

use std::borrow::Cow;

use bumpalo::Bump;
use mimelake_parse::{Value, Verdict, Verdicts};
use mimelake_schema::{Field, Kind};

use crate::form::{Reader, byte, length, write_text};
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

impl<'a> Reader<'a> {
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
        let mut rest = Reader::new(text, HEAD);
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
    Reader::new(record, HEAD).text().unwrap_or_default()
}

/// Whether the message id of a record's text is said to its end.
pub fn has_whole_id(record: &str) -> bool {
    said_id(record).trim_ascii_end().ends_with('>')
}

#[cfg(test)]
mod tests {
    use super::*;

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
