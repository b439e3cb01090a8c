//! The commit record: one line of JSON that says what a job read and wrote.
//!
//! Each line ends with a checksum of itself, so that a damaged line is seen and never half believed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::key::UnitKey;
use super::layout::CommitId;
use super::swap::Swap;

/// What one job read and wrote; its record makes the job's parts count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The commit's name.
    pub id: CommitId,
    /// What kind of output this is, such as `parquet/native`.
    #[serde(rename = "s")]
    pub settings: String,
    /// The part files written.
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<Part>,
    /// The file of rejects in `_quarantine/`, if the job had any.
    #[serde(rename = "q", skip_serializing_if = "Option::is_none", default)]
    pub quarantine: Option<String>,
    /// What was counted over the inputs.
    #[serde(rename = "c", default)]
    pub counts: Counts,
    /// The commits that this one makes void.
    #[serde(rename = "r", skip_serializing_if = "Vec::is_empty", default)]
    pub replaces: Vec<CommitId>,
    /// The places that changed hands, in the order in which they do.
    #[serde(rename = "w", skip_serializing_if = "Vec::is_empty", default)]
    pub swaps: Vec<Swap>,
    /// The files, or pieces of files, that were read.
    #[serde(rename = "i", skip_serializing_if = "Vec::is_empty", default)]
    pub inputs: Vec<CommittedInput>,
}

/// One visible part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The table, which is also the directory.
    #[serde(rename = "t")]
    pub table: String,
    /// `YYYY-MM-DD` in UTC, or `unknown`.
    #[serde(rename = "d")]
    pub date: String,
    /// The file's name.
    #[serde(rename = "n")]
    pub name: String,
    /// Rows in the file.
    #[serde(rename = "r")]
    pub rows: u64,
    /// Length of the file in bytes.
    #[serde(rename = "b")]
    pub bytes: u64,
}

/// What a job counted over its inputs: `records + rejected + blank == lines`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records written as rows.
    #[serde(rename = "r")]
    pub records: u64,
    /// Records put into quarantine.
    #[serde(rename = "x")]
    pub rejected: u64,
    /// Blank lines.
    #[serde(rename = "b")]
    pub blank: u64,
    /// All lines.
    #[serde(rename = "l")]
    pub lines: u64,
}

/// How a file is known without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStamp {
    /// The file's path in whatever form the caller always uses; absolute is best.
    #[serde(rename = "p", serialize_with = "path_out", deserialize_with = "path_in")]
    pub path: PathBuf,
    /// Length of the file in bytes.
    #[serde(rename = "l")]
    pub len: u64,
    /// Time of last change, in nanoseconds since 1970.
    #[serde(rename = "m")]
    pub modified_ns: i64,
}

/// What a file is made of: decides when all of it has been converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listing {
    /// The file's own bytes are the content: one unit, number 0, perhaps in slices.
    #[serde(rename = "p")]
    Plain,
    /// A gzip or zstd file (one unit) or an archive: so many units, numbered from 0.
    #[serde(rename = "m")]
    Members(u32),
}

impl Listing {
    /// How many units there are.
    pub const fn units(self) -> u32 {
        match self {
            Self::Plain => 1,
            Self::Members(count) => count,
        }
    }
}

/// One file that a job read, or the part of it that the job read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedInput {
    /// The file as it was found.
    #[serde(rename = "f")]
    pub stamp: FileStamp,
    /// All that the file holds, also what other jobs read. Every job must state the same.
    #[serde(rename = "k")]
    pub listing: Listing,
    /// Why the file could not be read to its end. What could be read is in `units` and is not read again.
    #[serde(rename = "dmg", skip_serializing_if = "Option::is_none", default)]
    pub damage: Option<String>,
    /// The units that this job read, and those that were known before.
    #[serde(rename = "u", skip_serializing_if = "Vec::is_empty", default)]
    pub units: Vec<CommittedUnit>,
}

/// One unit of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedUnit {
    /// The unit's number in its file's listing.
    #[serde(rename = "i", skip_serializing_if = "is_zero", default)]
    pub index: u32,
    /// The member's name in its archive, for people; may be empty.
    #[serde(rename = "n", skip_serializing_if = "String::is_empty", default)]
    pub name: String,
    /// The bytes it is.
    #[serde(rename = "k")]
    pub key: UnitKey,
    /// The bytes of the gzip or zstd file that held them, by which it is known without being inflated. Of a zip member
    /// that damage cuts short, the same bytes by the length that its archive states.
    #[serde(rename = "z", skip_serializing_if = "Option::is_none", default)]
    pub packed: Option<UnitKey>,
    /// The rows of these bytes are in another commit; this one only says that the file holds them too.
    #[serde(rename = "a", skip_serializing_if = "is_false", default)]
    pub alias: bool,
}

impl CommittedUnit {
    /// The keys that it is known by.
    pub fn keys(&self) -> impl Iterator<Item = &UnitKey> {
        std::iter::once(&self.key).chain(&self.packed)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Stands before the bytes of a path that is not UTF-8: no path has a NUL byte.
const RAW_PATH: char = '\0';

fn path_out<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        None => serializer.serialize_str(&raw_text(path)),
    }
}

fn path_in<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(match text.strip_prefix(RAW_PATH) {
        Some(bytes) => raw_path(bytes),
        None => PathBuf::from(text),
    })
}

/// Every byte of the path as the character of that number.
fn raw_text(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    std::iter::once(RAW_PATH).chain(bytes.iter().map(|&byte| char::from(byte))).collect()
}

#[cfg(unix)]
fn raw_path(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes = text.chars().map(|character| character as u8).collect();
    std::ffi::OsString::from_vec(bytes).into()
}

/// Elsewhere the bytes cannot be made a path again: the file is then known by its content only.
#[cfg(not(unix))]
fn raw_path(text: &str) -> PathBuf {
    PathBuf::from(text)
}

const SUM_KEY: &[u8] = b",\"sum\":\"";
const SUM_LEN: usize = 16;
const SUFFIX_LEN: usize = SUM_KEY.len() + SUM_LEN + 2;

fn sum(body: &[u8]) -> String {
    let mut hex = blake3::hash(body).to_hex();
    hex.truncate(SUM_LEN);
    hex.as_str().to_owned()
}

/// The record as a line, with its line feed.
pub(super) fn encode(commit: &Commit) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(commit)?;
    line.pop();
    let sum = sum(&line);
    line.extend_from_slice(SUM_KEY);
    line.extend_from_slice(sum.as_bytes());
    line.extend_from_slice(b"\"}\n");
    Ok(line)
}

/// Reads a line with its line feed back; says what is wrong with it.
pub(super) fn decode<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
    let Some(line) = line.strip_suffix(b"\n") else { return Err("the line is cut short".to_owned()) };
    let (body, suffix) = line.split_at(line.len().saturating_sub(SUFFIX_LEN));
    let stated = suffix.strip_prefix(SUM_KEY).and_then(|rest| rest.strip_suffix(b"\"}"));
    match stated {
        Some(stated) if stated == sum(body).as_bytes() => {}
        Some(_) => return Err("its checksum does not fit".to_owned()),
        None => return Err("it has no checksum".to_owned()),
    }
    serde_json::from_slice(line).map_err(|error| error.to_string())
}
