//! What has been landed, known by what it holds.
//!
//! A line `+ identity digest time path` is synced before the file gets its name, and `= identity` follows after. What
//! a crash left between the two is settled when the index is opened: the file is there, byte for byte, or it is not.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::disk::{self, Access};
use super::error::{PutError, Result};

/// What tells one landed thing from another: 128 bits of BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity([u8; 16]);

impl Identity {
    /// Returns the identity of what the bytes name, such as the id of an audit event.
    pub fn of(bytes: &[u8]) -> Self {
        Self::short(blake3::hash(bytes))
    }

    /// Returns the identity of a file by name and content.
    pub(super) fn of_file(name: &str, content: &blake3::Hash) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(name.as_bytes()).update(&[0]).update(content.as_bytes());
        Self::short(hasher.finalize())
    }

    /// Returns the identity of an archive by its members, whatever its own name and the order they stand in.
    pub(super) fn of_members(mut members: Vec<blake3::Hash>) -> Self {
        members.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        let mut hasher = blake3::Hasher::new();
        for member in members {
            hasher.update(member.as_bytes());
        }
        Self::short(hasher.finalize())
    }

    fn short(hash: blake3::Hash) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(hash.as_bytes().get(..16).unwrap_or(&[0; 16]));
        Self(short)
    }

    fn parse(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
        Some(Self(number.to_be_bytes()))
    }

    fn text(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Mimecast keeps logs for 7 days and audit events for 60: nothing older can come again.
const KEPT_SECONDS: u64 = 62 * 24 * 60 * 60;

/// The index of one part of the landing directory.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    len: u64,
    landed: HashSet<Identity>,
}

/// A line that says what is about to be landed.
struct Row {
    digest: String,
    time: u64,
    path: String,
    done: bool,
}

impl Index {
    /// Reads the index and settles what the last run left open; `root` is what its paths are relative to.
    pub(super) fn open(path: PathBuf, root: &Path) -> Result<Self> {
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            read => read.map_err(PutError::io("read", &path))?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut rows = rows(&text);
        let now = seconds();
        let before = rows.len();
        rows.retain(|_, row| {
            now.saturating_sub(row.time) < KEPT_SECONDS && (row.done || is_there(root, row))
        });
        if rows.len() < before || rows.values().any(|row| !row.done) || !text.ends_with('\n') {
            let mut settled = String::new();
            for (identity, row) in &rows {
                settled.push_str(&begun(*identity, &row.digest, row.time, &row.path));
                settled.push_str(&done(*identity));
            }
            disk::replace(&path, settled.as_bytes(), Access::Shared)?;
        }
        let file = OpenOptions::new().append(true).open(&path).map_err(PutError::io("open", &path))?;
        let len = file.metadata().map_err(PutError::io("read", &path))?.len();
        Ok(Self { path, file, len, landed: rows.into_keys().collect() })
    }

    pub(super) fn holds(&self, identity: Identity) -> bool {
        self.landed.contains(&identity)
    }

    /// Says, for good, that a file of these bytes is about to get this name.
    pub(super) fn begin(&mut self, identities: &[Identity], digest: &blake3::Hash, path: &str) -> Result<()> {
        let digest = digest.to_hex();
        let lines: String = identities.iter().map(|i| begun(*i, &digest, seconds(), path)).collect();
        self.append(&lines)?;
        self.file.sync_data().map_err(PutError::io("sync", &self.path))
    }

    /// Says that it has its name.
    pub(super) fn finish(&mut self, identities: &[Identity]) -> Result<()> {
        self.landed.extend(identities);
        self.append(&identities.iter().map(|i| done(*i)).collect::<String>())
    }

    fn append(&mut self, lines: &str) -> Result<()> {
        match self.file.write_all(lines.as_bytes()) {
            Ok(()) => {
                self.len += lines.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a line is left out when the index is read, but must not run into the next one.
                let _ = self.file.set_len(self.len);
                Err(PutError::io("write", &self.path)(error))
            }
        }
    }
}

/// The time now, in seconds since 1970.
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn begun(identity: Identity, digest: &str, time: u64, path: &str) -> String {
    format!("+ {} {digest} {time} {path}\n", identity.text())
}

fn done(identity: Identity) -> String {
    format!("= {}\n", identity.text())
}

/// Reads the lines; one that was cut or damaged says nothing.
fn rows(text: &str) -> HashMap<Identity, Row> {
    let mut rows = HashMap::new();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        if let Some(identity) = line.strip_prefix("= ").and_then(Identity::parse) {
            rows.entry(identity).and_modify(|row: &mut Row| row.done = true);
        } else if let Some((identity, row)) = line.strip_prefix("+ ").and_then(row) {
            rows.insert(identity, row);
        }
    }
    rows
}

fn row(line: &str) -> Option<(Identity, Row)> {
    let mut fields = line.splitn(4, ' ');
    let identity = fields.next().and_then(Identity::parse)?;
    let digest = fields.next()?.to_owned();
    let time = fields.next()?.parse().ok()?;
    Some((identity, Row { digest, time, path: fields.next()?.to_owned(), done: false }))
}

/// Whether the file got its name before the run ended.
fn is_there(root: &Path, row: &Row) -> bool {
    let digest = || {
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut File::open(root.join(&row.path))?, &mut hasher)?;
        io::Result::Ok(hasher.finalize().to_hex())
    };
    digest().is_ok_and(|found| found.as_str() == row.digest)
}
