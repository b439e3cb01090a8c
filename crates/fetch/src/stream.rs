//! What every stream of an account shares while a round runs.

use std::sync::Arc;

use jiff::Timestamp;
use mimelake_landing::put::{Bad, Expect, Folder, Incoming, Landed, Whole};
use reqwest::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use reqwest::{Response, Version};
use serde_json::json;
use tokio::task::JoinError;
use tracing::{debug, info, warn};

use crate::answer::{Fault, Verdict, is_html};
use crate::brackets::Brackets;
use crate::client::{Client, TRIES};
use crate::error::FetchError;
use crate::status::{Watch, kept};

/// A client, the folder it lands in, and who is told.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) client: Arc<Client>,
    pub(crate) folder: Arc<Folder>,
    pub(crate) watch: Watch,
}

/// A file that came in, as far as it came.
pub(crate) enum Received {
    /// Complete and in order.
    Whole(Whole),
    /// Complete, and damaged.
    Damaged(Box<Bad>),
    /// Its end is that of the connection, and of a line, of all its JSON or of a gzip member: it may be complete.
    Open(Whole, Fault),
    /// It broke off.
    Cut(Incoming, Fault),
    /// It is no file but what a server or a proxy says in its place.
    Refused(Incoming, Fault),
}

/// What ends a body before its end.
enum Broken {
    Fault(Fault),
    Put(FetchError),
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// How often the same bytes came, one time after the other.
#[derive(Default)]
pub(crate) struct Same {
    last: String,
    times: u32,
}

impl Same {
    /// Adds what came, and returns how often it did by now.
    pub(crate) fn add(&mut self, piece: String) -> u32 {
        self.times = if self.last == piece { self.times + 1 } else { 1 };
        self.last = piece;
        self.times
    }

    /// Adds what came of a file that broke off; returns whether that may be all there is: bad networks close no
    /// connection in order, and do not cut at the same byte on every try.
    pub(crate) fn may_be_all(&mut self, piece: &str, verdict: &Verdict) -> bool {
        self.add(piece.to_owned()) >= TRIES || *verdict == Verdict::Ended
    }
}

/// Downloads of a damaged file before it is put into the quarantine.
pub(crate) const DAMAGED: u32 = 3;
/// The longest answer in the place of a file that is read for what it says.
const MOST_TOLD: u64 = 64 << 10;
/// What every gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

impl Stream {
    /// Returns the body of a response, on the disk.
    pub(crate) async fn receive(
        &self,
        mut response: Response,
        name: &str,
        expect: Expect,
    ) -> Result<Received, FetchError> {
        let is_open = is_open(&response);
        let mut incoming = self.folder.incoming()?;
        let mut last = None;
        let mut brackets = Brackets::default();
        let write = |bytes: &[u8]| {
            last = bytes.last().copied().or(last);
            if is_open {
                brackets.add(bytes);
            }
            incoming.write(bytes).map_err(|error| Broken::Put(error.into()))
        };
        match self.client.body(&mut response, write).await {
            Ok(()) => {}
            Err(Broken::Fault(fault)) => return Ok(Received::Cut(incoming, fault)),
            Err(Broken::Put(error)) => return Err(error),
        }
        if let Some(fault) = self.refusal(&response, &incoming, expect)? {
            return Ok(Received::Refused(incoming, fault));
        }
        // Only what says of itself that it is whole is known to be: behind a gzip member another may follow.
        let head = incoming.first(2)?;
        let is_zip = head == b"PK";
        let may_be_all = head == GZIP || last == Some(b'\n') || brackets.are_closed();
        let name = name.to_owned();
        let checked = blocking(move || incoming.check(&name, expect)).await?;
        Ok(match checked {
            Err(bad) if is_open => Received::Cut(bad.incoming, open_end()),
            Ok(whole) if is_open && !is_zip && may_be_all => Received::Open(whole, open_end()),
            Ok(whole) if is_open && !is_zip => Received::Cut(whole.into_incoming(), open_end()),
            Err(bad) => Received::Damaged(bad),
            Ok(whole) => Received::Whole(whole),
        })
    }

    /// Returns the fault of a body that is no file, damaged or not: it passes, and has no place in the quarantine.
    fn refusal(
        &self,
        response: &Response,
        incoming: &Incoming,
        expect: Expect,
    ) -> Result<Option<Fault>, FetchError> {
        let first = incoming.first(64)?;
        let what = match expect {
            _ if is_html(&first) => "an HTML page",
            Expect::Gzip if !first.starts_with(&GZIP) => "a body that is no gzip file",
            _ if is_told(&first) => {
                let head = self.client.head(response);
                let said = head.check(&incoming.first(MOST_TOLD)?);
                return Ok(Some(said.err().unwrap_or_else(|| head.unreadable("JSON sent as a file"))));
            }
            _ => return Ok(None),
        };
        Ok(Some(self.client.head(response).unreadable(what)))
    }

    /// Returns once the file is safe, or known to be, whether it was not landed before.
    pub(crate) async fn land(&self, whole: Whole, above: &str, name: &str) -> Result<bool, FetchError> {
        if whole.is_empty() {
            info!(stream = self.watch.stream(), file = name, "an archive without a file; nothing to land");
            return Ok(false);
        }
        let bytes = whole.len();
        let below = format!("{above}{}", date_folder(name, self.client.clock.now()));
        let folder = Arc::clone(&self.folder);
        match blocking(move || folder.land(whole, &below)).await?? {
            Landed::New(path) => {
                debug!(stream = self.watch.stream(), file = %path.display(), bytes, "landed");
                self.watch.update(|status| {
                    status.files += 1;
                    status.bytes += bytes;
                });
                Ok(true)
            }
            Landed::Known => {
                debug!(stream = self.watch.stream(), file = name, "known: landed before");
                self.watch.update(|status| status.known += 1);
                Ok(false)
            }
        }
    }

