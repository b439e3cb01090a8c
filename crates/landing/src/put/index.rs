//! What has been landed, known by what it holds.
//!
//! A line `+ identity digest path` is synced before the file gets its name, and `= identity time` follows after. What
//! a crash left between the two is settled when the index is opened: the file is there, byte for byte, or it is not.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// The index of one part of the landing directory.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    len: u64,
    landed: HashSet<Identity>,
}

impl Index {
    /// Reads the index and settles what the last run left open; `root` is what its paths are relative to. What was
    /// landed longer ago than `kept` cannot come again and is forgotten.
    pub(super) fn open(path: PathBuf, root: &Path, kept: Duration) -> Result<Self> {
        let lines = Lines::read(&path).map_err(PutError::io("read", &path))?;
        let now = seconds();
        let found = lines.begun.iter().filter(|(_, begun)| begun.is_there(root));
        let landed = lines.done.iter().map(|(identity, time)| (*identity, *time));
        let landed: HashMap<Identity, u64> = landed
            .filter(|(_, time)| now.saturating_sub(*time) < kept.as_secs())
            .chain(found.map(|(identity, _)| (*identity, now)))
            .collect();
        let settled: String = landed.iter().map(|(identity, time)| done(*identity, *time)).collect();
        if !lines.begun.is_empty() || settled.len() as u64 != lines.len {
            disk::replace(&path, settled.as_bytes(), Access::Shared)?;
        }
        let mut options = OpenOptions::new();
        let file = options.append(true).create(true).open(&path).map_err(PutError::io("open", &path))?;
        Ok(Self { path, file, len: settled.len() as u64, landed: landed.into_keys().collect() })
    }

    pub(super) fn holds(&self, identity: Identity) -> bool {
        self.landed.contains(&identity)
    }

    /// Says, for good, that a file of these bytes is about to get this name.
    pub(super) fn begin(&mut self, identities: &[Identity], digest: &blake3::Hash, path: &str) -> Result<()> {
        let digest = digest.to_hex();
        let lines = identities.iter().map(|identity| format!("+ {} {digest} {path}\n", identity.text()));
        let lines: String = lines.collect();
        self.append(&lines)?;
        self.file.sync_data().map_err(PutError::io("sync", &self.path))
    }

    /// Says that it has its name.
    pub(super) fn finish(&mut self, identities: &[Identity]) -> Result<()> {
        self.landed.extend(identities);
        self.append(&identities.iter().map(|identity| done(*identity, seconds())).collect::<String>())
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

fn done(identity: Identity, time: u64) -> String {
    format!("= {} {time}\n", identity.text())
}

/// A file that was about to get its name.
struct Begun {
    digest: String,
    path: String,
}

impl Begun {
    /// Whether it got it.
    fn is_there(&self, root: &Path) -> bool {
        let digest = || {
            let mut hasher = blake3::Hasher::new();
            io::copy(&mut File::open(root.join(&self.path))?, &mut hasher)?;
            io::Result::Ok(hasher.finalize().to_hex())
        };
        digest().is_ok_and(|found| found.as_str() == self.digest)
    }
}

/// What the lines of an index say; one that was cut or damaged says nothing.
#[derive(Default)]
struct Lines {
    begun: HashMap<Identity, Begun>,
    done: HashMap<Identity, u64>,
    /// Bytes of all lines.
    len: u64,
}

impl Lines {
    fn read(path: &Path) -> io::Result<Self> {
        let mut lines = Self::default();
        let mut reader = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(lines),
            file => BufReader::new(file?),
        };
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            lines.len += line.len() as u64;
            lines.add(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(lines)
    }

    fn add(&mut self, line: &str) {
        let Some(line) = line.strip_suffix('\n') else { return };
        let mut fields = line.splitn(4, ' ');
        let kind = fields.next();
        let Some(identity) = fields.next().and_then(Identity::parse) else { return };
        match (kind, fields.next(), fields.next()) {
            (Some("="), Some(time), None) => {
                if let Ok(time) = time.parse() {
                    self.begun.remove(&identity);
                    self.done.insert(identity, time);
                }
            }
            (Some("+"), Some(digest), Some(path)) => {
                self.begun.insert(identity, Begun { digest: digest.to_owned(), path: path.to_owned() });
            }
            _ => {}
        }
    }
}
