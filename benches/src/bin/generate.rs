//! Fills a directory with made-up Mimecast logs.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use mimelake_bench::generate::{Plan, Shape, archive};

/// Fills DIR with made-up Mimecast logs: receipt, process and delivery records of an invented organisation.
///
/// The same options give the same files, byte for byte. Sizes count log text before compression and are
/// written 500000, 250KB, 10MB, 1GB (powers of 1000) or 64KiB, 10MiB, 1GiB (powers of 1024).
#[derive(Debug, Parser)]
#[command(
    name = "generate",
    after_help = "Examples:
  generate lake-in --size 1GB --seed 1
  generate one --size 100MB --single
  generate zips --size 1GB --shape zip --file-size 20MB"
)]
struct Arguments {
    /// Directory to fill; made if missing, and it must be empty
    dir: PathBuf,

    /// How much log text to write
    #[arg(long, default_value = "100MB", value_parser = parse_size)]
    size: u64,

    /// Where the pseudo-random numbers start
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Form of the files
    #[arg(long, value_enum, default_value_t = ShapeName::Kv)]
    shape: ShapeName,

    /// Close a file once it has this much text
    #[arg(long, default_value = "10MB", value_parser = parse_size, conflicts_with_all = ["files", "single"])]
    file_size: u64,

    /// Write about N files of equal size
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "single")]
    files: Option<u64>,

    /// Write one file, with all stages mixed in time order (or one zip)
    #[arg(long)]
    single: bool,

    /// Days over which the emails arrive, from 2026-03-02 on
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShapeName {
    /// API 1.0 key-value files: receipt_<17 digits>.siem
    Kv,
    /// API 1.0 JSON envelopes: receipt_<17 digits>.json
    Json1,
    /// API 2.0 NDJSON: receipt_<17 digits>.json
    Json2,
    /// API 1.0 zips of key-value members: UUID.zip
    Zip,
    /// API 2.0 NDJSON, compressed: receipt_<17 digits>.json.gz
    Gzip,
}

impl From<ShapeName> for Shape {
    fn from(name: ShapeName) -> Self {
        match name {
            ShapeName::Kv => Self::Kv,
            ShapeName::Json1 => Self::Json1,
            ShapeName::Json2 => Self::Json2,
            ShapeName::Zip => Self::Zip,
            ShapeName::Gzip => Self::Gzip,
        }
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let plan = Plan {
        size: arguments.size,
        seed: arguments.seed,
        shape: arguments.shape.into(),
        file_size: arguments.files.map_or(arguments.file_size, |files| arguments.size.div_ceil(files)),
        single: arguments.single,
        days: arguments.days,
    };
    let summary = archive(&arguments.dir, &plan)?;
    writeln!(
        io::stderr(),
        "{} files, {} records, {:.1} MB of log text in {}",
        summary.files,
        summary.records,
        summary.bytes as f64 / 1e6,
        arguments.dir.display()
    )?;
    Ok(())
}

/// Reads `1GB`, `512KiB` or a plain number of bytes, in any case.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" => Some(1_000),
        "m" | "mb" => Some(1_000_000),
        "g" | "gb" => Some(1_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok().filter(|number| *number > 0);
    number
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .ok_or_else(|| format!("{text:?} is no size: write a number and KB, MB, GB, KiB, MiB or GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("1", 1),
            ("250KB", 250_000),
            ("1GB", 1_000_000_000),
            ("64KiB", 65_536),
            ("10 mb", 10_000_000),
            ("2g", 2_000_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "GB", "-1", "1.5GB", "1XB", "99999999999GB", "1 G B"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