    /// Puts a damaged file away and makes a note of it, so that it blocks nothing.
    pub(crate) fn quarantine(&self, incoming: Incoming, name: &str, why: &str) -> Result<(), FetchError> {
        let path = self.folder.quarantine(incoming, name)?;
        warn!(
            stream = self.watch.stream(),
            file = %path.display(),
            "put into the quarantine: {why}; `mimelake convert` with this path reads what can be read"
        );
        self.watch.update(|status| status.quarantined += 1);
        self.note("quarantine", &json!({ "file": path.display().to_string(), "why": why }))
    }

    /// Has the status say how far the stream came in earlier runs, and warns where that is long ago.
    pub(crate) fn begin(
        &self,
        began: Option<Timestamp>,
        moved: Option<Timestamp>,
        caught_up: Option<Timestamp>,
    ) {
        self.watch.update(|status| {
            (status.began, status.moved, status.caught_up) = (began, moved, caught_up);
        });
        for warning in self.watch.warnings(self.client.clock.now()) {
            warn!(stream = self.watch.stream(), "{warning}");
        }
    }

    /// Has the status say that all there was has been fetched; returns when that was. Where the time before was too
    /// long ago, makes a note that logs may be missing.
    pub(crate) fn caught_up(&self, before: Option<Timestamp>) -> Result<Timestamp, FetchError> {
        let now = self.client.clock.now();
        self.passed_over(before)?;
        self.watch.update(|status| status.caught_up = Some(now));
        info!(stream = self.watch.stream(), "caught up");
        Ok(now)
    }

    /// Where all had been fetched too long before, makes a note that logs may be missing.
    pub(crate) fn passed_over(&self, before: Option<Timestamp>) -> Result<(), FetchError> {
        let kept = kept(self.watch.stream());
        let now = self.client.clock.now();
        if before.is_some_and(|before| now.duration_since(before) > kept) {
            let days = kept.as_hours() / 24;
            let why = format!(
                "more than the {days} days that Mimecast keeps had passed since all had been fetched"
            );
            self.gap(before, &why)?;
        }
        Ok(())
    }

    /// Makes a note of a file that is landed although nothing said where it ends: its very bytes came time after time.
    pub(crate) fn note_open(&self, name: &str, fault: &Fault) -> Result<(), FetchError> {
        let why = format!("{}; the same came {DAMAGED} times", fault.what);
        warn!(stream = self.watch.stream(), file = name, "{why}, and is landed");
        self.note("open", &json!({ "file": name, "why": why }))
    }

    /// Makes a note that logs may be missing.
    pub(crate) fn gap(&self, since: Option<Timestamp>, why: &str) -> Result<(), FetchError> {
        let from = since.map(|time| time.to_string());
        warn!(stream = self.watch.stream(), since = from, "logs may be missing: {why}");
        self.watch.update(|status| status.gaps += 1);
        self.note("gap", &json!({ "since": from, "why": why }))
    }

    pub(crate) fn note(&self, what: &str, about: &serde_json::Value) -> Result<(), FetchError> {
        let at = self.client.clock.now().to_string();
        let line = json!({ "at": at, "what": what, "stream": self.watch.stream(), "about": about });
        Ok(self.folder.note(&line.to_string())?)
    }
}

/// Whether a body has neither a length nor chunks, so that its end may be that of the connection.
fn is_open(response: &Response) -> bool {
    let has = |name| response.headers().contains_key(name);
    response.version() <= Version::HTTP_11 && !has(CONTENT_LENGTH) && !has(TRANSFER_ENCODING)
}

fn open_end() -> Fault {
    let what = "a body without a length, which ended where the connection did".to_owned();
    Fault { verdict: Verdict::Ended, what }
}

/// Whether a body begins as Mimecast's answers do that are no files.
fn is_told(first: &[u8]) -> bool {
    let Some(object) = first.trim_ascii_start().strip_prefix(b"{") else { return false };
    let key = object.trim_ascii_start();
    ["\"meta\"", "\"fail\"", "\"error\""].iter().any(|told| key.starts_with(told.as_bytes()))
}

/// A task that does not end panicked, which is no error to go on from, or the run is being torn down.
pub(crate) fn torn_down(error: JoinError) -> FetchError {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => FetchError::Stopped,
    }
}

/// Runs what waits for the disk beside the connections.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.map_err(torn_down)
}

/// Returns `YYYY/MM/DD` by the date in a name (`receipt_20260302…`), or else by the day it is.
pub(crate) fn date_folder(name: &str, now: Timestamp) -> String {
    let runs = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| matches!(digits.len(), 8 | 14 | 17));
    let mut dates = runs.filter_map(|digits| {
        let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
        jiff::civil::Date::new(number(0, 4)?, number(4, 6)? as i8, number(6, 8)? as i8).ok()
    });
    let named = dates.find(|date| (2000..2100).contains(&date.year()));
    let date = named.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
    date.strftime("%Y/%m/%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_under_the_date_of_their_name() {
        let now: Timestamp = "2026-03-05T23:59:59Z".parse().unwrap();
        let cases = [
            ("receipt_20260302101500118.siem", "2026/03/02"),
            ("delivery_20260302101500.json.gz", "2026/03/02"),
            ("av_20260302.log", "2026/03/02"),
            ("9d1c0000-20269902.zip", "2026/03/05"),
            ("00000001.zip", "2026/03/05"),
            ("a.zip", "2026/03/05"),
        ];
        for (name, folder) in cases {
            assert_eq!(date_folder(name, now), folder, "{name}");
        }
    }
}
