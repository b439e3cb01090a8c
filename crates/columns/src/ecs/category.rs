//! `event.kind`, `event.category`, `event.type` and `event.action`.
//!
//! | table | kind is `alert` | category | type |
//! |---|---|---|---|
//! | receipt | refused, held, a rejection type, a virus | email, network; malware with a virus | info; allowed or denied |
//! | process | refused, held, a hold reason | email | info |
//! | delivery | never | email, network | info; allowed, or denied where the server answered with a code |
//! | journal | never | email | info |
//! | av, `attachment_protect` | always | email, malware; threat with a file | info; indicator with a file |
//! | spam, `internal_email_protect`, `impersonation_protect` | always | email | info |
//! | `url_protect` | refused, held, reason or category names malware or phishing | email, network | info; allowed or denied |
//! | audit | never | see [`audit`](super::audit) | |
//! | unknown, messages | never | email | info |
//!
//! Every type stands among those that ECS expects of one of the categories, and the other way round.

use mimelake_schema::{EventType, Field};

use super::{attachment, record::Record, ruling::Ruling};

/// Words of a list field.
type Words = [&'static str];

/// `event.kind`.
pub(super) fn kind(record: &Record<'_, '_>, ruling: Ruling) -> &'static str {
    if is_alert(record, ruling) { "alert" } else { "event" }
}

fn is_alert(record: &Record<'_, '_>, ruling: Ruling) -> bool {
    let turned_away = matches!(ruling, Ruling::Refused | Ruling::Held);
    let says = |field| record.text(field).is_some();
    match record.event.event_type {
        EventType::Receipt => turned_away || says(Field::RejectionType) || says(Field::Virus),
        EventType::Process => turned_away || says(Field::HoldReason),
        EventType::UrlProtect => turned_away || is_harmful_link(record),
        EventType::Av
        | EventType::AttachmentProtect
        | EventType::Spam
        | EventType::InternalEmailProtect
        | EventType::ImpersonationProtect => true,
        EventType::Delivery
        | EventType::Journal
        | EventType::Audit
        | EventType::Unknown
        | EventType::Message => false,
    }
}

fn is_harmful_link(record: &Record<'_, '_>) -> bool {
    let names_harm = |field| {
        let text = record.text(field).unwrap_or("");
        ["malicious", "malware", "phishing"].into_iter().any(|word| contains(text, word))
    };
    names_harm(Field::Reason) || names_harm(Field::UrlCategory)
}

/// Whether the word occurs in the text, in any case.
pub(super) fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// `event.category` and `event.type`, but for audit events.
pub(super) fn categories(record: &Record<'_, '_>, ruling: Ruling) -> (&'static Words, &'static Words) {
    let event_type = record.event.event_type;
    if matches!(event_type, EventType::Av | EventType::AttachmentProtect) {
        return if attachment::names_a_file(record) {
            (&["email", "malware", "threat"], &["info", "indicator"])
        } else {
            (&["email", "malware"], &["info"])
        };
    }
    if !matches!(event_type, EventType::Receipt | EventType::Delivery | EventType::UrlProtect) {
        return (&["email"], &["info"]);
    }
    let categories: &Words = match record.text(Field::Virus) {
        Some(_) => &["email", "network", "malware"],
        None => &["email", "network"],
    };
    (categories, verdict(record, ruling))
}

/// Whether the connection was let through. A delivery that got no answer was not denied.
fn verdict(record: &Record<'_, '_>, ruling: Ruling) -> &'static Words {
    let answered =
        record.event.event_type != EventType::Delivery || record.text(Field::RejectionCode).is_some();
    match ruling {
        Ruling::Passed => &["info", "allowed"],
        Ruling::Refused if answered => &["info", "denied"],
        _ => &["info"],
    }
}

/// `event.action` of a record that names no action.
pub(super) fn action(record: &Record<'_, '_>) -> &'static str {
    match record.event.event_type {
        EventType::Receipt => "received",
        EventType::Process => "processed",
        EventType::Delivery => match record.bool(Field::Delivered) {
            Some(true) => "delivered",
            Some(false) => "delivery-failed",
            None => "delivery-attempted",
        },
        EventType::Journal => "journaled",
        EventType::Av => "virus-detected",
        EventType::Spam => "spam-detected",
        EventType::InternalEmailProtect => "harmful-link-detected",
        EventType::ImpersonationProtect => "impersonation-detected",
        EventType::UrlProtect => "link-clicked",
        EventType::AttachmentProtect => "harmful-attachment-detected",
        EventType::Audit => "administration",
        EventType::Unknown => "unknown",
        EventType::Message => "joined",
    }
}
