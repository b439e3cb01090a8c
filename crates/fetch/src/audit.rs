//! `get-audit-events`: the same call in both APIs, window by window, landed as NDJSON.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use mimelake_landing::put::Identity;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::{debug, info};

use crate::client::{Call, Client, Trouble};
use crate::config::Audit;
use crate::cursor::Trail;
use crate::error::{ConfigError, FetchError};
use crate::status::{AUDIT, kept};
use crate::stream::Stream;

const PATH: &str = "/api/audit/get-audit-events";
const CATEGORIES: &str = "/api/audit/get-categories";
const STATE: &str = "window.json";
/// The most that a page holds.
const PAGE: u32 = 500;
/// Clocks are set back by so much without having been wrong before.
const STEP: SignedDuration = SignedDuration::from_mins(10);
/// One window, and so one file.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How far the windows came.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    through: Option<Timestamp>,
    /// When it was first asked for.
    #[serde(default)]
    began: Option<Timestamp>,
    categories: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    meta: Option<Meta>,
    data: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Meta {
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    next: Option<Value>,
}

/// Lands all events up to now that were not landed before.
pub(crate) async fn fetch(stream: &Stream, audit: &Audit) -> Result<(), FetchError> {
    let now = stream.client.clock.now();
    let mut categories = audit.categories.clone();
    categories.sort_unstable();
    let state = load(stream, now)?;
    stream.begin(state.began.or(state.through), state.through, state.through);
    let back = |time: Timestamp, by| {
        time.saturating_sub(SignedDuration::try_from(by).unwrap_or_default()).unwrap_or(time)
    };
    let is_ahead = state.through.is_some_and(|through| through.duration_since(now) > STEP);
    if is_ahead {
        stream.gap(Some(now), "the clock was ahead; asking again for all that may have been passed over")?;
    }
    let mut complete = state.through.or(state.began);
    let from = match state.through.filter(|_| !is_ahead) {
        Some(through) if state.categories == categories => back(through, audit.overlap),
        // Never before, or not for these categories: events that were landed are known by their ids.
        _ => back(now, audit.start),
    };
    // What is not kept any more need not be asked for.
    let mut from = from.max(now.saturating_sub(kept(AUDIT)).unwrap_or(now));
    while from < now {
        // What is left of the last day is no window of its own.
        let whole = now.duration_since(from) > WINDOW + WINDOW / 2;
        let to = if whole { from.saturating_add(WINDOW).unwrap_or(now) } else { now };
        window(stream, &audit.categories, from, to).await?;
        stream.passed_over(complete.take())?;
        save(stream, &State { through: Some(to), began: state.began, categories: categories.clone() })?;
        from = to;
    }
    stream.watch.update(|status| (status.moved, status.caught_up) = (Some(now), Some(now)));
    info!(stream = stream.watch.stream(), "caught up");
    Ok(())
}

fn load(stream: &Stream, now: Timestamp) -> Result<State, FetchError> {
    let Some(bytes) = stream.folder.saved(STATE)? else {
        let state = State { began: Some(now), ..State::default() };
        save(stream, &state)?;
        return Ok(state);
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = format!("{}: {error}", stream.folder.state_path(STATE).display());
        ConfigError::new(what, "remove it to begin anew: events that were landed are known by their ids")
            .into()
    })
}

fn save(stream: &Stream, state: &State) -> Result<(), FetchError> {
    Ok(stream.folder.save(STATE, json!(state).to_string().as_bytes())?)
}

