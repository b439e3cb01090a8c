//! What goes wrong, where and when.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::fault::{At, Fault, LimitForm};
use crate::random::Random;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// API 1.0: `/api/login/discover-authentication`.
    Discover,
    /// API 1.0: `/api/login/login`.
    Login,
    /// API 1.0: `/api/audit/get-siem-logs`.
    Siem1,
    /// Both: `/api/audit/get-audit-events`.
    Audit,
    /// Both: `/api/audit/get-categories`.
    Categories,
    /// API 2.0: `/oauth/token`.
    Token,
    /// API 2.0: `/siem/v1/batch/events/cg`.
    Batch,
    /// API 2.0: `/siem/v1/events/cg`.
    Stream,
    /// API 2.0: `/presigned/…`, a download.
    Presigned,
    /// Anything else, which is not found.
    Other,
}

impl Endpoint {
    /// Returns the endpoint at `path`.
    pub fn of(path: &str) -> Self {
        match path {
            "/api/login/discover-authentication" => Self::Discover,
            "/api/login/login" => Self::Login,
            "/api/audit/get-siem-logs" => Self::Siem1,
            "/api/audit/get-audit-events" => Self::Audit,
            "/api/audit/get-categories" => Self::Categories,
            "/oauth/token" => Self::Token,
            "/siem/v1/batch/events/cg" => Self::Batch,
            "/siem/v1/events/cg" => Self::Stream,
            _ if path.starts_with("/presigned/") => Self::Presigned,
            _ => Self::Other,
        }
    }
}

/// Rules that make the server misbehave; the first that fits a request decides.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// In order; `[[rule]]` in a file.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

impl Script {
    /// Returns the script that a TOML text holds.
    ///
    /// ```
    /// let script = mimelake_mock::Script::from_toml(
    ///     r#"
    ///     [[rule]]
    ///     endpoint = "siem1"
    ///     on = "2-3"
    ///     fault = { status = { code = 503 } }
    ///     "#,
    /// )?;
    /// assert_eq!(script.rules[0].on, 2..=3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The text is no TOML, or no script; the message names the line.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

impl Script {
    /// Returns `count` rules, the same for the same seed, that a client which starts over often enough gets past
    /// without losing or repeating a file: none is for ever, none damages a file, none stalls.
    pub fn passing(seed: u64, count: usize) -> Self {
        let mut random = Random::new(seed, 0x7061_7373);
        Self { rules: (0..count).map(|_| passing(&mut random)).collect() }
    }
}

fn passing(random: &mut Random) -> Rule {
    use Endpoint::{Batch, Presigned, Siem1, Token};
    let cut = |bytes, chunked| Fault::Close { at: At::Body(bytes), chunked };
    let anywhere = [Siem1, Token, Batch, Presigned];
    let (endpoints, fault): (&[Endpoint], Fault) = match random.below(19) {
        0 => (&anywhere, Fault::status(random.pick(&[500, 502, 503, 504, 509]))),
        1 => (&anywhere, Fault::Close { at: At::Start, chunked: None }),
        2 => (&anywhere, Fault::Close { at: At::Head, chunked: None }),
        3 => (&anywhere, cut(random.below(2000) as usize, Some(false))),
        4 => (&anywhere, cut(random.below(2000) as usize, Some(true))),
        5 => (&anywhere, Fault::HtmlPage),
        6 => (&[Siem1, Token, Batch], Fault::BadJson),
        7 => (&[Siem1, Batch], Fault::Limited { form: LimitForm::ResetMillis, milliseconds: 1 }),
        8 => (&[Siem1, Batch], Fault::Limited { form: LimitForm::RetryAfter, milliseconds: 1 }),
        9 => (&[Siem1], Fault::hidden_error("internal_server_error_1", 500)),
        10 => (&[Siem1], Fault::invalid_token()),
        11 => (&[Siem1, Batch], Fault::NoToken),
        12 => (&[Siem1, Batch], Fault::SameToken),
        13 => (&[Batch], Fault::ResetCursor),
        14 => (&[Siem1], Fault::EmptyZip),
        15 => (&[Batch], Fault::Repeat),
        16 => (&[Batch], Fault::ExpiredLinks),
        17 => (&[Presigned], Fault::expired()),
        _ => (&[Batch], Fault::error("token_verification_failed", 401)),
    };
    let first = 1 + random.below(12);
    Rule::new(random.pick(endpoints), fault).on(first..=first + random.below(2))
}

impl From<Vec<Rule>> for Script {
    fn from(rules: Vec<Rule>) -> Self {
        Self { rules }
    }
}

/// A fault, and the requests it befalls: the first that matches, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests count.
    pub endpoint: Endpoint,
    /// Only requests about this: part of the name of the file served (siem1, presigned), of the type asked for (batch,
    /// stream), or of the categories (audit).
    #[serde(default)]
    pub about: Option<String>,
    /// Only requests for this file of the sequence ([`Mock::expected`](crate::Mock::expected)), counted from 0; for
    /// batch, for the page that begins with this file of its type.
    #[serde(default)]
    pub file: Option<usize>,
    /// Which of the requests that count, from 1. In a file: `2`, `"2-3"`, `"4-"`, `"every"`.
    #[serde(default = "first", deserialize_with = "on::deserialize")]
    pub on: RangeInclusive<u64>,
    /// What happens.
    pub fault: Fault,
}

