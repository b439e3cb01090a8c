//! Log lines on stderr.

use std::io::{self, Write};

use mimelake_landing::one_line;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::args::{LogFormat, ServiceArgs};
use crate::terminal;

/// Writes one line at a time, made fit for a terminal: much of it is a stranger's text.
struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        writeln!(io::stderr().lock(), "{}", one_line(text.trim_end_matches('\n')))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts logging what this program does; what its libraries say of connections may hold secrets and is left out.
pub fn start(args: &ServiceArgs) {
    let level = match (args.quiet, args.verbose) {
        (true, _) => LevelFilter::WARN,
        (false, 0) => LevelFilter::INFO,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let ours = Targets::new().with_target("mimelake", level).with_target("mimelake_fetch", level);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).with_writer(|| Lines);
    let registry = tracing_subscriber::registry().with(ours);
    // It fails only where logging was started before.
    _ = match args.log_format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => {
            terminal::log_instead();
            registry.with(lines.json().flatten_event(true)).try_init()
        }
    };
}
