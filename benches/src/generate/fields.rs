//! Which pairs a record holds, under the names of API 1.0 and of API 2.0.

use std::fmt::Write;

use super::calendar::push_datetime;
use super::email::{Email, Fate};
use super::lists::{Failure, ROUTES};
use super::random::Rng;
use super::records::{Outcome, Record, Step};
use super::render::{Json, Pairs};

const ACCOUNT: &[u8] = b"C0A0";

/// Hands out the pairs of an API 1.0 record in the order of Mimecast's own samples.
pub(super) fn api1(record: &Record, out: &mut impl Pairs) {
    let email = &*record.email;
    let mut date = Vec::with_capacity(24);
    push_datetime(record.at_ms, &mut date);
    out.text("datetime", &date);
    out.text("aCode", email.code.as_bytes());
    out.text("acc", ACCOUNT);
    match record.step {
        Step::Receipt { recipient } => receipt1(email, recipient, out),
        Step::Process => process1(email, out),
        Step::Delivery { recipient, attempt, outcome } => {
            delivery1(record, &email.recipients[recipient], attempt, outcome, out);
        }
    }
}

fn receipt1(email: &Email, recipient: usize, out: &mut impl Pairs) {
    let to = email.recipients[recipient].as_bytes();
    if let Fate::Rejected(why) = email.fate {
        out.text("IP", email.source_ip.as_bytes());
        out.quoted("RejType", why.kind.as_bytes());
        out.quoted("Error", why.error.as_bytes());
        out.int("RejCode", why.code);
        out.text("Dir", email.direction.as_bytes());
        out.null("headerFrom");
        out.text("Sender", email.sender.as_bytes());
        out.text("Rcpt", to);
        out.text("Act", b"Rej");
        out.quoted("RejInfo", why.info.as_bytes());
        out.text("TlsVer", email.tls.0.as_bytes());
        out.text("Cphr", email.tls.1.as_bytes());
        return;
    }
    out.int("SpamLimit", 0);
    out.text("IP", email.source_ip.as_bytes());
    out.text("Dir", email.direction.as_bytes());
    out.text("MsgId", email.message_id.as_bytes());
    out.quoted("Subject", email.subject.as_bytes());
    out.text("headerFrom", email.header_from.as_bytes());
    out.text("Sender", email.sender.as_bytes());
    out.text("Rcpt", to);
    out.text("SpamInfo", b"[]");
    out.text("Act", b"Acc");
    out.text("TlsVer", email.tls.0.as_bytes());
    out.text("Cphr", email.tls.1.as_bytes());
    out.object("SpamProcessingDetail", email.spam_detail);
    out.int("SpamScore", email.spam_score);
}

fn process1(email: &Email, out: &mut impl Pairs) {
    let hold = hold(email);
    if let Some(reason) = hold {
        if reason.contains(' ') {
            out.quoted("Hld", reason.as_bytes());
        } else {
            out.text("Hld", reason.as_bytes());
        }
    }
    out.int("AttSize", email.attachments_size);
    out.text("Act", if hold.is_some() { b"Hld" } else { b"Acc" });
    if hold.is_some() {
        out.flag("IPNewDomain", email.size % 5 == 0);
        out.flag("IPReplyMismatch", false);
    }
    out.int("AttCnt", email.attachment_count);
    if hold.is_some() {
        out.flag("IPInternalName", email.size % 7 == 0);
    }
    if email.attachment_count == 0 {
        out.null("AttNames");
    } else {
        out.quoted("AttNames", email.attachments.as_bytes());
    }
    out.int("MsgSize", email.size);
    out.text("MsgId", email.message_id.as_bytes());
    if hold.is_some() {
        out.flag("IPThreadDict", false);
        out.flag("IPSimilarDomain", false);
    }
}

fn delivery1(record: &Record, to: &str, attempt: u32, outcome: Outcome, out: &mut impl Pairs) {
    let email = &*record.email;
    let mut rng = Rng::new(record.salt);
    let failure = failure(outcome);
    out.flag("Delivered", failure.is_none());
    match failure {
        None => out.text("IP", email.destination_ip.as_bytes()),
        Some(why) => {
            out.quoted("Err", why.error.as_bytes());
            out.quoted("RejType", why.kind.as_bytes());
            if why.code != 0 {
                out.int("RejCode", why.code);
                out.quoted("RejInfo", why.info.as_bytes());
            }
        }
    }
    out.int("AttCnt", email.attachment_count);
    out.text("Dir", email.direction.as_bytes());
    let latency = latency_ms(record, &mut rng);
    if failure.is_none() {
        out.quoted("ReceiptAck", receipt_ack(email, &mut rng).as_bytes());
    } else {
        out.text("ReceiptAck", b"null");
    }
    out.text("MsgId", email.message_id.as_bytes());
    out.quoted("Subject", email.subject.as_bytes());
    out.int("Latency", latency);
    out.text("Sender", email.sender.as_bytes());
    out.text("Rcpt", to.as_bytes());
    out.int("AttSize", email.attachments_size);
    out.int("Attempt", i64::from(attempt));
    if failure.is_some() {
        out.int("Snt", 0);
        out.text("UseTls", b"No");
        return;
    }
    out.text("TlsVer", email.tls.0.as_bytes());
    out.text("Cphr", email.tls.1.as_bytes());
    out.int("Snt", email.size + rng.between(100, 4_000) as i64);
    out.text("UseTls", b"Yes");
    out.quoted("Route", rng.pick(ROUTES).as_bytes());
}

