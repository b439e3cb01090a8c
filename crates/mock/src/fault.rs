//! The ways to misbehave.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Answer;
use crate::sign;

/// What happens to a request instead of, or on top of, the right answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// This status, with these headers and this body and nothing else.
    Status {
        /// The status code.
        code: u16,
        /// Names and values.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// Sent as `application/json` unless `headers` name a `Content-Type`.
        #[serde(default)]
        body: String,
    },
    /// A 429 that says how long to wait, in one of the ways in use.
    Limited {
        /// Which header, and its unit.
        form: LimitForm,
        /// How long.
        #[serde(default)]
        milliseconds: u64,
    },
    /// An error as Mimecast's JSON tells it.
    Error {
        /// `err_…` or the like.
        code: String,
        /// The status in the body, and of the answer unless `http` says otherwise.
        status: u16,
        /// The status of the answer; 200 for an error that only the body tells.
        #[serde(default)]
        http: Option<u16>,
        /// In which shape.
        #[serde(default)]
        shape: ErrorShape,
    },
    /// The right answer, but the connection is closed at this point.
    Close {
        /// Where.
        at: At,
        /// Whether the body goes in chunks (then without an end) or with its full length announced; as usual where
        /// not said.
        #[serde(default)]
        chunked: Option<bool>,
    },
    /// The right answer with neither a length nor chunks, so that it ends where the connection does: after so many
    /// bytes of its body, or with all of it where it has fewer.
    Open {
        /// How many.
        bytes: usize,
    },
    /// The right answer, but nothing more comes from this point on and the connection stays open until the client
    /// closes it.
    Stall {
        /// Where.
        at: At,
    },
    /// The right answer up to this point, and then byte after byte that never comes to an end (in chunks), until the
    /// client closes the connection.
    Trickle {
        /// Where.
        at: At,
    },
    /// An HTML page that says that work is under way, with status 200.
    HtmlPage,
    /// JSON that ends in its middle, with status 200.
    BadJson,
    /// An answer without its token or cursor (`mc-siem-token`, `@nextPage`, `pagination.next`, `access_token`).
    NoToken,
    /// An answer with the token or cursor that came with the request.
    SameToken,
    /// The cursor of the place before the one that came with the request, so that cursors go in circles (siem1, batch).
    Back,
    /// A cursor that begins from nothing: base64 of text full of `=0-0`.
    ResetCursor,
    /// An empty zip and a moved token; nothing is skipped, the files come with the next call (siem1, compressed).
    EmptyZip,
    /// A page without an entry, and a moved cursor; nothing is skipped, the links come with the next call (batch).
    EmptyPage,
    /// The first page again, whatever the cursor, which turns to another that stands for the same (batch).
    SamePage,
    /// The logs of this zip and of the next in one zip of another name, and the token that stands behind both (siem1,
    /// compressed).
    OtherCut,
    /// A zip beside the content and a moved token, whose members are named `../…`, `/…` and `C:\…` (siem1, compressed).
    HostileMembers,
    /// A name in `Content-Disposition` that leaves the folder (siem1) or in the URL (batch).
    HostileName,
    /// The file with bytes changed in its middle and at its end, so that neither content nor container is right; of
    /// the right length and the same on every try (siem1, presigned).
    Corrupt,
    /// The file with bytes changed in its middle alone: for a zip, one bad member in a good archive (siem1, presigned).
    CorruptMember,
    /// The file without its last bytes, and a length that fits what is sent (siem1, presigned).
    Shorten {
        /// How many are missing.
        bytes: usize,
    },
    /// Every URL of the page twice, with different queries (batch).
    Repeat,
    /// The page without its last entry, while the cursor stands behind all of them (batch).
    Fewer,
    /// More entries, of another shape than Mimecast's (batch).
    OddEntries {
        /// How many.
        count: usize,
    },
    /// Entries that all say this size (batch).
    Size {
        /// In bytes.
        bytes: u64,
    },
    /// Links to a host where no one listens for the first entries (batch).
    DeadHost {
        /// How many.
        entries: usize,
    },
    /// Links that have expired before they are used (batch).
    ExpiredLinks,
    /// The right answer, but held back until so many requests that met this fault are waiting at once, which shows
    /// that a client works in parallel.
    Gather {
        /// How many.
        requests: u64,
    },
}

/// A point in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// Before its first byte.
    Start,
    /// In the middle of its status line.
    Head,
    /// After its headers and this many bytes of its body.
    Body(usize),
}

/// How a 429 says when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitForm {
    /// Not at all.
    Silent,
    /// `Retry-After` in seconds, rounded up.
    RetryAfter,
    /// `Retry-After` as an HTTP date.
    RetryAfterDate,
    /// `X-RateLimit-Reset` in milliseconds from now.
    ResetMillis,
    /// `X-RateLimit-Reset` as seconds since 1970.
    ResetEpoch,
    /// `X-RateLimit-Reset` as milliseconds since 1970.
    ResetEpochMillis,
}

