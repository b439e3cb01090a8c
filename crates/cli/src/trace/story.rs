//! What happened, in words: one line for the record, and the details that an administrator asks for next.

use mimelake_schema::{EventType, Field, Ruling};

use super::said::{Said, span};
use crate::terminal::size;

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It went on its way.
    Good,
    /// It was refused, or harm was found.
    Bad,
    /// It waits for somebody or something.
    Waiting,
    /// Neither.
    Plain,
}

/// A record in words. They hold an attacker's text and are not escaped yet.
#[derive(Debug)]
pub struct Story {
    /// How good the news is.
    pub tone: Tone,
    /// What happened.
    pub what: String,
    /// More of it, a line each.
    pub details: Vec<String>,
}

/// Tells what a record says.
pub fn tell(event_type: EventType, said: &Said) -> Story {
    let (tone, what) = match event_type {
        EventType::Receipt => ruled(said, "received"),
        EventType::Process => processed(said),
        EventType::Delivery => delivered(said),
        EventType::Journal => (Tone::Plain, "journalled".to_owned()),
        EventType::Av => (Tone::Bad, with("virus found", said.text(Field::Virus))),
        EventType::Spam => (Tone::Bad, "part of a spam event".to_owned()),
        EventType::InternalEmailProtect => {
            (Tone::Bad, with("harmful link found", said.text(Field::ScanResult)))
        }
        EventType::ImpersonationProtect => {
            let (tone, what) = checked(said, "found");
            (tone, format!("impersonation: {what}"))
        }
        EventType::UrlProtect => {
            let (tone, what) = checked(said, "seen");
            (tone, with(&format!("click on a link: {what}"), said.text(Field::Reason)))
        }
        EventType::AttachmentProtect => {
            (Tone::Bad, with("harmful attachment found", said.text(Field::FileName)))
        }
        EventType::Audit | EventType::Unknown | EventType::Message => (Tone::Plain, "a record".to_owned()),
    };
    let mut details = vec![people(said), refusal(said), findings(event_type, said), sizes(event_type, said)];
    details.push(quoted("answer", said.text(Field::ReceiptAck)));
    details.push(marks(said));
    details.retain(|line| !line.is_empty());
    Story { tone, what, details }
}

/// What was done, by the word in `action`.
fn ruled(said: &Said, otherwise: &str) -> (Tone, String) {
    let Some(action) = said.text(Field::Action) else { return (Tone::Plain, otherwise.to_owned()) };
    let (tone, what) = match Ruling::of_word(action) {
        Some(Ruling::Passed) => (Tone::Good, "accepted"),
        Some(Ruling::Rejected) => (Tone::Bad, "rejected"),
        Some(Ruling::Bounced) => (Tone::Bad, "bounced"),
        Some(Ruling::Dropped) => (Tone::Bad, "dropped"),
        Some(Ruling::Held) => (Tone::Waiting, "held"),
        None => (Tone::Plain, action),
    };
    (tone, what.to_owned())
}

/// What was done about a finding.
fn checked(said: &Said, otherwise: &str) -> (Tone, String) {
    match said.text(Field::Action).and_then(Ruling::of_word) {
        Some(Ruling::Passed) => (Tone::Plain, "let through".to_owned()),
        Some(Ruling::Rejected) => (Tone::Bad, "blocked".to_owned()),
        _ => ruled(said, otherwise),
    }
}

fn processed(said: &Said) -> (Tone, String) {
    let (tone, what) = ruled(said, "processed");
    match said.text(Field::HoldReason) {
        Some(reason) => (Tone::Waiting, format!("held: {reason}")),
        None => (tone, what),
    }
}

fn delivered(said: &Said) -> (Tone, String) {
    let attempt = said.number(Field::Attempt).map(|attempt| format!("attempt {attempt}"));
    let latency = said.number(Field::LatencyMs).map(|ms| format!(" after {}", span(ms))).unwrap_or_default();
    if said.is(Field::Delivered) {
        let attempt = attempt.map(|attempt| format!(" at {attempt}")).unwrap_or_default();
        return (Tone::Good, format!("delivered{attempt}{latency}"));
    }
    let attempt = attempt.unwrap_or_else(|| "an attempt".to_owned());
    if said.is_not(Field::Delivered) {
        return (Tone::Bad, format!("{attempt} failed{latency}"));
    }
    (Tone::Plain, format!("{attempt}{latency}"))
}

