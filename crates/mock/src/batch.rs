//! `GET /siem/v1/batch/events/cg`: links to files of one type.

use jiff::civil::Date;
use mimelake_schema::EventType;
use serde_json::{Value, json};

use crate::content::Sequence;
use crate::cursor::{self, Cursor};
use crate::fault::{self, ErrorShape, Fault};
use crate::http::{Answer, Message};
use crate::oauth;
use crate::presigned;
use crate::script::Subject;
use crate::state::{State, after};

/// The type that is asked for, and the place of the page in its files.
pub(crate) fn subject(message: &Message) -> Subject {
    let about = message.query("type").unwrap_or_default();
    let table = EventType::from_json2(&about).map_or("", EventType::table);
    Subject { file: place(message, table).map(|cursor| cursor.position), about }
}

pub(crate) fn page(state: &State, message: &Message, fault: Option<&Fault>) -> Answer {
    if let Err(refusal) = oauth::bearer(state, message) {
        return refusal;
    }
    let bad = |field: &str| fault::error(400, &format!("err_validation_{field}"), ErrorShape::Errors);
    let Some(event_type) = message.query("type").and_then(|spelling| EventType::from_json2(&spelling)) else {
        return bad("type");
    };
    let Some(size) = page_size(state, message) else { return bad("page_size") };
    let Some(cursor) = place(message, event_type.table()) else { return bad("next_page") };
    if message.query("nextPage").is_none() && !dates(message) {
        return bad("date_range");
    }

    let content = &state.options.content;
    let out = (0..state.count(Sequence::Batches))
        .filter(|&index| content.event_type(Sequence::Batches, index) == Some(event_type));
    let skipped = if fault == Some(&Fault::SamePage) { 0 } else { cursor.position };
    let files: Vec<usize> = out.clone().skip(skipped).take(size).collect();
    let next = Cursor::new(&cursor.of, cursor.position + files.len());
    let caught_up = out.count() <= next.position;
    let mut value: Vec<Value> = files.iter().map(|&index| entry(state, index, fault)).collect();
    match fault {
        Some(Fault::Repeat) => value.extend(files.iter().map(|&index| entry(state, index, fault))),
        Some(Fault::Fewer) => _ = value.pop(),
        Some(Fault::DeadHost { entries }) => {
            for entry in value.iter_mut().take(*entries) {
                let link = entry["url"].as_str().unwrap_or_default();
                entry["url"] = link.replace(&state.base_url, "http://localhost:1").into();
            }
        }
        Some(Fault::OddEntries { count }) => {
            value.extend((0..*count).map(|_| json!({"url": ["no", "text"], "size": "?"})));
        }
        _ => {}
    }
    if fault == Some(&Fault::EmptyPage) {
        return Answer::json(
            200,
            &json!({"value": [], "@nextPage": cursor.turned().text(), "isCaughtUp": false}),
        );
    }
    let mut body = json!({"value": value, "@nextPage": next.text(), "isCaughtUp": caught_up});
    steer(&mut body, message, &cursor, fault);
    Answer::json(200, &body)
}

/// Does to `@nextPage` what the fault wants.
pub(crate) fn steer(body: &mut Value, message: &Message, cursor: &Cursor, fault: Option<&Fault>) {
    match fault {
        Some(Fault::NoToken) => {
            body.as_object_mut().map(|object| object.remove("@nextPage"));
        }
        Some(Fault::SameToken) => {
            body["@nextPage"] = message.query("nextPage").unwrap_or_else(|| cursor.text()).into();
        }
        Some(Fault::SamePage) => {
            body["@nextPage"] = cursor.turned().text().into();
            body["isCaughtUp"] = false.into();
        }
        Some(Fault::Back) => body["@nextPage"] = cursor.back().text().into(),
        Some(Fault::ResetCursor) => body["@nextPage"] = cursor::reset().into(),
        _ => {}
    }
}

/// The place to go on from; `None` for a cursor of another type or none of ours.
pub(crate) fn place(message: &Message, of: &str) -> Option<Cursor> {
    match message.query("nextPage") {
        None => Some(Cursor::new(of, 0)),
        Some(text) if cursor::is_reset(&text) => Some(Cursor::new(of, 0)),
        Some(text) => Cursor::parse(&text).filter(|cursor| cursor.of == of),
    }
}

/// How many entries a page may have: as asked, from 1 to 100, but no more than the server's own limit.
pub(crate) fn page_size(state: &State, message: &Message) -> Option<usize> {
    let asked = message.query("pageSize").map_or(Ok(100), |text| text.parse::<usize>()).ok()?;
    (1..=100).contains(&asked).then(|| asked.min(state.options.page_size).max(1))
}

/// Whether both ends of the range are days, in order.
fn dates(message: &Message) -> bool {
    let day = |name| message.query(name).and_then(|text| Date::strptime("%Y-%m-%d", &text).ok());
    matches!((day("dateRangeStartsAt"), day("dateRangeEndsAt")), (Some(start), Some(end)) if start <= end)
}

fn entry(state: &State, index: usize, fault: Option<&Fault>) -> Value {
    let name = state.options.content.name(Sequence::Batches, index).unwrap_or_default();
    let name = if fault == Some(&Fault::HostileName) { format!("..%2f..%2f{name}") } else { name };
    let lifetime = match fault {
        Some(Fault::ExpiredLinks) => std::time::Duration::ZERO,
        _ => state.options.link_lifetime,
    };
    let expires = after(state.now(), lifetime);
    let file = || state.options.content.file(Sequence::Batches, index).ok().flatten();
    let size = match fault {
        Some(Fault::Size { bytes }) => *bytes,
        _ => file().map_or(0, |file| file.bytes.len() as u64),
    };
    json!({
        "url": presigned::url(state, index, &name, expires.as_second(), state.serial()),
        "expiry": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "size": size,
    })
}
