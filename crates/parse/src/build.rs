//! From the pairs of a record to its event: the type, the columns, the rest.

use std::collections::HashSet;

use bumpalo::{Bump, collections::Vec as BumpVec};
use mimelake_schema::{Dialect, EventType, Field, KeySet, Keys, Kind};

use crate::typed::{audit, lists, scalar, spam, time};
use crate::{Account, Event, ExtraPair, Flag, Flags, Form, Pair, Value, json};

/// Up to so many unknown keys of a record are compared one by one to find a double.
const FEW: usize = 16;

/// Builds events; one for each source that is read.
#[derive(Debug)]
pub(crate) struct Builder {
    keys: &'static Keys,
    source: String,
    /// The type that the source's name speaks for.
    named: Option<EventType>,
    /// The last set of keys that told a type, and the type: the next record has the same most often.
    told: (KeySet, Option<EventType>),
    /// The last type that an API 2.0 object stated, as spelled and as found.
    stated: (String, Option<EventType>),
    /// Members of JSON inside a value.
    inner: Vec<Pair>,
}

/// One record that is split into pairs.
pub(crate) struct Split<'a> {
    pub(crate) text: &'a str,
    pub(crate) pairs: &'a mut [Pair],
    pub(crate) is_json: bool,
    pub(crate) offset: u64,
    pub(crate) flags: Flags,
}

impl Builder {
    pub(crate) fn new(source: &str) -> Self {
        let told = (KeySet::default(), None);
        let named = EventType::from_file_name(source.rsplit('!').next().unwrap_or(source));
        let stated = (String::new(), None);
        Self { keys: Keys::get(), source: source.to_owned(), named, told, stated, inner: Vec::new() }
    }

    /// The event of one record.
    pub(crate) fn build<'a>(
        &'a mut self,
        mut record: Split<'a>,
        bump: &'a Bump,
        account: &mut Account,
    ) -> Event<'a> {
        let mut flags = record.flags;
        let set = self.key_set(&mut record, &mut flags, bump);
        let dialect = match record.is_json {
            false => Dialect::Kv,
            true if set.meets(self.keys.only_json2()) => Dialect::Json2,
            true => Dialect::Json1,
        };
        let event_type = self.event_type(&record, set, dialect, &mut flags, bump);
        let columns = event_type.columns();
        let mut row = Row {
            text: record.text,
            bump,
            values: bump.alloc_slice_fill_copy(columns.len(), Value::Null),
            taken: 0,
            extra: BumpVec::new_in(bump),
            flags,
            dialect,
            inner: &mut self.inner,
        };
        let map = self.keys.columns(event_type, dialect);
        for pair in &*record.pairs {
            match pair.known.and_then(|key| map.column(key)) {
                Some(place) if row.taken & (1 << place) == 0 => {
                    row.fill(place, columns[place].row().kind, *pair);
                }
                Some(_) => _ = row.keep(*pair),
                None => {
                    let key = row.keep(*pair);
                    if pair.known.is_none_or(|key| !self.keys.is_expected(key)) {
                        account.unknown_key(key);
                    }
                }
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
            Value::Text(&self.source),
            Value::Int(record.offset as i64),
            Value::List(if flags.is_empty() { &[] } else { bump.alloc_slice_fill_iter(names(flags)) }),
            Value::Pairs(row.extra.into_bump_slice()),
        ]);
        Event { event_type, dialect, flags, values: row.values, text: record.text, offset: record.offset }
    }

    /// The known keys of the record, those of JSON being looked up; flags one that stands in it twice.
    fn key_set(&mut self, record: &mut Split<'_>, flags: &mut Flags, bump: &Bump) -> KeySet {
        if record.is_json {
            for pair in &mut *record.pairs {
                let name = pair.key.of_text(record.text);
                let name = if pair.key_escaped { json::unescape(name, bump).0 } else { name };
                pair.known = self.keys.find(name.as_bytes());
            }
        }
        let mut set = KeySet::default();
        for pair in &*record.pairs {
            if pair.known.is_some_and(|key| !set.insert(key)) {
                flags.raise(Flag::DuplicateKey);
            }
        }
        set
    }

    /// The event type that the keys tell; the source's name settles what they leave open.
    fn event_type(
        &mut self,
        record: &Split<'_>,
        set: KeySet,
        dialect: Dialect,
        flags: &mut Flags,
        bump: &Bump,
    ) -> EventType {
        let told = match self.stated(record, set, dialect, bump) {
            Some(stated) => Some(stated.unwrap_or(EventType::Unknown)),
            None => self.told(set),
        };
        match (told, self.named) {
            (Some(told), Some(named)) if told != named && told != EventType::Unknown => {
                flags.raise(Flag::TypeMismatch);
                told
            }
            (Some(told), _) => told,
            (None, named) => named.unwrap_or(EventType::Unknown),
        }
    }

    /// The type that an API 2.0 object states; an inner none if it is a new one.
    fn stated(
        &mut self,
        record: &Split<'_>,
        set: KeySet,
        dialect: Dialect,
        bump: &Bump,
    ) -> Option<Option<EventType>> {
        if dialect != Dialect::Json2 || !set.meets(self.keys.states_type()) {
            return None;
        }
        let states = |pair: &&Pair| pair.known.is_some_and(|key| self.keys.states_type().has(key));
        let pair = record.pairs.iter().find(states)?;
        let spelled = value_text(record.text, *pair, bump)?;
        if self.stated.0 != spelled {
            self.stated = (spelled.to_owned(), EventType::from_json2(spelled));
        }
        Some(self.stated.1)
    }

    fn told(&mut self, set: KeySet) -> Option<EventType> {
        if self.told.0 != set {
            self.told = (set, self.keys.event_type(set));
        }
        self.told.1
    }
}

