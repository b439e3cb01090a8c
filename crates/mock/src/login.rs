//! API 1.0's way in: where an account lives, and a key pair for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::credentials::{APP_ID, CLOUD_PASSWORD, DOMAIN_PASSWORD, EMAIL};
use crate::fault::{self, ErrorShape};
use crate::http::{Answer, Message};
use crate::oauth;
use crate::state::State;

/// The one object in a request's `data`.
pub(crate) fn datum(message: &Message) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(&message.body).ok()?;
    match body.get_mut("data")?.as_array_mut()? {
        data if data.len() == 1 => Some(data.remove(0)),
        _ => None,
    }
}

pub(crate) fn bad_request() -> Answer {
    fault::error(400, "err_validation_invalid_json", ErrorShape::Errors)
}

/// `POST /api/login/discover-authentication`.
pub(crate) fn discover(state: &State, message: &Message) -> Answer {
    if let Some(refusal) = stranger(message) {
        return refusal;
    }
    let Some(datum) = datum(message) else { return bad_request() };
    let mut found =
        json!({"emailAddress": datum["emailAddress"], "authenticate": ["Basic-Cloud", "Basic-AD"]});
    if datum["emailAddress"].as_str().is_some_and(|email| email.eq_ignore_ascii_case(EMAIL)) {
        found["region"] = json!({"code": "eu", "api": state.base_url});
    }
    Answer::json(200, &json!({"meta": {"status": 200}, "data": [found], "fail": []}))
}

/// `POST /api/login/login`.
pub(crate) fn login(state: &State, message: &Message) -> Answer {
    if let Some(refusal) = stranger(message) {
        return refusal;
    }
    let Some(datum) = datum(message) else { return bad_request() };
    let shown = message.header("authorization").unwrap_or_default();
    let is = |scheme: &str, password: &str| {
        shown.strip_prefix(scheme).is_some_and(|rest| rest == STANDARD.encode(format!("{EMAIL}:{password}")))
    };
    let user = datum["userName"].as_str().or_else(|| datum["username"].as_str());
    if user != Some(EMAIL) || !(is("Basic-Cloud ", CLOUD_PASSWORD) || is("Basic-AD ", DOMAIN_PASSWORD)) {
        return fault::error(401, "err_xdk_invalid_credentials", ErrorShape::Errors);
    }
    let (access, secret) = oauth::bind(state);
    let body = json!({"meta": {"status": 200}, "data": [{"accessKey": access, "secretKey": secret,
        "duration": 3_153_600_000_000_u64, "bindingType": "one_step", "extendOnValidate": false}], "fail": []});
    // Mimecast escapes `=`, which people paste as it stands.
    Answer::new(200, "application/json", body.to_string().replace('=', "\\u003d"))
}

fn stranger(message: &Message) -> Option<Answer> {
    (message.header("x-mc-app-id") != Some(APP_ID))
        .then(|| fault::error(401, "err_developer_key", ErrorShape::Errors))
}
