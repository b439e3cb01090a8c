//! How the program ends, and how it says why.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use mimelake_landing::LandingError;

use crate::terminal;

/// How the program ends. Of several ends the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All was read and written.
    Done,
    /// It finished, but records were rejected or files unreadable, or logs may be missing.
    Rejects,
    /// Fetching stopped on something that passes.
    Passing,
    /// Interrupted.
    Interrupted,
    /// Wrong usage or configuration, or output that could not be written.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Rejects => 1,
            Exit::Failed => 2,
            Exit::Passing => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// An error with a line that says what to do about it.
#[derive(Debug)]
pub struct Hinted {
    what: String,
    hint: String,
    passes: bool,
}

impl Hinted {
    /// The error `what`, and what to do about it.
    pub fn error(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { what: what.into(), hint: hint.into(), passes: false })
    }

    /// The same, of what passes by itself.
    pub fn passing(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { what: what.into(), hint: hint.into(), passes: true })
    }
}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Hinted {}

/// The run was asked to stop.
#[derive(Debug)]
pub struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Stopped {}

/// A record was rejected and `--on-reject fail` is set.
#[derive(Debug)]
pub struct Rejected(pub String);

impl std::fmt::Display for Rejected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rejected {}

/// What an interrupted run says.
pub const INTERRUPTED: &str = "interrupted: what was finished is whole; run it again to go on";

/// Says the error in one line, with a hint in a second, and how the program ends by it.
pub fn of_error(error: &anyhow::Error) -> Exit {
    let exit = by_error(error);
    match exit {
        Exit::Done => {}
        Exit::Interrupted => terminal::say(INTERRUPTED),
        _ => {
            terminal::say(&format!("error: {}", said_once(error)));
            if let Some(hint) = hint(error) {
                terminal::say(&format!("hint: {hint}"));
            }
        }
    }
    exit
}

/// Returns how the program ends by the error; a closed pipe is the reader's choice.
pub fn by_error(error: &anyhow::Error) -> Exit {
    let is_closed_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
    };
    match () {
        () if error.chain().any(is_closed_pipe) => Exit::Done,
        () if error.is::<Stopped>() => Exit::Interrupted,
        () if error.is::<Rejected>() => Exit::Rejects,
        () if error.downcast_ref().is_some_and(|error: &Hinted| error.passes) => Exit::Passing,
        () => Exit::Failed,
    }
}

/// Returns what to do about the error, if it says so.
pub fn hint(error: &anyhow::Error) -> Option<&str> {
    let own = error.downcast_ref::<Hinted>().map(|error| error.hint.as_str());
    own.or_else(|| error.downcast_ref::<LandingError>().and_then(LandingError::hint))
}

/// The error and its causes, without those that the text before them says already.
pub fn said_once(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

/// Prints what clap has to say: help and version to stdout, errors to stderr.
pub fn of_arguments(error: &clap::Error) -> Exit {
    // A closed pipe is the reader's choice.
    _ = error.print();
    if error.use_stderr() { Exit::Failed } else { Exit::Done }
}
