//! Logs made up on the spot: the same file for the same seed and number, held by nobody in between.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use mimelake_schema::EventType;

use crate::content::FileFormat;
use crate::credentials::ACCOUNT;
use crate::random::Random;

/// The types in the order in which their files come; four files tell of the same messages.
const CYCLE: [EventType; 4] =
    [EventType::Receipt, EventType::Process, EventType::Delivery, EventType::UrlProtect];

/// How many logs to make up, and how large.
///
/// Four files in a row are about the same messages: receipt, process, delivery and url protect.
#[derive(Clone, Copy, Debug)]
pub struct Generate {
    /// How many log files there are, in API 1.0 (before zipping) and in API 2.0 alike.
    pub files: usize,
    /// How many lines a file has, of about 400 bytes each.
    pub lines: usize,
    /// How many log files share a zip.
    pub members: usize,
    /// Another seed gives other logs.
    pub seed: u64,
    /// When the first file's messages came; each four files are a minute later.
    pub start: Timestamp,
}

impl Default for Generate {
    /// Forty files of five lines, four in a zip, from 2 March 2026, nine o'clock UTC.
    fn default() -> Self {
        let start = Timestamp::from_second(1_772_442_000).unwrap_or_default();
        Self { files: 40, lines: 5, members: 4, seed: 1, start }
    }
}

/// How a log is written down.
#[derive(Clone, Copy)]
pub(crate) enum Dialect {
    Api1(FileFormat),
    Api2,
}

impl Generate {
    pub(crate) fn event_type(index: usize) -> EventType {
        CYCLE[index % CYCLE.len()]
    }

    /// The name of file `index` without its ending: type, `_`, 17 digits.
    pub(crate) fn stem(&self, index: usize) -> String {
        let prefix = Self::event_type(index).row().files.first().copied().unwrap_or("mta_");
        let separator = if prefix.ends_with('_') { "" } else { "_" };
        let at = self.time(index / CYCLE.len(), 0) + SignedDuration::from_millis((index % 1000) as i64);
        format!("{prefix}{separator}{}", at.strftime("%Y%m%d%H%M%S%3f"))
    }

    fn time(&self, group: usize, line: usize) -> Timestamp {
        let seconds = 60 * group as i64 + (line % 60) as i64;
        self.start.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(self.start)
    }

    /// The bytes of file `index`.
    pub(crate) fn log(&self, index: usize, dialect: Dialect) -> Vec<u8> {
        let (group, event_type) = (index / CYCLE.len(), Self::event_type(index));
        let records = (0..self.lines).map(|line| {
            let mut random = Random::new(self.seed, (group * self.lines + line) as u64);
            Record { email: Email::new(&mut random, self.time(group, line)), event_type, line }
        });
        match dialect {
            Dialect::Api1(FileFormat::KeyValue) => {
                records.map(|r| r.key_value() + "\r\n").collect::<String>()
            }
            Dialect::Api1(FileFormat::Json) => {
                let objects: Vec<String> = records.map(|r| r.json1()).collect();
                format!("{{\"type\":\"MTA\",\"data\":[{}]}}", objects.join(","))
            }
            Dialect::Api2 => records.map(|r| r.json2() + "\n").collect(),
        }
        .into_bytes()
    }
}

/// What all records of one email agree on.
struct Email {
    at: Timestamp,
    acode: String,
    message_id: String,
    sender: String,
    recipient: String,
    subject: String,
    ip: String,
    held: bool,
    size: u64,
    latency: u64,
}

impl Email {
    fn new(random: &mut Random, at: Timestamp) -> Self {
        let acode = URL_SAFE_NO_PAD.encode(random.bytes());
        let domain = random.pick(&["example.com", "example.net", "example.org"]);
        Self {
            at,
            message_id: format!("<{}@{domain}>", random.uuid()),
            acode,
            sender: format!("{}@{domain}", random.pick(&["anna", "boris", "claire", "news", "no-reply"])),
            recipient: format!("{}@example.co.uk", random.pick(&["dora", "emil", "farah", "george"])),
            subject: random
                .pick(&["Invoice 4711", "Re: lunch | dinner?", "Grüße", "Act=Acc", "Weekly report"])
                .to_owned(),
            ip: format!("192.0.2.{}", random.below(256)),
            held: random.below(10) == 0,
            size: 1000 + random.below(100_000),
            latency: 100 + random.below(9000),
        }
    }
}

struct Record {
    email: Email,
    event_type: EventType,
    line: usize,
}

/// A pair: its key in API 1.0, its key in API 2.0, its value, and how key-value lines write it.
type Pair = (&'static str, &'static str, String, Written);

#[derive(Clone, Copy, PartialEq)]
enum Written {
    Bare,
    Quoted,
    Number,
}
use Written::{Bare, Number, Quoted};

