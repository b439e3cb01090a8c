//! How a stand-in is set up.

use std::time::Duration;

use jiff::SignedDuration;

use crate::audit::AuditEvent;
use crate::content::Content;
use crate::fault::LimitForm;
use crate::script::Script;

/// What to serve and how; the default is a server that behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The logs.
    pub content: Content,
    /// How many files of each sequence are out at the start; all where not said. See [`Mock::publish`](crate::Mock::publish).
    pub out: Option<usize>,
    /// The audit events, in any order.
    pub audit: Vec<AuditEvent>,
    /// How pages of audit events point to the next.
    pub audit_next: AuditNext,
    /// The most files or events on a page, where the client asks for no fewer.
    pub page_size: usize,
    /// Whether bodies of `get-siem-logs` go in chunks, as in the vendor's sample, or with their length.
    pub chunked: bool,
    /// How far the server's clock is ahead of the real one.
    pub clock_skew: SignedDuration,
    /// How long an OAuth token is good for.
    pub token_lifetime: Duration,
    /// How long a presigned link is good for.
    pub link_lifetime: Duration,
    /// How often lists, logs and events may be asked for, each API for itself.
    pub limit: Option<Limit>,
    /// What goes wrong.
    pub script: Script,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            content: Content::default(),
            out: None,
            audit: Vec::new(),
            audit_next: AuditNext::Text,
            page_size: 100,
            chunked: true,
            clock_skew: SignedDuration::ZERO,
            token_lifetime: Duration::from_secs(1799),
            link_lifetime: Duration::from_mins(15),
            limit: None,
            script: Script::default(),
        }
    }
}

/// How a page of audit events points to the next one, and how the last one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditNext {
    /// `next` is text; the last page has events and no `next`.
    Text,
    /// `next` is an object, `{"pageToken":"…"}`; the last page has events and no `next`.
    Object,
    /// `next` is text, on the last page with events too; an empty page follows.
    EmptyEnd,
}

/// A limit on calls.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// So many calls…
    pub calls: u64,
    /// …in this time, counted from the first of them.
    pub window: Duration,
    /// How a refusal says when to come back.
    pub form: LimitForm,
}
