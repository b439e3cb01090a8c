//! What an answer means: the one place that knows which errors pass.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::config::Api;
use crate::lean::Lean;
use crate::limits;
use crate::secret::{Secret, masked};

/// What to do about a call that did not give what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passes: try again, after this long if the server says so.
    Retry(Option<Duration>),
    /// It passes, and nothing was done: too many calls; try again after this long.
    Limited(Duration),
    /// Get another bearer token, once; whether what the second meets passes.
    Renew { passes: bool },
    /// The event type is not licensed: go on without it.
    Unlicensed,
    /// The cursor is not known any more: go on without it.
    StartOver,
    /// The presigned link has expired: list it again.
    Expired,
    /// It passes, and nothing was sent: the host could not be reached.
    Unreached,
    /// It passes: the connection was closed in order before the end of the body.
    Ended,
    /// Only a person can mend it; how.
    Stop(String),
    /// The same, and no other call to this source would fare better.
    Denied(String),
}

/// A verdict, and what led to it for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) verdict: Verdict,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn passes(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Retry(None), what: what.into() }
    }
}

/// What the server said in one of its three shapes, or in that of OAuth.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Said {
    code: String,
    message: String,
    retryable: bool,
}

/// What of an answer says whether the call succeeded; its data, which may be long, is not kept.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    meta: Lean,
    error: Lean,
    error_description: Lean,
    fail: Lean,
}

/// The head of an answer.
pub(crate) struct Head<'a> {
    pub(crate) api: Api,
    /// Whether keys or a token were sent, and not a user's password.
    pub(crate) is_signed: bool,
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    /// When it came.
    pub(crate) now: Timestamp,
    /// What is masked should the server repeat it.
    pub(crate) secrets: Vec<Secret>,
}

/// A wait for API 1.0 where no header says how long.
const UNSAID: Duration = Duration::from_mins(10);
/// Mimecast refuses signatures that are older.
const SKEW_SECONDS: i64 = 5 * 60;

