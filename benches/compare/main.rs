//! mimelake beside the programs that people read such logs with, on the same files, as whole processes in turn.
//!
//! `cargo bench -p mimelake-bench --bench compare -- --size 100MB --runs 5 --record`; `-- --help` has the rest.
//! Installs the others from `PyPI` into a Python environment of their own under the target directory. With `--test`
//! it runs mimelake alone, once, on little, and looks at its counts.

mod contestant;
mod input;
mod measure;
mod peers;
mod table;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use clap::Parser;
use mimelake_bench::program;

use contestant::{Contestant, TASKS};
use input::Input;
use peers::Peers;

/// Compares mimelake with other programs on made-up key-value logs.
#[derive(Debug, Parser)]
#[command(name = "compare")]
struct Arguments {
    /// How much log text: 20MB, 1GB
    #[arg(long, default_value = "100MB", value_parser = input::megabytes)]
    size: u64,

    /// How often each program does each work
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// Write the table to `benches/record/DATE-compare.md`, too
    #[arg(long)]
    record: bool,

    /// Only see that mimelake's part works
    #[arg(long)]
    test: bool,

    /// Added by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.test { test() } else { compare(&arguments) }
}

fn test() -> anyhow::Result<()> {
    let mimelake = program::tested()?;
    let dir = tempfile::tempdir()?;
    let input = Input::write(dir.path(), 100_000)?;
    for task in TASKS {
        let contestant = Contestant::mimelake(&mimelake, 1);
        let out = dir.path().join(task.name());
        let Some(mut command) = contestant.command(task, &input.logs, &out) else { continue };
        let report = dir.path().join("report.json");
        measure::run(command.arg("--report").arg(&report))?;
        let told: serde_json::Value = serde_json::from_slice(&fs::read(&report)?)?;
        ensure!(told["records"] == input.records, "{task}: {} of {} records", told["records"], input.records);
        ensure!(told["rejected"] == 0, "{task}: {} rejected", told["rejected"]);
    }
    Ok(())
}

fn compare(arguments: &Arguments) -> anyhow::Result<()> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare");
    let mimelake = program::release()?;
    let peers = Peers::install(&dir)?;
    for old in ["in", "out"].map(|old| dir.join(old)).iter().filter(|old| old.exists()) {
        fs::remove_dir_all(old).with_context(|| format!("cannot clear {}", old.display()))?;
    }
    let input = Input::write(&dir.join("in"), arguments.size)?;

    let contestants = contestant::all(&mimelake, &peers);
    let mut rows = table::rows(&contestants);
    for round in 1..=arguments.runs {
        for row in &mut rows {
            row.run(&input, &dir.join("out"))?;
        }
        writeln!(io::stderr(), "round {round} of {}", arguments.runs)?;
    }
    for row in &mut rows {
        row.check(&peers, &input, &dir.join("out"))?;
    }
    let text = table::markdown(&rows, &input, arguments.runs, &peers.versions(&mimelake)?);
    io::stdout().lock().write_all(text.as_bytes())?;
    if arguments.record {
        table::record(&text)?;
    }
    fs::remove_dir_all(dir.join("in")).and_then(|()| fs::remove_dir_all(dir.join("out")))?;
    Ok(())
}
