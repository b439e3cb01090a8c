//! `get-siem-logs` of API 1.0: one token, one file or one zip of files a call.

use jiff::SignedDuration;
use mimelake_landing::put::{Expect, Incoming, Whole};
use reqwest::Response;
use reqwest::header::CONTENT_DISPOSITION;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use tracing::info;

use crate::answer::Fault;
use crate::client::{Answer, Call, Trouble, header};
use crate::config::FileFormat;
use crate::cursor::{Cursor, Trail};
use crate::error::FetchError;
use crate::status::kept;
use crate::stream::{DAMAGED, Received, Same, Stream};

const PATH: &str = "/api/audit/get-siem-logs";
const CURSOR: &str = "cursor.json";
/// Answers one after the other that hold no log, however much their tokens move, before it is left for the next round.
const EMPTY: u32 = 1000;

/// How the files are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) format: FileFormat,
    pub(crate) compress: bool,
}

/// What one call gave.
enum Step {
    /// Nothing new, for now if there is more behind the token.
    Nothing { token: Option<String>, is_last: bool },
    /// A file, with the token to be sent next.
    File { file: File, token: Option<String> },
}

enum File {
    Whole(Whole, String),
    Damaged(Incoming, String, String),
}

/// What is said where there is no file.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    meta: Meta,
    data: Vec<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    is_last_token: Option<bool>,
}

impl Said {
    fn step(body: &[u8], token: Option<String>) -> Result<Step, Fault> {
        match serde_json::from_slice::<Self>(body) {
            Ok(said) if said.data.is_empty() => {
                Ok(Step::Nothing { token, is_last: said.meta.is_last_token.unwrap_or(true) })
            }
            Ok(_) => Err(Fault::passes("JSON with data where a file was due")),
            Err(_) => Err(Fault::passes("an answer that is not what is due")),
        }
    }
}

/// What came of a file that broke off.
struct Partly {
    incoming: Incoming,
    name: String,
    token: Option<String>,
    why: String,
    /// What tells it from other pieces of the file; none where a bad network may have cut it.
    piece: Option<String>,
}

/// Lands all files that there are, page after page.
pub(crate) async fn fetch(stream: &Stream, wanted: Wanted) -> Result<(), FetchError> {
    let mut cursor = Cursor::load(&stream.folder, CURSOR, stream.client.clock.now())?;
    stream.begin(cursor.began.or(cursor.moved), cursor.moved, cursor.caught_up);
    let complete = cursor.complete_until();
    let mut trail = Trail::default();
    let mut started_over = false;
    let mut empty = 0;
    loop {
        stream.client.stop.check()?;
        if empty == EMPTY {
            let what = "one answer without a log after the other".to_owned();
            return Err(FetchError::Passing { call: PATH.to_owned(), what, tries: EMPTY });
        }
        let mut partly = None;
        let before = cursor.next.clone();
        if let Some(token) = &before {
            trail.send(token, PATH)?;
        }
        match next(stream, wanted, before.as_deref(), &mut partly).await {
            Ok(Step::Nothing { token, is_last: false }) => {
                empty += 1;
                advance(stream, &mut cursor, token)?;
            }
            Ok(Step::Nothing { token, is_last: true }) => {
                let now = stream.caught_up(complete)?;
                if let Some(token) = token.filter(|token| before.as_ref() != Some(token)) {
                    cursor.advance(token, now);
                }
                cursor.caught_up = Some(now);
                save(stream, &cursor)?;
                return Ok(());
            }
            Ok(Step::File { file, token }) => {
                empty =
                    if matches!(&file, File::Whole(whole, _) if whole.is_empty()) { empty + 1 } else { 0 };
                match file {
                    File::Whole(whole, name) => _ = stream.land(whole, "", &name).await?,
                    File::Damaged(incoming, name, why) => stream.quarantine(incoming, &name, &why)?,
                }
                advance(stream, &mut cursor, token)?;
            }
            Err(Trouble::StartOver) if before.is_some() && !started_over => {
                started_over = true;
                stream.gap(
                    cursor.moved,
                    "Mimecast does not know the token any more; beginning with the oldest log it keeps",
                )?;
                cursor.start_over();
                trail.start_over();
                save(stream, &cursor)?;
            }
            Err(trouble) => {
                let error = trouble.unexpected(PATH);
                if !give_up(stream, &mut cursor, partly, &error)? {
                    return Err(error);
                }
            }
        }
    }
}

fn save(stream: &Stream, cursor: &Cursor) -> Result<(), FetchError> {
    cursor.save(&stream.folder, CURSOR)?;
    stream.watch.update(|status| status.moved = cursor.moved);
    Ok(())
}

/// Moves on to the next token.
///
/// # Errors
/// There is none, and asking again would give the same again.
fn advance(stream: &Stream, cursor: &mut Cursor, token: Option<String>) -> Result<(), FetchError> {
    let token = token.filter(|token| cursor.next.as_ref() != Some(token)).ok_or_else(|| {
        let what = "the token did not move; what lies behind was not reached".to_owned();
        FetchError::Passing { call: PATH.to_owned(), what, tries: 1 }
    })?;
    cursor.advance(token, stream.client.clock.now());
    save(stream, cursor)
}