/// From whom, from where, to whom, to where.
fn people(said: &Said) -> String {
    let sender = said.text(Field::Sender);
    let header = said.text(Field::HeaderFrom).filter(|header| Some(*header) != sender);
    let at = |field| said.text(field).map(|address| format!("[{address}]"));
    let source = at(Field::SourceIp);
    let recipients: Vec<_> = said.list(Field::Recipients).collect();
    let server = [said.text(Field::DestinationHost).map(str::to_owned), at(Field::DestinationIp)];
    let server: Vec<_> = server.into_iter().flatten().collect();
    let mut words = Vec::new();
    if sender.is_some() || source.is_some() {
        words.extend(["from".to_owned(), sender.unwrap_or("?").to_owned()]);
        words.extend(header.map(|header| format!("(header {header})")));
        words.extend(source);
    }
    if !recipients.is_empty() {
        words.push(format!("to {}", recipients.join(", ")));
    }
    if !server.is_empty() {
        words.push(format!("at {}", server.join(" ")));
    }
    words.join(" ")
}

/// Why it was refused, or did not arrive.
fn refusal(said: &Said) -> String {
    let fields = [Field::RejectionCode, Field::RejectionType, Field::RejectionInfo, Field::Error];
    let mut parts: Vec<&str> = Vec::new();
    for text in fields.iter().filter_map(|field| said.text(*field)) {
        // Mimecast often says the same in several places.
        if !parts.iter().any(|part| part.contains(text)) {
            parts.retain(|part| !text.contains(part));
            parts.push(text);
        }
    }
    quoted("error", (!parts.is_empty()).then(|| parts.join(", ")).as_deref())
}

/// What scanners and policies found.
fn findings(event_type: EventType, said: &Said) -> String {
    let mut parts = said.verdicts();
    if let Some(score) = said.number(Field::SpamScore) {
        parts.push(format!("spam score {score}"));
    }
    if event_type != EventType::Av {
        parts.extend(said.text(Field::Virus).map(|virus| format!("virus {virus}")));
    }
    let texts = [
        (Field::Definition, "policy"),
        (Field::UrlCategory, "category"),
        (Field::Url, "link"),
        (Field::SimilarDomain, "similar domain"),
        (Field::RecipientActionType, "action"),
        (Field::RecipientHeaderType, "header"),
    ];
    parts.extend(texts.iter().filter_map(|(field, name)| Some(format!("{name} {}", said.text(*field)?))));
    let checks = [
        Field::TaggedMalicious,
        Field::TaggedExternal,
        Field::InternalName,
        Field::CustomName,
        Field::NewDomain,
        Field::ReplyMismatch,
        Field::SimilarInternalDomain,
        Field::SimilarCustomExternalDomain,
        Field::SimilarMimecastExternalDomain,
        Field::ThreatDictionary,
        Field::CustomThreatDictionary,
    ];
    let column = |field: &&Field| said.is(**field);
    parts.extend(checks.iter().filter(column).map(|field| field.column().replace('_', " ")));
    parts.join(", ")
}

/// Sizes, attachments and the connection.
fn sizes(event_type: EventType, said: &Said) -> String {
    let bytes = |field| said.number(field).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0).map(size);
    let mut parts: Vec<String> =
        [Field::MessageSize, Field::BytesSent].into_iter().filter_map(bytes).collect();
    let names: Vec<_> = said.list(Field::AttachmentNames).collect();
    match said.number(Field::AttachmentCount) {
        _ if !names.is_empty() => parts.push(format!("attached: {}", names.join(", "))),
        Some(1) => parts.push("1 attachment".to_owned()),
        Some(count @ 2..) => parts.push(format!("{count} attachments")),
        _ => {}
    }
    if event_type != EventType::AttachmentProtect {
        parts.extend(said.text(Field::FileName).map(str::to_owned));
    }
    parts.extend(said.text(Field::FileMime).map(str::to_owned));
    parts.extend(said.text(Field::Sha256).map(|hash| format!("sha256 {hash}")));
    parts.extend(said.text(Field::TlsVersion).map(str::to_owned));
    parts.join(", ")
}

/// What reading the record raised.
fn marks(said: &Said) -> String {
    let flags: Vec<_> = said.list(Field::Flags).collect();
    quoted("flags", (!flags.is_empty()).then(|| flags.join(", ")).as_deref())
}

fn with(what: &str, more: Option<&str>) -> String {
    more.map_or_else(|| what.to_owned(), |more| format!("{what}: {more}"))
}

fn quoted(name: &str, text: Option<&str>) -> String {
    text.map(|text| format!("{name}: {text}")).unwrap_or_default()
}
