//! From the pairs of a record to its event: the type, the columns, the rest.

use std::collections::HashSet;

use bumpalo::{Bump, collections::Vec as BumpVec};
use mimelake_schema::{Dialect, EventType, Field, Keys, Kind};

use crate::shape::{Route, Shape, Shapes};
use crate::typed::{audit, lists, scalar, spam, time};
use crate::{Account, Event, ExtraPair, Flag, Flags, Form, Pair, Value, json};

/// Up to so many unknown keys of a record are compared one by one to find a double.
const FEW: usize = 16;

/// Builds events, of one source after the other.
#[derive(Debug)]
pub(crate) struct Builder {
    keys: &'static Keys,
    /// The type that the source's name speaks for.
    named: Option<EventType>,
    shapes: Shapes,
    /// The last type that an API 2.0 object stated, as spelled and as found.
    stated: (String, Option<EventType>),
    scans: spam::Scans,
    times: time::Times,
}

/// One record that is split into pairs.
pub(crate) struct Split<'a, 'p> {
    pub(crate) text: &'a str,
    pub(crate) pairs: &'p mut [Pair],
    pub(crate) is_json: bool,
    pub(crate) offset: u64,
    pub(crate) flags: Flags,
}

impl Builder {
    pub(crate) fn new(source: &str) -> Self {
        let mut builder = Self {
            keys: Keys::get(),
            named: None,
            shapes: Shapes::default(),
            stated: (String::new(), None),
            scans: spam::Scans::default(),
            times: time::Times::default(),
        };
        builder.turn_to(source);
        builder
    }

    /// Goes on with the events of another source. What is remembered holds for any.
    pub(crate) fn turn_to(&mut self, source: &str) {
        self.named = EventType::from_file_name(source.rsplit('!').next().unwrap_or(source));
    }

    /// The event of one record of this source.
    pub(crate) fn build<'a>(
        &mut self,
        mut record: Split<'a, '_>,
        source: &'a str,
        bump: &'a Bump,
        account: &mut Account,
    ) -> Event<'a> {
        let mut flags = record.flags;
        if record.is_json {
            self.look_up(&mut record, bump);
        }
        let shape = self.shapes.of(self.keys, record.pairs, record.is_json);
        if shape.has_double {
            flags.raise(Flag::DuplicateKey);
        }
        let dialect = shape.dialect;
        let told = match stated(&mut self.stated, self.keys, &record, shape, bump) {
            Some(stated) => Some(stated.unwrap_or(EventType::Unknown)),
            None => shape.told,
        };
        let event_type = match (told, self.named) {
            (Some(told), Some(named)) if told != named && told != EventType::Unknown => {
                flags.raise(Flag::TypeMismatch);
                told
            }
            (Some(told), _) => told,
            (None, named) => named.unwrap_or(EventType::Unknown),
        };
        let columns = event_type.columns();
        let mut row = Row {
            text: record.text,
            bump,
            values: bump.alloc_slice_fill_copy(columns.len(), Value::Null),
            extra: BumpVec::new_in(bump),
            flags,
            dialect,
            scans: &mut self.scans,
            times: &mut self.times,
        };
        for (pair, goes) in record.pairs.iter().zip(shape.routes(self.keys, event_type)) {
            match *goes {
                Route::Column(place, kind) => row.fill(usize::from(place), kind, pair),
                Route::Extra => _ = row.keep(pair),
                Route::Unknown => account.unknown_key(row.keep(pair)),
            }
        }
        row.derive(event_type);
        if row.extra.len() > 1 {
            row.flag_doubles();
        }
        let flags = row.flags;
        let tail = columns.len() - TAIL.len();
        row.values[tail..].copy_from_slice(&[
            Value::Text(dialect.name()),
            Value::Text(source),
            Value::Int(record.offset as i64),
            Value::List(if flags.is_empty() { &[] } else { bump.alloc_slice_fill_iter(names(flags)) }),
            Value::Pairs(row.extra.into_bump_slice()),
        ]);
        Event { event_type, dialect, flags, values: row.values, text: record.text, offset: record.offset }
    }

    /// Looks up the keys of JSON members.
    fn look_up(&self, record: &mut Split<'_, '_>, bump: &Bump) {
        for pair in &mut *record.pairs {
            let name = pair.key.of_text(record.text);
            let name = if pair.key_escaped { json::unescape(name, bump).0 } else { name };
            pair.known = self.keys.find(name.as_bytes());
        }
    }
}

/// The type that an API 2.0 object states; an inner none if it is a new one. `last` is the one stated last, as spelled
/// and as found.
fn stated(
    last: &mut (String, Option<EventType>),
    keys: &Keys,
    record: &Split<'_, '_>,
    shape: &Shape,
    bump: &Bump,
) -> Option<Option<EventType>> {
    if !shape.states_type {
        return None;
    }
    let states = |pair: &&Pair| pair.known.is_some_and(|key| keys.states_type().has(key));
    let pair = record.pairs.iter().find(states)?;
    let spelled = value_text(record.text, pair, bump)?;
    if last.0 != spelled {
        *last = (spelled.to_owned(), EventType::from_json2(spelled));
    }
    Some(last.1)
}

/// The columns that every table ends in; [`Builder::build`] fills them in this order.
const TAIL: [Field; 5] = [Field::Dialect, Field::SourceFile, Field::SourceOffset, Field::Flags, Field::Extra];

fn names(flags: Flags) -> impl ExactSizeIterator<Item = &'static str> {
    flags.iter().map(Flag::name).collect::<Vec<_>>().into_iter()
}

