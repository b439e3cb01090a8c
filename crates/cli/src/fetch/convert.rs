//! What has landed to tables, after a round.

use std::ffi::OsString;
use std::path::Path;

use clap::Parser;

use crate::args::Program;
use crate::exit::Exit;

/// Runs `mimelake <command> LAND -o OUT` on what is new in the landing directory.
pub fn run(command: &str, land: &Path, out: &Path, quiet: bool) -> anyhow::Result<Exit> {
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