impl Rule {
    /// Returns a rule for the first request to `endpoint`.
    pub fn new(endpoint: Endpoint, fault: Fault) -> Self {
        Self { endpoint, about: None, file: None, on: first(), fault }
    }

    /// Of the requests that count, from 1.
    #[must_use]
    pub fn on(self, on: RangeInclusive<u64>) -> Self {
        Self { on, ..self }
    }

    /// Every request that counts.
    #[must_use]
    pub fn every(self) -> Self {
        self.on(1..=u64::MAX)
    }

    /// Only requests about `about`, see [`Rule::about`].
    #[must_use]
    pub fn about(self, about: &str) -> Self {
        Self { about: Some(about.to_owned()), ..self }
    }

    /// Only requests for this file, see [`Rule::file`].
    #[must_use]
    pub fn file(self, file: usize) -> Self {
        Self { file: Some(file), ..self }
    }
}

fn first() -> RangeInclusive<u64> {
    1..=1
}

/// What a request is about, as far as rules care.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) about: String,
    pub(crate) file: Option<usize>,
}

/// A script at work: how often each rule was met.
#[derive(Debug, Default)]
pub(crate) struct Running {
    rules: Vec<(Rule, u64)>,
}

impl Running {
    pub(crate) fn new(script: Script) -> Self {
        Self { rules: script.rules.into_iter().map(|rule| (rule, 0)).collect() }
    }

    /// Counts the request and returns what befalls it.
    pub(crate) fn next(&mut self, endpoint: Endpoint, subject: &Subject) -> Option<Fault> {
        let mut fault = None;
        for (rule, met) in &mut self.rules {
            let fits = rule.endpoint == endpoint
                && rule.about.as_ref().is_none_or(|about| subject.about.contains(about.as_str()))
                && rule.file.is_none_or(|file| subject.file == Some(file));
            if fits {
                *met += 1;
                if fault.is_none() && rule.on.contains(met) {
                    fault = Some(rule.fault.clone());
                }
            }
        }
        fault
    }
}

/// `on` in a file.
mod on {
    use std::ops::RangeInclusive;

    use serde::{Deserialize, Deserializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum On {
        Nth(u64),
        Text(String),
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RangeInclusive<u64>, D::Error> {
        let range = match On::deserialize(from)? {
            On::Nth(nth) => Some(nth..=nth),
            On::Text(text) if text == "every" => Some(1..=u64::MAX),
            On::Text(text) => parsed(&text),
        };
        range
            .filter(|range| *range.start() >= 1 && !range.is_empty())
            .ok_or_else(|| D::Error::custom("on is 2, \"2-3\", \"4-\" or \"every\", counted from 1"))
    }

    fn parsed(text: &str) -> Option<RangeInclusive<u64>> {
        let (first, last) = text.split_once('-')?;
        let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
        Some(first.parse().ok()?..=last)
    }
}
