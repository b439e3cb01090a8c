//! The files behind the links of one page.

use std::collections::{BTreeMap, HashSet};

use mimelake_landing::put::{Expect, Incoming};
use mimelake_schema::EventType;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use tokio::task::JoinSet;

use super::{LISTINGS, PATH};
use crate::answer::Fault;
use crate::client::{Trouble, bare};
use crate::cursor::{Cursor, STUCK};
use crate::error::FetchError;
use crate::stream::{DAMAGED, Received, Stream, torn_down};

/// Downloads at a time.
const PARALLEL: usize = 4;
/// Files of one page that failed while none came, before the others are left for the next round.
const HOPELESS: usize = 16;

#[derive(Debug, Deserialize)]
pub(super) struct Link {
    #[serde(deserialize_with = "url")]
    url: Url,
    /// Its bytes; a body of others broke off, even where it ends between two gzip members.
    #[serde(default)]
    size: Value,
}

fn url<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    // What it says may be a credential, so the error does not repeat it.
    String::deserialize(from)?.parse().map_err(|_| serde::de::Error::custom("a link that is no URL"))
}

impl Link {
    /// What tells one file from another: the link without its query.
    pub(super) fn file(&self) -> String {
        bare(&self.url)
    }
}

/// What came of the links of a page.
#[derive(Default)]
pub(super) struct Got {
    /// Files that are safe.
    pub(super) safe: HashSet<String>,
    /// Files whose links have expired.
    pub(super) expired: Vec<String>,
    /// Files that did not come.
    pub(super) failed: BTreeMap<String, Failed>,
}

/// A file that did not come within the tries of a round.
pub(super) struct Failed {
    error: FetchError,
    /// Whether the last try was answered, so that it is not the network that is dead.
    is_answered: bool,
    /// What came in its place.
    rest: Option<Rest>,
}

/// What came in the place of a whole file, for the quarantine.
struct Rest {
    incoming: Incoming,
    why: String,
    /// It is a part of the file, and not what a proxy may say of any file.
    is_cut: bool,
}

/// What came of one link.
enum Came {
    Safe,
    Expired,
    Not(Failed),
}

impl Got {
    /// Whether the links that are left would hardly fare better.
    pub(super) fn is_hopeless(&self) -> bool {
        self.failed.values().any(|failed| !failed.is_answered)
            || self.safe.is_empty() && self.failed.len() >= HOPELESS
    }

    /// Follows the links, some at a time, and adds what came of each.
    ///
    /// # Errors
    /// What no other link can be followed after; of several, that of the disk.
    pub(super) async fn follow(
        &mut self,
        stream: &Stream,
        event_type: EventType,
        links: Vec<Link>,
    ) -> Result<(), FetchError> {
        let mut waiting = links.into_iter();
        let mut running = JoinSet::new();
        let mut fatal = None;
        loop {
            while running.len() < PARALLEL
                && fatal.is_none()
                && !self.is_hopeless()
                && !stream.client.stop.is_requested()
            {
                let Some(link) = waiting.next() else { break };
                let stream = stream.clone();
                running.spawn_local(async move {
                    let came = download(&stream, event_type, &link).await;
                    (link.file(), came)
                });
            }
            let came = match running.join_next().await {
                None => break,
                Some(Ok((file, came))) => came.map(|came| self.add(file, came)),
                Some(Err(error)) => Err(torn_down(error)),
            };
            if let Err(error) = came
                && (fatal.is_none() || matches!(error, FetchError::Put(_)))
            {
                fatal = Some(error);
            }
        }
        fatal.map_or_else(|| stream.client.stop.check(), Err)
    }

    fn add(&mut self, file: String, came: Came) {
        match came {
            Came::Safe => _ = self.safe.insert(file),
            Came::Expired => self.expired.push(file),
            Came::Not(failed) => _ = self.failed.insert(file, failed),
        }
    }

