//! `mimelake trace`: every record of one email.
//!
//! Records of the key itself come first; then, by the other names that those bear, the records that have only one of
//! the two: clicks without an aCode, and records without a message id.

mod holds;
mod lake;
mod raw;
mod record;
mod said;
mod search;
mod story;
mod timeline;

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use mimelake_write::store;

use crate::args::{TraceArgs, TraceFormat};
use crate::exit::{Exit, Hinted};
use crate::interrupt;
use crate::plan;
use crate::progress::{Counters, Progress};
use crate::terminal;

use lake::Lake;
use raw::{Met, Raw};
use record::{Maker, Record};
use search::Search;

/// Runs the command.
pub fn run(args: &TraceArgs) -> anyhow::Result<Exit> {
    if args.read.report.is_some() {
        return Err(Hinted::error(
            "trace writes no report",
            "mimelake check --report counts what files hold",
        ));
    }
    interrupt::listen();
    let mut search = Search::new(&args.key);
    let mut met = Met::default();
    let pool = plan::pool(args.read.threads())?;
    let records = pool.install(|| find(args, &mut search, &mut met))?;
    if !args.read.quiet {
        met.damages.iter().for_each(|damage| terminal::say(&format!("warning: {damage}")));
    }
    print(args, &search, &records)?;
    if records.is_empty() {
        terminal::say(&format!("no record of {}", search.typed()));
    }
    Ok(if records.is_empty() || met.unread { Exit::Rejects } else { Exit::Done })
}

/// Every record of the email, once and in order.
fn find(args: &TraceArgs, search: &mut Search, met: &mut Met) -> anyhow::Result<Vec<Record>> {
    let (lakes, logs): (Vec<String>, Vec<String>) =
        args.read.inputs.iter().cloned().partition(|input| store::is_output(Path::new(input)));
    let mut lake = Lake::default();
    lakes.iter().try_for_each(|out| lake.add(Path::new(out)))?;
    let counters = Arc::new(Counters::default());
    let progress = Progress::show(&counters, !logs.is_empty() && !args.read.quiet && !args.read.no_progress);
    let maker = Maker::new();
    let mut raw = Raw::open(&logs, &args.read, &counters, met)?;
    let mut records = raw.find(search, &maker, met)?;
    records.extend(met.unless_unread(lake.find(search, &maker)?));
    if !lake.is_empty() && search.may_have_suffix() {
        let spelled = met.unless_unread(lake.spellings(search)?);
        if !spelled.is_empty() {
            search.learn_spellings(spelled);
            records.extend(met.unless_unread(lake.find(search, &maker)?));
        }
    }
    if search.learn(&records) {
        records.extend(raw.find_linked(search, &maker)?);
        records.extend(met.unless_unread(lake.find(search, &maker)?));
    }
    drop(progress);
    let mut seen = HashSet::new();
    records.retain(|record| seen.insert(record.json.clone()));
    records.sort_by_cached_key(Record::place);
    Ok(records)
}

fn print(args: &TraceArgs, search: &Search, records: &[Record]) -> anyhow::Result<()> {
    let text = match args.format {
        TraceFormat::Json => json(search, records)?,
        TraceFormat::Text if records.is_empty() => return Ok(()),
        TraceFormat::Text => timeline::text(args, records)?.into_bytes(),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&text)?;
    out.flush()?;
    Ok(())
}

/// One object with the key and the records, one a line.
fn json(search: &Search, records: &[Record]) -> anyhow::Result<Vec<u8>> {
    let mut out = b"{\"key\":".to_vec();
    serde_json::to_writer(&mut out, search.typed())?;
    out.extend_from_slice(b",\"records\":[");
    for (at, record) in records.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        out.extend_from_slice(&record.json);
    }
    out.extend_from_slice(if records.is_empty() { b"]}\n" } else { b"\n]}\n" });
    Ok(out)
}
