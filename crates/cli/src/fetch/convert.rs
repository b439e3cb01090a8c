//! What has landed to tables, after a round.

use std::ffi::OsString;
use std::path::Path;

use clap::Parser;

use crate::args::{Command, Program};
use crate::exit::Exit;

/// Converts what is new in the landing directory, by the defaults of `mimelake convert`.
pub fn run(land: &Path, out: &Path, quiet: bool) -> anyhow::Result<Exit> {
    if mimelake_landing::find(&[land.to_string_lossy().into_owned()]).is_err() {
        return Ok(Exit::Done);
    }
    let mut typed: Vec<OsString> =
        ["mimelake", "convert", "--no-progress", "-o"].map(OsString::from).to_vec();
    typed.push(out.into());
    if quiet {
        typed.push("-q".into());
    }
    typed.extend(["--".into(), land.into()]);
    match Program::try_parse_from(typed)?.command {
        Command::Convert(args) => crate::convert::run(&args),
        _ => Ok(Exit::Done),
    }
}
