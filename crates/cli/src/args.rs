//! What can be typed, and what it means.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use mimelake_correlate::key::bare_message_id;
use mimelake_landing::Limits;
use mimelake_parse::Format;
use mimelake_schema::EventType;
use mimelake_write::store::Extension;

use crate::exit::Exit;
use crate::fetch::args::{AuditArgs, FetchArgs, LoginArgs};

/// Mimecast's email security logs to Parquet tables and ECS NDJSON.
#[derive(Debug, Parser)]
#[command(name = "mimelake", version, about, max_term_width = 100, arg_required_else_help = true)]
pub struct Program {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Convert raw logs to Parquet tables or NDJSON
    Convert(ConvertArgs),
    /// Join receipt, process and delivery to one record for each email
    Correlate(CorrelateArgs),
    /// Read everything, write nothing: counts by type, flags, rejects, unknown keys, MB/s
    Check(CheckArgs),
    /// Print every record of one email, as a timeline
    ///
    /// These are the records of its aCode or message id, and those that bear only the other of the two, such as
    /// clicks. INPUT is logs, or a directory that `mimelake convert` wrote as Parquet, where nearly nothing has to be
    /// read.
    ///
    /// With --format json it is one object, `{"key": KEY, "records": [{"event_type": TABLE, COLUMN: VALUE, …}, …]}`,
    /// in order of time, with the columns of `mimelake schema`; what a record does not say is left out.
    ///
    /// Exit status: 0 found; 1 nothing found, or a file could not be read.
    #[command(mut_arg("verbose", |arg| arg.help("Say where each record was read from")))]
    #[command(mut_arg("report", |arg| arg.hide(true)))]
    Trace(TraceArgs),
    /// Print the tables and columns, and where each comes from and goes to
    Schema(SchemaArgs),
    /// Fetch logs from Mimecast's APIs to a landing directory
    Fetch(FetchArgs),
    /// Fetch audit events to a landing directory
    Audit(AuditArgs),
    /// Log in to API 1.0 for a pair of keys
    Login(LoginArgs),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// What to read and how, for every command that reads raw logs.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// Files, directories (walked), globs, or - for stdin; contents are told by their bytes: plain,
    /// gzip, zstd, zip
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// How the records are written, where their bytes mislead
    #[arg(long, value_enum)]
    pub from: Option<Written>,
    /// Worker threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// The longest record; longer ones are rejected
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = parse_max_record)]
    pub max_record: u64,
    /// How many times its size a compressed file may inflate to, beyond the first 64 MiB
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_ratio)]
    pub max_ratio: u64,
    /// How much one compressed file or zip member may inflate to
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_inflated: Option<u64>,
    /// How many members a zip may have
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_members)]
    pub max_members: u64,
    /// How long the directory of a zip may be
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_listing: Option<u64>,
    /// How large a zip inside a zip may be
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_spool: Option<u64>,
    /// Write the counts of the run to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Say less
    #[arg(short, long)]
    pub quiet: bool,
    /// Say more: every file as it is finished
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
}

impl ReadArgs {
    /// The limits of containers.
    pub fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            max_ratio: self.max_ratio,
            max_inflated: self.max_inflated.unwrap_or(default.max_inflated),
            max_members: self.max_members,
            max_listing: self.max_listing.unwrap_or(default.max_listing),
            max_spool: self.max_spool.unwrap_or(default.max_spool),
            ..default
        }
    }

    /// The number of worker threads.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, usize::from)
    }

    /// The format that is set, if one is.
    pub fn format(&self) -> Option<Format> {
        self.from.map(|from| match from {
            Written::Kv => Format::KeyValue,
            Written::Json => Format::Json,
        })
    }
}

/// How records are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Written {
    /// Key-value lines
    Kv,
    /// JSON of API 1.0 or 2.0
    Json,
}

#[derive(Debug, Args)]
pub struct ConvertArgs {
    #[command(flatten)]
    pub read: ReadArgs,
    /// The directory to write to, created if need be; - streams NDJSON to stdout
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// The format of the part files [default: parquet, or ndjson with `-o -`]
    #[arg(long, value_enum)]
    pub to: Option<To>,
    /// Write these tables only
    #[arg(long, value_name = "TABLE,…", value_delimiter = ',', value_parser = parse_event_table)]
    pub tables: Vec<EventType>,
    /// Keep each record as it was: column `original`, or `event.original`
    #[arg(long)]
    pub original: bool,
    /// Convert again what has been converted, and replace it; if killed, the next run completes it
    #[arg(long)]
    pub force: bool,
    /// When emails are closed.
    #[arg(skip)]
    pub window: Option<Duration>,
    #[command(flatten)]
    pub write: WriteArgs,
}

impl ConvertArgs {
    /// Whether NDJSON goes to stdout.
    pub fn to_stdout(&self) -> bool {
        self.output.as_os_str() == "-"
    }

    /// The format of the output.
    pub fn to(&self) -> To {
        self.to.unwrap_or(if self.to_stdout() { To::Ndjson } else { To::Parquet })
    }

    /// The ending of part files.
    pub fn extension(&self) -> Extension {
        match self.to() {
            To::Parquet => Extension::Parquet,
            To::Ndjson => Extension::Ndjson,
        }
    }

    /// The schema of the output.
    pub fn schema(&self) -> SchemaKind {
        self.write.schema.unwrap_or(match self.to() {
            To::Parquet => SchemaKind::Native,
            To::Ndjson => SchemaKind::Ecs,
        })
    }
}

