//! Records that were found.

use bumpalo::Bump;
use mimelake_columns::document::{Cell, Layout, Leaf, LeafKind};
use mimelake_correlate::key::{bare_acode, bare_message_id};
use mimelake_parse::Event;
use mimelake_schema::{EventType, Field};
use mimelake_write::ndjson::RowWriter;

use super::search::Names;

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose table it belongs to.
    pub event_type: EventType,
    /// When it happened, in microseconds since 1970 in UTC.
    pub timestamp: Option<i64>,
    /// Its aCode as logged.
    pub acode: String,
    /// Its message id as logged.
    pub message_id: String,
    by_id: bool,
    /// Where it was read from.
    pub source: (String, i64),
    /// Its columns as a JSON object, `event_type` first, without a line's end.
    pub json: Vec<u8>,
}

impl Record {
    /// What it says of the email it belongs to.
    pub fn names(&self) -> Names<'_> {
        let (acode, message_id) = (bare_acode(&self.acode), bare_message_id(&self.message_id));
        Names { acode, message_id, by_id: self.by_id }
    }

    /// What records are put in order by: time, the order of the stages, where it was read from.
    pub fn place(&self) -> impl Ord + use<> {
        (self.timestamp.unwrap_or(i64::MAX), stage(self.event_type), self.source.clone())
    }
}

/// The place of a type's records in the life of an email, as key-value lines tell times to the second only.
fn stage(event_type: EventType) -> u8 {
    match event_type {
        EventType::Receipt => 0,
        EventType::Process => 2,
        EventType::Delivery => 3,
        EventType::Journal => 4,
        EventType::UrlProtect => 5,
        EventType::Audit | EventType::Unknown | EventType::Message => 6,
        _ => 1,
    }
}

/// Makes records of events.
#[derive(Debug)]
pub struct Maker {
    writers: Vec<RowWriter>,
}

impl Maker {
    /// A maker for all event types.
    pub fn new() -> Self {
        let writer = |event_type: &EventType| {
            let event = Leaf::new(Field::DetectedBy.column(), LeafKind::Text);
            let columns = event_type.columns().iter().copied().map(Leaf::of);
            RowWriter::new(&Layout::new(std::iter::once(event).chain(columns).collect()))
        };
        Self { writers: EventType::ALL.iter().map(writer).collect() }
    }

    /// The record of an event.
    pub fn record<'a>(&self, event: &Event<'a>, bump: &'a Bump) -> Record {
        let text = |field| event.get(field).text().unwrap_or_default().to_owned();
        let offset = if let Cell::Int(offset) = event.get(Field::SourceOffset) { offset } else { 0 };
        let row = bump.alloc_slice_fill_with(event.values.len() + 1, |at| match at.checked_sub(1) {
            Some(place) => event.values[place],
            None => Cell::Text(event.event_type.table()),
        });
        let mut json = Vec::new();
        self.writers[event.event_type as usize].write_row(row, &mut json);
        json.pop();
        Record {
            event_type: event.event_type,
            timestamp: event.timestamp(),
            acode: text(Field::Acode),
            message_id: text(Field::MessageId),
            by_id: Names::of(event).by_id,
            source: (text(Field::SourceFile), offset),
            json,
        }
    }
}
