//! `POST /api/audit/get-siem-logs`.

use serde_json::json;

use crate::archive::{merged, zipped};
use crate::content::{File, FileFormat, Sequence};
use crate::cursor::Cursor;
use crate::fault::{self, ErrorShape, Fault};
use crate::http::{Answer, Message};
use crate::login::{bad_request, datum};
use crate::oauth;
use crate::random::Random;
use crate::script::Subject;
use crate::state::{State, lock};

struct Asked {
    sequence: Sequence,
    /// As sent; `None` at the first call.
    token: Option<String>,
}

impl Asked {
    fn of(message: &Message) -> Option<Self> {
        let datum = datum(message)?;
        let format = match datum["fileFormat"].as_str() {
            Some("key_value") => FileFormat::KeyValue,
            Some("json") => FileFormat::Json,
            None if datum["fileFormat"].is_null() => FileFormat::KeyValue,
            _ => return None,
        };
        let compress = if datum["compress"].is_null() { false } else { datum["compress"].as_bool()? };
        let sequence = if compress { Sequence::Zips(format) } else { Sequence::Logs(format) };
        let token = if datum["token"].is_null() { None } else { Some(datum["token"].as_str()?.to_owned()) };
        (datum["type"].as_str() == Some("MTA")).then_some(Self { sequence, token })
    }

    /// The place that the token stands for; `None` for a token of another sequence or none of ours.
    fn cursor(&self) -> Option<Cursor> {
        let name = format!("{:?}", self.sequence);
        match &self.token {
            None => Some(Cursor::new(&name, 0)),
            Some(token) => Cursor::parse(token).filter(|cursor| cursor.of == name),
        }
    }
}

/// The file that would be served.
pub(crate) fn subject(state: &State, message: &Message) -> Subject {
    let place = Asked::of(message).and_then(|asked| Some((asked.sequence, asked.cursor()?.position)));
    let Some((sequence, position)) = place.filter(|(sequence, at)| *at < state.count(*sequence)) else {
        return Subject::default();
    };
    let name = state.options.content.name(sequence, position);
    Subject { about: name.unwrap_or_default(), file: Some(position) }
}

pub(crate) fn logs(state: &State, message: &Message, fault: Option<&Fault>) -> Answer {
    if let Err(refusal) = oauth::signed(state, message) {
        return refusal;
    }
    let Some(asked) = Asked::of(message) else { return bad_request() };
    let Some(cursor) = asked.cursor() else {
        return fault::error(400, "err_audit_siem_invalid_token", ErrorShape::Errors);
    };
    let zips = matches!(asked.sequence, Sequence::Zips(_));
    let beside = match fault {
        Some(Fault::EmptyZip) if zips => zipped([]),
        Some(Fault::HostileMembers) if zips => zipped(hostile()),
        Some(Fault::OtherCut) if zips && cursor.position < state.count(asked.sequence) => {
            return other_cut(state, &asked, &cursor);
        }
        _ => return next(state, &asked, &cursor, fault),
    };
    let Ok(bytes) = beside else { return fault::error(500, "internal_server_error_1", ErrorShape::Errors) };
    let file =
        File { name: Random::new(0x6578_7472, state.serial()).uuid() + ".zip", event_type: None, bytes };
    lock(&state.extra).push(file.clone());
    body(state, file.bytes, &file.name).with("mc-siem-token", cursor.turned().text())
}

fn next(state: &State, asked: &Asked, cursor: &Cursor, fault: Option<&Fault>) -> Answer {
    let sequence = asked.sequence;
    let out = cursor.position < state.count(sequence);
    let file = if out { state.options.content.file(sequence, cursor.position) } else { Ok(None) };
    let Ok(file) = file else { return fault::error(500, "internal_server_error_1", ErrorShape::Errors) };
    let (mut answer, token) = match file {
        Some(file) => {
            let bytes = crate::presigned::spoiled(file.bytes, fault);
            let name = match fault {
                Some(Fault::HostileName) => format!("../../../{}", file.name),
                _ => file.name,
            };
            let following = Cursor::new(&cursor.of, cursor.position + 1).text();
            (body(state, bytes, &name), Some(following))
        }
        None => {
            let last = json!({"meta": {"isLastToken": true, "status": 200}, "data": [], "fail": []});
            (Answer::json(200, &last), asked.token.clone())
        }
    };
    let token = match fault {
        Some(Fault::NoToken) => None,
        Some(Fault::Back) => Some(cursor.back().text()),
        Some(Fault::SameToken) => asked.token.clone().or_else(|| Some(cursor.text())),
        _ => token,
    };
    if let Some(token) = token {
        answer = answer.with("mc-siem-token", token);
    }
    answer
}

/// The members of this zip and of the next in one, under a name of its own.
fn other_cut(state: &State, asked: &Asked, cursor: &Cursor) -> Answer {
    let sequence = asked.sequence;
    let places = cursor.position..(cursor.position + 2).min(state.count(sequence));
    let following = Cursor::new(&cursor.of, places.end).text();
    let files = places.filter_map(|place| state.options.content.file(sequence, place).ok().flatten());
    match merged(files.map(|file| file.bytes)) {
        Ok(bytes) => body(state, bytes, &(Random::new(0x6f74_6865, state.serial()).uuid() + ".zip"))
            .with("mc-siem-token", following),
        Err(_) => fault::error(500, "internal_server_error_1", ErrorShape::Errors),
    }
}

fn body(state: &State, bytes: Vec<u8>, name: &str) -> Answer {
    let mut answer = Answer::new(200, "application/octet-stream", bytes)
        .with("Content-Disposition", format!("attachment; filename=\"{name}\""))
        .with("Pragma", "private, no-cache")
        .with("Cache-control", "private, must-revalidate, no-store");
    answer.chunked = state.options.chunked;
    answer
}

/// Members with names that no one should follow.
fn hostile() -> [(String, Vec<u8>); 3] {
    let line = b"datetime=2026-03-02T09:00:00+0000|acc=C0A0|aCode=AAAAAAAAAAAAAAAAAAAAAA|Act=Acc|Rcpt=a@example.com\r\n";
    [
        "../../receipt_20260302090000000.siem",
        "/receipt_20260302090000001.siem",
        "C:\\receipt_20260302090000002.siem",
    ]
    .map(|name| (name.to_owned(), line.to_vec()))
}
