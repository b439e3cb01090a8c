//! How many instructions the hot stages take, beside the record.
//!
//! `cargo bench -p mimelake-bench --bench instructions` fails if one takes more than 3 % more than
//! `benches/record/instructions.json` says; with `-- --record` it writes that file. It needs valgrind, whose callgrind
//! counts, and builds mimelake in release. With `--test` it only reads the record.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use mimelake_bench::generate::{Plan, Shape, archive};
use mimelake_bench::program::{self, WORKSPACE};
use serde_json::{Value, json};

/// What a stage may take more than the record, in percent.
const MARGIN: f64 = 3.0;

/// The hot stages, and how mimelake is called for each, in a directory that holds `kv` and `json2`.
const STAGES: [(&str, &[&str]); 5] = [
    ("check/kv", &["check", "kv"]),
    ("check/json2", &["check", "json2"]),
    ("parquet/kv", &["convert", "kv", "-o", "parquet"]),
    ("ecs-ndjson/kv", &["convert", "kv", "-o", "ndjson", "--to", "ndjson"]),
    ("correlate/kv", &["correlate", "kv", "-o", "messages"]),
];

/// Stage by stage, millions of instructions.
type Counts = BTreeMap<String, f64>;

/// Counts the instructions of the hot stages.
#[derive(Debug, Parser)]
#[command(name = "instructions")]
struct Arguments {
    /// Write the counts to benches/record/instructions.json instead of comparing
    #[arg(long)]
    record: bool,

    /// Only see that the record names every stage
    #[arg(long)]
    test: bool,

    /// Added by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.test {
        return read().map(drop);
    }
    let mimelake = program::release()?;
    let counts = count(&mimelake)?;
    if arguments.record { write(&counts) } else { compare(&counts) }
}

/// The file of the record.
fn path() -> PathBuf {
    Path::new(WORKSPACE).join("benches/record/instructions.json")
}

fn read() -> anyhow::Result<Counts> {
    let path = path();
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let record: Value = serde_json::from_slice(&text)?;
    let counts: Option<Counts> = STAGES
        .iter()
        .map(|(stage, _)| Some((String::from(*stage), record["stages"][stage].as_f64()?)))
        .collect();
    counts.with_context(|| format!("{} lacks a stage: write it anew with --record", path.display()))
}

fn write(counts: &Counts) -> anyhow::Result<()> {
    let record = json!({
        "unit": "millions of instructions, by callgrind",
        "compiler": compiler()?,
        "stages": counts,
    });
    fs::write(path(), format!("{record:#}\n"))?;
    writeln!(io::stderr(), "{record:#}")?;
    Ok(())
}

/// The compiler's name and version, as a change of it changes counts.
fn compiler() -> anyhow::Result<String> {
    let told = Command::new("rustc").arg("--version").current_dir(WORKSPACE).output()?;
    let version = String::from_utf8(told.stdout)?;
    Ok(version.split(" (").next().unwrap_or_default().trim().to_owned())
}

fn compare(counts: &Counts) -> anyhow::Result<()> {
    let record = read()?;
    let mut out = io::stdout().lock();
    writeln!(out, "| stage | millions of instructions | record | change, % |\n|---|---|---|---|")?;
    let (mut more, mut less) = (Vec::new(), false);
    for (stage, count) in counts {
        let before = record.get(stage).copied().unwrap_or_default();
        let change = (count / before - 1.0) * 100.0;
        writeln!(out, "| {stage} | {count:.1} | {before:.1} | {change:+.2} |")?;
        if change > MARGIN {
            more.push(stage.as_str());
        }
        less |= change < -MARGIN;
    }
    let anew = "cargo bench -p mimelake-bench --bench instructions -- --record";
    if less {
        writeln!(out, "Some take less than the record says: write it anew with `{anew}`.")?;
    }
    if !more.is_empty() {
        bail!(
            "{} more than {MARGIN} % over the record; if that is worth it, or the compiler or a library changed, \
             write the record anew with `{anew}` and say why in the commit",
            more.join(", ")
        );
    }
    Ok(())
}

/// Runs every stage under callgrind.
fn count(mimelake: &Path) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    for (name, shape) in [("kv", Shape::Kv), ("json2", Shape::Json2)] {
        let plan = Plan { size: 4_000_000, seed: 1, shape, file_size: 1_000_000, single: false, days: 2 };
        archive(&dir.path().join(name), &plan)?;
    }
    let counts = STAGES.iter().map(|(stage, arguments)| {
        let count =
            callgrind(mimelake, arguments, dir.path()).with_context(|| format!("cannot count {stage}"))?;
        Ok((String::from(*stage), (count as f64 / 1e5).round() / 10.0))
    });
    counts.collect()
}

/// The instructions of one run in `dir`.
fn callgrind(mimelake: &Path, arguments: &[&str], dir: &Path) -> anyhow::Result<u64> {
    // Paths relative and an empty environment, so that neither's length counts.
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=callgrind.out"])
        .arg(mimelake)
        .args(arguments)
        .args(["--threads", "1", "--quiet", "--no-progress"])
        .current_dir(dir)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .output()
        .context("cannot run valgrind: install it")?;
    let told = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "mimelake failed under valgrind: {told}");
    let collected =
        told.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    Ok(collected.context("callgrind says no count")?.parse()?)
}
