//! `GET /presigned/…`: downloads that the link itself admits.

use crate::content::Sequence;
use crate::fault::{EXPIRED, Fault};
use crate::http::{Answer, Message};
use crate::script::Subject;
use crate::sign::{hex, hmac_sha1};
use crate::state::State;

/// The URL of file `index`, good until `expires` (seconds since 1970); `serial` tells links to one file apart.
pub(crate) fn url(state: &State, index: usize, name: &str, expires: i64, serial: u64) -> String {
    let path = format!("/presigned/{index}/{name}");
    let signature = seal(&path, expires, serial);
    format!("{}{path}?expires={expires}&serial={serial}&signature={signature}", state.base_url)
}

/// What makes a link one of ours.
fn seal(path: &str, expires: i64, serial: u64) -> String {
    let sealed = hmac_sha1(b"the stand-in's own", format!("{path}\n{expires}\n{serial}").as_bytes());
    hex(&sealed)
}

fn place(message: &Message) -> Option<(usize, String)> {
    let (index, name) = message.path().strip_prefix("/presigned/")?.split_once('/')?;
    Some((index.parse().ok()?, name.rsplit('/').next()?.to_owned()))
}

pub(crate) fn subject(_: &State, message: &Message) -> Subject {
    place(message).map_or_else(Subject::default, |(file, about)| Subject { about, file: Some(file) })
}

pub(crate) fn download(state: &State, message: &Message, fault: Option<&Fault>) -> Answer {
    if message.header("authorization").is_some() {
        return refusal(
            400,
            "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>",
        );
    }
    let number = |name| message.query(name).and_then(|value| value.parse::<i64>().ok()).unwrap_or_default();
    let (expires, serial) = (number("expires"), number("serial") as u64);
    if message.query("signature") != Some(seal(message.path(), expires, serial)) {
        return refusal(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>");
    }
    if state.now().as_second() >= expires {
        return refusal(403, EXPIRED);
    }
    let file = place(message).map(|(index, _)| state.options.content.file(Sequence::Batches, index));
    match file {
        Some(Ok(Some(file))) => Answer::new(200, "application/octet-stream", spoiled(file.bytes, fault)),
        _ => refusal(404, "<Error><Code>NoSuchKey</Code></Error>"),
    }
}

/// The bytes of a file as a fault leaves them.
pub(crate) fn spoiled(mut bytes: Vec<u8>, fault: Option<&Fault>) -> Vec<u8> {
    match fault {
        Some(Fault::Corrupt) => {
            // Six from its end a zip says where its directory is, and gzip has its checksum.
            let end = bytes.len().saturating_sub(6);
            change(&mut bytes, end);
            middle(&mut bytes);
        }
        Some(Fault::CorruptMember) => middle(&mut bytes),
        Some(Fault::Shorten { bytes: missing }) => bytes.truncate(bytes.len().saturating_sub(*missing)),
        _ => {}
    }
    bytes
}

fn middle(bytes: &mut [u8]) {
    let start = bytes.len() / 3;
    for at in start..start + 8 {
        change(bytes, at);
    }
}

fn change(bytes: &mut [u8], at: usize) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 0x5a;
    }
}

fn refusal(status: u16, body: &str) -> Answer {
    Answer::new(status, "application/xml", body)
}
