//! `siem/v1/batch/events/cg` of API 2.0: pages of presigned links, one cursor for each event type.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use mimelake_schema::EventType;
use serde::Deserialize;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::client::{Call, Trouble};
use crate::cursor::{Cursor, Trail};
use crate::error::FetchError;
use crate::stream::Stream;

use page::{Got, Link};

mod page;

const PATH: &str = "/siem/v1/batch/events/cg";
/// The most that a page holds.
const PAGE: &str = "100";
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

/// One page of links.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    value: Vec<Link>,
    #[serde(rename = "@nextPage")]
    next: Option<String>,
    #[serde(rename = "isCaughtUp", default)]
    is_caught_up: bool,
}

/// Lands all files of one event type, page after page. `Ok(false)`: the type is not licensed.
pub(crate) async fn fetch(
    stream: &Stream,
    event_type: EventType,
    start: Duration,
    calls: &Calls,
) -> Result<bool, FetchError> {
    let name = format!("{}.json", event_type.table());
    let mut cursor = Cursor::load(&stream.folder, &name, stream.client.clock.now())?;
    stream.begin(cursor.began.or(cursor.moved), cursor.moved, cursor.caught_up);
    let mut trail = Trail::default();
    let mut started_over = false;
    loop {
        stream.client.stop.check()?;
        if let Some(next) = &cursor.next {
            trail.send(next, PATH)?;
        }
        let page = match page(stream, event_type, start, &mut cursor, calls).await {
            Ok(page) => page,
            Err(Trouble::Unlicensed) => return Ok(false),
            Err(Trouble::StartOver) if cursor.next.is_some() && !started_over => {
                started_over = true;
                stream.gap(cursor.moved, "Mimecast does not know the cursor any more; beginning anew")?;
                cursor.start_over();
                trail.start_over();
                continue;
            }
            Err(trouble) => {
                let error = trouble.unexpected(PATH);
                if error.passes() {
                    cursor.save(&stream.folder, &name)?;
                }
                return Err(error);
            }
        };
        let now = stream.client.clock.now();
        let next = page.next.filter(|next| !next.is_empty());
        let reset = next.as_deref().is_some_and(is_reset);
        if reset {
            warn!(stream = stream.watch.stream(), "the server reset the cursor; keeping the old one");
        }
        let moved = next.filter(|next| !reset && cursor.next.as_ref() != Some(next));
        let goes_on = moved.is_some() && !page.is_caught_up;
        if let Some(next) = moved {
            cursor.advance(next, now);
        }
        if page.is_caught_up {
            cursor.caught_up = Some(stream.caught_up(cursor.caught_up)?);
        }
        cursor.failed.clear();
        cursor.save(&stream.folder, &name)?;
        stream.watch.update(|status| status.moved = cursor.moved);
        if !goes_on {
            return Ok(true);
        }
    }
}

/// Returns a page once every file of it is safe, or given up.
async fn page(
    stream: &Stream,
    event_type: EventType,
    start: Duration,
    cursor: &mut Cursor,
    calls: &Calls,
) -> Result<Page, Trouble> {
    let mut got = Got::default();
    let mut listing = 1;
    loop {
        let mut page = list(stream, event_type, start, cursor, calls).await?;
        let mut seen = HashSet::new();
        let mut links: Vec<Link> = std::mem::take(&mut page.value);
        links.retain(|link| seen.insert(link.file()));
        links.retain(|link| !got.safe.contains(&link.file()) && !got.failed.contains_key(&link.file()));
        got.follow(stream, event_type, links).await?;
        let expired = got.expired.len();
        if expired > 0 && listing < LISTINGS && !got.is_hopeless() {
            info!(stream = stream.watch.stream(), expired, "links have expired; listing them again");
            got.expired.clear();
            listing += 1;
            continue;
        }
        if listing == LISTINGS {
            got.give_up_expired();
        }
        got.settle(stream, cursor, seen.len() == 1)?;
        return Ok(page);
    }
}

async fn list(
    stream: &Stream,
    event_type: EventType,
    start: Duration,
    cursor: &Cursor,
    calls: &Calls,
) -> Result<Page, Trouble> {
    calls.keep(stream).await?;
    let spelling = event_type.row().json2.first().copied().unwrap_or_default();
    let mut query = vec![("type", spelling.to_owned()), ("pageSize", PAGE.to_owned())];
    match &cursor.next {
        Some(next) => query.push(("nextPage", next.clone())),
        None => {
            let now = stream.client.clock.now();
            let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
            let start =
                now.saturating_sub(SignedDuration::try_from(start).unwrap_or_default()).unwrap_or(now);
            query.push(("dateRangeStartsAt", day(start)));
            query.push(("dateRangeEndsAt", day(now)));
        }
    }
    stream.client.json(&Call::Get(PATH, query)).await
}

/// Whether a cursor is base64 of a text that points to the beginning of everything.
fn is_reset(cursor: &str) -> bool {
    let text = cursor.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).unwrap_or_default();
    let text = String::from_utf8_lossy(&decoded);
    let places: Vec<&str> = text.split('=').skip(1).collect();
    !places.is_empty() && places.iter().all(|place| place.starts_with("0-0"))
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
            ("", false),
        ] {
            assert_eq!(is_reset(&encoded(text)), reset, "{text}");
        }
        assert!(!is_reset("plain text"));
    }
}
