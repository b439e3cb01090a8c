//! What can go wrong between Mimecast and the landing directory.

use mimelake_landing::put::PutError;

/// Why fetching stopped. No message holds a secret or the query of a URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The configuration cannot be used as it is.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The landing directory cannot be used or written to.
    #[error(transparent)]
    Put(#[from] PutError),
    /// Mimecast refused for a reason that trying again does not mend.
    #[error("{call}: {what}")]
    Refused {
        /// The call that was refused.
        call: String,
        /// What Mimecast said.
        what: String,
        /// What to do about it.
        hint: String,
        /// Whether every other call to the source would be refused, too: for its keys, or on the way there.
        is_general: bool,
    },
    /// Something that passes did not pass within the tries of one run.
    #[error("{call}: {what}; gave up after {tries} tries")]
    Passing {
        /// The call that failed.
        call: String,
        /// What the last try met.
        what: String,
        /// How often it was tried.
        tries: u32,
    },
    /// It was asked to stop.
    #[error("stopped as asked")]
    Stopped,
}

impl FetchError {
    /// Whether running again, unchanged, may well succeed.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Passing { .. } | Self::Stopped | Self::Put(PutError::Locked { .. }))
    }

    /// Returns what to do about it, or `None` where the message says it all.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Config(error) => Some(error.hint()),
            Self::Put(error) => error.hint(),
            Self::Refused { hint, .. } => Some(hint),
            Self::Passing { .. } => {
                Some("run it again later: what was landed stays, and it goes on from there")
            }
            Self::Stopped => None,
        }
    }
}

/// A configuration that cannot be used: what is wrong, and what mends it.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct ConfigError {
    what: String,
    hint: String,
}

impl ConfigError {
    pub(crate) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}
