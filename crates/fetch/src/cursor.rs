//! How far a stream came, kept from run to run.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use mimelake_landing::put::Folder;
use serde::{Deserialize, Serialize};

use crate::error::{ConfigError, FetchError};

/// A place in a stream of files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// What the next call sends, as the server gave it; none before the first.
    pub(crate) next: Option<String>,
    /// When it was last moved.
    pub(crate) moved: Option<Timestamp>,
    /// When everything up to then had been fetched.
    pub(crate) caught_up: Option<Timestamp>,
    /// When the stream was first asked for.
    #[serde(default)]
    pub(crate) began: Option<Timestamp>,
    /// Files behind this place that did not come, and in how many rounds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) failed: BTreeMap<String, u32>,
}

/// A file that did not come in so many rounds is given up, lest it block all that follow.
pub(crate) const STUCK: u32 = 3;

impl Cursor {
    /// Returns what the last run saved, or the beginning, which is now.
    pub(crate) fn load(folder: &Folder, name: &str, now: Timestamp) -> Result<Self, FetchError> {
        let Some(bytes) = folder.saved(name)? else {
            let cursor = Self { began: Some(now), ..Self::default() };
            cursor.save(folder, name)?;
            return Ok(cursor);
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let path = folder.state_path(name);
            let what = format!("{}: {error}", path.display());
            let hint = "remove it to begin with the oldest log there is: what was landed is known and not landed twice";
            ConfigError::new(what, hint).into()
        })
    }

    /// Saves it, for good.
    pub(crate) fn save(&self, folder: &Folder, name: &str) -> Result<(), FetchError> {
        let text = serde_json::to_vec(self).map_err(std::io::Error::other);
        let text =
            text.map_err(|error| ConfigError::new(format!("cannot write a cursor: {error}"), "report it"))?;
        Ok(folder.save(name, &text)?)
    }

    /// Moves it to where the next call begins.
    pub(crate) fn advance(&mut self, next: String, now: Timestamp) {
        *self = Self { next: Some(next), moved: Some(now), failed: BTreeMap::new(), ..*self };
    }

    /// Moves it back to the oldest log that is kept.
    pub(crate) fn start_over(&mut self) {
        (self.next, self.failed) = (None, BTreeMap::new());
    }

    /// Counts a round in which a file did not come; returns whether it has failed often enough to be given up.
    pub(crate) fn fails(&mut self, file: &str) -> bool {
        let rounds = self.failed.entry(file.to_owned()).or_default();
        *rounds = rounds.saturating_add(1);
        *rounds >= STUCK
    }
}

/// The cursors that were sent in one round, so that a circle of them is seen.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    sent: HashSet<u64>,
    state: RandomState,
}

/// The longest circle that is seen for sure, which bounds what is remembered.
const LONGEST: usize = 100_000;

impl Trail {
    /// Remembers a cursor that is sent.
    ///
    /// # Errors
    /// It was sent before, to `call`, and would give again what it gave then.
    pub(crate) fn send(&mut self, cursor: &str, call: &str) -> Result<(), FetchError> {
        if self.sent.len() == LONGEST {
            self.sent.clear();
        }
        if self.sent.insert(self.state.hash_one(cursor)) {
            return Ok(());
        }
        let what = "the server's cursors go in circles; what lies behind was not reached".to_owned();
        Err(FetchError::Passing { call: call.to_owned(), what, tries: 1 })
    }

    /// Forgets them all: a stream that starts over passes the same places again.
    pub(crate) fn start_over(&mut self) {
        self.sent.clear();
    }
}
