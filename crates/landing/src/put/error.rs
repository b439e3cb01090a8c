//! What can go wrong while something is put.

use std::io;
use std::path::{Path, PathBuf};

/// Why the landing directory could not be opened or written to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PutError {
    /// The file system said no: a full disk, missing rights, a vanished directory.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb.
        action: &'static str,
        /// The file or directory it was done to.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another run holds this part of the landing directory.
    #[error("{} is held by another run ({holder})", lock.display())]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// What the lock file says of its holder.
        holder: String,
    },
    /// An account or part that cannot be part of a path.
    #[error("{name:?} cannot name a folder of the landing directory")]
    BadName {
        /// The refused name.
        name: String,
    },
}

impl PutError {
    /// Returns what to do about it, or `None` where the message says it all.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room and run it again: nothing was lost, and the cursor has not moved")
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("make the landing directory writable for this user")
            }
            Self::Io { .. } => None,
            Self::Locked { .. } => Some("wait for it to end, or stop it: the lock goes with its holder"),
            Self::BadName { .. } => Some("use letters, digits, `-` and `.`"),
        }
    }

    /// Turns the system's answer to `action` on `path` into an error that names both.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// A result of putting.
pub(super) type Result<T> = std::result::Result<T, PutError>;
