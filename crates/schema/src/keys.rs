//! Keys of records: which are known, what they tell of the event type, which column they fill.

use std::sync::LazyLock;

use crate::order::Heading;
use crate::{Dialect, EventType, Field, Kind};

/// A known key, whatever its case. Two spellings of the same key are the same `Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub(crate) u8);

/// A set of known keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySet([u64; 4]);

impl KeySet {
    /// Adds a key; false if it was there already.
    #[inline]
    pub fn insert(&mut self, key: Key) -> bool {
        let (part, bit) = (usize::from(key.0 >> 6), 1 << (key.0 & 63));
        let new = self.0[part] & bit == 0;
        self.0[part] |= bit;
        new
    }

    /// Whether all keys of `other` are in this set.
    #[inline]
    pub fn holds(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(mine, theirs)| mine & theirs == theirs)
    }

    /// Whether the key is in this set.
    #[inline]
    pub fn has(self, key: Key) -> bool {
        self.0[usize::from(key.0 >> 6)] & 1 << (key.0 & 63) != 0
    }

    /// Whether any key of `other` is in this set.
    #[inline]
    pub fn meets(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(mine, theirs)| mine & theirs != 0)
    }
}

/// Mimecast misspells `Recipient` in a sample of its own.
///
/// Source: the Impersonation Protect sample line of the Enhanced Logging guide.
const ALIASES: [(&str, &str); 1] = [("Receipient", "Recipient")];
/// Members of API 2.0 objects that state the type.
const STATES_TYPE: [&str; 2] = ["type", "eventType"];
/// Members of API 2.0 objects that no column takes but that are nothing new.
const KNOWN_ONLY: [&str; 4] = ["subtype", "subType", "_offset", "_partition"];
/// Members that only API 2.0 objects have.
const ONLY_JSON2: [&str; 5] = ["aggregateId", "processingId", "accountId", "eventType", "timestamp"];

const SLOTS: usize = 2048;
pub(crate) const NONE: u8 = u8::MAX;
/// The number of keys that a [`KeySet`] can hold.
pub(crate) const MAX_KEYS: usize = 255;

/// Where each key of a record goes: its column's place in the table of one event type.
#[derive(Clone, Debug)]
pub struct ColumnMap([u8; MAX_KEYS]);

impl ColumnMap {
    /// The place of the column that takes this key.
    #[inline]
    pub fn column(&self, key: Key) -> Option<usize> {
        let place = self.0[usize::from(key.0)];
        (place != NONE).then_some(usize::from(place))
    }
}

/// The known keys, indexed for look-up.
#[derive(Debug)]
pub struct Keys {
    names: Vec<&'static str>,
    headings: Vec<Heading>,
    same_as: Vec<u8>,
    seed: u32,
    slots: Box<[u8; SLOTS]>,
    told_by: Vec<(KeySet, EventType)>,
    kv_columns: Vec<ColumnMap>,
    json2_columns: Vec<ColumnMap>,
    states_type: KeySet,
    only_json2: KeySet,
    expected: KeySet,
}

static KEYS: LazyLock<Keys> = LazyLock::new(Keys::build);

