//! From what was typed to files.

use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use glob::{MatchOptions, glob_with};
use walkdir::{DirEntry, WalkDir};

use crate::{LandingError, Reason};

/// One file to read, as it stood when it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found {
    /// The path as given, or as joined while walking; `-` for standard input.
    pub path: PathBuf,
    /// Bytes in the file; zero for a stream.
    pub len: u64,
    /// Time of last change in nanoseconds since 1970, UTC; zero where the system knows none.
    pub modified_ns: i64,
    /// What stands behind the path.
    pub kind: FoundKind,
}

/// What stands behind a [`Found`] path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FoundKind {
    /// A regular file.
    File,
    /// A pipe or device: readable once, from its start.
    Stream,
    /// Standard input.
    Stdin,
    /// A directory or link that could not be followed; listing its units says why.
    Unreadable,
}

impl Found {
    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_ns = since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        let (kind, len) = if metadata.is_file() {
            (FoundKind::File, metadata.len())
        } else if metadata.is_dir() {
            (FoundKind::Unreadable, 0)
        } else {
            (FoundKind::Stream, 0)
        };
        Self { path, len, modified_ns, kind }
    }

    fn stdin() -> Self {
        Self { path: "-".into(), len: 0, modified_ns: 0, kind: FoundKind::Stdin }
    }

    fn unreadable(path: PathBuf) -> Self {
        Self { path, len: 0, modified_ns: 0, kind: FoundKind::Unreadable }
    }
}

/// Returns the files that `inputs` name, in the order of their paths' bytes, each path once.
///
/// An input is a file, a directory (walked with its subdirectories), a glob (`*`, `?`, `[…]`, `**`; a path that
/// exists wins over a glob), or `-` for standard input. Names that begin with `.` or `_` are skipped in directories
/// and where only a wildcard matches them; links to files and directories are followed, loops are not.
///
/// # Errors
/// An input that names nothing readable.
pub fn find(inputs: &[String]) -> Result<Vec<Found>, LandingError> {
    let mut found = Vec::new();
    for input in inputs {
        let before = found.len();
        let nothing = add_input(input, &mut found)?;
        if found.len() == before {
            return Err(LandingError::new(input, nothing));
        }
    }
    // By bytes: comparing component by component takes as long as the walk.
    found.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    found.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

/// Adds the files of one input; returns what to say where there were none.
fn add_input(input: &str, found: &mut Vec<Found>) -> Result<Reason, LandingError> {
    if input == "-" {
        found.push(Found::stdin());
        return Ok(Reason::NotFound);
    }
    let path = plain(Path::new(input));
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            walk(&path, found);
            Ok(Reason::NothingFound("the directory holds no file to read"))
        }
        Ok(metadata) => {
            found.push(Found::of(path, &metadata));
            Ok(Reason::NotFound)
        }
        Err(_) if input.contains(['*', '?', '[']) => {
            expand(input, found)?;
            Ok(Reason::NothingFound("the glob matches no file to read"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Reason::NotFound),
        Err(error) => Err(LandingError::new(input, error)),
    }
}

/// Returns `path` without its `.` components, so that `./a` and `a` are one file.
fn plain(path: &Path) -> PathBuf {
    let short: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    if short.as_os_str().is_empty() { ".".into() } else { short }
}

/// Adds the files under `root`, which is plain already.
fn walk(root: &Path, found: &mut Vec<Found>) {
    let visible = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name().as_encoded_bytes());
    // Only this root is put in front of each path: `./a`.
    let is_here = root == Path::new(".");
    for entry in WalkDir::new(root).follow_links(true).into_iter().filter_entry(visible) {
        match entry.and_then(|entry| Ok((entry.metadata()?, entry))) {
            Ok((metadata, _)) if metadata.is_dir() => {}
            Ok((metadata, entry)) => {
                let path = entry.into_path();
                found.push(Found::of(if is_here { plain(&path) } else { path }, &metadata));
            }
            // A link back to one of its own parents: everything behind it is walked already.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => found.push(Found::unreadable(error.path().unwrap_or(root).to_owned())),
        }
    }
}

fn expand(input: &str, found: &mut Vec<Found>) -> Result<(), LandingError> {
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    let paths =
        glob_with(input, options).map_err(|error| LandingError::new(input, Reason::BadGlob(error.msg)))?;
    let pattern = plain(Path::new(input));
    let typed = pattern.components().take_while(|part| !is_wild(*part)).count();
    let spelled = pattern.components().skip(typed).any(is_hidden_part);
    for path in paths {
        let path = match path {
            Ok(path) => plain(&path),
            Err(error) => {
                found.push(Found::unreadable(plain(error.path())));
                continue;
            }
        };
        if !spelled && path.components().skip(typed).any(is_hidden_part) {
            continue;
        }
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => walk(&path, found),
            Ok(metadata) => found.push(Found::of(path, &metadata)),
            Err(_) => found.push(Found::unreadable(path)),
        }
    }
    Ok(())
}

/// Whether a name is not for readers: `_state`, `_quarantine`, `_mimelake`, temporary files.
fn is_hidden(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'.' | b'_'))
}

fn is_wild(part: Component<'_>) -> bool {
    part.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
}

fn is_hidden_part(part: Component<'_>) -> bool {
    matches!(part, Component::Normal(name) if is_hidden(name.as_encoded_bytes()))
}

#[cfg(test)]
mod tests;