/// The compression of Parquet files, as parsed by the writer.
pub type Codec = mimelake_write::parquet::Compression;

/// The format of part files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// Parquet
    Parquet,
    /// One JSON document a line
    Ndjson,
}

/// Which columns are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// The columns of `mimelake schema`
    Native,
    /// The Elastic Common Schema
    Ecs,
}

impl SchemaKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Ecs => "ecs",
        }
    }
}

/// What to do about records that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnReject {
    /// Put them into the quarantine and go on
    Keep,
    /// Stop at the first
    Fail,
}

/// How to write, for every command that writes tables.
#[derive(Debug, Args)]
pub struct WriteArgs {
    /// The columns: Mimecast's own or the Elastic Common Schema's [default: native for parquet, ecs for
    /// ndjson]
    #[arg(long, value_enum)]
    pub schema: Option<SchemaKind>,
    /// The compression of Parquet: zstd, zstd:LEVEL, snappy or none
    #[arg(long, value_name = "CODEC", default_value = "zstd:1")]
    pub compression: Codec,
    /// How much the run may hold in memory
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = parse_size)]
    pub memory: u64,
    /// What to do about records that cannot be read
    #[arg(long, value_enum, default_value = "keep")]
    pub on_reject: OnReject,
    /// Fail if another run holds OUT, instead of waiting for it
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Debug, Args)]
pub struct CorrelateArgs {
    #[command(flatten)]
    pub read: ReadArgs,
    /// The directory to write to, created if need be; the table is OUT/messages
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// The format of the part files
    #[arg(long, value_enum, default_value = "parquet")]
    pub to: To,
    /// Close emails that are quiet for so long, as 8d: their keys are not kept, and later runs read them from the table
    ///
    /// Without it 16 bytes are kept of each email, and a run that adds to the table is faster. A record that comes
    /// later than that joins its email all the same.
    #[arg(long, value_name = "TIME", value_parser = mimelake_fetch::parse_span)]
    pub window: Option<Duration>,
    #[command(flatten)]
    pub write: WriteArgs,
}

impl From<CorrelateArgs> for ConvertArgs {
    fn from(args: CorrelateArgs) -> Self {
        let CorrelateArgs { read, output, to, window, write } = args;
        Self { read, output, to: Some(to), tables: Vec::new(), original: false, force: false, window, write }
    }
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub read: ReadArgs,
}

#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The email's aCode (API 2.0's aggregateId, with or without _ and seconds) or its message id (with or without <>)
    #[arg(value_name = "KEY", allow_hyphen_values = true, value_parser = parse_key)]
    pub key: String,
    #[command(flatten)]
    pub read: ReadArgs,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    pub format: TraceFormat,
    /// Times of this machine's time zone instead of UTC
    #[arg(long)]
    pub local: bool,
    /// When to colour: auto is on a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
}

/// How `mimelake trace` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TraceFormat {
    /// A timeline for people
    Text,
    /// For a program
    Json,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The table; all of them if none is named
    #[arg(value_parser = parse_table)]
    pub table: Option<EventType>,
    /// How to print it
    #[arg(long, value_enum, default_value = "text")]
    pub format: SchemaFormat,
}

/// How `mimelake schema` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaFormat {
    /// For a terminal
    Text,
    /// For a program
    Json,
    /// For docs
    Markdown,
}

/// The number of bytes that a text such as `512MiB`, `1GB` or `4096` says.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err("write a number of bytes, such as 512MiB, 1GB or 4096".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write a number of bytes, such as 512MiB, 1GB or 4096")?;
    number.checked_mul(factor).ok_or_else(|| "that is more bytes than there are".to_owned())
}

fn parse_max_record(text: &str) -> Result<u64, String> {
    parse_size(text).and_then(|bytes| match bytes {
        1024..=0x4000_0000 => Ok(bytes),
        _ => Err("a record may have 1KiB to 1GiB".to_owned()),
    })
}

/// A key that names something.
fn parse_key(text: &str) -> Result<String, String> {
    match bare_message_id(text) {
        "" => Err("name an aCode or a message id".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

fn parse_table(text: &str) -> Result<EventType, String> {
    EventType::from_table(text).ok_or_else(|| {
        let names: Vec<_> = EventType::ALL.iter().map(|t| t.table()).collect();
        format!("the tables are {}", names.join(", "))
    })
}

/// A table that logs are converted to: all but the one that is joined of the others.
fn parse_event_table(text: &str) -> Result<EventType, String> {
    match parse_table(text)? {
        EventType::Message => Err("mimelake correlate writes the table messages".to_owned()),
        table => Ok(table),
    }
}

/// Prints the completions of a shell.
pub fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Program::command(), "mimelake", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Done)
}

/// Prints the manual page, those of the commands behind it.
pub fn man() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    let program = Program::command();
    clap_mangen::Man::new(program.clone()).render(&mut page)?;
    for command in program.get_subcommands().filter(|c| c.get_name() != "help") {
        let name = format!("mimelake-{}", command.get_name());
        clap_mangen::Man::new(command.clone().name(name)).render(&mut page)?;
    }
    io::stdout().lock().write_all(&page)?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes() {
        let cases =
            [("4096", 4096), ("1k", 1024), ("512MiB", 512 << 20), ("1GB", 1_000_000_000), ("2 GiB", 2 << 30)];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "1.5GB", "-1", "1XB", "99999999999999TB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