impl Keys {
    /// The one index of all known keys.
    pub fn get() -> &'static Self {
        &KEYS
    }

    /// The key with this name, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<Key> {
        let slot = self.slots[slot(name, self.seed)?];
        let known = self.names.get(usize::from(slot))?;
        let is_it = known.as_bytes() == name || known.as_bytes().eq_ignore_ascii_case(name);
        is_it.then(|| Key(self.same_as[usize::from(slot)]))
    }

    /// The name with this number and its `=`.
    #[inline]
    pub(crate) fn heading(&self, number: u8) -> Option<&Heading> {
        self.headings.get(usize::from(number))
    }

    /// The name of a key as the table spells it.
    pub fn name(&self, key: Key) -> &'static str {
        self.names[usize::from(key.0)]
    }

    /// The event type that the keys of an API 1.0 record tell, if they tell one.
    #[inline]
    pub fn event_type(&self, keys: KeySet) -> Option<EventType> {
        self.told_by.iter().find(|(set, _)| keys.holds(*set)).map(|(_, t)| *t)
    }

    /// Where the keys of a record of this type and dialect go.
    #[inline]
    pub fn columns(&self, event_type: EventType, dialect: Dialect) -> &ColumnMap {
        match dialect {
            Dialect::Kv | Dialect::Json1 => &self.kv_columns[event_type as usize],
            Dialect::Json2 => &self.json2_columns[event_type as usize],
        }
    }

    /// The members of an API 2.0 object that state its type.
    pub fn states_type(&self) -> KeySet {
        self.states_type
    }

    /// Whether the key is known though no column takes it.
    pub fn is_expected(&self, key: Key) -> bool {
        self.expected.has(key)
    }

    /// The members that only API 2.0 objects have.
    pub fn only_json2(&self) -> KeySet {
        self.only_json2
    }

    fn build() -> Self {
        let names = names();
        assert!(
            names.len() <= MAX_KEYS,
            "a key set has room for {MAX_KEYS} keys, the tables have {}",
            names.len()
        );
        let place =
            |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name)).map_or(NONE, |p| p as u8);
        let mut same_as: Vec<u8> = (0..names.len() as u8).collect();
        for (alias, name) in ALIASES {
            same_as[usize::from(place(alias))] = place(name);
        }
        let (seed, slots) = perfect_hash(&names);
        let set = |list: &[&str]| {
            let mut set = KeySet::default();
            for name in list {
                set.insert(Key(place(name)));
            }
            set
        };
        let told_by =
            EventType::ALL.iter().flat_map(|t| t.row().told_by.iter().map(|keys| (set(keys), *t))).collect();
        let maps = |passes: &[fn(Field) -> &'static [&'static str]]| {
            EventType::ALL.iter().map(|t| column_map(*t, passes, &place)).collect()
        };
        Self {
            told_by,
            kv_columns: maps(&[|f| f.row().kv]),
            json2_columns: maps(&[|f| f.row().json2, |f| f.row().kv]),
            states_type: set(&STATES_TYPE),
            only_json2: set(&ONLY_JSON2),
            expected: set(&[&STATES_TYPE[..], &KNOWN_ONLY[..]].concat()),
            headings: names.iter().map(|name| Heading::new(name)).collect(),
            names,
            same_as,
            seed,
            slots,
        }
    }
}

/// All spellings of keys, each once but for case.
fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    let rows = Field::ALL.iter().map(|f| f.row());
    let columns = rows.flat_map(|row| row.kv.iter().chain(row.json2));
    let sets = EventType::ALL.iter().flat_map(|t| t.row().told_by.iter().copied().flatten());
    let aliases = ALIASES.iter().map(|(alias, _)| alias);
    for name in columns.chain(sets).chain(aliases).chain(&STATES_TYPE).chain(&KNOWN_ONLY).chain(&ONLY_JSON2) {
        if !names.iter().any(|n| n.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    names
}

/// A key goes to the first column of the type that lists it, pass by pass.
fn column_map(
    event_type: EventType,
    passes: &[fn(Field) -> &'static [&'static str]],
    place: &dyn Fn(&str) -> u8,
) -> ColumnMap {
    let mut map = [NONE; MAX_KEYS];
    for keys_of in passes {
        for (column, &field) in event_type.columns().iter().enumerate() {
            // The struct is made from the text of the JSON column beside it.
            if field.row().kind == Kind::Verdicts {
                continue;
            }
            for key in keys_of(field) {
                let entry = &mut map[usize::from(place(key))];
                if *entry == NONE {
                    *entry = column as u8;
                }
            }
        }
    }
    ColumnMap(map)
}

