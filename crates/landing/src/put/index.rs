//! What has been landed, known by what it holds.
//!
//! A line `+ identity… digest path` is synced before the file gets its name, and `= identity… number` follows after.
//! What a crash left between the two is settled when the index is opened: the file is there, byte for byte, or it is
//! not. Numbers count landings and go up whatever a clock does, so the oldest are known where there are too many.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::disk;
use super::error::{PutError, Result};
use super::incoming::digest_of;

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

/// What was landed, and which landing it was; once it was seconds since 1970, and the count goes on from there.
type Landed = HashMap<Identity, u32>;

/// The most identities that are remembered: some 6 MB of memory, and years of a small tenant.
const MOST: usize = 200_000;
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
    most: usize,
    /// The number of the last landing.
    last: u32,
    landed: Landed,
    /// What was about to get its name and is not known to have it, as the disk failed.
    begun: Vec<Begun>,
}

impl Index {
    /// Reads the index and settles what the last run left open; `root` is what its paths are relative to.
    pub(super) fn open(path: PathBuf, root: &Path) -> Result<Self> {
        let lines = Lines::read(&path, MOST).map_err(PutError::io("read", &path))?;
        let (mut landed, mut last) = (lines.done, lines.last);
        for begun in &lines.begun {
            // Only a file that is not recorded is read, and once, however much it holds.
            let is_open = begun.identities.iter().any(|identity| !landed.contains_key(identity));
            if is_open && begun.is_there(root) {
                // The crash may have come before its name was on the disk.
                disk::sync_dir(root.join(&begun.path).parent().unwrap_or(root))?;
                last = last.saturating_add(1);
                begun.identities.iter().for_each(|identity| _ = landed.entry(*identity).or_insert(last));
            }
        }
        let (file, len) = if lines.is_settled {
            let file = OpenOptions::new().append(true).create(true).open(&path);
            (file.map_err(PutError::io("open", &path))?, lines.len)
        } else {
            let settled = settle(&path, &landed)?;
            disk::sync_dir(path.parent().unwrap_or(root))?;
            settled
        };
        Ok(Self { path, file, len, settled: len, most: MOST, last, landed, begun: Vec::new() })
    }

    pub(super) fn holds(&self, identity: Identity) -> bool {
        self.landed.contains_key(&identity)
    }

    /// Says, for good, that a file of these bytes is about to get this name.
    pub(super) fn begin(&mut self, identities: &[Identity], digest: &blake3::Hash, path: &str) -> Result<()> {
        let digest = digest.to_hex();
        self.append(&format!("+{} {digest} {path}\n", texts(identities)))?;
        self.begun.retain(|begun| begun.identities != identities);
        let (identities, digest, path) = (identities.to_vec(), digest.as_str().to_owned(), path.to_owned());
        self.begun.push(Begun { identities, digest, path });
        self.file.sync_data().map_err(PutError::io("sync", &self.path))
    }

    /// Returns the path, relative to `root`, that a file of these identities got before the disk failed.
    pub(super) fn begun(&self, identities: &[Identity], root: &Path) -> Option<String> {
        let begun = self.begun.iter().find(|begun| begun.identities == identities)?;
        begun.is_there(root).then(|| begun.path.clone())
    }

    /// Says that it has its name.
    pub(super) fn finish(&mut self, identities: &[Identity]) -> Result<()> {
        self.begun.retain(|begun| begun.identities != identities);
        let is_full = self.landed.len() + identities.len() > self.most;
        if is_full {
            forget(&mut self.landed, self.most);
        }
        self.last = self.last.saturating_add(1);
        self.landed.extend(identities.iter().map(|identity| (*identity, self.last)));
        self.append(&done(identities, self.last))?;
        if is_full || self.len > 2 * self.settled + SLACK {
            (self.file, self.len) = settle(&self.path, &self.landed)?;
            self.settled = self.len;
            disk::sync_dir(self.path.parent().unwrap_or(Path::new(".")))?;
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

/// Writes an index anew and returns it, to be appended to, with its bytes. Its name is not yet synced.
fn settle(path: &Path, landed: &Landed) -> Result<(File, u64)> {
    let temp = &disk::beside(path);
    let written = write(temp, landed).map_err(PutError::io("write", temp))?;
    std::fs::rename(temp, path).map_err(PutError::io("rename to", path))?;
    Ok(written)
}

/// Takes out the oldest, an eighth of `most`: few enough that a replay of what is still kept finds nearly all of it, and
/// so many that the file is seldom written anew.
fn forget(landed: &mut Landed, most: usize) {
    let mut numbers: Vec<u32> = landed.values().copied().collect();
    let excess = numbers.len().saturating_sub(most - most / 8);
    numbers.sort_unstable();
    let first = numbers.get(excess).copied().unwrap_or(u32::MAX);
    // Of those of one number some go and some stay.
    let mut alike = excess - numbers.partition_point(|number| *number < first);
    let stays = |(_, number): &(Identity, u32)| {
        let goes = *number < first || *number == first && alike > 0;
        alike -= usize::from(goes && *number == first);
        !goes
    };
    // Taken out one by one they would leave places that are not used again, and the table would double.
    let kept: Vec<_> = landed.drain().filter(stays).collect();
    landed.extend(kept);
    landed.shrink_to_fit();
}

/// Returns a new file of these identities, to be appended to, and its bytes.
fn write(path: &Path, landed: &Landed) -> io::Result<(File, u64)> {
    // What a crash left.
    _ = std::fs::remove_file(path);
    let mut writer = BufWriter::new(OpenOptions::new().append(true).create_new(true).open(path)?);
    let mut len = 0;
    for (identity, number) in landed {
        let line = done(&[*identity], *number);
        writer.write_all(line.as_bytes())?;
        len += line.len() as u64;
    }
    let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok((file, len))
}

/// The identities, each behind a blank.
fn texts(identities: &[Identity]) -> String {
    identities.iter().flat_map(|identity| [" ".to_owned(), identity.text()]).collect()
}

fn done(identities: &[Identity], number: u32) -> String {
    format!("={} {number}\n", texts(identities))
}

/// A file that was about to get its name.
#[derive(Debug)]
struct Begun {
    identities: Vec<Identity>,
    digest: String,
    path: String,
}

impl Begun {
    /// Whether it got it.
    fn is_there(&self, root: &Path) -> bool {
        digest_of(&root.join(&self.path)).is_ok_and(|found| found.to_hex().as_str() == self.digest)
    }
}

/// What the lines of an index say; one that was cut or damaged says nothing.
struct Lines {
    /// Without what the line after says is done, so that it stays short.
    begun: Vec<Begun>,
    done: Landed,
    /// The greatest number.
    last: u32,
    /// Bytes of all lines.
    len: u64,
    /// Whether all lines say what is done, and all of that is remembered.
    is_settled: bool,
    most: usize,
}

impl Lines {
    fn read(path: &Path, most: usize) -> io::Result<Self> {
        let (begun, done) = (Vec::new(), Landed::new());
        let mut lines = Self { begun, done, last: 0, len: 0, is_settled: true, most };
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
            && let Ok(number) = last.parse()
        {
            self.begun.pop_if(|begun| begun.identities == identities);
            if self.done.len() + identities.len() > self.most {
                forget(&mut self.done, self.most);
                self.is_settled = false;
            }
            self.last = self.last.max(number);
            self.done.extend(identities.into_iter().map(|identity| (identity, number)));
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
