//! What was measured, as a table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use mimelake_bench::program::WORKSPACE;

use crate::contestant::{Contestant, TASKS, Task};
use crate::input::Input;
use crate::measure::{self, Taken};
use crate::peers::{self, Peers};

/// One program doing one work.
pub struct Row {
    number: usize,
    task: Task,
    contestant: Contestant,
    runs: Vec<Taken>,
    written: u64,
    /// What is wrong in the output, in words.
    verdict: String,
}

/// Everything that is to be measured: the programs work by work.
pub fn rows(contestants: &[Contestant]) -> Vec<Row> {
    let each = TASKS.iter().flat_map(|task| contestants.iter().map(move |contestant| (*task, contestant)));
    let able = each.filter(|(task, c)| c.command(*task, Path::new(""), Path::new("")).is_some());
    able.enumerate()
        .map(|(number, (task, contestant))| Row {
            number,
            task,
            contestant: contestant.clone(),
            runs: Vec::new(),
            written: 0,
            verdict: String::new(),
        })
        .collect()
}

impl Row {
    fn out(&self, out: &Path) -> std::path::PathBuf {
        out.join(self.number.to_string())
    }

    /// Does the work once more, into a directory of its own under `out`.
    pub fn run(&mut self, input: &Input, out: &Path) -> anyhow::Result<()> {
        let out = self.out(out);
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        fs::create_dir_all(&out)?;
        let Some(mut command) = self.contestant.command(self.task, &input.logs, &out) else { return Ok(()) };
        self.runs.push(measure::run(&mut command)?);
        Ok(())
    }

    /// Compares what was written last with what the logs say.
    pub fn check(&mut self, peers: &Peers, input: &Input, out: &Path) -> anyhow::Result<()> {
        let out = self.out(out);
        self.written = size(&out)?;
        let whose = if self.contestant.is_mimelake() { "mimelake" } else { "peer" };
        let mut check = Command::new(&peers.python);
        check.arg(Peers::script("check.py")).args([whose, self.task.name()]).args([&input.truth, &out]);
        self.verdict = peers::told(&mut check)?;
        Ok(())
    }
}

/// The bytes of all files under `dir`.
fn size(dir: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

/// The whole record: machine, versions, a table for each work.
pub fn markdown(rows: &[Row], input: &Input, runs: u32, versions: &str) -> String {
    let mut text = String::new();
    let megabytes = input.bytes as f64 / 1e6;
    let _ = writeln!(
        text,
        "{megabytes:.0} MB of made-up key-value logs, {} records in files of 10 MB, read from the page cache. Whole \
         processes, one thread each unless said, in turn; medians of {runs} runs. CPU: user and system.\n\n\
         Machine: {}.\n\nVersions: {versions}.",
        input.records,
        machine()
    );
    for task in TASKS {
        let of_task = || rows.iter().filter(|row| row.task == task);
        let ours = of_task().next().map_or(0.0, |row| measure::median(&row.runs).cpu.as_secs_f64());
        let _ = writeln!(
            text,
            "\n### Key-value {task}\n\n\
             | program | CPU s | MB per CPU s | CPU, times mimelake's | wall s | peak MB | written MB | read wrong |\n\
             |---|---|---|---|---|---|---|---|"
        );
        for row in of_task() {
            let taken = measure::median(&row.runs);
            let cpu = taken.cpu.as_secs_f64();
            let _ = writeln!(
                text,
                "| {} | {cpu:.2} | {:.0} | {:.1} | {:.2} | {:.0} | {:.1} | {} |",
                row.contestant.name,
                megabytes / cpu,
                cpu / ours,
                taken.wall.as_secs_f64(),
                taken.peak as f64 / 1e6,
                row.written as f64 / 1e6,
                row.verdict
            );
        }
    }
    text
}

/// The processor, its cores and the memory; no names.
fn machine() -> String {
    let of = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or("unknown").trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = of("/proc/meminfo", "MemTotal");
    let memory: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{}, {cores} cores, {} GB of memory, {}, load at the end {load}",
        of("/proc/cpuinfo", "model name"),
        memory / 1_000_000,
        std::env::consts::OS
    )
}

/// Writes the record of today.
pub fn record(text: &str) -> anyhow::Result<()> {
    let today = jiff::Zoned::now().date();
    let path = Path::new(WORKSPACE).join(format!("benches/record/{today}-compare.md"));
    let text = format!("# mimelake beside others, {today}\n\n{text}");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
