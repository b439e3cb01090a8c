//! How far a stream came, kept from run to run.

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
    /// Rounds that ended here because a file did not come whole.
    #[serde(default)]
    pub(crate) stuck: u32,
}

/// A file that did not come whole in so many rounds is given up, lest it block all that follow.
pub(crate) const STUCK: u32 = 3;

impl Cursor {
    /// Returns what the last run saved, or the beginning.
    pub(crate) fn load(folder: &Folder, name: &str) -> Result<Self, FetchError> {
        let Some(bytes) = folder.saved(name)? else { return Ok(Self::default()) };
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
        *self = Self { next: Some(next), moved: Some(now), caught_up: self.caught_up, stuck: 0 };
    }
}
