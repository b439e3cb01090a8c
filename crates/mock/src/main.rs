//! The stand-in as a program: serves until it is stopped, and says what is asked of it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use mimelake_mock::{AuditEvent, Content, Generate, Limit, LimitForm, Mock, Options, Script};

/// A stand-in for Mimecast's APIs 1.0 and 2.0 on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "mimelake-mock", version)]
struct Args {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8025)]
    port: u16,
    /// Serve the log files under this folder; without it, logs are made up.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "lines", "seed"])]
    folder: Option<PathBuf>,
    /// How many log files to make up.
    #[arg(long, value_name = "N", default_value_t = 40)]
    files: usize,
    /// How many lines each of them has.
    #[arg(long, value_name = "N", default_value_t = 200)]
    lines: usize,
    /// Another seed, other logs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many log files share a zip.
    #[arg(long, value_name = "N", default_value_t = 4)]
    members: usize,
    /// How many audit events there are, one every ten minutes up to now.
    #[arg(long, value_name = "N", default_value_t = 500)]
    audit: usize,
    /// Begin with one file and put out one more every so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// Allow so many calls in 15 minutes, as Mimecast does (50).
    #[arg(long, value_name = "CALLS")]
    limit: Option<u64>,
    /// Misbehave by this TOML file.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Write the configuration for `mimelake fetch` to this file, readable by its owner only, instead of to stdout.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Why it cannot start, in one line.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{path}: {error}")]
    File { path: String, error: io::Error },
    #[error("{path}: {error}")]
    Script { path: String, error: toml::de::Error },
    #[error("port {port}: {error} (--port 0 takes a free one)")]
    Port { port: u16, error: io::Error },
    #[error("stdout: {0}")]
    Stdout(io::Error),
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("error: {failure}"));
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let mock = Mock::start(options(args)?).map_err(|error| Failure::Port { port: args.port, error })?;
    match &args.config {
        Some(path) => write_private(path, &mock.config())?,
        None => io::stdout().write_all(mock.config().as_bytes()).map_err(Failure::Stdout)?,
    }
    say(&format!("serving on {}; Ctrl-C ends it", mock.base_url()));
    let mut ticks = 0;
    loop {
        std::thread::sleep(Duration::from_millis(200));
        ticks += 1;
        if let Some(seconds) = args.every {
            mock.publish(1 + (ticks / (5 * seconds)) as usize);
        }
        for request in mock.take_requests() {
            let path = request.target.split('?').next().unwrap_or_default();
            let fault = request.fault.map(|fault| format!(" {fault:?}")).unwrap_or_default();
            // Clients choose the path, and it may hold what moves a terminal's cursor.
            say(&format!("{} {} {}{fault}", request.method, path.escape_debug(), request.status));
        }
    }
}

fn options(args: &Args) -> Result<Options, Failure> {
    let file = |path: &Path, error| Failure::File { path: path.display().to_string(), error };
    let script = match &args.script {
        None => Script::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| file(path, error))?;
            Script::from_toml(&text)
                .map_err(|error| Failure::Script { path: path.display().to_string(), error })?
        }
    };
    let content = match &args.folder {
        Some(folder) => Content::folder(folder, args.members).map_err(|error| file(folder, error))?,
        None => Content::generated(Generate {
            files: args.files,
            lines: args.lines,
            members: args.members,
            seed: args.seed,
            ..Generate::default()
        }),
    };
    let window = Duration::from_mins(15);
    Ok(Options {
        port: args.port,
        content,
        out: args.every.map(|_| 1),
        audit: AuditEvent::made_up(args.audit, Timestamp::now(), SignedDuration::from_mins(10)),
        limit: args.limit.map(|calls| Limit { calls, window, form: LimitForm::ResetMillis }),
        script,
        ..Options::default()
    })
}

/// Writes a file that only its owner may read, whatever stood there before.
fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let failure = |error| Failure::File { path: path.display().to_string(), error };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failure(error)),
        _ => {}
    }
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failure)
}

/// Writes one line to stderr.
fn say(line: &str) {
    // There is nowhere to say that stderr is closed.
    _ = writeln!(io::stderr().lock(), "{line}");
}
