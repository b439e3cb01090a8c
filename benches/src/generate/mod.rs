//! Made-up Mimecast logs of any size, the same bytes for the same seed.
//!
//! [`Records`] is the endless stream of log records of an invented organisation in time order: one receipt
//! per recipient, one process per email, one delivery per recipient and attempt, joined by aCode.
//! [`bytes`] and [`write_to`] turn it into one run of text for a bench, [`archive`] into a directory of files
//! as Mimecast names them.
//!
//! ```
//! use mimelake_bench::generate::{Dialect, Stage, bytes};
//!
//! let log = bytes(Dialect::Kv, Some(Stage::Receipt), 10_000, 1);
//! assert!(log.starts_with(b"datetime="));
//! assert_eq!(log, bytes(Dialect::Kv, Some(Stage::Receipt), 10_000, 1));
//! ```

mod archive;
mod calendar;
mod email;
mod fields;
mod lists;
mod random;
mod records;
mod render;
mod sink;

pub use archive::{GenerateError, Plan, Shape, Summary, archive};
pub use records::{Record, Records, Stage};
pub use render::Dialect;

use std::io::{self, Write};

/// Mean time between two emails where no window of days is asked for: a tenant of some thousand users.
const DEFAULT_GAP_MS: u64 = 400;

/// A [`write_to`] buffer is handed on at this size.
const CHUNK: usize = 1 << 18;

/// Returns at least `size` bytes of whole records, one a line, less than one record more.
///
/// `stage` picks one stage's lines, as one of Mimecast's files holds them; `None` is all three in time order.
/// [`Dialect::Json1`] gives one object a line, without the envelope.
pub fn bytes(dialect: Dialect, stage: Option<Stage>, size: usize, seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(size + 4096);
    for record in Records::new(seed, DEFAULT_GAP_MS) {
        if out.len() >= size {
            break;
        }
        if stage.is_none_or(|stage| stage == record.stage()) {
            record.write(dialect, &mut out);
        }
    }
    out
}

/// Writes what [`bytes`] returns, in pieces, and returns how many bytes that was.
///
/// # Errors
/// The writer's own.
pub fn write_to(
    out: &mut impl Write,
    dialect: Dialect,
    stage: Option<Stage>,
    size: u64,
    seed: u64,
) -> io::Result<u64> {
    let mut written = 0;
    let mut chunk = Vec::with_capacity(CHUNK + 4096);
    for record in Records::new(seed, DEFAULT_GAP_MS) {
        if written + chunk.len() as u64 >= size {
            break;
        }
        if stage.is_some_and(|stage| stage != record.stage()) {
            continue;
        }
        record.write(dialect, &mut chunk);
        if chunk.len() >= CHUNK {
            out.write_all(&chunk)?;
            written += chunk.len() as u64;
            chunk.clear();
        }
    }
    out.write_all(&chunk)?;
    Ok(written + chunk.len() as u64)
}