impl Record {
    fn pairs(&self) -> Vec<Pair> {
        let m = &self.email;
        let own = |text: &str| text.to_owned();
        let mut pairs = match self.event_type {
            EventType::Receipt => vec![
                ("IP", "senderIp", m.ip.clone(), Bare),
                ("Dir", "direction", own("Inbound"), Bare),
                ("MsgId", "messageId", m.message_id.clone(), Bare),
                ("Subject", "subject", m.subject.clone(), Quoted),
                ("headerFrom", "senderHeader", m.sender.clone(), Bare),
                ("Sender", "senderEnvelope", m.sender.clone(), Bare),
                ("Rcpt", "recipients", m.recipient.clone(), Bare),
                ("Act", "action", own("Acc"), Bare),
                ("TlsVer", "tlsVersion", own("TLSv1.3"), Bare),
                ("Cphr", "tlsCipher", own("TLS_AES_256_GCM_SHA384"), Bare),
                ("SpamInfo", "spamInfo", own("[]"), Bare),
                ("SpamScore", "spamScore", (m.size % 7).to_string(), Number),
            ],
            EventType::Process => vec![
                ("Sender", "senderEnvelope", m.sender.clone(), Bare),
                ("MsgId", "messageId", m.message_id.clone(), Bare),
                ("Subject", "subject", m.subject.clone(), Quoted),
                ("Act", "action", own(if m.held { "Hld" } else { "Acc" }), Bare),
                ("Hld", "holdReason", own(if m.held { "Spm" } else { "null" }), Bare),
                ("MsgSize", "emailSize", m.size.to_string(), Number),
                ("AttCnt", "numberAttachments", own("0"), Number),
                ("AttSize", "totalSizeAttachments", own("0"), Number),
                ("AttNames", "attachments", own("null"), Bare),
            ],
            EventType::Delivery => vec![
                ("Delivered", "delivered", own("true"), Bare),
                ("IP", "destinationIp", own("198.51.100.25"), Bare),
                ("Dir", "direction", own("Inbound"), Bare),
                ("MsgId", "messageId", m.message_id.clone(), Bare),
                ("Subject", "subject", m.subject.clone(), Quoted),
                ("Sender", "senderEnvelope", m.sender.clone(), Bare),
                ("Rcpt", "recipients", m.recipient.clone(), Bare),
                ("ReceiptAck", "receiptAck", format!("250 2.6.0 {} Queued mail", m.message_id), Quoted),
                ("Latency", "deliveryTime", m.latency.to_string(), Number),
                ("Attempt", "deliveryAttempts", own("1"), Number),
                ("Snt", "emailSize", m.size.to_string(), Number),
                ("UseTls", "tlsUsed", own("Yes"), Bare),
                ("Route", "route", own("Mimecast Exchange Route"), Quoted),
            ],
            _ => vec![
                ("MsgId", "messageId", m.message_id.clone(), Bare),
                ("reason", "blockReason", own("malicious"), Bare),
                ("url", "url", format!("http://{}.example.invalid/?a=1|b", m.size), Bare),
                ("route", "route", own("inbound"), Bare),
                ("sourceIp", "sourceIp", m.ip.clone(), Bare),
                ("sender", "senderEnvelope", m.sender.clone(), Bare),
                ("recipient", "recipients", m.recipient.clone(), Bare),
                ("urlCategory", "urlCategory", own("Phishing & Fraud"), Bare),
                ("senderDomain", "senderDomain", own("example.com"), Bare),
            ],
        };
        if self.event_type != EventType::UrlProtect {
            pairs.insert(0, ("aCode", "", m.acode.clone(), Bare));
        }
        pairs
    }

    fn datetime(&self) -> String {
        self.email.at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
    }

    fn key_value(&self) -> String {
        let mut line = format!("datetime={}|acc={ACCOUNT}", self.datetime());
        for (key, _, value, written) in self.pairs() {
            let quote = if written == Quoted { "\\" } else { "" };
            line.extend(["|", key, "=", quote, &value, quote]);
        }
        line
    }

    fn json1(&self) -> String {
        let mut object = format!("{{\"datetime\":{},\"acc\":{}", text(&self.datetime()), text(ACCOUNT));
        for (key, _, value, written) in self.pairs() {
            let value = if written == Number || value == "null" { value } else { text(&value) };
            object.extend([",", &text(key), ":", &value]);
        }
        object + "}"
    }

    /// One event of API 2.0, where all but `timestamp`, `_offset` and `_partition` is a string.
    fn json2(&self) -> String {
        let m = &self.email;
        let epoch = m.at.as_second();
        let spelling = self.event_type.row().json2.first().copied().unwrap_or_default();
        let mut object = format!(
            "{{\"processingId\":{},\"aggregateId\":{},\"accountId\":{},\"timestamp\":{},\"type\":{}",
            text(&format!("{}_{epoch}_{}", m.acode, self.line)),
            text(&format!("{}_{epoch}", m.acode)),
            text(ACCOUNT),
            m.at.as_millisecond(),
            text(spelling),
        );
        for (_, key, value, _) in self.pairs() {
            if !key.is_empty() {
                let value = if value == "null" { value } else { text(&value) };
                object.extend([",", &text(key), ":", &value]);
            }
        }
        object + &format!(",\"_offset\":{},\"_partition\":7}}", self.line)
    }
}

fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
