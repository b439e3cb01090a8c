//! `siem/v1/batch/events/cg` of API 2.0: pages of presigned links, one cursor for each event type.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use mimelake_landing::put::Expect;
use mimelake_schema::EventType;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::answer::Fault;
use crate::client::{Call, Trouble, bare};
use crate::cursor::{Cursor, STUCK};
use crate::error::FetchError;
use crate::stream::{DAMAGED, Received, Stream, torn_down};

const PATH: &str = "/siem/v1/batch/events/cg";
/// The most that a page holds.
const PAGE: &str = "100";
/// Downloads at a time.
const PARALLEL: usize = 4;
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

#[derive(Debug, Deserialize)]
struct Link {
    #[serde(deserialize_with = "url")]
    url: Url,
}

fn url<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    // What it says may be a credential, so the error does not repeat it.
    String::deserialize(from)?.parse().map_err(|_| serde::de::Error::custom("a link that is no URL"))
}

impl Link {
    /// What tells one file from another: the link without its query.
    fn file(&self) -> String {
        bare(&self.url)
    }
}

/// What came of one link.
enum Got {
    Landed,
    Expired,
}

/// Lands all files of one event type, page after page. `Ok(false)`: the type is not licensed.
pub(crate) async fn fetch(
    stream: &Stream,
    event_type: EventType,
    start: Duration,
    calls: &Calls,
) -> Result<bool, FetchError> {
    let name = format!("{}.json", event_type.table());
    let mut cursor = Cursor::load(&stream.folder, &name)?;
    stream.begin(cursor.moved, cursor.caught_up);
    let mut started_over = false;
    loop {
        stream.client.stop.check()?;
        let page = match page(stream, event_type, start, &mut cursor, calls).await {
            Ok(page) => page,
            Err(Trouble::Unlicensed) => return Ok(false),
            Err(Trouble::StartOver) if cursor.next.is_some() && !started_over => {
                started_over = true;
                stream.gap(cursor.moved, "Mimecast does not know the cursor any more; beginning anew")?;
                cursor = Cursor { next: None, stuck: 0, ..cursor };
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
        cursor.stuck = 0;
        cursor.save(&stream.folder, &name)?;
        stream.watch.update(|status| status.moved = cursor.moved);
        if !goes_on {
            return Ok(true);
        }
    }
}

/// Returns a page once every file of it is safe.
async fn page(
    stream: &Stream,
    event_type: EventType,
    start: Duration,
    cursor: &mut Cursor,
    calls: &Calls,
) -> Result<Page, Trouble> {
    let is_last_try = cursor.stuck + 1 >= STUCK;
    let mut safe = HashSet::new();
    for listing in 1..=LISTINGS {
        let mut page = list(stream, event_type, start, cursor, calls).await?;
        let mut seen = HashSet::new();
        let mut links: Vec<Link> = std::mem::take(&mut page.value);
        links.retain(|link| !safe.contains(&link.file()) && seen.insert(link.file()));
        let all = links.len();
        let landed = download_all(stream, event_type, links, is_last_try).await.inspect_err(|error| {
            cursor.stuck += u32::from(matches!(error, FetchError::Passing { .. }));
        })?;
        let expired = all - landed.len();
        safe.extend(landed);
        if expired == 0 {
            return Ok(page);
        }
        info!(stream = stream.watch.stream(), expired, "links have expired; listing them again");
        if is_last_try && listing == LISTINGS {
            let why = format!("{expired} links of a page expired again and again; going on without them");
            stream.gap(cursor.moved, &why)?;
            return Ok(page);
        }
    }
    cursor.stuck += 1;
    let what = "links expire before they can be followed".to_owned();
    Err(FetchError::Passing { call: PATH.to_owned(), what, tries: LISTINGS }.into())
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

/// Returns the files that are safe now; the others' links have expired.
async fn download_all(
    stream: &Stream,
    event_type: EventType,
    links: Vec<Link>,
    is_last_try: bool,
) -> Result<Vec<String>, FetchError> {
    let mut waiting = links.into_iter();
    let mut running = JoinSet::new();
    let mut landed = Vec::new();
    let mut failed = None;
    loop {
        while running.len() < PARALLEL && failed.is_none() && !stream.client.stop.is_requested() {
            let Some(link) = waiting.next() else { break };
            let stream = stream.clone();
            running.spawn_local(async move {
                let got = download(&stream, event_type, &link, is_last_try).await;
                (link.file(), got)
            });
        }
        match running.join_next().await {
            None => break,
            Some(Ok((file, Ok(Got::Landed)))) => landed.push(file),
            Some(Ok((_, Ok(Got::Expired)))) => {}
            Some(Ok((_, Err(error)))) => failed = Some(error),
            Some(Err(error)) => failed = Some(torn_down(error)),
        }
    }
    stream.client.stop.check()?;
    match failed {
        Some(error) => Err(error),
        None => Ok(landed),
    }
}

async fn download(
    stream: &Stream,
    event_type: EventType,
    link: &Link,
    is_last_try: bool,
) -> Result<Got, FetchError> {
    let path = percent_decoded(link.url.path());
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let above = format!("{}/", event_type.table());
    let mut damaged = 0;
    let mut partly = None;
    let received = stream
        .client
        .patiently(&bare(&link.url), async || {
            let response = stream.client.download(link.url.clone()).await?;
            let received = match stream.receive(response, &name, Expect::Gzip).await {
                Ok(received) => received,
                Err(error) => return Ok(Err(error)),
            };
            partly = None;
            match received {
                Received::Damaged(bad) if damaged + 1 < DAMAGED => {
                    damaged += 1;
                    Err(Fault::passes(format!("{name} is damaged: {}", bad.damage.reason)))
                }
                Received::Cut(incoming, fault) => {
                    partly = Some((incoming, fault.what.clone()));
                    Err(fault)
                }
                Received::Refused(fault) => Err(fault),
                whole_or_damaged => Ok(Ok(whole_or_damaged)),
            }
        })
        .await;
    match received {
        Ok(Ok(Received::Whole(whole))) => stream.land(whole, &above, &name).await?,
        Ok(Ok(Received::Damaged(bad))) => {
            let why = bad.damage.reason.to_string();
            stream.quarantine(bad.incoming, &name, &why)?;
        }
        // They were turned into faults above.
        Ok(Ok(Received::Cut(..) | Received::Refused(_))) => {}
        Ok(Err(error)) => return Err(error),
        Err(Trouble::Expired) => return Ok(Got::Expired),
        Err(trouble) => match (trouble.unexpected(PATH), partly) {
            (FetchError::Passing { .. }, Some((incoming, why))) if is_last_try => {
                stream.quarantine(incoming, &name, &why)?;
            }
            (error, _) => return Err(error),
        },
    }
    Ok(Got::Landed)
}

/// Whether a cursor is base64 of a text that points to the beginning of everything.
fn is_reset(cursor: &str) -> bool {
    let text = cursor.trim_end_matches('=');
    let decoded = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).unwrap_or_default();
    let text = String::from_utf8_lossy(&decoded);
    let places: Vec<&str> = text.split('=').skip(1).collect();
    !places.is_empty() && places.iter().all(|place| place.starts_with("0-0"))
}

fn percent_decoded(path: &str) -> String {
    let mut query = String::from("x=");
    query.push_str(&path.replace('+', "%2B").replace('&', "%26"));
    let Ok(url) = Url::parse(&format!("form:?{query}")) else { return path.to_owned() };
    url.query_pairs().next().map_or_else(|| path.to_owned(), |(_, value)| value.into_owned())
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

    #[test]
    fn names_are_decoded() {
        assert_eq!(percent_decoded("/a/url%20protect_1+2%26.json.gz"), "/a/url protect_1+2&.json.gz");
    }
}
