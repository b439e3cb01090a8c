//! Holds documents against the list of ECS fields; for tests.

use std::{collections::HashMap, net::IpAddr};

use serde_json::{Map, Value};

/// The ECS fields that are written: name, type, and whether it is an array.
///
/// Source: the field list of ECS 9.4.0.
const FIELDS: &str = include_str!("fields.csv");

/// The categories that are written and the types that ECS expects of each.
const TYPES: &[(&str, &[&str])] = &[
    ("authentication", &["start", "end", "info"]),
    ("configuration", &["access", "change", "creation", "deletion", "info"]),
    ("email", &["info"]),
    ("iam", &["admin", "change", "creation", "deletion", "group", "info", "user"]),
    ("malware", &["info"]),
    ("network", &["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"]),
    ("threat", &["indicator"]),
];

/// One field of the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct EcsField {
    pub(super) kind: &'static str,
    pub(super) is_array: bool,
}

/// The list by name.
pub(super) fn fields() -> HashMap<&'static str, EcsField> {
    let rows = FIELDS.lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let mut cell = || cells.next().unwrap_or_default();
        let (name, kind, array) = (cell(), cell(), cell());
        (name, EcsField { kind, is_array: array == "array" })
    });
    rows.collect()
}

/// Nothing, if a JSON document is as ECS asks.
///
/// # Errors
/// What the first thing is that is not: no JSON, a field missing or unknown, of another type, an array
/// where the list has none or the other way round, a value that is not allowed, something empty.
pub fn validate(json: &str) -> Result<(), String> {
    let document: Value = serde_json::from_str(json).map_err(|e| format!("no JSON: {e}"))?;
    let Value::Object(object) = &document else { return Err("no object".into()) };
    let fields = fields();
    for (name, value) in object.iter().filter(|(name, _)| *name != "mimecast") {
        walk(name, value, &fields)?;
    }
    if let Some(own) = object.get("mimecast") {
        nothing_empty("mimecast", own)?;
    }
    always_there(&document)?;
    allowed_values(&document)
}

fn walk(path: &str, value: &Value, fields: &HashMap<&str, EcsField>) -> Result<(), String> {
    let Some(field) = fields.get(path) else {
        let Value::Object(members) = value else { return Err(format!("{path} is no ECS field")) };
        return walk_members(path, members, fields);
    };
    match (field.is_array, value) {
        (true, Value::Array(elements)) if !elements.is_empty() => {
            elements.iter().try_for_each(|element| single(path, element, *field, fields))
        }
        (true, _) => Err(format!("{path} has to be an array with something in it, it is {value}")),
        (false, _) => single(path, value, *field, fields),
    }
}

fn walk_members(
    path: &str,
    members: &Map<String, Value>,
    fields: &HashMap<&str, EcsField>,
) -> Result<(), String> {
    if members.is_empty() {
        return Err(format!("{path} is empty"));
    }
    members.iter().try_for_each(|(name, value)| walk(&format!("{path}.{name}"), value, fields))
}

fn single(
    path: &str,
    value: &Value,
    field: EcsField,
    fields: &HashMap<&str, EcsField>,
) -> Result<(), String> {
    let fits = match (field.kind, value) {
        ("keyword" | "wildcard" | "match_only_text", Value::String(text)) => !text.is_empty(),
        ("ip", Value::String(text)) => text.parse::<IpAddr>().is_ok(),
        ("date", Value::String(text)) => is_date(text),
        ("long", Value::Number(number)) => number.is_i64(),
        ("boolean", Value::Bool(_)) => true,
        ("nested", Value::Object(members)) => return walk_members(path, members, fields),
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("{path} has to be {}, it is {value}", field.kind)) }
}

/// `2026-03-02T09:00:00.123Z`, with three or six digits of a second.
fn is_date(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let in_range = |from: usize, range: std::ops::RangeInclusive<u32>| {
        text.get(from..from + 2).and_then(|t| t.parse().ok()).is_some_and(|n| range.contains(&n))
    };
    matches!(shape.as_str(), "0000-00-00T00:00:00.000Z" | "0000-00-00T00:00:00.000000Z")
        && in_range(5, 1..=12)
        && in_range(8, 1..=31)
        && in_range(11, 0..=23)
        && in_range(14, 0..=59)
        && in_range(17, 0..=59)
}