/// The three shapes in which errors come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// `{"meta":{"status":…},"data":[],"fail":[{"errors":[{"code","message","retryable"}]}]}`
    #[default]
    Errors,
    /// `{"fail":[{"code","message"}]}`
    Fail,
    /// `{"error":{"code","message"}}`
    Error,
}

impl Fault {
    /// An answer with this status and nothing to say.
    pub fn status(code: u16) -> Self {
        Self::Status { code, headers: Vec::new(), body: String::new() }
    }

    /// An error in API 1.0's shape.
    pub fn error(code: &str, status: u16) -> Self {
        Self::Error { code: code.to_owned(), status, http: None, shape: ErrorShape::Errors }
    }

    /// An error in API 1.0's shape under HTTP 200.
    pub fn hidden_error(code: &str, status: u16) -> Self {
        Self::Error { code: code.to_owned(), status, http: Some(200), shape: ErrorShape::Errors }
    }

    /// 418: the binding has expired, log in again.
    pub fn binding_expired() -> Self {
        Self::error("err_xdk_binding_expired", 418)
    }

    /// The token is not one of this account's.
    pub fn invalid_token() -> Self {
        Self::error("err_audit_siem_invalid_token", 400)
    }

    /// The account lives in another region.
    pub fn wrong_region() -> Self {
        Self::error("err_audit_log_incorrect_region", 400)
    }

    /// 403: the event type is not licensed (API 2.0).
    pub fn unlicensed() -> Self {
        Self::Error { code: "app_forbidden".to_owned(), status: 403, http: None, shape: ErrorShape::Fail }
    }

    /// 403 as the store of presigned files says it: the link has expired.
    pub fn expired() -> Self {
        Self::Status {
            code: 403,
            headers: vec![("Content-Type".to_owned(), "application/xml".to_owned())],
            body: EXPIRED.to_owned(),
        }
    }

    /// The answer that stands for the whole, where this fault needs nothing of the right one.
    pub(crate) fn instead(&self, now: jiff::Timestamp) -> Option<Answer> {
        Some(match self {
            Self::Status { code, headers, body } => {
                let mut answer = Answer::new(*code, "application/json", body.as_str());
                if crate::http::header(headers, "content-type").is_some() {
                    answer.headers.clear();
                }
                answer.headers.extend(headers.iter().cloned());
                answer
            }
            Self::Limited { form, milliseconds } => limited(*form, *milliseconds, now),
            Self::Error { code, status, http, shape } => {
                let mut answer = error(*status, code, *shape);
                answer.status = http.unwrap_or(*status);
                answer
            }
            Self::HtmlPage => Answer::new(200, "text/html; charset=utf-8", PAGE),
            Self::BadJson => {
                Answer::new(200, "application/json", "{\"meta\":{\"status\":200},\"data\":[{\"id\":")
            }
            _ => return None,
        })
    }
}

pub(crate) const EXPIRED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>\
    <Message>Request has expired</Message></Error>";

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head>\
    <body><h1>We will be back soon</h1></body></html>\n";

/// An error in one of the shapes.
pub(crate) fn error(status: u16, code: &str, shape: ErrorShape) -> Answer {
    let message = format!("the stand-in says {code}");
    let body: Value = match shape {
        ErrorShape::Errors => json!({"meta": {"status": status}, "data": [], "fail": [{"errors": [
            {"code": code, "message": message, "retryable": code == "internal_server_error_1"}]}]}),
        ErrorShape::Fail => json!({"fail": [{"code": code, "message": message}]}),
        ErrorShape::Error => json!({"error": {"code": code, "message": message}}),
    };
    Answer::json(status, &body)
}

/// A 429 in one of its forms.
pub(crate) fn limited(form: LimitForm, milliseconds: u64, now: jiff::Timestamp) -> Answer {
    let answer = error(429, "err_too_many_requests", ErrorShape::Errors);
    let wait = jiff::SignedDuration::from_millis(milliseconds.min(1 << 40) as i64);
    let then = now.checked_add(wait).unwrap_or(now);
    match form {
        LimitForm::Silent => answer,
        LimitForm::RetryAfter => answer.with("Retry-After", milliseconds.div_ceil(1000).to_string()),
        LimitForm::RetryAfterDate => answer.with("Retry-After", sign::spelled(then, "GMT")),
        LimitForm::ResetMillis => answer.with("X-RateLimit-Reset", milliseconds.to_string()),
        LimitForm::ResetEpoch => answer.with("X-RateLimit-Reset", then.as_second().to_string()),
        LimitForm::ResetEpochMillis => answer.with("X-RateLimit-Reset", then.as_millisecond().to_string()),
    }
}
