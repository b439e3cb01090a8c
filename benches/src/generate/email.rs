//! One invented email: what every stage says of it.

use std::fmt::Write;

use super::lists::{
    CIPHERS, EXTENSIONS, FILES, FIRST, HOLDS, LAST, MAILBOXES, PLACES, PREFIXES, REJECTIONS, Rejection,
    SPAM_DETAILS, TOPICS, TOPICS_UNICODE, TRADES,
};
use super::random::Rng;

/// What becomes of an email before delivery.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Accepted,
    Rejected(Rejection),
    Held(&'static str),
}

#[derive(Debug)]
pub(super) struct Email {
    pub(super) arrived_ms: i64,
    pub(super) code: String,
    pub(super) message_id: String,
    pub(super) subject: String,
    pub(super) sender: String,
    pub(super) header_from: String,
    pub(super) recipients: Vec<String>,
    pub(super) direction: &'static str,
    pub(super) source_ip: String,
    pub(super) destination_ip: String,
    pub(super) tls: (&'static str, &'static str),
    /// The quoted, comma-separated list that logs hold; empty without attachments.
    pub(super) attachments: String,
    pub(super) attachment_count: i64,
    pub(super) attachments_size: i64,
    pub(super) size: i64,
    pub(super) spam_score: i64,
    pub(super) spam_detail: &'static str,
    pub(super) fate: Fate,
}

impl Email {
    pub(super) fn draw(rng: &mut Rng, arrived_ms: i64) -> Self {
        let fate = match rng.below(1000) {
            0..43 => Fate::Rejected(rng.pick(REJECTIONS)),
            43..63 => Fate::Held(rng.pick(HOLDS)),
            _ => Fate::Accepted,
        };
        let direction = match (fate, rng.below(100)) {
            (Fate::Accepted, 0..24) => "Outbound",
            (Fate::Accepted, 24..34) => "Internal",
            _ => "Inbound",
        };
        let sender = if direction == "Inbound" { outsider(rng) } else { employee(rng) };
        let header_from = if rng.permille(90) { format!("bounce-{sender}") } else { sender.clone() };
        let mut code = String::with_capacity(22);
        rng.push_code(&mut code);
        let (attachments, attachment_count, attachments_size) = attachments(rng);
        Self {
            arrived_ms,
            code,
            message_id: message_id(rng, &sender),
            subject: subject(rng),
            sender,
            header_from,
            recipients: recipients(rng, fate, direction),
            direction,
            source_ip: ip(rng),
            destination_ip: ip(rng),
            tls: rng.pick(CIPHERS),
            attachments,
            attachment_count,
            attachments_size,
            size: attachments_size + rng.between(2_000, 90_000) as i64,
            spam_score: spam_score(rng, fate),
            spam_detail: rng.pick(SPAM_DETAILS),
            fate,
        }
    }
}

fn spam_score(rng: &mut Rng, fate: Fate) -> i64 {
    match fate {
        Fate::Held("Spm") => rng.between(8, 40) as i64,
        _ => rng.below(5) as i64,
    }
}

fn recipients(rng: &mut Rng, fate: Fate, direction: &str) -> Vec<String> {
    let one_only = matches!(fate, Fate::Rejected(_)) || !rng.permille(36);
    let count = if one_only { 1 } else { rng.between(2, 5) };
    (0..count).map(|_| if direction == "Outbound" { outsider(rng) } else { employee(rng) }).collect()
}

fn employee(rng: &mut Rng) -> String {
    let who = rng.skewed((FIRST.len() * LAST.len()) as u64) as usize;
    let host = if who % 5 == 4 { "branch.example.com" } else { "example.com" };
    format!("{}.{}@{host}", FIRST[who % FIRST.len()], LAST[who / FIRST.len()])
}

fn outsider(rng: &mut Rng) -> String {
    let index = rng.skewed(40_000) as usize;
    let (place, trade) = (PLACES[index % PLACES.len()], TRADES[index / PLACES.len() % TRADES.len()]);
    let host = if index.is_multiple_of(3) { "example.org" } else { "example.net" };
    match rng.below(10) {
        0..5 => format!("{}.{}@{place}-{trade}.{host}", rng.pick(FIRST), rng.pick(LAST)),
        5..9 => format!("{}@{place}-{trade}{}.{host}", rng.pick(MAILBOXES), index / 768),
        _ => {
            // Bounce addresses of mailing services: nearly every one is new.
            let mut tag = String::with_capacity(16);
            rng.push_hex(16, &mut tag);
            format!("bounces+{tag}@mail.{trade}.{host}")
        }
    }
}

fn message_id(rng: &mut Rng, sender: &str) -> String {
    let mut id = String::with_capacity(96);
    id.push('<');
    let host = sender.rsplit('@').next().unwrap_or(sender);
    match rng.below(4) {
        0 => {
            rng.push_hex(32, &mut id);
            id.push_str("@EU2PR04MB7212.eurprd04.prod.");
            id.push_str(host);
        }
        1 => {
            id.push_str("CA+");
            rng.push_code(&mut id);
            rng.push_code(&mut id);
            id.push_str("@mail.example.org");
        }
        2 => {
            let _ = write!(id, "{}.{}.{}@", rng.below(1 << 31), rng.below(1 << 31), rng.below(1 << 40));
            id.push_str(host);
        }
        _ => {
            rng.push_hex(20, &mut id);
            id.push('@');
            id.push_str(host);
        }
    }
    id.push('>');
    id
}

fn subject(rng: &mut Rng) -> String {
    let mut subject = String::with_capacity(80);
    subject.push_str(rng.pick(PREFIXES));
    subject.push_str(if rng.permille(90) { rng.pick(TOPICS_UNICODE) } else { rng.pick(TOPICS) });
    match rng.below(1000) {
        0..400 => {
            let _ = write!(subject, " #{}", rng.below(1_000_000));
        }
        400..448 => {
            subject.push_str(" | ");
            subject.push_str(rng.pick(TOPICS));
        }
        // What a forged field and a closing quote look like to a reader that splits.
        448..451 => subject.push_str("|Act=Acc|Dir=Internal"),
        451 => subject.push_str(" C:\\reports\\march today"),
        452..500 => subject.push_str(" \"final\""),
        _ => {}
    }
    subject
}

fn attachments(rng: &mut Rng) -> (String, i64, i64) {
    let count = match rng.below(100) {
        0..70 => 0,
        70..88 => 1,
        88..96 => rng.between(2, 4),
        _ => rng.between(4, 9),
    };
    let mut names = String::new();
    let mut size = 0;
    for i in 0..count {
        if i > 0 {
            names.push_str(", ");
        }
        let _ = write!(names, "\"{}-{}.{}\"", rng.pick(FILES), rng.below(10_000), rng.pick(EXTENSIONS));
        size += rng.between(3_000, 400_000) as i64;
    }
    (names, count as i64, size)
}

/// An address from the ranges kept for documentation; one in fifty is IPv6.
fn ip(rng: &mut Rng) -> String {
    if rng.permille(20) {
        return format!("2001:db8:{:x}::{:x}", rng.skewed(0xffff), rng.between(1, 0xffff));
    }
    let net = rng.pick(&["192.0.2", "198.51.100", "203.0.113"]);
    format!("{net}.{}", rng.between(1, 255))
}