/// Lands the new events of one window as one file. Its edges count as within it.
async fn window(
    stream: &Stream,
    categories: &[String],
    from: Timestamp,
    to: Timestamp,
) -> Result<(), FetchError> {
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string();
    let data = json!([{ "startDateTime": time(from), "endDateTime": time(to), "categories": categories }]);
    let mut incoming = stream.folder.incoming()?;
    let mut new = Vec::new();
    let mut seen = HashSet::new();
    let mut token: Option<String> = None;
    let mut trail = Trail::default();
    loop {
        let mut pagination = json!({ "pageSize": PAGE });
        if let (Some(token), Some(pagination)) = (&token, pagination.as_object_mut()) {
            pagination.insert("pageToken".to_owned(), token.as_str().into());
        }
        let call = Call::Post(PATH, json!({ "meta": { "pagination": pagination }, "data": data }));
        let page: Page = stream.client.json(&call).await.map_err(|trouble| trouble.unexpected(PATH))?;
        for event in &page.data {
            let identity = identity(event.get());
            if seen.insert(identity) && !stream.folder.knows(identity) {
                let line = event.get().replace(['\n', '\r'], " ") + "\n";
                incoming.write(line.as_bytes())?;
                new.push(identity);
            }
        }
        let next = page.meta.and_then(|meta| meta.pagination?.next).as_ref().and_then(page_token);
        if next.is_none() || page.data.is_empty() {
            break;
        }
        if let Some(next) = &next {
            trail.send(next, PATH)?;
        }
        token = next;
    }
    debug!(%from, %to, events = seen.len(), new = new.len(), "a window of audit events");
    if new.is_empty() {
        return Ok(());
    }
    let short = |time: Timestamp| time.strftime("%Y%m%d%H%M%S").to_string();
    let name = format!("audit_{}_{}.ndjson", short(from), short(to));
    stream.land(incoming.made_of(&name, new), "", &name).await.map(|_| ())
}

/// What an event is known by: its id, or all of it where it has none.
fn identity(event: &str) -> Identity {
    #[derive(Deserialize)]
    struct Id {
        id: Option<Value>,
    }
    match serde_json::from_str::<Id>(event) {
        Ok(Id { id: Some(Value::String(id)) }) if !id.is_empty() => Identity::of(id.as_bytes()),
        Ok(Id { id: Some(id @ Value::Number(_)) }) => Identity::of(id.to_string().as_bytes()),
        _ => Identity::of(event.as_bytes()),
    }
}

/// Returns the next page's token, which stands there as a text or in an object.
fn page_token(next: &Value) -> Option<String> {
    match next {
        Value::String(token) => Some(token.clone()).filter(|token| !token.is_empty()),
        Value::Number(token) => Some(token.to_string()),
        Value::Object(object) => {
            let named = ["pageToken", "token", "next"].iter().find_map(|key| object.get(*key));
            named.or_else(|| object.values().find(|value| value.is_string())).and_then(page_token)
        }
        _ => None,
    }
}

/// Returns the categories that the API knows.
pub(crate) async fn categories(client: &Client) -> Result<Vec<String>, FetchError> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        data: Value,
    }
    let call = Call::Post(CATEGORIES, json!({ "data": [] }));
    let answer: Answer =
        client.json(&call).await.map_err(|trouble: Trouble| trouble.unexpected(CATEGORIES))?;
    let mut names = Vec::new();
    collect(&answer.data, &mut names);
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// The names in a list of texts, or of objects that hold them.
fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(name) => names.push(name.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        Value::Object(object) => {
            let keys = ["categories", "category", "name", "id"];
            if let Some(value) = keys.iter().find_map(|key| object.get(*key)) {
                collect(value, names);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_a_text_or_an_object() {
        let cases = [
            (json!("abc"), Some("abc")),
            (json!({"pageToken": "abc"}), Some("abc")),
            (json!({"pageSize": 5, "x": "abc"}), Some("abc")),
            (json!({"pageToken": 5}), Some("5")),
            (json!(5), Some("5")),
            (json!(""), None),
            (json!(null), None),
            (json!({}), None),
        ];
        for (next, token) in cases {
            assert_eq!(page_token(&next).as_deref(), token, "{next}");
        }
    }

    #[test]
    fn categories_stand_in_many_shapes() {
        for data in [
            json!(["a", "b"]),
            json!([{"categories": ["a", "b"]}]),
            json!([{"name": "a", "id": "x"}, {"category": "b"}]),
        ] {
            let mut names = Vec::new();
            collect(&data, &mut names);
            assert_eq!(names, ["a", "b"], "{data}");
        }
    }

    #[test]
    fn events_are_known_by_their_id() {
        assert_eq!(identity(r#"{"id":"x","user":"a"}"#), identity(r#"{"user":"b","id":"x"}"#));
        assert_ne!(identity(r#"{"user":"a"}"#), identity(r#"{"user":"b"}"#));
        assert_ne!(identity(r#"{"id":"x"}"#), identity(r#"{"id":"y"}"#));
    }
}
