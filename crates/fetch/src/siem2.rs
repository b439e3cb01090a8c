//! `siem/v1/batch/events/cg` of API 2.0: pages of presigned links, one cursor for each event type.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use mimelake_landing::put::Folder;
use mimelake_schema::EventType;
use serde::Deserialize;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::client::{Call, Trouble};
use crate::cursor::{Cursor, LASTING, Trail};
use crate::error::FetchError;
use crate::lean::Few;
use crate::status::kept;
use crate::stream::{DAMAGED, Stream};

use page::Got;

mod download;
mod page;

const PATH: &str = "/siem/v1/batch/events/cg";
/// The most that a page holds.
const PAGE: &str = "100";
/// The entries of a page that are looked at, whatever a server sends.
const MOST_ENTRIES: usize = 1000;
/// Pages one after the other without a file that was not landed before, however their cursors move, before a type is
/// left for the next round, which goes on from there: the others need calls, too.
const MOST_IDLE: u32 = 20;
/// Listings of one page because its links had expired.
const LISTINGS: u32 = 3;

/// Mimecast's limit on list calls: so many in so long.
const MOST_CALLS: usize = 50;
const CALLS_IN: SignedDuration = SignedDuration::from_mins(15);

/// The times of the last list calls of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<VecDeque<Timestamp>>>);

impl Calls {
    /// Waits until another list call keeps within the limit.
    async fn keep(&self, stream: &Stream) -> Result<(), FetchError> {
        let mut calls = self.0.lock().await;
        let now = stream.client.clock.now();
        if calls.len() >= MOST_CALLS
            && let Some(first) = calls.pop_front()
        {
            // A clock that was set back makes the wait no longer.
            let left = (CALLS_IN - now.duration_since(first)).min(CALLS_IN);
            if let Ok(left) = Duration::try_from(left)
                && !left.is_zero()
            {
                info!(wait_s = left.as_secs(), "50 list calls in 15 minutes; waiting for the next");
                stream.client.clock.wait(left, &stream.client.stop).await?;
            }
        }
        calls.push_back(stream.client.clock.now());
        Ok(())
    }
}

/// What the streams of a source share in one round.
#[derive(Debug)]
pub(crate) struct Round {
    calls: Calls,
    start: Duration,
    /// How many files came so far, by host.
    came: RefCell<HashMap<String, u64>>,
    /// How many came of late, one after the other, that have another size than the list says.
    missized: Cell<u32>,
    failures: RefCell<Vec<Failure>>,
}

/// A file that did not come, while it is not known whether others will.
#[derive(Debug)]
struct Failure {
    folder: Arc<Folder>,
    cursor: String,
    file: String,
    since: Since,
}

/// A moment of a round: so many files had come from a host, or from all where it is not known.
#[derive(Debug, Clone)]
struct Since {
    host: Option<String>,
    came: u64,
}

impl Round {
    /// Returns a round that asks for logs as old as `start` where there is no cursor.
    pub(crate) fn new(calls: &Calls, start: Duration) -> Self {
        let (came, missized, failures) = Default::default();
        Self { calls: calls.clone(), start, came, missized, failures }
    }

    fn now(&self, host: Option<String>) -> Since {
        let came = self.came.borrow();
        let count = match &host {
            Some(host) => came.get(host).copied().unwrap_or_default(),
            None => came.values().sum(),
        };
        Since { host, came: count }
    }

    /// Whether a file came from the same host since, so that it is not the network that is dead.
    fn is_alive(&self, since: &Since) -> bool {
        self.now(since.host.clone()).came > since.came
    }

    fn has_come(&self) -> bool {
        !self.came.borrow().is_empty()
    }

    fn comes(&self, host: Option<String>, is_as_listed: Option<bool>) {
        *self.came.borrow_mut().entry(host.unwrap_or_default()).or_default() += 1;
        match is_as_listed {
            Some(true) => self.missized.set(0),
            Some(false) => self.missized.set(self.missized.get().saturating_add(1)),
            None => {}
        }
    }

    /// Whether the sizes in the lists were right of late, so that what is shorter is downloaded again.
    fn trusts_sizes(&self) -> bool {
        self.missized.get() < DAMAGED
    }