/// Hands out the pairs of an API 2.0 record.
pub(super) fn api2(record: &Record, out: &mut Json<'_>) {
    let email = &*record.email;
    let mut rng = Rng::new(record.salt);
    let mut id = String::with_capacity(40);
    rng.push_code(&mut id);
    let _ = write!(id, "_{}", record.at_ms / 1000);
    out.text("processingId", id.as_bytes());
    out.text("aggregateId", format!("{}_{}", email.code, email.arrived_ms / 1000).as_bytes());
    out.text("accountId", ACCOUNT);
    out.number("timestamp", record.at_ms);
    out.text("type", record.stage().name().as_bytes());
    out.number("_offset", (record.at_ms / 40) & 0xfff_ffff);
    out.number("_partition", rng.below(12) as i64);
    out.text("messageId", email.message_id.as_bytes());
    out.text("subject", email.subject.as_bytes());
    out.text("senderEnvelope", email.sender.as_bytes());
    match record.step {
        Step::Receipt { recipient } => receipt2(email, recipient, out),
        Step::Process => process2(email, out),
        Step::Delivery { recipient, attempt, outcome } => {
            delivery2(record, &email.recipients[recipient], attempt, outcome, out);
        }
    }
}

fn receipt2(email: &Email, recipient: usize, out: &mut Json<'_>) {
    let rejection = if let Fate::Rejected(why) = email.fate { Some(why) } else { None };
    let action = if rejection.is_some() { "Rej" } else { "Acc" };
    out.text("subtype", action.as_bytes());
    out.text("action", action.as_bytes());
    out.text("senderHeader", email.header_from.as_bytes());
    out.text("recipients", email.recipients[recipient].as_bytes());
    out.text("senderIp", email.source_ip.as_bytes());
    out.text("direction", email.direction.as_bytes());
    optional(out, "rejectionType", rejection.map(|why| why.kind));
    optional(out, "rejectionInfo", rejection.map(|why| why.info));
    optional(out, "receiptErrors", rejection.map(|why| why.error));
    match rejection {
        Some(why) => out.int("rejectionCode", why.code),
        None => out.null("rejectionCode"),
    }
    out.int("spamScore", email.spam_score);
    out.text("spamInfo", b"[]");
    out.object("spamProcessingDetail", email.spam_detail);
    out.text("spamDetectionLevel", b"0");
    out.null("virusFound");
    out.text("tlsVersion", email.tls.0.as_bytes());
    out.text("tlsCipher", email.tls.1.as_bytes());
    out.int("numberAttachments", email.attachment_count);
}

fn process2(email: &Email, out: &mut Json<'_>) {
    let hold = hold(email);
    let action = if hold.is_some() { "Hld" } else { "Acc" };
    out.text("subtype", action.as_bytes());
    out.text("action", action.as_bytes());
    optional(out, "holdReason", hold);
    optional(out, "attachments", Some(email.attachments.as_str()).filter(|names| !names.is_empty()));
    out.int("numberAttachments", email.attachment_count);
    out.int("totalSizeAttachments", email.attachments_size);
    out.int("emailSize", email.size);
}

fn delivery2(record: &Record, to: &str, attempt: u32, outcome: Outcome, out: &mut Json<'_>) {
    let email = &*record.email;
    let mut rng = Rng::new(record.salt);
    let failure = failure(outcome);
    let delivered = failure.is_none();
    out.flag("subtype", delivered);
    out.flag("delivered", delivered);
    optional(out, "destinationIp", delivered.then_some(email.destination_ip.as_str()));
    out.text("Hostname", b"mx1.example.net");
    out.text("recipients", to.as_bytes());
    out.text("direction", email.direction.as_bytes());
    out.text("route", ROUTES[0].as_bytes());
    out.int("deliveryAttempts", i64::from(attempt));
    out.int("deliveryTime", latency_ms(record, &mut rng));
    out.int("emailSize", if delivered { email.size } else { 0 });
    out.int("totalSizeAttachments", email.attachments_size);
    out.int("numberAttachments", email.attachment_count);
    out.text("tlsUsed", if delivered { b"Yes" } else { b"No" });
    out.text("tlsVersion", if delivered { email.tls.0.as_bytes() } else { b"" });
    optional(out, "tlsCipher", delivered.then_some(email.tls.1));
    optional(out, "deliveryErrors", failure.map(|why| why.error));
    optional(out, "rejectionType", failure.map(|why| why.kind));
    if let Some(why) = failure.filter(|why| why.code != 0) {
        out.int("rejectionCode", why.code);
        out.text("rejectionInfo", why.info.as_bytes());
    } else {
        out.null("rejectionCode");
        out.null("rejectionInfo");
    }
}

fn optional(out: &mut Json<'_>, key: &str, value: Option<&str>) {
    match value {
        Some(value) => out.text(key, value.as_bytes()),
        None => out.null(key),
    }
}

fn hold(email: &Email) -> Option<&'static str> {
    if let Fate::Held(reason) = email.fate { Some(reason) } else { None }
}

fn failure(outcome: Outcome) -> Option<Failure> {
    match outcome {
        Outcome::Delivered => None,
        Outcome::Deferred(why) | Outcome::Bounced(why) => Some(why),
    }
}

/// Since the email came, as Mimecast counts it: a late attempt's latency is many hours.
fn latency_ms(record: &Record, rng: &mut Rng) -> i64 {
    record.at_ms - record.email.arrived_ms + rng.between(200, 3_000) as i64
}

fn receipt_ack(email: &Email, rng: &mut Rng) -> String {
    let number = rng.between(1_000_000_000, 99_999_999_999_999);
    match rng.below(3) {
        0 => format!("250 2.0.0 OK {number} - relay"),
        1 => format!("250 2.0.0 Ok: queued as {number:X}"),
        _ => format!("250 2.6.0 {} [InternalId={number}] Queued mail for delivery", email.message_id),
    }
}