/// The slot of a name: its length and five of its letters, mixed; none for an empty name.
///
/// Length and letters differ for all names of the table, or no seed would ever be found.
#[inline]
fn slot(name: &[u8], seed: u32) -> Option<usize> {
    let (first, last) = (*name.first()?, *name.last()?);
    let near_last = name[name.len().saturating_sub(2)];
    let (middle, third) = (name[name.len() / 2], name[name.len() / 3]);
    let letters = u32::from_le_bytes([first, middle, near_last, third]) | 0x2020_2020;
    let shape = name.len() as u32 | u32::from(last | 0x20) << 8;
    let mixed = (letters ^ shape.wrapping_mul(0x9E37_79B1)).wrapping_mul(seed);
    Some((mixed >> 21) as usize)
}

/// A seed with which no two names share a slot, and the slots it gives.
fn perfect_hash(names: &[&str]) -> (u32, Box<[u8; SLOTS]>) {
    let seeds =
        std::iter::successors(Some(0x85EB_CA6B_u32), |s| Some(s.wrapping_mul(0x0019_660D).wrapping_add(2)));
    let mut tries = seeds.take(1 << 20).filter_map(|seed| Some((seed, fill_slots(names, seed)?)));
    tries.next().unwrap_or_else(|| unreachable!("two names of the table look the same to `slot`"))
}

fn fill_slots(names: &[&str], seed: u32) -> Option<Box<[u8; SLOTS]>> {
    let mut slots = Box::new([NONE; SLOTS]);
    for (number, name) in names.iter().enumerate() {
        let entry = &mut slots[slot(name.as_bytes(), seed)?];
        if *entry != NONE {
            return None;
        }
        *entry = number as u8;
    }
    Some(slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_name_in_any_case_and_nothing_else() {
        let keys = Keys::get();
        for name in names() {
            let key = keys.find(name.as_bytes()).unwrap();
            assert_eq!(keys.find(name.to_uppercase().as_bytes()), Some(key), "{name}");
            assert_eq!(keys.find(format!("{name}x").as_bytes()), None, "{name}x");
        }
        assert_eq!(keys.find(b""), None);
        assert_eq!(keys.find(b"Foo"), None);
    }

    #[test]
    fn receipient_is_recipient() {
        let keys = Keys::get();
        assert_eq!(keys.find(b"Receipient"), keys.find(b"Recipient"));
    }

    #[test]
    fn a_key_fills_the_column_of_its_type() {
        let cases: [(EventType, Dialect, &str, Field); 9] = [
            (EventType::Receipt, Dialect::Kv, "IP", Field::SourceIp),
            (EventType::Delivery, Dialect::Kv, "IP", Field::DestinationIp),
            (EventType::Delivery, Dialect::Kv, "Route", Field::RouteName),
            (EventType::Delivery, Dialect::Json2, "route", Field::RouteName),
            (EventType::Av, Dialect::Kv, "Route", Field::Direction),
            (EventType::Av, Dialect::Json2, "emailSize", Field::ScannedSize),
            (EventType::Process, Dialect::Json2, "emailSize", Field::MessageSize),
            (EventType::Receipt, Dialect::Kv, "SpamProcessingDetail", Field::SpamDetailJson),
            (EventType::InternalEmailProtect, Dialect::Json2, "similarDomain", Field::SimilarDomain),
        ];
        for (event_type, dialect, key, field) in cases {
            let found = Keys::get().find(key.as_bytes()).unwrap();
            let column = Keys::get().columns(event_type, dialect).column(found).unwrap();
            assert_eq!(event_type.columns()[column], field, "{event_type:?} {key}");
        }
    }

    #[test]
    fn api_2_names_are_not_taken_in_api_1() {
        let key = Keys::get().find(b"senderEnvelope").unwrap();
        assert_eq!(Keys::get().columns(EventType::Receipt, Dialect::Kv).column(key), None);
    }
}