    /// Takes links that expire each time they are listed for files that did not come.
    pub(super) fn give_up_expired(&mut self) {
        for file in std::mem::take(&mut self.expired) {
            let what = "links expire before they can be followed".to_owned();
            let error = FetchError::Passing { call: PATH.to_owned(), what, tries: LISTINGS };
            self.failed.insert(file, Failed { error, is_answered: true, rest: None });
        }
    }

    /// Goes on without the files that failed in so many rounds.
    ///
    /// # Errors
    /// What one met that may yet come.
    pub(super) fn settle(
        self,
        stream: &Stream,
        cursor: &mut Cursor,
        is_only_one: bool,
    ) -> Result<(), FetchError> {
        cursor.failed.retain(|file, _| self.failed.contains_key(file));
        let mut all_given_up = true;
        for (file, failed) in &self.failed {
            let is_cut = failed.rest.as_ref().is_some_and(|rest| rest.is_cut);
            // Where nothing else came it is the network, or a proxy that keeps all files away.
            let counts = failed.is_answered && (!self.safe.is_empty() || is_only_one && is_cut);
            all_given_up &= counts && cursor.fails(file);
        }
        for (file, Failed { error, rest, .. }) in self.failed {
            match rest {
                _ if !all_given_up => return Err(error),
                Some(Rest { incoming, why, .. }) => stream.quarantine(incoming, &name_of(&file), &why)?,
                None => {
                    let why = format!("{file} did not come in {STUCK} rounds, and others did: {error}");
                    stream.gap(cursor.moved, &why)?;
                }
            }
        }
        Ok(())
    }
}

async fn download(stream: &Stream, event_type: EventType, link: &Link) -> Result<Came, FetchError> {
    let name = name_of(link.url.path());
    let above = format!("{}/", event_type.table());
    let size = link.size.as_u64();
    let mut damaged = 0;
    let mut is_answered = false;
    let mut rest = None;
    let received = stream
        .client
        .patiently(&bare(&link.url), async || {
            (is_answered, rest) = (false, None);
            let response = stream.client.get(link.url.clone()).await?;
            is_answered = true;
            stream.client.check_file(&response)?;
            let received = match stream.receive(response, &name, Expect::Gzip, size).await {
                Ok(received) => received,
                Err(error) => return Ok(Err(error)),
            };
            let (incoming, fault, is_cut) = match received {
                Received::Damaged(bad) if damaged + 1 < DAMAGED => {
                    damaged += 1;
                    return Err(Fault::passes(format!("{name} is damaged: {}", bad.damage.reason)));
                }
                Received::Cut(incoming, fault) => (incoming, fault, true),
                Received::Refused(incoming, fault) => (incoming, fault, false),
                whole_or_damaged => return Ok(Ok(whole_or_damaged)),
            };
            rest = Some(Rest { incoming, why: fault.what.clone(), is_cut });
            Err(fault)
        })
        .await;
    match received {
        Ok(Ok(Received::Whole(whole))) => stream.land(whole, &above, &name).await?,
        Ok(Ok(Received::Damaged(bad))) => {
            let why = bad.damage.reason.to_string();
            stream.quarantine(bad.incoming, &name, &why)?;
        }
        // They were turned into faults above.
        Ok(Ok(Received::Cut(..) | Received::Refused(..))) => {}
        Ok(Err(error)) => return Err(error),
        Err(Trouble::Expired) => return Ok(Came::Expired),
        Err(trouble) => match trouble.unexpected(PATH) {
            error @ FetchError::Passing { .. } => {
                return Ok(Came::Not(Failed { error, is_answered, rest }));
            }
            error => return Err(error),
        },
    }
    Ok(Came::Safe)
}

/// The name in a link, decoded; still a stranger's.
fn name_of(link: &str) -> String {
    percent_decoded(link).rsplit('/').next().unwrap_or_default().to_owned()
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
    fn names_are_decoded() {
        assert_eq!(percent_decoded("/a/url%20protect_1+2%26.json.gz"), "/a/url protect_1+2&.json.gz");
    }
}
