//! What has been landed, known by what it holds.
//!
//! A line `+ identity… digest path` is synced before the file gets its name, and `= identity… time` follows after. What
//! a crash left between the two is settled when the index is opened: the file is there, byte for byte, or it is not.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::disk;
use super::error::{PutError, Result};

/// What tells one landed thing from another: 128 bits of BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// The first bits of a hash.
    pub(super) fn short(hash: blake3::Hash) -> Self {
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

/// What was landed, and when, in seconds since 1970.
type Landed = HashMap<Identity, u32>;

/// The most identities that are remembered: some 20 MB, and years of a small tenant.
const MOST: usize = 900_000;
/// What the file grows by, beyond as much again as it had, before it is written anew.
const SLACK: u64 = 1 << 20;

/// The index of one part of the landing directory.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    len: u64,
    /// Bytes when it was last written anew.
    settled: u64,
    kept: Duration,
    most: usize,
    landed: Landed,
}

impl Index {
    /// Reads the index and settles what the last run left open; `root` is what its paths are relative to. What was
    /// landed longer ago than `kept` cannot come again and is forgotten.
    pub(super) fn open(path: PathBuf, root: &Path, kept: Duration) -> Result<Self> {
        let lines = Lines::read(&path).map_err(PutError::io("read", &path))?;
        let (mut landed, now) = (lines.done, seconds());
        let known = landed.len();
        for begun in &lines.begun {
            // Only a file that is not recorded is read, and once, however much it holds.
            let is_open = begun.identities.iter().any(|identity| !landed.contains_key(identity));
            if is_open && begun.is_there(root) {
                begun.identities.iter().for_each(|identity| _ = landed.entry(*identity).or_insert(now));
            }
        }
        forget(&mut landed, kept, MOST);
        let (file, len) = if !lines.is_settled || landed.len() != known {
            settle(&path, &landed)?
        } else {
            let file = OpenOptions::new().append(true).create(true).open(&path);
            (file.map_err(PutError::io("open", &path))?, lines.len)
        };
        Ok(Self { path, file, len, settled: len, kept, most: MOST, landed })
    }

    pub(super) fn holds(&self, identity: Identity) -> bool {
        self.landed.contains_key(&identity)
    }

    /// Says, for good, that a file of these bytes is about to get this name.
    pub(super) fn begin(&mut self, identities: &[Identity], digest: &blake3::Hash, path: &str) -> Result<()> {
        let digest = digest.to_hex();
        self.append(&format!("+{} {digest} {path}\n", texts(identities)))?;
        self.file.sync_data().map_err(PutError::io("sync", &self.path))
    }

    /// Says that it has its name.
    pub(super) fn finish(&mut self, identities: &[Identity]) -> Result<()> {
        let now = seconds();
        self.landed.extend(identities.iter().map(|identity| (*identity, now)));
        self.append(&done(identities, now))?;
        if self.len > 2 * self.settled + SLACK || self.landed.len() > self.most {
            forget(&mut self.landed, self.kept, self.most);
            (self.file, self.len) = settle(&self.path, &self.landed)?;
            self.settled = self.len;
        }
        Ok(())
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

/// Writes an index anew and returns it, to be appended to, with its bytes.
fn settle(path: &Path, landed: &Landed) -> Result<(File, u64)> {
    let temp = &disk::beside(path);
    let written = write(temp, landed).map_err(PutError::io("write", temp))?;
    disk::rename(temp, path)?;
    Ok(written)
}

/// Takes out what was landed too long ago, and the oldest quarter where there are more than so many.
fn forget(landed: &mut Landed, kept: Duration, most: usize) {
    let now = seconds();
    landed.retain(|_, time| u64::from(now.saturating_sub(*time)) < kept.as_secs());
    if landed.len() > most {
        let mut times: Vec<u32> = landed.values().copied().collect();
        let excess = times.len() - most + most / 4;
        times.sort_unstable();
        let first = times.get(excess).copied().unwrap_or(u32::MAX);
        // Of those of one second some go and some stay.
        let mut alike = excess - times.partition_point(|time| *time < first);
        landed.retain(|_, time| {
            let goes = *time < first || *time == first && alike > 0;
            alike -= usize::from(goes && *time == first);
            !goes
        });
    }
}

/// Returns a new file of these identities, to be appended to, and its bytes.
fn write(path: &Path, landed: &Landed) -> io::Result<(File, u64)> {
    // What a crash left.
    _ = std::fs::remove_file(path);
    let mut writer = BufWriter::new(OpenOptions::new().append(true).create_new(true).open(path)?);
    let mut len = 0;
    for (identity, time) in landed {
        let line = done(&[*identity], *time);
        writer.write_all(line.as_bytes())?;
        len += line.len() as u64;
    }
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok((file, len))
}

/// The time now, in seconds since 1970.
fn seconds() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// The identities, each behind a blank.
fn texts(identities: &[Identity]) -> String {
    identities.iter().flat_map(|identity| [" ".to_owned(), identity.text()]).collect()
}

fn done(identities: &[Identity], time: u32) -> String {
    format!("={} {time}\n", texts(identities))
}

/// A file that was about to get its name.
struct Begun {
    identities: Vec<Identity>,
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
struct Lines {
    /// Without what the line after says is done, so that it stays short.
    begun: Vec<Begun>,
    done: Landed,
    /// Bytes of all lines.
    len: u64,
    /// Whether all lines say what is done.
    is_settled: bool,
}

impl Lines {
    fn read(path: &Path) -> io::Result<Self> {
        let mut lines = Self { begun: Vec::new(), done: Landed::new(), len: 0, is_settled: true };
        let mut reader = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(lines),
            file => BufReader::new(file?),
        };
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            lines.len += line.len() as u64;
            lines.is_settled &= line.starts_with(b"= ") && line.ends_with(b"\n");
            lines.add(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Ok(lines)
    }

    fn add(&mut self, line: &str) {
        let Some(line) = line.strip_suffix('\n') else { return };
        let Some((said, last)) = line.rsplit_once(' ') else { return };
        if let Some(identities) = said.strip_prefix("= ").and_then(parsed)
            && let Ok(time) = last.parse()
        {
            self.begun.pop_if(|begun| begun.identities == identities);
            self.done.extend(identities.into_iter().map(|identity| (identity, time)));
        } else if let Some((identities, digest)) =
            said.strip_prefix("+ ").and_then(|said| said.rsplit_once(' '))
            && let Some(identities) = parsed(identities)
        {
            self.begin(identities, digest, last);
        }
    }

    fn begin(&mut self, identities: Vec<Identity>, digest: &str, path: &str) {
        match self.begun.last_mut() {
            // Once there was a line for each identity.
            Some(begun) if begun.digest == digest && begun.path == path => {
                begun.identities.extend(identities);
            }
            _ => self.begun.push(Begun { identities, digest: digest.to_owned(), path: path.to_owned() }),
        }
    }
}

/// The identities between blanks; `None` where one is none.
fn parsed(text: &str) -> Option<Vec<Identity>> {
    text.split(' ').map(Identity::parse).collect()
}

#[cfg(test)]
mod tests;
