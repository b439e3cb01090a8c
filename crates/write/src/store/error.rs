//! What can go wrong with the output directory.

use std::io;
use std::path::{Path, PathBuf};

/// Why the output directory could not be opened, written or committed to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
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
    /// Another run holds the output directory.
    #[error(
        "{} is held by another run ({holder}); wait for it to end, or stop it: the lock goes with its holder",
        lock.display()
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// What the lock file says of its holder.
        holder: String,
    },
    /// The directory was written by a newer mimelake.
    #[error(
        "{} says format {found}, this mimelake knows up to {known}: use a newer mimelake or another output directory",
        path.display()
    )]
    NewerFormat {
        /// The version file.
        path: PathBuf,
        /// The format number found there.
        found: u32,
        /// The newest format this program reads.
        known: u32,
    },
    /// A file of `_mimelake/` does not hold what was written to it.
    #[error(
        "{} line {line}: {reason}; the file records what the output holds and was damaged after it was \
         written: restore it from a backup, or convert everything into a new output directory",
        path.display()
    )]
    Corrupt {
        /// The damaged file.
        path: PathBuf,
        /// The damaged line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The output holds parts of mimelake, but the record of what they hold is gone.
    #[error(
        "{} was written by mimelake, but `_mimelake/` is missing, so what the output holds is not known: \
         restore `_mimelake/`, remove the part files, or choose another output directory",
        part.display()
    )]
    StateLost {
        /// One of the parts without a record.
        part: PathBuf,
    },
    /// A table or date that cannot be part of a path.
    #[error("{what} {name:?} cannot name a directory of the output")]
    BadName {
        /// `table` or `date`.
        what: &'static str,
        /// The refused name.
        name: String,
    },
    /// A part was created, but neither finished nor discarded, before its job was committed.
    #[error("part file {name} was not finished, so its job was not committed; convert its input again")]
    Unfinished {
        /// The part's file name.
        name: String,
    },
    /// No live commit of this output has this id.
    #[error("commit {id} is not in the output directory's log")]
    UnknownCommit {
        /// The id asked for.
        id: String,
    },
}

impl StoreError {
    /// Turns the system's answer to `action` on `path` into an error that names both.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// A result of the store.
pub(super) type Result<T> = std::result::Result<T, StoreError>;
