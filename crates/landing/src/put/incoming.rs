//! A file while it comes in, and once it is known to be whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::error::{PutError, Result};
use super::index::Identity;
use super::name::safe_name;
use crate::error::Reason;
use crate::{Found, FoundKind, LandingError, Limits, Opener, units};

/// What a file must be to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// A zip or gzip file that holds together, or anything plain.
    Anything,
    /// A gzip file of one or more members, each with its checksum.
    Gzip,
    /// A zip file that holds together, which may be empty.
    Zip,
}

/// Bytes on their way to the landing directory; dropping it removes them.
#[derive(Debug)]
pub struct Incoming {
    pub(super) path: PathBuf,
    file: File,
    hasher: Box<blake3::Hasher>,
    len: u64,
}

/// A file that is complete and on the disk, and not yet under its name.
#[derive(Debug)]
pub struct Whole {
    pub(super) incoming: Incoming,
    pub(super) name: String,
    /// What it holds; it is known once all of these are.
    pub(super) identities: Vec<Identity>,
}

/// A file that came in damaged.
#[derive(Debug)]
pub struct Bad {
    /// Its bytes, for another try or for the quarantine.
    pub incoming: Incoming,
    /// What is wrong with it.
    pub damage: LandingError,
}

impl Whole {
    /// Whether it holds nothing to keep, like an archive without a member.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Returns how many bytes it has.
    pub fn len(&self) -> u64 {
        self.incoming.len
    }

    /// Returns eight characters that tell its bytes from others.
    pub fn mark(&self) -> String {
        self.incoming.mark()
    }

    /// Returns its bytes, no longer taken for whole.
    pub fn into_incoming(self) -> Incoming {
        self.incoming
    }
}

impl Incoming {
    pub(super) fn create(path: PathBuf) -> Result<Self> {
        let file = File::create(&path).map_err(PutError::io("create", &path))?;
        Ok(Self { path, file, hasher: Box::default(), len: 0 })
    }

    /// Appends bytes as they came.
    ///
    /// # Errors
    /// The file system says no: a full disk, mostly.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(PutError::io("write", &self.path))?;
        self.hasher.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Returns how many bytes came so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing came so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns its first bytes, so many at most.
    ///
    /// # Errors
    /// The file system says no.
    pub fn first(&self, most: u64) -> Result<Vec<u8>> {
        let mut first = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(most).read_to_end(&mut first))
            .map_err(PutError::io("read", &self.path))?;
        Ok(first)
    }

    /// Returns the file once it is complete and synced.
    ///
    /// Every member is inflated and held against its checksum. `name` is made [safe](safe_name); where nothing of it
    /// is left the file is named by its digest.
    ///
    /// # Errors
    /// The bytes contradict their own container or are not what is expected.
    pub fn check(self, name: &str, expect: Expect) -> std::result::Result<Whole, Box<Bad>> {
        match self.contents(expect) {
            Ok(contents) => {
                let name = safe_name(name).unwrap_or_else(|| format!("{}.log", self.mark()));
                let identities = match contents {
                    Contents::Members(members) => members,
                    Contents::Plain => vec![Identity::of_file(&name, &self.hasher.finalize())],
                };
                Ok(Whole { incoming: self, name, identities })
            }
            Err(damage) => Err(Box::new(Bad { incoming: self, damage })),
        }
    }

    /// Returns the file as whole, known by the `identities` of what it holds.
    pub fn made_of(self, name: &str, identities: Vec<Identity>) -> Whole {
        let name = safe_name(name).unwrap_or_else(|| format!("{}.ndjson", self.mark()));
        Whole { incoming: self, name, identities }
    }

    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(PutError::io("sync", &self.path))
    }

    /// Whether the file at `path` has the same bytes.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let has_len = fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == self.len);
        has_len && digest_of(path).is_ok_and(|digest| digest == self.digest())
    }

    /// The digest of the bytes.
    pub(super) fn digest(&self) -> blake3::Hash {
        self.hasher.finalize()
    }

    /// Returns eight characters that tell these bytes from others of the same name.
    pub fn mark(&self) -> String {
        self.digest().to_hex().as_str().get(..8).unwrap_or_default().to_owned()
    }

    fn contents(&self, expect: Expect) -> std::result::Result<Contents, LandingError> {
        let found = found(&self.path, self.len);
        let fault = |reason| LandingError::new(self.path.to_string_lossy(), reason);
        let mut head = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(4).read_to_end(&mut head))
            .map_err(|error| fault(Reason::Io(error)))?;
        if head.is_empty() {
            return Err(fault(Reason::Truncated("before its first byte")));
        }
        if expect == Expect::Gzip && !head.starts_with(&[0x1f, 0x8b]) {
            return Err(fault(Reason::Corrupt("not a gzip file".to_owned())));
        }
        if expect == Expect::Zip && !matches!(head.as_slice(), b"PK\x03\x04" | b"PK\x05\x06") {
            return Err(fault(Reason::Corrupt("not a zip file".to_owned())));
        }
        // Memory stays small whatever the directory of a zip claims.
        let limits = Limits { max_listing: 16 << 20, ..Limits::default() };
        let listing = units(&found, &limits)?;
        if let Some(damage) = listing.damages.into_iter().next() {
            return Err(damage);
        }
        let mut opener = Opener::new(limits);
        let mut members = Vec::with_capacity(listing.units.len());
        let is_zip = head.starts_with(b"PK");
        for unit in &listing.units {
            let mut hasher = blake3::Hasher::new();
            hasher.update(unit.leaf_name().as_bytes()).update(&[0]);
            read_whole(opener.open(unit)?, &mut hasher).map_err(|error| {
                LandingError::from_io(error).unwrap_or_else(|error| fault(Reason::Io(error)))
            })?;
            members.push(Identity::short(hasher.finalize()));
        }
        // The same member twice is no more than once.
        members.sort_unstable();
        members.dedup();
        Ok(if is_zip { Contents::Members(members) } else { Contents::Plain })
    }
}

/// The digest of the bytes of a file.
pub(super) fn digest_of(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize())
}

/// What a file holds.
enum Contents {
    /// A zip: each member by name and content.
    Members(Vec<Identity>),
    Plain,
}

fn found(path: &Path, len: u64) -> Found {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(UNIX_EPOCH);
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Found { path: path.to_owned(), len, modified_ns: since.as_nanos() as i64, kind: FoundKind::File }
}

fn read_whole(mut reader: impl Read, hasher: &mut blake3::Hasher) -> io::Result<()> {
    let mut block = vec![0; 64 << 10];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(()),
            n => hasher.update(block.get(..n).unwrap_or_default()),
        };
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // After a rename there is none by this name, and a leftover is removed when the folder is opened next.
        let _ = fs::remove_file(&self.path);
    }
}