/// The columns that every table ends in; [`Builder::build`] fills them in this order.
const TAIL: [Field; 5] = [Field::Dialect, Field::SourceFile, Field::SourceOffset, Field::Flags, Field::Extra];

fn names(flags: Flags) -> impl ExactSizeIterator<Item = &'static str> {
    flags.iter().map(Flag::name).collect::<Vec<_>>().into_iter()
}

/// The text of a value, escapes undone; none if it is null.
fn value_text<'a>(text: &'a str, pair: Pair, bump: &'a Bump) -> Option<&'a str> {
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
    /// One bit for each column that a pair has filled, with null too.
    taken: u64,
    extra: BumpVec<'a, ExtraPair<'a>>,
    flags: Flags,
    dialect: Dialect,
    inner: &'i mut Vec<Pair>,
}

impl<'a> Row<'a, '_> {
    /// Puts the pair's value into its column, or into `extra` if the column's type does not take it.
    #[inline]
    fn fill(&mut self, place: usize, kind: Kind, pair: Pair) {
        self.taken |= 1 << place;
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
        Some(match kind {
            _ if self.dialect == Dialect::Json2 && text == "null" => Value::Null,
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
            Kind::Json => spam::decoded(text, self.bump)?.map_or(Value::Null, Value::Text),
            Kind::Verdicts | Kind::Flags | Kind::Pairs | Kind::Words | Kind::Struct(_) | Kind::Structs(_) => {
                return None;
            }
        })
    }

    fn time(&mut self, text: &str, form: Form) -> Option<Value<'a>> {
        let is_millis = self.dialect == Dialect::Json2 && matches!(form, Form::Literal | Form::Text);
        let millis = || if is_millis { scalar::int(text) } else { None };
        let moment = time::parse(text).or_else(|| time::from_millis(millis()?))?;
        if !moment.has_offset {
            self.flags.raise(Flag::NoOffset);
        }
        Some(Value::Time(moment.micros))
    }

    /// Puts the pair into `extra`; its key comes back.
    fn keep(&mut self, pair: Pair) -> &'a str {
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
                if let Some(found) = from.and_then(|text| spam::verdicts(text, self.inner, self.bump)) {
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