impl Head<'_> {
    /// Whether the body is JSON and says that the call succeeded, by the status of HTTP, `meta.status` and `fail`.
    pub(crate) fn check(&self, body: &[u8]) -> Result<(), Fault> {
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let Some(told) = is_object.then(|| serde_json::from_slice::<Told>(body).ok()).flatten() else {
            let what = if is_html(body) { "an HTML page" } else { "a body that is no JSON" };
            return Err(self.unreadable(what));
        };
        let said = said(&told);
        let status = told.meta.0.get("status").and_then(Value::as_u64).map_or(self.status, |s| s as u16);
        let status = if (200..300).contains(&self.status) { status } else { self.status };
        match said {
            None if (200..300).contains(&status) => Ok(()),
            said => Err(self.fault(status, &said.unwrap_or_default())),
        }
    }

    /// Returns the fault of an answer that is not what this API sends.
    pub(crate) fn unreadable(&self, what: &str) -> Fault {
        let what = format!("HTTP {} with {what}{}", self.status, self.request_id());
        // A page says that something stands before the API: maintenance, or a proxy.
        let verdict = match self.status {
            407 => Verdict::Denied(
                "the proxy wants a name and password: HTTPS_PROXY=http://user:password@host:port".into(),
            ),
            404 => Verdict::Stop("check base_url: this host does not speak Mimecast's API".into()),
            // Some other server does not understand the request, and never will.
            400 | 405 | 413 | 414 | 431 => Verdict::Stop(
                "another server answers in the place of Mimecast's: check base_url, and the proxy if there is one"
                    .into(),
            ),
            401 | 418 => self.verdict(self.status, &Said::default()),
            429 => Verdict::Limited(self.rate_limit()),
            _ => Verdict::Retry(limits::wait(self.headers, self.now)),
        };
        Fault { verdict, what }
    }

    fn rate_limit(&self) -> Duration {
        limits::wait(self.headers, self.now).unwrap_or(UNSAID)
    }

    fn fault(&self, status: u16, said: &Said) -> Fault {
        let code = if said.code.is_empty() { String::new() } else { format!(" {}", self.shown(&said.code)) };
        let message =
            if said.message.is_empty() { String::new() } else { format!(": {}", self.shown(&said.message)) };
        let what = format!("{status}{code}{message}{}", self.request_id());
        Fault { verdict: self.verdict(status, said), what }
    }

    fn verdict(&self, status: u16, said: &Said) -> Verdict {
        let stop = |hint: &str| Verdict::Stop(hint.to_owned());
        let denied = |hint: &str| Verdict::Denied(hint.to_owned());
        match said.code.as_str() {
            "err_audit_siem_invalid_token" => return Verdict::StartOver,
            "err_xdk_binding_expired" => return denied(LOGIN),
            "err_xdk_invalid_signature" => return Verdict::Denied(self.signature_hint()),
            "err_developer_key" => {
                return denied("check app_id and app_key: Mimecast does not know them together");
            }
            "err_audit_log_incorrect_region" => {
                return denied(
                    "the account is in another region: set region or base_url to that of the account",
                );
            }
            "app_forbidden" if status == 403 => return Verdict::Unlicensed,
            "internal_server_error_1" => return Verdict::Retry(None),
            "token_verification_failed" => return Verdict::Renew { passes: true },
            "invalid_client" | "unauthorized_client" => return denied(CLIENT),
            // API 2.0 sends no cursor but what the server gave.
            code if self.api == Api::V2 && is_of_cursor(code) => return Verdict::StartOver,
            code if code.starts_with("err_validation_") => return stop(REQUEST),
            _ => {}
        }
        match status {
            429 => Verdict::Limited(self.rate_limit()),
            408 | 500..600 => Verdict::Retry(limits::wait(self.headers, self.now)),
            _ if said.retryable => Verdict::Retry(None),
            401 | 403 if !self.is_signed && self.api == Api::V1 => denied(PASSWORD),
            418 => denied(LOGIN),
            401 if self.api == Api::V2 => Verdict::Renew { passes: false },
            401 => Verdict::Denied(self.signature_hint()),
            403 if self.api == Api::V1 => stop("the user needs the permission Gateway | Tracking | Read"),
            403 => stop("the application's role does not allow this call"),
            404 => stop("check base_url: this host does not know the call"),
            // Said to be a success, yet with something in `fail`.
            200..300 if said.code.is_empty() => Verdict::Retry(None),
            _ => stop(REQUEST),
        }
    }

    /// What to mend about a signature: the clock if it is off, the keys otherwise.
    fn signature_hint(&self) -> String {
        let date = self.headers.get("date").and_then(|value| value.to_str().ok());
        let server = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        let off = server.map_or(0, |server| self.now.as_second() - server.timestamp().as_second());
        if off.abs() < SKEW_SECONDS {
            return "check app_key, access_key and secret_key; or run `mimelake login` for a new pair"
                .to_owned();
        }
        let side = if off > 0 { "ahead" } else { "behind" };
        let off = off.unsigned_abs();
        format!(
            "this machine's clock is {off} s {side} of Mimecast's, and signatures hold for minutes: set the clock"
        )
    }

    fn request_id(&self) -> String {
        let id =
            ["x-request-id", "x-mc-req-id"].iter().find_map(|name| self.headers.get(*name)?.to_str().ok());
        id.map_or(String::new(), |id| format!(" (request id {})", self.shown(id)))
    }

    /// The text of a stranger, masked, and then at most so long: a part of a secret would not be known any more.
    fn shown(&self, text: &str) -> String {
        masked(text, &self.secrets).chars().take(300).collect()
    }
}

const LOGIN: &str = "the keys have expired: run `mimelake login` for a new pair";
const REQUEST: &str =
    "Mimecast does not take the request: check the configuration; support asks for the request id";
const PASSWORD: &str =
    "check the address and the password, and whether the user logs in by the domain (--domain)";
const CLIENT: &str = "check client_id and client_secret";

/// Whether a code says that the cursor of a list is not taken.
fn is_of_cursor(code: &str) -> bool {
    let field = code.to_ascii_lowercase();
    let Some(field) = field.strip_prefix("err_validation_") else { return false };
    ["next_page", "nextpage", "cursor"].iter().any(|name| field.contains(name))
}

/// Whether a body is a page for people.
pub(crate) fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Returns the first error that an answer holds, in any of its shapes.
fn said(told: &Told) -> Option<Said> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |value: &Value| Said {
        code: text(value, "code"),
        message: text(value, "message"),
        retryable: value.get("retryable").and_then(Value::as_bool).unwrap_or(false),
    };
    match &told.error.0 {
        Value::String(code) => {
            return Some(Said {
                code: code.clone(),
                message: told.error_description.0.as_str().unwrap_or_default().to_owned(),
                retryable: false,
            });
        }
        error @ Value::Object(_) => return Some(read(error)),
        _ => {}
    }
    let fail = told.fail.0.as_array()?.first()?;
    let inner = fail.get("errors").and_then(Value::as_array).map(|errors| errors.first());
    Some(match inner {
        Some(Some(error)) => read(error),
        Some(None) => Said::default(),
        None => read(fail),
    })
}

#[cfg(test)]
mod tests;
