//! A directory of logs, as a fetch leaves it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::records::Records;
use super::render::Dialect;
use super::sink::Sink;

/// The form of the files of an [`archive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// API 1.0 key-value files, `receipt_<17 digits>.siem`.
    Kv,
    /// API 1.0 JSON envelopes, `receipt_<17 digits>.json`.
    Json1,
    /// API 2.0 NDJSON, inflated, `receipt_<17 digits>.json`.
    Json2,
    /// API 1.0 zips, `<uuid>.zip`, with key-value members `receipt_<17 digits>.siem`.
    Zip,
    /// API 2.0 NDJSON as downloaded, `receipt_<17 digits>.json.gz`.
    Gzip,
}

impl Shape {
    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Kv | Self::Zip => Dialect::Kv,
            Self::Json1 => Dialect::Json1,
            Self::Json2 | Self::Gzip => Dialect::Json2,
        }
    }

    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Kv | Self::Zip => "siem",
            Self::Json1 | Self::Json2 => "json",
            Self::Gzip => "json.gz",
        }
    }

    /// About what an email's records together take, in bytes.
    fn bytes_per_email(self) -> u64 {
        match self.dialect() {
            Dialect::Kv => 1_480,
            Dialect::Json1 => 1_750,
            Dialect::Json2 => 2_850,
        }
    }
}

/// What an [`archive`] is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Bytes of log text, before compression.
    pub size: u64,
    /// The same seed and plan give the same files, byte for byte.
    pub seed: u64,
    /// The form of the files.
    pub shape: Shape,
    /// A file is closed once it has as many bytes, before compression.
    pub file_size: u64,
    /// Everything in one file (all stages mixed) or one zip; `file_size` does not matter then.
    pub single: bool,
    /// Days from 2026-03-02 over which the emails arrive.
    pub days: u32,
}

/// What [`archive`] wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files, a zip counted once.
    pub files: u64,
    /// Log records.
    pub records: u64,
    /// Bytes of log text, before compression.
    pub bytes: u64,
}

/// Why an archive could not be written.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The directory holds something already, which an archive would mix with.
    #[error("{} is not empty: name a new directory, or empty it", .path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot write {}: check that the disk has room and the directory is yours", .path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Fills `dir`, which is made if missing, and returns what was written.
///
/// Every email that arrives gets all its records, so that the files exceed `size` by what late delivery
/// attempts take: a few percent for small archives. Memory is a few megabytes whatever the size.
///
/// # Errors
/// [`GenerateError::NotEmpty`] for a directory that is in use, [`GenerateError::Write`] where the system refuses.
pub fn archive(dir: &Path, plan: &Plan) -> Result<Summary, GenerateError> {
    let refused = |source| GenerateError::Write { path: dir.to_path_buf(), source };
    fs::create_dir_all(dir).map_err(refused)?;
    if fs::read_dir(dir).map_err(refused)?.next().is_some() {
        return Err(GenerateError::NotEmpty { path: dir.to_path_buf() });
    }
    let emails = plan.size / plan.shape.bytes_per_email() + 1;
    let mut records = Records::new(plan.seed, u64::from(plan.days.max(1)) * 86_400_000 / emails);
    let mut sink = Sink::new(plan, dir.to_path_buf(), servers(plan));
    while let Some(record) = records.next() {
        sink.put(&record)?;
        if sink.bytes() >= plan.size {
            records.close();
        }
    }
    sink.finish()
}

/// As many servers as give each a few files of each stage, at most four.
fn servers(plan: &Plan) -> usize {
    (plan.size / plan.file_size.max(1) / 12).clamp(1, 4) as usize
}