    /// Counts the round for the files that did not come before others did, of whatever stream.
    pub(crate) fn end(self, now: Timestamp) -> Result<(), FetchError> {
        for Failure { folder, cursor: name, file, since } in self.failures.take() {
            if self.is_alive(&since) {
                let mut cursor = Cursor::load(&folder, &name, now)?;
                cursor.fails(&file, true, now, LASTING);
                cursor.save(&folder, &name)?;
            }
        }
        Ok(())
    }
}

/// Whether files of this type failed when it was last asked for.
pub(crate) fn is_stuck(folder: &Folder, event_type: EventType) -> bool {
    let saved = Cursor::saved(folder, &state(event_type));
    saved.is_ok_and(|cursor| cursor.is_some_and(|cursor| cursor.failed_files().next().is_some()))
}

/// The name that the cursor of a type is saved under.
fn state(event_type: EventType) -> String {
    format!("{}.json", event_type.table())
}

/// One page of links.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    value: Few<MOST_ENTRIES>,
    #[serde(rename = "@nextPage")]
    next: Option<String>,
    #[serde(rename = "isCaughtUp", default)]
    is_caught_up: bool,
}

/// Lands all files of one event type, page after page. `Ok(false)`: the type is not licensed.
pub(crate) async fn fetch(stream: &Stream, event_type: EventType, round: &Round) -> Result<bool, FetchError> {
    let name = state(event_type);
    let mut cursor = Cursor::load(&stream.folder, &name, stream.client.clock.now())?;
    stream.begin(cursor.began.or(cursor.moved), cursor.moved, cursor.caught_up);
    let complete = cursor.complete_until();
    let mut trail = Trail::default();
    let mut started_over = false;
    let mut idle = 0;
    loop {
        stream.client.stop.check()?;
        if idle == MOST_IDLE {
            let what = "one page without a new file after the other".to_owned();
            return Err(FetchError::Passing { call: PATH.to_owned(), what, tries: MOST_IDLE });
        }
        if let Some(next) = &cursor.next {
            trail.send(next, PATH)?;
        }
        let (page, has_new) = match page(stream, event_type, &mut cursor, round).await {
            Ok(page) => page,
            Err(Trouble::Unlicensed) => {
                // Until it is licensed there is nothing to be missed.
                if cursor.moved.is_none() && cursor.caught_up.is_none() {
                    cursor.began = Some(stream.client.clock.now());
                    cursor.save(&stream.folder, &name)?;
                }
                return Ok(false);
            }
            Err(Trouble::StartOver) if cursor.next.is_some() && !started_over => {
                started_over = true;
                stream.gap(cursor.moved, "Mimecast does not know the cursor any more; beginning anew")?;
                cursor.start_over();
                trail.start_over();
                cursor.save(&stream.folder, &name)?;
                continue;
            }
            Err(trouble) => return Err(trouble.unexpected(PATH)),
        };
        idle = if has_new { 0 } else { idle + 1 };
        let now = stream.client.clock.now();
        let next = page.next.filter(|next| !next.is_empty());
        let reset = next.as_deref().is_some_and(is_reset);
        if reset {
            warn!(stream = stream.watch.stream(), "the server reset the cursor; keeping the old one");
        }
        let moved = next.filter(|next| !reset && cursor.next.as_ref() != Some(next));
        let has_moved = moved.is_some();
        if let Some(next) = moved {
            cursor.advance(next, now);
        }
        if page.is_caught_up {
            cursor.caught_up = Some(stream.caught_up(complete)?);
        }
        cursor.failed.clear();
        cursor.save(&stream.folder, &name)?;
        stream.watch.update(|status| status.moved = cursor.moved);
        if page.is_caught_up {
            return Ok(true);
        }
        if !has_moved {
            let what = "the cursor did not move; what lies behind was not reached".to_owned();
            return Err(FetchError::Passing { call: PATH.to_owned(), what, tries: 1 });
        }
    }
}

