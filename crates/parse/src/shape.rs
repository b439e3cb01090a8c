//! What the keys of a record say, whatever their values.

use mimelake_schema::{Dialect, EventType, Key, KeySet, Keys, Kind};

use crate::Pair;

/// So many shapes are remembered: the records of a file have a handful.
const MOST: usize = 16;
/// The shape of a record of more pairs makes all others be forgotten: no log writes one, and it takes room.
const LARGE: usize = 256;

/// Where a pair goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Route {
    /// Into the column at this place, of this kind.
    Column(u8, Kind),
    /// Into `extra`: it has no column here, or came twice.
    Extra,
    /// Into `extra`, and its key is counted as unknown.
    Unknown,
}

/// What the keys of a record say, in their order.
#[derive(Debug)]
pub(crate) struct Shape {
    keys: Vec<Option<Key>>,
    is_json: bool,
    pub(crate) dialect: Dialect,
    /// A key stands in the record twice.
    pub(crate) has_double: bool,
    /// A member states the event type.
    pub(crate) states_type: bool,
    /// The event type that the keys tell.
    pub(crate) told: Option<EventType>,
    /// Where each pair goes, in records of the event type that came last.
    routes: (Option<EventType>, Vec<Route>),
}

/// The shapes of the last records.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    known: Vec<Shape>,
    /// The shape of the last record.
    last: usize,
    /// The shape that makes room for the next one.
    oldest: usize,
}

impl Shapes {
    /// The shape of a record with these pairs.
    #[inline]
    pub(crate) fn of(&mut self, keys: &Keys, pairs: &[Pair], is_json: bool) -> &mut Shape {
        if !self.known.get(self.last).is_some_and(|shape| shape.fits(pairs, is_json)) {
            self.last = self.find(keys, pairs, is_json);
        }
        &mut self.known[self.last]
    }

    #[cold]
    fn find(&mut self, keys: &Keys, pairs: &[Pair], is_json: bool) -> usize {
        if let Some(found) = self.known.iter().position(|shape| shape.fits(pairs, is_json)) {
            return found;
        }
        let shape = Shape::new(keys, pairs, is_json);
        if pairs.len() > LARGE {
            *self = Self::default();
        }
        if self.known.len() < MOST {
            self.known.push(shape);
            return self.known.len() - 1;
        }
        let place = self.oldest;
        self.oldest = (place + 1) % MOST;
        self.known[place] = shape;
        place
    }
}

impl Shape {
    fn new(keys: &Keys, pairs: &[Pair], is_json: bool) -> Self {
        let mut set = KeySet::default();
        let mut has_double = false;
        for key in pairs.iter().filter_map(|pair| pair.known) {
            has_double |= !set.insert(key);
        }
        let dialect = match is_json {
            false => Dialect::Kv,
            true if set.meets(keys.only_json2()) => Dialect::Json2,
            true => Dialect::Json1,
        };
        Self {
            keys: pairs.iter().map(|pair| pair.known).collect(),
            is_json,
            dialect,
            has_double,
            states_type: dialect == Dialect::Json2 && set.meets(keys.states_type()),
            told: keys.event_type(set),
            routes: (None, Vec::new()),
        }
    }

    #[inline]
    fn fits(&self, pairs: &[Pair], is_json: bool) -> bool {
        self.is_json == is_json
            && self.keys.len() == pairs.len()
            && self.keys.iter().zip(pairs).all(|(key, pair)| *key == pair.known)
    }

    /// Where each pair goes in a record of this event type.
    #[inline]
    pub(crate) fn routes(&mut self, keys: &Keys, event_type: EventType) -> &[Route] {
        if self.routes.0 != Some(event_type) {
            self.routes = (Some(event_type), self.routes_of(keys, event_type));
        }
        &self.routes.1
    }

    fn routes_of(&self, keys: &Keys, event_type: EventType) -> Vec<Route> {
        let columns = event_type.columns();
        let map = keys.columns(event_type, self.dialect);
        let mut is_taken = vec![false; columns.len()];
        let route = |key: &Option<Key>| match key.and_then(|key| map.column(key)) {
            Some(place) if std::mem::replace(&mut is_taken[place], true) => Route::Extra,
            Some(place) => Route::Column(place as u8, columns[place].row().kind),
            None if key.is_some_and(|key| keys.is_expected(key)) => Route::Extra,
            None => Route::Unknown,
        };
        self.keys.iter().map(route).collect()
    }
}
