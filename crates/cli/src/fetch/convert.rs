//! What has landed to tables, after a round.

use std::ffi::OsString;
use std::path::Path;

use clap::Parser;
use tracing::info;

use super::args::FetchArgs;
use crate::args::Program;
use crate::exit::Exit;

/// What is kept current with what lands.
pub struct Lake<'a> {
    out: &'a Path,
    commands: &'static [&'static str],
}

impl<'a> Lake<'a> {
    /// The lake that is asked for, if one is.
    pub fn of(args: &'a FetchArgs) -> Option<Self> {
        let commands: &[_] = if args.correlate { &["convert", "correlate"] } else { &["convert"] };
        Some(Self { out: args.convert.as_deref()?, commands })
    }

    /// Runs its commands on what is new in the landing directory; the worst exit of them.
    pub fn keep_current(&self, land: &Path, quiet: bool) -> anyhow::Result<Exit> {
        let mut worst = Exit::Done;
        for command in self.commands {
            worst = worst.max(run(command, land, self.out, quiet)?);
            info!(command, "what has landed is in the lake");
        }
        Ok(worst)
    }
}

/// Runs `mimelake <command> LAND -o OUT`.
fn run(command: &str, land: &Path, out: &Path, quiet: bool) -> anyhow::Result<Exit> {
    if mimelake_landing::find(&[land.to_string_lossy().into_owned()]).is_err() {
        return Ok(Exit::Done);
    }
    let mut typed = ["mimelake", command, "--no-progress", "-o"].map(OsString::from).to_vec();
    typed.push(out.into());
    if quiet {
        typed.push("-q".into());
    }
    typed.extend(["--".into(), land.into()]);
    crate::dispatch(Program::try_parse_from(typed)?.command)
}