fn nothing_empty(path: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Null => Err(format!("{path} is null")),
        Value::String(text) if text.is_empty() => Err(format!("{path} is empty")),
        Value::Array(elements) if elements.is_empty() => Err(format!("{path} is empty")),
        Value::Object(members) if members.is_empty() => Err(format!("{path} is empty")),
        Value::Object(members) => {
            members.iter().try_for_each(|(name, value)| nothing_empty(&format!("{path}.{name}"), value))
        }
        _ => Ok(()),
    }
}

fn always_there(document: &Value) -> Result<(), String> {
    let paths = [
        "/ecs/version",
        "/event/kind",
        "/event/category",
        "/event/type",
        "/event/action",
        "/event/outcome",
        "/event/module",
        "/event/dataset",
        "/event/id",
        "/observer/vendor",
        "/observer/product",
        "/observer/type",
    ];
    match paths.into_iter().find(|path| document.pointer(path).is_none()) {
        Some(path) => Err(format!("{path} is missing")),
        None => Ok(()),
    }
}

fn allowed_values(document: &Value) -> Result<(), String> {
    one_of(document, "/event/kind", &["alert", "event"])?;
    one_of(document, "/event/outcome", &["success", "failure", "unknown"])?;
    if document.pointer("/email/direction").is_some_and(|d| d.as_str().is_none_or(str::is_empty)) {
        return Err("email.direction is empty".into());
    }
    let words = |path| -> Vec<&str> {
        let list = document.pointer(path).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (categories, types) = (words("/event/category"), words("/event/type"));
    let mut expected = Vec::new();
    for category in categories {
        let Some((_, of_it)) = TYPES.iter().find(|(name, _)| *name == category) else {
            return Err(format!("event.category {category:?} is not allowed"));
        };
        if !types.iter().any(|t| of_it.contains(t)) {
            return Err(format!("none of event.type {types:?} is expected of {category:?}"));
        }
        expected.extend_from_slice(of_it);
    }
    match types.iter().find(|t| !expected.contains(t)) {
        Some(odd) => Err(format!("event.type {odd:?} is expected of none of the categories")),
        None => Ok(()),
    }
}

fn one_of(document: &Value, path: &str, words: &[&str]) -> Result<(), String> {
    let value = document.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if words.contains(&value) { Ok(()) } else { Err(format!("{path} must not be {value:?}")) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::validate;

    fn good() -> Value {
        json!({
            "@timestamp": "2026-03-02T09:00:00.000Z",
            "ecs": {"version": "9.4.0"},
            "event": {
                "kind": "event", "category": ["email"], "type": ["info"], "action": "a", "outcome": "unknown",
                "module": "mimecast", "dataset": "mimecast.receipt", "id": "x",
            },
            "observer": {"vendor": "v", "product": "p", "type": "t"},
            "email": {"attachments": [{"file": {"name": "a", "size": 1}}]},
            "source": {"ip": "2001:db8::1"},
            "mimecast": {"spam_score": 3},
        })
    }

    #[test]
    fn takes_a_good_document() {
        assert_eq!(validate(&good().to_string()), Ok(()));
    }

    #[test]
    fn finds_each_fault() {
        let faults: [(&str, &str, Value); 15] = [
            ("", "@timestamp", json!("2026-13-02T09:00:00.000Z")),
            ("", "@timestamp", json!("2026-03-02 09:00:00")),
            ("", "invented", json!("x")),
            ("/event", "kind", json!("alarm")),
            ("/event", "outcome", json!("Acc")),
            ("/event", "category", json!("email")),
            ("/event", "category", json!(["mail"])),
            ("/event", "category", json!(["email", "threat"])),
            ("/event", "type", json!(["denied"])),
            ("/event", "id", json!(null)),
            ("/source", "ip", json!("192.0.2.1:25")),
            ("/source", "port", json!("25")),
            ("/email", "attachments", json!({"file": {"name": "a"}})),
            ("/email", "attachments", json!([{"file": {"name": "a", "length": 1}}])),
            ("/mimecast", "virus", json!("")),
        ];
        for (at, name, value) in faults {
            let mut document = good();
            document.pointer_mut(at).unwrap()[name] = value;
            let json = document.to_string();
            assert!(validate(&json).is_err(), "{json}");
        }
    }
}
