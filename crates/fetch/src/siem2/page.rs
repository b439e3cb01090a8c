//! The files behind the links of one page.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::SignedDuration;
use mimelake_schema::EventType;
use reqwest::Url;
use serde_json::Value;
use tokio::task::JoinSet;

use super::download::{Came, Rest, download, name_of};
use super::{Failure, LISTINGS, MOST_ENTRIES, PATH, Round, Since};
use crate::client::{TRIES, bare};
use crate::cursor::{Cursor, LASTING, LASTING_TROUBLE, STUCK};
use crate::error::FetchError;
use crate::lean::{Few, Lean};
use crate::stream::{Stream, torn_down};

/// Downloads at a time.
const PARALLEL: usize = 4;
/// Files of one page and host that failed while none came, before the others are left for the next round.
const HOPELESS: usize = 16;

/// What stands in a list of links.
pub(super) struct Link {
    pub(super) url: Url,
    /// Its bytes, for a file that breaks off where it holds together, between two gzip members.
    pub(super) size: Option<u64>,
}

/// What an entry without a link is called, with its number behind it.
const ENTRY: &str = "entry#";

fn entry_number(file: &str) -> Option<usize> {
    file.strip_prefix(ENTRY)?.parse().ok()
}

impl Link {
    /// Returns the link that an entry holds, if it does; what it holds may be a credential.
    fn of(entry: &Lean) -> Option<Self> {
        let url: Url = entry.0.get("url")?.as_str()?.parse().ok()?;
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let size = entry.0.get("size").and_then(Value::as_u64);
        is_web.then_some(Self { url, size })
    }

    /// What tells one file from another: the link without its query.
    fn file(&self) -> String {
        bare(&self.url)
    }

    fn host(&self) -> Option<String> {
        self.url.host_str().map(str::to_owned)
    }
}

/// What came of the links of a page.
#[derive(Default)]
pub(super) struct Got {
    /// Files that were listed, however often.
    pub(super) listed: HashSet<String>,
    /// How many entries the last list had.
    entries: usize,
    /// Files that are safe.
    safe: HashSet<String>,
    /// Files whose links have expired.
    pub(super) expired: BTreeMap<String, Since>,
    /// Whether what is listed is about to be lost.
    is_late: bool,
    /// Whether a file came that had not been landed before.
    pub(super) has_new: bool,
    /// Files that did not come.
    failed: BTreeMap<String, Failed>,
}

/// A file that did not come within the tries of a round.
struct Failed {
    error: FetchError,
    /// When it was first asked for.
    since: Since,
    /// Whether the last try was answered.
    is_answered: bool,
    /// Whether that was by a server that is not in trouble itself, as one is that answers with 503.
    is_refused: bool,
    /// What came in its place.
    rest: Option<Rest>,
}

impl Failed {
    fn passing(what: &str, since: Since) -> Self {
        let error = FetchError::Passing { call: PATH.to_owned(), what: what.to_owned(), tries: LISTINGS };
        Self { error, since, is_answered: true, is_refused: true, rest: None }
    }

    /// Whether it was tried only once, as its host seemed dead, and others came from there since.
    fn was_passed_over(&self, round: &Round) -> bool {
        matches!(self.error, FetchError::Passing { tries: 1, .. }) && round.is_alive(&self.since)
    }
}

impl Got {
    pub(super) fn new(is_late: bool) -> Self {
        Self { is_late, ..Self::default() }
    }

    /// Adds what was listed, and returns the links that are to be followed: by turns those that failed before, so that
    /// others come after them, and the others; in the end those that are hardly waited for any more.
    pub(super) fn list(&mut self, entries: &Few<MOST_ENTRIES>, cursor: &Cursor, round: &Round) -> Vec<Link> {
        // What this list holds in their places counts.
        self.failed.retain(|file, _| entry_number(file).is_none());
        self.listed.retain(|file| entry_number(file).is_none());
        self.entries = entries.items.len() + usize::from(entries.has_more);
        let mut seen = HashSet::new();
        let (mut failed, mut others, mut last) = (Vec::new(), Vec::new(), Vec::new());
        let links = entries.items.iter().map(Link::of).chain(entries.has_more.then_some(None));
        for (number, link) in links.enumerate() {
            let Some(link) = link else {
                let file = format!("{ENTRY}{number}");
                let is_rest = number == MOST_ENTRIES;
                let what = if is_rest { "more than 1000 entries" } else { "an entry that holds no link" };
                let failed = || Failed::passing(what, round.now(None));
                self.failed.entry(file.clone()).or_insert_with(failed);
                self.listed.insert(file);
                continue;
            };
            let file = link.file();
            if !self.safe.contains(&file) && !self.failed.contains_key(&file) && seen.insert(file.clone()) {
                let links = match cursor.has_failed(&file) {
                    None => &mut others,
                    Some(is_lost) if is_lost || self.is_late => &mut last,
                    Some(_) => &mut failed,
                };
                links.push(link);
            }
            self.listed.insert(file);
        }
        let mut others = others.into_iter();
        let mut links = Vec::new();
        for link in failed {
            links.push(link);
            links.extend(others.next());
        }
        links.extend(others);
        links.extend(last);
        links
    }

    /// Whether links to a host would hardly fare better than those before: of its files that failed while no other came
    /// one was not even answered, or there are many.
    fn is_hopeless(&self, host: Option<&str>, round: &Round) -> bool {
        // What holds no link was not asked for.
        let asked =
            self.failed.iter().filter(|(file, _)| entry_number(file).is_none()).map(|(_, failed)| failed);
        let mut alone =
            asked.filter(|failed| failed.since.host.as_deref() == host && !round.is_alive(&failed.since));
        let count = alone.clone().count();
        count >= HOPELESS || alone.any(|failed| !failed.is_answered)
    }

