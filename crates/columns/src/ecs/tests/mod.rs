//! Tests of the ECS layouts and of what events become.

use bumpalo::Bump;
use mimelake_parse::{Event, Flags, Value};
use mimelake_schema::{Dialect, EventType, Field};
use serde_json::Value as Json;

use crate::{document::Document, oracle};

mod defects;
mod layouts;
mod mappings;

/// The document of an event with these columns.
fn ecs(event_type: EventType, columns: &[(Field, Value<'_>)]) -> Json {
    ecs_of(event_type, Dialect::Kv, columns)
}

/// The document of an event of a dialect, which is as ECS asks.
fn ecs_of(event_type: EventType, dialect: Dialect, columns: &[(Field, Value<'_>)]) -> Json {
    let text = format!("{columns:?}");
    let mut values = vec![Value::Null; event_type.columns().len()];
    for (field, value) in columns {
        values[event_type.position(*field).unwrap()] = *value;
    }
    let flags = Flags::default();
    let event = Event { event_type, dialect, flags, values: &values, text: &text, offset: 0 };
    let (document, bump) = (Document::ecs(event_type, false), Bump::new());
    let json = oracle::object(document.layout().leaves(), document.row(&event, &bump));
    super::validate(&json.to_string()).unwrap();
    json
}

/// What stands at a path of dots; null where nothing does.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "callers make the value on the spot")]
fn says(json: &Json, path: &str, expected: Json) {
    let pointer = format!("/{}", path.replace('.', "/"));
    assert_eq!(json.pointer(&pointer).cloned().unwrap_or_default(), expected, "{path} in {json:#}");
}
