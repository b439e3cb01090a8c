//! The `mimelake` program: Mimecast's email security logs to Parquet tables and ECS NDJSON.

mod args;
mod check;
mod convert;
mod correlate;
mod exit;
mod fetch;
mod interrupt;
mod pipe;
mod plan;
mod progress;
mod quarantine;
mod report;
mod schema;
mod source;
mod terminal;
mod trace;
mod trail;

use std::process::ExitCode;

use args::{Command, Program};
use clap::Parser;
use exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let program = match Program::try_parse() {
        Ok(program) => program,
        Err(error) => return exit::of_arguments(&error).into(),
    };
    dispatch(program.command).unwrap_or_else(|error| exit::of_error(&error)).into()
}

/// Runs a command.
fn dispatch(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Convert(args) => convert::run(&args),
        Command::Correlate(args) => correlate::run(args),
        Command::Check(args) => check::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Fetch(args) => fetch::run(&args),
        Command::Audit(args) => fetch::audit(&args),
        Command::Login(args) => fetch::login(&args),
        Command::Completions { shell } => args::completions(shell),
        Command::Man => args::man(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_arguments_are_well_formed() {
        use clap::CommandFactory;
        super::Program::command().debug_assert();
    }
}