    /// Whether listing the page again would help: a link has expired that is about to be lost, or to a host that is not
    /// hopeless.
    pub(super) fn is_worth_listing(&self, round: &Round) -> bool {
        self.expired.values().any(|since| self.is_late || !self.is_hopeless(since.host.as_deref(), round))
    }

    /// Takes out the link that is to be followed next, with how often it is tried. Those of hopeless hosts are left, or,
    /// where they are about to be lost, come last and are tried once, which bounds how long a page takes.
    fn next(&self, waiting: &mut VecDeque<Link>, round: &Round) -> Option<(Link, u32)> {
        // Those of a hopeless host may yet have hope once what is running comes.
        let may = |link: &Link| !self.is_hopeless(link.host().as_deref(), round);
        if let Some(at) = waiting.iter().position(may) {
            return waiting.remove(at).map(|link| (link, TRIES));
        }
        let is_answered = || self.failed.values().all(|failed| failed.is_answered);
        // In a dead network it would count for nothing.
        let may = self.is_late && (round.has_come() || is_answered());
        waiting.pop_front_if(|_| may).map(|link| (link, 1))
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
        round: &Round,
    ) -> Result<(), FetchError> {
        let mut waiting = VecDeque::from(links);
        let mut running = JoinSet::new();
        let mut fatal = None;
        loop {
            while running.len() < PARALLEL && fatal.is_none() && !stream.client.stop.is_requested() {
                let Some((link, tries)) = self.next(&mut waiting, round) else { break };
                let stream = stream.clone();
                let since = round.now(link.host());
                let trusts_size = round.trusts_sizes();
                running.spawn_local(async move {
                    let came = download(&stream, event_type, &link, tries, trusts_size).await;
                    (link.file(), since, came)
                });
            }
            let came = match running.join_next().await {
                None => break,
                Some(Ok((file, since, came))) => came.map(|came| self.add(file, since, came, round)),
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

    fn add(&mut self, file: String, since: Since, came: Came, round: &Round) {
        let before = self.expired.remove(&file);
        match came {
            Came::Safe { is_new, is_as_listed } => {
                round.comes(since.host, is_as_listed);
                self.has_new |= is_new;
                self.safe.insert(file);
            }
            Came::Expired => _ = self.expired.insert(file, before.unwrap_or(since)),
            Came::Not { error, is_answered, is_refused, rest } => {
                self.failed.insert(file, Failed { error, since, is_answered, is_refused, rest });
            }
        }
    }

    /// Makes a note of all files that were listed and are not safe, so that one that is listed no more the next time is
    /// missed; returns whether it says of any what was not noted before.
    pub(super) fn note(&self, cursor: &mut Cursor) -> bool {
        self.safe.iter().for_each(|file| cursor.came(file));
        let is_due = |file: &&String| cursor.is_due(file);
        self.listed.difference(&self.safe).filter(is_due).count() > 0
    }

    /// Goes on without the files that failed in so many rounds.
    ///
    /// # Errors
    /// What one met that may yet come.
    pub(super) fn settle(
        &mut self,
        stream: &Stream,
        cursor: &mut Cursor,
        name: &str,
        round: &Round,
    ) -> Result<(), FetchError> {
        for (file, since) in std::mem::take(&mut self.expired) {
            let what = "links expire before they can be followed, or are listed no more";
            self.failed.insert(file, Failed::passing(what, since));
        }
        self.note(cursor);
        let now = stream.client.clock.now();
        let is_late = self.is_late;
        // A link that was not even followed is not given up.
        let mut unclear = Vec::new();
        let mut is_over = self.safe.len() + self.failed.len() == self.listed.len();
        for (file, failed) in &self.failed {
            // Where nothing came from the host it is the network, or a proxy that keeps all files away.
            let is_blamed =
                round.is_alive(&failed.since) || is_late && (failed.is_answered || round.has_come());
            let was_passed_over = failed.was_passed_over(round);
            let counts = is_blamed && !was_passed_over;
            let least = match (is_late, failed.is_refused || round.has_come()) {
                (false, _) => LASTING,
                (true, false) => LASTING_TROUBLE,
                (true, true) => SignedDuration::ZERO,
            };
            let is_lost = cursor.fails(file, counts, now, least);
            let piece = failed.rest.as_ref().and_then(|rest| rest.piece.as_deref());
            let is_all_there_is = piece.is_some_and(|piece| cursor.breaks_off(file, piece, now));
            is_over &= is_lost || is_all_there_is;
            if !counts && !was_passed_over {
                unclear.push(Failure {
                    folder: Arc::clone(&stream.folder),
                    cursor: name.to_owned(),
                    file: file.clone(),
                    since: failed.since.clone(),
                });
            }
        }
        if !is_over {
            round.failures.borrow_mut().append(&mut unclear);
            let first = std::mem::take(&mut self.failed).into_values().next();
            let left = || Failed::passing("links were left for the next round", round.now(None));
            return Err(first.unwrap_or_else(left).error);
        }
        let is_read = |file: &str| entry_number(file).is_some_and(|number| number < self.entries);
        for file in cursor.failed_files().filter(|file| !self.listed.contains(*file) && !is_read(file)) {
            stream.gap(cursor.moved, &format!("{file} was listed, did not come, and is listed no more"))?;
        }
        for (file, Failed { error, rest, .. }) in std::mem::take(&mut self.failed) {
            match rest {
                Some(Rest { incoming, why, .. }) => stream.quarantine(incoming, &name_of(&file), &why)?,
                None => {
                    let why = format!("{file} did not come in {STUCK} rounds or more: {error}");
                    stream.gap(cursor.moved, &why)?;
                }
            }
        }
        Ok(())
    }
}
