//! The logs that all read, and beside them what they say.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use mimelake_bench::generate::{Dialect, Records, Stage};

/// A log file is closed at this size.
const FILE_SIZE: u64 = 10_000_000;
/// Mean time between two emails.
const GAP_MS: u64 = 400;
const SEED: u64 = 1;

/// A directory of key-value logs, and the same records as JSON, which leaves no doubt what a value is.
pub struct Input {
    /// Holds `<stage>_<17 digits>.siem`.
    pub logs: PathBuf,
    /// Holds `<stage>.ndjson`.
    pub truth: PathBuf,
    /// How many records the logs hold.
    pub records: u64,
    /// How long the logs are.
    pub bytes: u64,
}

impl Input {
    /// Writes `size` bytes of logs, and one record more, under `dir`.
    pub fn write(dir: &Path, size: u64) -> anyhow::Result<Self> {
        let (logs, truth) = (dir.join("logs"), dir.join("truth"));
        fs::create_dir_all(&logs)?;
        fs::create_dir_all(&truth)?;
        let mut input = Self { logs, truth, records: 0, bytes: 0 };
        let stages: Result<Vec<_>, _> =
            Stage::ALL.iter().map(|stage| OpenStage::new(&input, *stage)).collect();
        let mut stages = stages?;
        for record in Records::new(SEED, GAP_MS) {
            if input.bytes >= size {
                break;
            }
            let mut line = Vec::new();
            record.write(Dialect::Kv, &mut line);
            input.records += 1;
            input.bytes += line.len() as u64;
            let stage = &mut stages[record.stage() as usize];
            stage.log(&input.logs, &line)?;
            line.clear();
            record.write(Dialect::Json1, &mut line);
            stage.truth.write_all(&line)?;
        }
        for stage in &mut stages {
            stage.log.flush()?;
            stage.truth.flush()?;
        }
        Ok(input)
    }
}

/// Where one stage's records go.
struct OpenStage {
    stage: Stage,
    files: u64,
    bytes: u64,
    log: BufWriter<File>,
    truth: BufWriter<File>,
}

impl OpenStage {
    fn new(input: &Input, stage: Stage) -> anyhow::Result<Self> {
        let truth = File::create(input.truth.join(format!("{}.ndjson", stage.name())))?;
        let log = BufWriter::new(create(&input.logs, stage, 0)?);
        Ok(Self { stage, files: 1, bytes: 0, log, truth: BufWriter::new(truth) })
    }

    fn log(&mut self, dir: &Path, line: &[u8]) -> anyhow::Result<()> {
        if self.bytes >= FILE_SIZE {
            self.log.flush()?;
            self.log = BufWriter::new(create(dir, self.stage, self.files)?);
            self.files += 1;
            self.bytes = 0;
        }
        self.bytes += line.len() as u64;
        Ok(self.log.write_all(line)?)
    }
}

fn create(dir: &Path, stage: Stage, number: u64) -> std::io::Result<File> {
    File::create(dir.join(format!("{}_20260302{number:09}.siem", stage.name())))
}

/// Reads `20MB` or `1GB`.
pub fn megabytes(text: &str) -> Result<u64, String> {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];
    let read = units.iter().find_map(|(unit, factor)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*factor).filter(|size| *size > 0)
    });
    read.ok_or_else(|| format!("{text:?} is no size: write a number and KB, MB or GB"))
}
