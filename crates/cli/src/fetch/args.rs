//! What can be typed for the commands that call Mimecast.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use mimelake_fetch::parse_span;

/// How to run: once or for good, and who is told.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "MIMELAKE_CONFIG")]
    pub config: PathBuf,
    /// The source to fetch from; all of the configuration unless set
    #[arg(long, value_name = "NAME")]
    pub source: Vec<String>,
    /// Fetch until caught up, then end (the default)
    #[arg(long, conflicts_with = "follow")]
    pub once: bool,
    /// Fetch again and again, until SIGTERM or Ctrl-C
    #[arg(long)]
    pub follow: bool,
    /// With --follow: from the start of one round to that of the next
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = interval)]
    pub interval: Duration,
    /// Write how far each stream came to this file, as JSON, after every round
    #[arg(long, value_name = "FILE")]
    pub status_file: Option<PathBuf>,
    /// Serve the same to Prometheus at this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// How log lines are written to stderr
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// Say less: warnings and errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: every file and call; twice, everything
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Args)]
pub struct FetchArgs {
    #[command(flatten)]
    pub service: ServiceArgs,
    /// The landing directory, created if need be
    #[arg(long, value_name = "DIR", env = "MIMELAKE_LAND")]
    pub land: PathBuf,
    /// Convert what has landed to Parquet tables in OUT, after every round
    #[arg(long, value_name = "OUT")]
    pub convert: Option<PathBuf>,
    /// Join what has landed to the table messages of OUT, too
    #[arg(long, requires = "convert")]
    pub correlate: bool,
}

#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(flatten)]
    pub service: ServiceArgs,
    /// The landing directory, created if need be
    #[arg(long, value_name = "DIR", env = "MIMELAKE_LAND", required_unless_present = "categories")]
    pub land: Option<PathBuf>,
    /// List the categories that Mimecast knows, and fetch nothing
    #[arg(long)]
    pub categories: bool,
}

#[derive(Debug, Args)]
pub struct LoginArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "MIMELAKE_CONFIG")]
    pub config: PathBuf,
    /// The source to log in for, if there are several
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// The address of the user that fetches; the password is asked for, or read from stdin
    #[arg(long, value_name = "ADDRESS")]
    pub user: String,
    /// The password is that of the domain (Basic-AD), not Mimecast's own (Basic-Cloud)
    #[arg(long)]
    pub domain: bool,
    /// Write the pair to this file, readable by its owner only, instead of to the files that `access_key`
    /// and `secret_key` name
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the region of the address is looked up
    #[arg(long, value_name = "URL", default_value = mimelake_fetch::DISCOVERY)]
    pub discovery: String,
}

fn interval(text: &str) -> Result<Duration, String> {
    parse_span(text)
        .and_then(|time| if time.is_zero() { Err("that is no time".to_owned()) } else { Ok(time) })
}