/// What stands for the one file behind a token, whatever its name.
const FILE: &str = "file";

/// Counts a round that ended with half a file. Once it is clear that no more of it will come, or it is about to be
/// lost anyhow, the half goes to the quarantine and the token moves on.
fn give_up(
    stream: &Stream,
    cursor: &mut Cursor,
    partly: Option<Partly>,
    error: &FetchError,
) -> Result<bool, FetchError> {
    let Some(Partly { incoming, name, token, why, piece }) =
        partly.filter(|_| matches!(error, FetchError::Passing { .. }))
    else {
        return Ok(false);
    };
    let now = stream.client.clock.now();
    let is_late = cursor.is_late(now, kept(stream.watch.stream()));
    let is_lost = cursor.fails(FILE, is_late, now, SignedDuration::ZERO) && is_late;
    let is_all_there_is = piece.is_some_and(|piece| cursor.breaks_off(FILE, &piece, now));
    if !(is_lost || is_all_there_is) || token.is_none() {
        save(stream, cursor)?;
        return Ok(false);
    }
    stream.quarantine(incoming, &name, &why)?;
    advance(stream, cursor, token)?;
    Ok(true)
}

async fn next(
    stream: &Stream,
    wanted: Wanted,
    token: Option<&str>,
    partly: &mut Option<Partly>,
) -> Result<Step, Trouble> {
    let mut query = json!({ "type": "MTA", "fileFormat": wanted.format.name(), "compress": wanted.compress });
    if let (Some(token), Some(query)) = (token, query.as_object_mut()) {
        query.insert("token".to_owned(), token.into());
    }
    let call = Call::Post(PATH, json!({ "data": [query] }));
    let mut damaged = 0;
    let mut same = Same::default();
    stream
        .client
        .patiently(PATH, async || {
            // Only a file that the last try met says more than that the network is bad.
            *partly = None;
            match stream.client.call(&call).await? {
                Answer::Json(body, token) => Said::step(&body, token).map(Ok),
                Answer::Bytes(response) => {
                    let (name, token) = (file_name(&response), header(&response, "mc-siem-token"));
                    let is_zip = wanted.compress || name.to_ascii_lowercase().ends_with(".zip");
                    let expect = if is_zip { Expect::Zip } else { Expect::Anything };
                    let received = match stream.receive(response, &name, expect).await {
                        Ok(received) => received,
                        Err(error) => return Ok(Err(error)),
                    };
                    let file = match received {
                        Received::Whole(whole) => File::Whole(whole, name),
                        Received::Damaged(bad) => {
                            damaged += 1;
                            let why = bad.damage.reason.to_string();
                            if damaged < DAMAGED {
                                return Err(Fault::passes(format!("{name} is damaged: {why}")));
                            }
                            File::Damaged(bad.incoming, name, why)
                        }
                        Received::Refused(_, fault) => return Err(fault),
                        Received::Open(whole, fault)
                            if same.add(piece_of(whole.len(), &whole.mark())) >= DAMAGED =>
                        {
                            if let Err(error) = stream.note_open(&name, &fault) {
                                return Ok(Err(error));
                            }
                            File::Whole(whole, name)
                        }
                        Received::Open(whole, fault) => {
                            let incoming = whole.into_incoming();
                            let piece = Some(piece_of(incoming.len(), &incoming.mark()));
                            *partly = Some(Partly { incoming, name, token, why: fault.what.clone(), piece });
                            return Err(fault);
                        }
                        Received::Cut(incoming, fault) => {
                            info!(file = name, bytes = incoming.len(), "it broke off");
                            let piece = piece_of(incoming.len(), &incoming.mark());
                            let is_piece = !incoming.is_empty();
                            let piece =
                                (is_piece && same.may_be_all(&piece, &fault.verdict)).then_some(piece);
                            *partly = Some(Partly { incoming, name, token, why: fault.what.clone(), piece });
                            return Err(fault);
                        }
                    };
                    Ok(Ok(Step::File { file, token }))
                }
            }
        })
        .await?
        .map_err(Trouble::from)
}

fn piece_of(bytes: u64, mark: &str) -> String {
    format!("{bytes} {mark}")
}

/// The name that the server gives a file, as it is; empty where it gives none.
fn file_name(response: &Response) -> String {
    let value = response.headers().get(CONTENT_DISPOSITION);
    value.map(|value| disposition(&String::from_utf8_lossy(value.as_bytes()))).unwrap_or_default()
}

/// The `filename` of a `Content-Disposition`.
fn disposition(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let Some(at) = lower.find("filename=") else { return String::new() };
    let rest = value.get(at + "filename=".len()..).unwrap_or_default().trim();
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(';').next(),
    };
    name.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn names_out_of_headers() {
        let cases = [
            ("attachment; filename=\"delivery_20160705162902600.log\"", "delivery_20160705162902600.log"),
            ("attachment; FileName=a.zip; size=3", "a.zip"),
            ("attachment; filename=\"../a b.zip", "../a b.zip"),
            ("inline", ""),
            ("filename=", ""),
        ];
        for (value, name) in cases {
            assert_eq!(disposition(value), name, "{value}");
        }
    }
}
