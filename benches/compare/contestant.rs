//! Who does what, and how it is called.

use std::fmt::{self, Display};
use std::iter;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::Peers;

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Key-value logs to Parquet, zstd 1, a table for each of the three stages.
    Parquet,
    /// Key-value logs to flat JSON, one object a record.
    Ndjson,
    /// Key-value logs to ECS documents.
    Ecs,
    /// One Parquet row for each email, joined by aCode.
    Joined,
}

/// Every piece of work.
pub const TASKS: [Task; 4] = [Task::Parquet, Task::Ndjson, Task::Ecs, Task::Joined];

impl Task {
    /// Its name, as the peers' programs take it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Ndjson => "ndjson",
            Self::Ecs => "ecs",
            Self::Joined => "joined",
        }
    }
}

impl Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parquet => "to Parquet, zstd 1",
            Self::Ndjson => "to flat NDJSON",
            Self::Ecs => "to ECS NDJSON",
            Self::Joined => "joined by aCode, to Parquet",
        })
    }
}

/// A program, and the options that it runs with.
#[derive(Clone, Debug)]
pub struct Contestant {
    /// What it is called in the table.
    pub name: String,
    program: PathBuf,
    /// Before task, input and output.
    leading: Vec<PathBuf>,
    tasks: Vec<Task>,
    /// The worker threads, if it is mimelake.
    threads: Option<u32>,
}

/// mimelake, and all the others that are there.
pub fn all(mimelake: &Path, peers: &Peers) -> Vec<Contestant> {
    vec![
        Contestant::mimelake(mimelake, 1),
        Contestant::mimelake(mimelake, 2),
        Contestant::python(peers, "chDB, extractKeyValuePairs", "chdb_peer.py", &[]),
        Contestant::python(peers, "DuckDB, string_split", "duckdb_peer.py", &["split"]),
        Contestant::python(peers, "DuckDB, regular expressions", "duckdb_peer.py", &["regex"]),
        Contestant::python(peers, "Polars, a regular expression a column", "polars_peer.py", &[]),
        Contestant::vrl(peers),
    ]
}

impl Contestant {
    /// mimelake with so many threads.
    pub fn mimelake(program: &Path, threads: u32) -> Self {
        let name = match threads {
            1 => "mimelake".to_owned(),
            _ => format!("mimelake, {threads} threads"),
        };
        let program = program.to_owned();
        Self { name, program, leading: Vec::new(), tasks: TASKS.to_vec(), threads: Some(threads) }
    }

    fn python(peers: &Peers, name: &str, script: &str, options: &[&str]) -> Self {
        let tasks = [Task::Parquet, Task::Ndjson, Task::Joined];
        let leading = iter::once(Peers::script(script)).chain(options.iter().map(PathBuf::from)).collect();
        let program = peers.python.clone();
        Self { name: name.to_owned(), program, leading, tasks: tasks.to_vec(), threads: None }
    }

    fn vrl(peers: &Peers) -> Self {
        let (name, program) = ("VRL, parse_key_value".to_owned(), peers.vrl.clone());
        Self { name, program, leading: Vec::new(), tasks: vec![Task::Ndjson, Task::Ecs], threads: None }
    }

    /// Whether it is mimelake.
    pub fn is_mimelake(&self) -> bool {
        self.threads.is_some()
    }

    /// The call that does `task`, unless it cannot.
    pub fn command(&self, task: Task, logs: &Path, out: &Path) -> Option<Command> {
        if !self.tasks.contains(&task) {
            return None;
        }
        let mut command = Command::new(&self.program);
        let Some(threads) = self.threads else {
            command.args(&self.leading).arg(task.name()).args([logs, out]);
            return Some(command);
        };
        command.arg(if task == Task::Joined { "correlate" } else { "convert" }).arg(logs).arg("-o").arg(out);
        match task {
            Task::Parquet | Task::Joined => &mut command,
            Task::Ndjson => command.args(["--to", "ndjson", "--schema", "native"]),
            Task::Ecs => command.args(["--to", "ndjson", "--schema", "ecs"]),
        };
        command.args(["--quiet", "--no-progress", "--threads", &threads.to_string()]);
        Some(command)
    }
}
