//! API 2.0's tokens, and who may call what.

use serde_json::json;

use crate::credentials::{ACCESS_KEY, APP_ID, APP_KEY, CLIENT_ID, CLIENT_SECRET};
use crate::fault::{self, ErrorShape, Fault};
use crate::http::{Answer, Message, form};
use crate::random::Random;
use crate::sign;
use crate::state::{State, after, lock};

/// `POST /oauth/token`.
pub(crate) fn token(state: &State, message: &Message, fault: Option<&Fault>) -> Answer {
    let is_form =
        message.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    let body = String::from_utf8_lossy(&message.body);
    let field = |name| form(&body, name).unwrap_or_default();
    if !is_form || field("grant_type") != "client_credentials" {
        return fault::error(400, "invalid_request", ErrorShape::Fail);
    }
    if field("client_id") != CLIENT_ID || field("client_secret") != CLIENT_SECRET {
        return fault::error(401, "invalid_client", ErrorShape::Fail);
    }
    let lifetime = state.options.token_lifetime;
    let token = format!("bearer-{}", Random::new(0x746f_6b65, state.serial()).uuid());
    lock(&state.tokens).push((token.clone(), after(state.now(), lifetime)));
    let mut body =
        json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime.as_secs(), "scope": ""});
    if let (Some(Fault::NoToken), Some(object)) = (fault, body.as_object_mut()) {
        object.remove("access_token");
    }
    Answer::json(200, &body)
}

/// Lets pass who shows a token that is good.
pub(crate) fn bearer(state: &State, message: &Message) -> Result<(), Answer> {
    let shown = message.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let now = state.now();
    match lock(&state.tokens).iter().find(|(token, _)| Some(token.as_str()) == shown) {
        Some((_, end)) if *end > now => Ok(()),
        _ => Err(fault::error(401, "token_verification_failed", ErrorShape::Fail)),
    }
}

/// Lets pass who signs as API 1.0 wants it, once for each request id.
pub(crate) fn signed(state: &State, message: &Message) -> Result<(), Answer> {
    let refuse = |status, code| Err(fault::error(status, code, ErrorShape::Errors));
    let header = |name| message.header(name).unwrap_or_default();
    if header("x-mc-app-id") != APP_ID {
        return refuse(401, "err_developer_key");
    }
    let (date, id) = (header("x-mc-date"), header("x-mc-req-id"));
    let near = sign::date(date).is_some_and(|at| at.duration_since(state.now()).abs().as_secs() <= 15 * 60);
    if !near || !sign::is_uuid_v4(id) || !state.first_seen(id) {
        return refuse(401, "err_xdk_invalid_signature");
    }
    let Some((access, shown)) = header("authorization").strip_prefix("MC ").and_then(|v| v.split_once(':'))
    else {
        return refuse(401, "err_xdk_invalid_signature");
    };
    let secret =
        lock(&state.bindings).iter().find(|(key, _)| key == access).map(|(_, secret)| secret.clone());
    let Some(secret) = secret else {
        return refuse(418, "err_xdk_binding_expired");
    };
    if sign::signature(&secret, date, id, message.path(), APP_KEY).as_deref() != Some(shown) {
        return refuse(401, "err_xdk_invalid_signature");
    }
    Ok(())
}

/// Lets pass who signs (API 1.0) or shows a token (API 2.0).
pub(crate) fn either(state: &State, message: &Message) -> Result<(), Answer> {
    let bears = message.header("authorization").is_some_and(|value| value.starts_with("Bearer "));
    if bears { bearer(state, message) } else { signed(state, message) }
}

/// Access and secret key of one more binding.
pub(crate) fn bind(state: &State) -> (String, String) {
    use base64::Engine as _;
    let serial = state.serial();
    let secret = base64::engine::general_purpose::STANDARD.encode(Random::new(0x6b65_7973, serial).bytes());
    let pair = (format!("{ACCESS_KEY}-{serial}"), secret);
    lock(&state.bindings).push(pair.clone());
    pair
}
