//! A process from its start to its end: what it took.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use wait4::Wait4;

/// What one run of a process took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Of the processors, in user and system mode.
    pub cpu: Duration,
    /// From start to end.
    pub wall: Duration,
    /// The most memory that was resident, in bytes.
    pub peak: u64,
}

/// Runs `command` to its end, and returns what it took.
///
/// # Errors
/// If it cannot be run or fails.
pub fn run(command: &mut Command) -> anyhow::Result<Taken> {
    let name = command.get_program().to_string_lossy().into_owned();
    let begun = Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {name}"))?;
    let ended = child.wait4()?;
    let wall = begun.elapsed();
    if !ended.status.success() {
        bail!("{command:?} ended with {}", ended.status);
    }
    let usage = ended.rusage;
    Ok(Taken { cpu: usage.utime + usage.stime, wall, peak: usage.maxrss })
}

/// The median of each.
pub fn median(runs: &[Taken]) -> Taken {
    let of = |take: fn(&Taken) -> u128| {
        let mut values: Vec<u128> = runs.iter().map(take).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default() as u64
    };
    Taken {
        cpu: Duration::from_nanos(of(|run| run.cpu.as_nanos())),
        wall: Duration::from_nanos(of(|run| run.wall.as_nanos())),
        peak: of(|run| u128::from(run.peak)),
    }
}
