//! `GET /siem/v1/events/cg`: events of several types, inline.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use mimelake_schema::EventType;
use serde_json::{Value, json};

use crate::batch::{page_size, place, steer};
use crate::content::Sequence;
use crate::cursor::Cursor;
use crate::fault::{self, ErrorShape, Fault};
use crate::http::{Answer, Message};
use crate::oauth;
use crate::state::State;

pub(crate) fn page(state: &State, message: &Message, fault: Option<&Fault>) -> Answer {
    if let Err(refusal) = oauth::bearer(state, message) {
        return refusal;
    }
    let bad = |field: &str| fault::error(400, &format!("err_validation_{field}"), ErrorShape::Errors);
    let asked = message.query("types").unwrap_or_default();
    let types: Option<Vec<EventType>> = asked.split(',').map(EventType::from_json2).collect();
    let Some(types) = types else { return bad("types") };
    let Some(size) = page_size(state, message) else { return bad("page_size") };
    let Some(cursor) = place(message, &asked) else { return bad("next_page") };
    let since = message.query("dateRangeStartsAt").and_then(|text| text.parse::<Timestamp>().ok());
    if since.is_none() && message.query("nextPage").is_none() {
        return bad("date_range");
    }

    let mut events = (0..state.count(Sequence::Batches))
        .flat_map(|index| events_of(state, index, &types))
        .skip(cursor.position);
    let value: Vec<Value> = events.by_ref().take(size).collect();
    let next = Cursor::new(&cursor.of, cursor.position + value.len());
    let caught_up = events.next().is_none();
    let mut body = json!({"value": value, "@nextPage": next.text(), "isCaughtUp": caught_up});
    steer(&mut body, message, &cursor, fault);
    Answer::json(200, &body)
}

/// The events of one batch file, spelled as the stream spells them; none of other types or where it cannot be read.
fn events_of(state: &State, index: usize, types: &[EventType]) -> Vec<Value> {
    let content = &state.options.content;
    let wanted = content.event_type(Sequence::Batches, index).is_some_and(|t| types.contains(&t));
    let Some(file) = (if wanted { content.file(Sequence::Batches, index).ok().flatten() } else { None })
    else {
        return Vec::new();
    };
    let mut text = String::new();
    if MultiGzDecoder::new(&file.bytes[..]).read_to_string(&mut text).is_err() {
        return Vec::new();
    }
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).map(respelled).collect()
}

fn respelled(mut event: Value) -> Value {
    if let Some(object) = event.as_object_mut() {
        for (old, new) in [("type", "eventType"), ("subtype", "subType")] {
            if let Some(value) = object.remove(old) {
                object.insert(new.to_owned(), value);
            }
        }
    }
    event
}