/// The text of a value, escapes undone; none if it is null.
fn value_text<'a>(text: &'a str, pair: &Pair, bump: &'a Bump) -> Option<&'a str> {
    let raw = pair.value.of_text(text);
    match pair.form {
        Form::Null => None,
        Form::Bare if raw.is_empty() || raw == "null" => None,
        Form::Escaped => Some(json::unescape(raw, bump).0),
        _ => Some(raw),
    }
}

/// The row that is being filled.
struct Row<'a, 'i> {
    text: &'a str,
    bump: &'a Bump,
    values: &'a mut [Value<'a>],
    extra: BumpVec<'a, ExtraPair<'a>>,
    flags: Flags,
    dialect: Dialect,
    scans: &'i mut spam::Scans,
    times: &'i mut time::Times,
}

impl<'a> Row<'a, '_> {
    /// Puts the pair's value into its column, or into `extra` if the column's type does not take it.
    #[inline]
    fn fill(&mut self, place: usize, kind: Kind, pair: &Pair) {
        let raw = pair.value.of_text(self.text);
        let text = match pair.form {
            Form::Null => return,
            Form::Bare if raw.is_empty() || raw == "null" => return,
            Form::Escaped => {
                let (text, replaced) = json::unescape(raw, self.bump);
                if replaced {
                    self.flags.raise(Flag::InvalidUtf8);
                }
                text
            }
            _ => raw,
        };
        if matches!(kind, Kind::Text) && self.dialect != Dialect::Json2 {
            self.values[place] = Value::Text(text);
            return;
        }
        match self.typed(kind, text, pair.form) {
            Some(value) => self.values[place] = value,
            None => {
                self.flags.raise(Flag::BadValue);
                self.keep(pair);
            }
        }
    }

    /// The value of a text by its column's kind; none if the kind does not take it.
    #[inline]
    fn typed(&mut self, kind: Kind, text: &'a str, form: Form) -> Option<Value<'a>> {
        // API 2.0 writes every scalar as text, and so writes nothing as "null", and as "" where text has no place.
        let nothing = |text: &str| matches!(form, Form::Text | Form::Escaped) && matches!(text, "" | "null");
        if self.dialect == Dialect::Json2 && text == "null" {
            return Some(Value::Null);
        }
        Some(match kind {
            Kind::Text => Value::Text(text),
            Kind::Addresses | Kind::FileNames if lists::is_too_long(text) => return None,
            Kind::Word => Value::Text(scalar::word(text, self.bump)),
            Kind::Addresses => Value::List(lists::addresses(text, self.bump)),
            Kind::FileNames => Value::List(lists::file_names(text, self.bump)),
            _ if nothing(text) => Value::Null,
            Kind::Int => Value::Int(scalar::int(text)?),
            Kind::Bool => Value::Bool(scalar::boolean(text)?),
            Kind::Hit => Value::Bool(scalar::hit(text)?),
            Kind::Time => self.time(text, form)?,
            Kind::Json => self.scans.decoded(text, self.bump)?.map_or(Value::Null, Value::Text),
            Kind::Verdicts | Kind::Flags | Kind::Pairs | Kind::Words | Kind::Struct(_) | Kind::Structs(_) => {
                return None;
            }
        })
    }

    fn time(&mut self, text: &str, form: Form) -> Option<Value<'a>> {
        let is_millis = self.dialect == Dialect::Json2 && matches!(form, Form::Literal | Form::Text);
        let millis = || if is_millis { scalar::int(text) } else { None };
        let moment = self.times.parse(text).or_else(|| time::from_millis(millis()?))?;
        if !moment.has_offset {
            self.flags.raise(Flag::NoOffset);
        }
        Some(Value::Time(moment.micros))
    }

    /// Puts the pair into `extra`; its key comes back.
    fn keep(&mut self, pair: &Pair) -> &'a str {
        let raw = pair.key.of_text(self.text);
        let key = if pair.key_escaped { json::unescape(raw, self.bump).0 } else { raw };
        self.extra.push(ExtraPair { key, value: value_text(self.text, pair, self.bump) });
        key
    }

    /// Fills the columns that are made from others.
    fn derive(&mut self, event_type: EventType) {
        match event_type {
            EventType::Receipt => {
                let from = self.value(event_type, Field::SpamDetailJson).text();
                if let Some(found) = from.and_then(|text| self.scans.verdicts(text, self.bump)) {
                    self.put(event_type, Field::SpamDetail, Value::Verdicts(found));
                }
            }
            EventType::Audit => {
                let Some(info) = self.value(event_type, Field::EventInfo).text() else { return };
                for (field, label) in [
                    (Field::ClientIp, "IP:"),
                    (Field::Application, "Application:"),
                    (Field::Method, "Method:"),
                ] {
                    if let Some(found) = audit::labelled(info, label) {
                        self.put(event_type, field, Value::Text(found));
                    }
                }
            }
            _ => {}
        }
    }

    fn value(&self, event_type: EventType, field: Field) -> Value<'a> {
        event_type.position(field).map_or(Value::Null, |place| self.values[place])
    }

    fn put(&mut self, event_type: EventType, field: Field, value: Value<'a>) {
        if let Some(place) = event_type.position(field) {
            self.values[place] = value;
        }
    }

    /// Flags the record if an unknown key stands in it twice.
    fn flag_doubles(&mut self) {
        let keys = || self.extra.iter().map(|pair| pair.key);
        let double = if self.extra.len() <= FEW {
            keys().enumerate().any(|(at, key)| keys().take(at).any(|other| other == key))
        } else {
            let mut seen = HashSet::new();
            !keys().all(|key| seen.insert(key))
        };
        if double {
            self.flags.raise(Flag::DuplicateKey);
        }
    }
}
