//! The columns of one record, found without a search.

use mimelake_parse::{Event, Value};
use mimelake_schema::{EventType, Field};

const NONE: u8 = u8::MAX;

/// The place of every field in one table.
#[derive(Debug)]
pub(super) struct Places([u8; Field::ALL.len()]);

impl Places {
    /// The places in the table of this type.
    pub(super) fn new(event_type: EventType) -> Self {
        let mut places = [NONE; Field::ALL.len()];
        for (place, field) in event_type.columns().iter().enumerate() {
            places[*field as usize] = place as u8;
        }
        Self(places)
    }

    /// The place of a field, if the table has it.
    pub(super) fn get(&self, field: Field) -> Option<usize> {
        let place = self.0[field as usize];
        (place != NONE).then_some(usize::from(place))
    }
}

/// One event and where its columns are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'r, 'a> {
    pub(super) event: &'r Event<'a>,
    pub(super) places: &'r Places,
}

impl<'a> Record<'_, 'a> {
    #[inline]
    fn value(&self, field: Field) -> Value<'a> {
        let place = usize::from(self.places.0[field as usize]);
        self.event.values.get(place).copied().unwrap_or(Value::Null)
    }

    /// The column's text, if it says something.
    #[inline]
    pub(super) fn text(&self, field: Field) -> Option<&'a str> {
        self.value(field).text().filter(|text| !text.is_empty())
    }

    /// The column's list; empty where it says nothing.
    #[inline]
    pub(super) fn list(&self, field: Field) -> &'a [&'a str] {
        self.value(field).list()
    }

    /// The column's number.
    #[inline]
    pub(super) fn int(&self, field: Field) -> Option<i64> {
        if let Value::Int(number) = self.value(field) { Some(number) } else { None }
    }

    /// The column's boolean.
    #[inline]
    pub(super) fn bool(&self, field: Field) -> Option<bool> {
        if let Value::Bool(bit) = self.value(field) { Some(bit) } else { None }
    }
}
