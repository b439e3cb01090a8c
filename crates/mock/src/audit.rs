//! Audit events and their categories, the same in both APIs.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp, fmt::strtime};
use serde_json::{Value, json};

use crate::cursor::Cursor;
use crate::fault::{self, ErrorShape, Fault};
use crate::http::{Answer, Message};
use crate::login::{bad_request, datum};
use crate::oauth;
use crate::options::AuditNext;
use crate::random::Random;
use crate::sign::{hex, hmac_sha1};
use crate::state::{State, lock};

/// The categories that exist.
const CATEGORIES: [&str; 14] = [
    "mimecast_access_logs",
    "authentication_logs",
    "account_logs",
    "policy_logs",
    "awareness_training_logs",
    "reporting_logs",
    "secure_messaging_logs",
    "journaling_logs",
    "integrations_and_apis",
    "archive_service_logs",
    "case_review_logs",
    "safe_cloud_threat_protection_logs",
    "continuity_services_logs",
    "branding_logs",
];

/// Something that somebody did in the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// What it is told apart by.
    pub id: String,
    /// `User Logged On` and the like.
    pub audit_type: String,
    /// Who.
    pub user: String,
    /// When, served in whole seconds.
    pub time: Timestamp,
    /// What, in words.
    pub info: String,
    /// One of the categories.
    pub category: String,
}

impl AuditEvent {
    /// Returns `count` events, the newest first at `newest` and each `step` before the other, of the first four
    /// categories in turn.
    pub fn made_up(count: usize, newest: Timestamp, step: SignedDuration) -> Vec<Self> {
        let mut time = newest;
        let mut events = Vec::with_capacity(count);
        for index in 0..count {
            let category = CATEGORIES[index % 4];
            events.push(Self {
                id: Random::new(0x6175_6469, index as u64).uuid(),
                audit_type: "User Logged On".to_owned(),
                user: "admin@example.com".to_owned(),
                time,
                info: format!(
                    "admin@example.com Date: {} IP: 192.0.2.{} Application: Administration Console",
                    time.strftime("%Y-%m-%d Time: %H:%M:%S +0000"),
                    index % 256
                ),
                category: category.to_owned(),
            });
            time = time.checked_sub(step).unwrap_or(time);
        }
        events
    }

    fn json(&self) -> Value {
        json!({"id": self.id, "auditType": self.audit_type, "user": self.user,
            "eventTime": self.time.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
            "eventInfo": self.info, "category": self.category})
    }
}

/// `POST /api/audit/get-audit-events`.
pub(crate) fn events(state: &State, message: &Message, fault: Option<&Fault>) -> Answer {
    if let Err(refusal) = oauth::either(state, message) {
        return refusal;
    }
    let Some(datum) = datum(message) else { return bad_request() };
    let asked = match Asked::of(message, &datum) {
        Ok(asked) => asked,
        Err(field) => return fault::error(400, &format!("err_validation_{field}"), ErrorShape::Errors),
    };
    let mut events = lock(&state.audit).clone();
    events.retain(|event| asked.wants(event));
    events.sort_by(|a, b| (b.time, &b.id).cmp(&(a.time, &a.id)));
    let size = asked.size.min(state.options.page_size).max(1);
    let page: Vec<Value> =
        events.iter().skip(asked.cursor.position).take(size).map(AuditEvent::json).collect();

    let next = Cursor::new(&asked.cursor.of, asked.cursor.position + page.len());
    let points_on =
        next.position < events.len() || (state.options.audit_next == AuditNext::EmptyEnd && !page.is_empty());
    let next = match fault {
        Some(Fault::NoToken) => None,
        Some(Fault::SameToken) => Some(asked.cursor.text()),
        _ => points_on.then(|| next.text()),
    };
    let mut pagination = json!({"pageSize": page.len(), "totalCount": events.len()});
    if let Some(text) = next {
        let object = state.options.audit_next == AuditNext::Object;
        pagination["next"] = if object { json!({"pageToken": text}) } else { json!(text) };
    }
    Answer::json(200, &json!({"meta": {"status": 200, "pagination": pagination}, "data": page, "fail": []}))
}

/// A question for audit events.
struct Asked<'a> {
    /// Seconds since 1970, both within.
    window: RangeInclusive<i64>,
    categories: Vec<&'a str>,
    query: &'a str,
    size: usize,
    cursor: Cursor,
}

impl<'a> Asked<'a> {
    /// Reads a question, or says which part of it is wrong.
    fn of(message: &Message, datum: &'a Value) -> Result<Self, &'static str> {
        let time = |name: &str| datum[name].as_str().and_then(instant).ok_or("date_time");
        let categories: Option<Vec<&str>> = match &datum["categories"] {
            Value::Null => Some(CATEGORIES.to_vec()),
            list => list.as_array().and_then(|list| list.iter().map(Value::as_str).collect()),
        };
        let known = categories.filter(|names| names.iter().all(|name| CATEGORIES.contains(name)));
        let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
        let pagination = &body["meta"]["pagination"];
        let size = pagination["pageSize"].as_u64().unwrap_or(25);
        // A token belongs to the question that it was given for, which each page asks again.
        let of = hex(&hmac_sha1(b"audit", datum.to_string().as_bytes()));
        let cursor = match pagination["pageToken"].as_str() {
            None => Some(Cursor::new(&of, 0)),
            Some(text) => Cursor::parse(text).filter(|cursor| cursor.of == of),
        };
        Ok(Self {
            window: time("startDateTime")?..=time("endDateTime")?,
            categories: known.ok_or("categories")?,
            query: datum["query"].as_str().unwrap_or_default(),
            size: if (1..=500).contains(&size) { size as usize } else { return Err("page_size") },
            cursor: cursor.ok_or("page_token")?,
        })
    }

    fn wants(&self, event: &AuditEvent) -> bool {
        self.window.contains(&event.time.as_second())
            && self.categories.contains(&event.category.as_str())
            && event.info.contains(self.query)
    }
}

/// `POST /api/audit/get-categories`.
pub(crate) fn categories(state: &State, message: &Message) -> Answer {
    if let Err(refusal) = oauth::either(state, message) {
        return refusal;
    }
    let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
    if body["data"] != json!([]) {
        return bad_request();
    }
    Answer::json(200, &json!({"meta": {"status": 200}, "data": [{"categories": CATEGORIES}], "fail": []}))
}

/// Seconds since 1970 of `2011-12-03T10:15:30+0000`.
fn instant(text: &str) -> Option<i64> {
    let parsed = strtime::parse("%Y-%m-%dT%H:%M:%S%z", text).ok()?;
    Some(parsed.to_timestamp().ok()?.as_second())
}