/// Returns a page once every file of it is safe, or given up, and whether one was not landed before; of what was listed
/// otherwise a note is kept.
async fn page(
    stream: &Stream,
    event_type: EventType,
    cursor: &mut Cursor,
    round: &Round,
) -> Result<(Page, bool), Trouble> {
    let is_late = cursor.is_late(stream.client.clock.now(), kept(stream.watch.stream()));
    let mut got = Got::new(is_late);
    let page = followed(stream, event_type, cursor, round, &mut got).await;
    if page.is_err() && !got.listed.is_empty() {
        got.note(cursor);
        cursor.save(&stream.folder, &state(event_type))?;
    }
    page.map(|page| (page, got.has_new))
}

async fn followed(
    stream: &Stream,
    event_type: EventType,
    cursor: &mut Cursor,
    round: &Round,
    got: &mut Got,
) -> Result<Page, Trouble> {
    let mut listing = 1;
    loop {
        let page = list(stream, event_type, cursor, round).await?;
        let links = got.list(&page.value, cursor, round);
        // A run that is killed from here on has listed them.
        if got.note(cursor) {
            cursor.save(&stream.folder, &state(event_type))?;
        }
        got.follow(stream, event_type, links, round).await?;
        let expired = got.expired.len();
        if listing == LISTINGS || !got.is_worth_listing(round) {
            got.settle(stream, cursor, &state(event_type), round)?;
            return Ok(page);
        }
        info!(stream = stream.watch.stream(), expired, "links have expired; listing them again");
        listing += 1;
    }
}

async fn list(
    stream: &Stream,
    event_type: EventType,
    cursor: &Cursor,
    round: &Round,
) -> Result<Page, Trouble> {
    let spelling = event_type.row().json2.first().copied().unwrap_or_default();
    let mut query = vec![("type", spelling.to_owned()), ("pageSize", PAGE.to_owned())];
    match &cursor.next {
        Some(next) => query.push(("nextPage", next.clone())),
        None => {
            let now = stream.client.clock.now();
            let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
            let before =
                |time: Timestamp, by: SignedDuration| time.saturating_sub(by).unwrap_or(Timestamp::MIN);
            let start = SignedDuration::try_from(round.start).unwrap_or_default();
            // The window stays where it began while a file holds its first page up, as far back as logs are kept.
            let oldest = before(now, start.max(kept(stream.watch.stream())));
            let from = before(cursor.began.unwrap_or(now), start).max(oldest);
            query.push(("dateRangeStartsAt", day(from)));
            query.push(("dateRangeEndsAt", day(now)));
        }
    }
    let call = Call::Get(PATH, query);
    let attempt = async || match round.calls.keep(stream).await {
        Ok(()) => stream.client.json_once(&call).await.map(Ok),
        Err(error) => Ok(Err(error)),
    };
    stream.client.patiently(PATH, attempt).await?.map_err(Trouble::from)
}

/// Whether a cursor is base64 of a text that points to the beginning of everything.
fn is_reset(cursor: &str) -> bool {
    let text = cursor.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).unwrap_or_default();
    let text = String::from_utf8_lossy(&decoded);
    let Some((_, places)) = text.split_once('=') else { return false };
    let mut places = places.split('=');
    // What stands behind the last of them may be how far it came.
    let is_last_zero = |place: &str| {
        place.strip_prefix("0-0").is_some_and(|rest| rest.chars().all(|c| c == '0' || !c.is_alphanumeric()))
    };
    places.next_back().is_some_and(is_last_zero) && places.all(|place| place.starts_with("0-0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_full_of_zeros_is_a_reset() {
        let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        for (text, reset) in [
            ("shard-0=0-0,shard-1=0-0", true),
            ("shard-0=0-0", true),
            ("shard-0=0-0,shard-1=0-17", false),
            ("shard-0=1772-0", false),
            ("[shard-0=0-0, shard-1=0-0]", true),
            ("[shard-0=0-0, shard-1=0-0]:0:", true),
            ("[shard-0=0-0, shard-1=0-0]:3:b64f", false),
            ("", false),
        ] {
            assert_eq!(is_reset(&encoded(text)), reset, "{text}");
        }
        assert!(!is_reset("plain text"));
    }
}
