//! Where things are in an output directory, and what our files are called.
//!
//! A run is named by its start, to the nanosecond, a job by its run and a number, a part by its job and a
//! number. A part's name therefore says which commit must name it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Result, StoreError};

const DATE_DIRECTORY: &str = "event_date=";
const UNKNOWN_DATE: &str = "unknown";

/// The format of a part file, which is also the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// Apache Parquet.
    Parquet,
    /// One JSON object a line.
    Ndjson,
}

impl Extension {
    /// The ending, without the dot.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Ndjson => "ndjson",
        }
    }
}

/// The name of a commit: `<run>-<job>`, unique in its output directory and sorted by start of run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommitId(Box<str>);

impl CommitId {
    /// The commit of the run's `job`th job, from 1; number 0 names a merged commit file.
    pub(super) fn new(run: &str, job: u64) -> Self {
        Self(format!("{run}-{job:06}").into())
    }

    /// Whether it is a commit of this run.
    pub(super) fn is_of(&self, run: &str) -> bool {
        self.0.strip_prefix(run).is_some_and(|job| job.starts_with('-'))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The run that made the commit.
    pub(super) fn run(&self) -> &str {
        self.0.rsplit_once('-').map_or(&*self.0, |(run, _)| run)
    }

    /// Reads an id; `None` for text of another form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (run, job) = text.rsplit_once('-')?;
        (is_run(run) && job.len() >= 6 && is_digits(job)).then(|| Self(text.into()))
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A new run's name, such as `20260131T235959Z-0123abcd`: its start and nanoseconds.
///
/// Names put commits in order, so it is greater than `newest`, the newest commit's, even if the clock was set back.
pub(super) fn new_run(newest: Option<&CommitId>) -> String {
    let now = jiff::Timestamp::now();
    let run = format!("{}-{:08x}", now.strftime("%Y%m%dT%H%M%SZ"), now.subsec_nanosecond());
    match newest {
        Some(newest) if *newest.run() >= *run => next_run(newest.run()),
        _ => run,
    }
}

/// The name that follows a run's name.
fn next_run(run: &str) -> String {
    let (start, count) = run.split_at(16);
    let digits: String = start.chars().filter(char::is_ascii_digit).collect();
    let start: u64 = digits.parse().unwrap_or(0);
    let count = u32::from_str_radix(&count[1..], 16).unwrap_or(u32::MAX);
    let (start, count) = count.checked_add(1).map_or((start + 1, 0), |count| (start, count));
    format!("{:08}T{:06}Z-{count:08x}", start / 1_000_000, start % 1_000_000)
}

/// Whether the text is a run's name.
pub(super) fn is_run(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        16 => byte == b'-',
        0..16 => byte.is_ascii_digit(),
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == 25 && text.bytes().enumerate().all(shape)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The file name of a job's `number`th part.
pub(super) fn part_name(job: &CommitId, number: u32, extension: Extension) -> String {
    format!("part-{job}-{number}.{}", extension.as_str())
}

/// The file name of a job's rejects.
pub(super) fn quarantine_name(job: &CommitId) -> String {
    format!("rejects-{job}.ndjson")
}

/// The job that wrote the part of this name; `None` if the name is not one of ours.
pub(super) fn job_of_part(name: &str) -> Option<CommitId> {
    let stem = name.strip_suffix(".parquet").or_else(|| name.strip_suffix(".ndjson"))?;
    let (job, number) = stem.strip_prefix("part-")?.rsplit_once('-')?;
    CommitId::parse(job).filter(|_| is_digits(number))
}

/// The job that wrote the rejects of this name; `None` if the name is not one of ours.
pub(super) fn job_of_quarantine(name: &str) -> Option<CommitId> {
    CommitId::parse(name.strip_prefix("rejects-")?.strip_suffix(".ndjson")?)
}

/// Refuses a table that is not a plain lower-case name, or a date that is neither a date nor `unknown`.
pub(super) fn check_names(table: &str, date: &str) -> Result<()> {
    let word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if table.is_empty() || table.starts_with('_') || !table.bytes().all(word) {
        return Err(StoreError::BadName { what: "table", name: table.to_owned() });
    }
    let shape =
        |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    if date == UNKNOWN_DATE || (date.len() == 10 && date.bytes().enumerate().all(shape)) {
        return Ok(());
    }
    Err(StoreError::BadName { what: "date", name: date.to_owned() })
}

/// The paths of one output directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) out: PathBuf,
}

impl Layout {
    pub(super) fn table(&self, table: &str) -> PathBuf {
        self.out.join(table)
    }

    pub(super) fn partition(&self, table: &str, date: &str) -> PathBuf {
        self.out.join(table).join(format!("{DATE_DIRECTORY}{date}"))
    }

    pub(super) fn quarantine(&self) -> PathBuf {
        self.out.join("_quarantine")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.out.join("_mimelake")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.state().join("lock")
    }

    pub(super) fn version(&self) -> PathBuf {
        self.state().join("version")
    }

    pub(super) fn commits(&self) -> PathBuf {
        self.state().join("commits")
    }

    pub(super) fn commit_file(&self, id: &CommitId) -> PathBuf {
        self.commits().join(format!("{id}.jsonl"))
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.state().join("tmp")
    }

    /// The runs that may have left something behind.
    pub(super) fn runs(&self) -> PathBuf {
        self.state().join("runs")
    }

    /// Calls `visit` with every visible file that bears one of our names, and the job that wrote it.
    pub(super) fn visit_parts(&self, visit: &mut dyn FnMut(&Path, CommitId) -> Result<()>) -> Result<()> {
        for table in names(&self.out)?.iter().filter(|name| !name.starts_with(['_', '.'])) {
            for date in names(&self.table(table))?.iter().filter(|name| name.starts_with(DATE_DIRECTORY)) {
                visit_directory(&self.table(table).join(date), job_of_part, visit)?;
            }
        }
        visit_directory(&self.quarantine(), job_of_quarantine, visit)
    }
}

fn visit_directory(
    directory: &Path,
    job_of: fn(&str) -> Option<CommitId>,
    visit: &mut dyn FnMut(&Path, CommitId) -> Result<()>,
) -> Result<()> {
    for name in names(directory)? {
        let path = directory.join(&name);
        if let Some(job) = job_of(&name)
            && path.is_file()
        {
            visit(&path, job)?;
        }
    }
    Ok(())
}

/// The names in a directory, sorted; none if it is no directory. Names that are not UTF-8 are never ours.
pub(super) fn names(directory: &Path) -> Result<Vec<String>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let failed = || StoreError::io("read directory", directory);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed())? {
        if let Ok(name) = entry.map_err(failed())?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
