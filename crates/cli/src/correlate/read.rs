//! What is joined: raw logs, the parts of converted ones, and messages that new records belong to.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bumpalo::Bump;
use mimelake_columns::rows::Rows as Events;
use mimelake_correlate::join::{Counts, Scatter};
use mimelake_correlate::message::email_of;
use mimelake_correlate::stage;
use mimelake_landing::Found;
use mimelake_parse::{Event, Reject, Sink};
use mimelake_schema::EventType;
use mimelake_write::parquet::ReadPart;
use mimelake_write::store::{CommittedInput, CommittedUnit, Counts as Lines, Listing, StampState, UnitKey};
use rayon::prelude::*;

use super::place::Slot;
use super::state::{Rows, Touched};
use super::write::{Set, Sets};
use super::{Correlation, Read, rows};
use crate::convert::job::Done;
use crate::convert::lake;
use crate::exit::Hinted;
use crate::plan::{self, Planned};
use crate::report::Tally;
use crate::source::Source;
use crate::{interrupt, quarantine};

/// Whether a file is a part of converted logs: called so, and beginning as Parquet does.
pub fn is_part(path: &Path) -> bool {
    let begins = || {
        let mut bytes = [0; 4];
        let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
        read.is_ok() && bytes == *b"PAR1"
    };
    path.extension().is_some_and(|extension| extension == "parquet") && begins()
}

/// Whether a file is a part of a table that was written as NDJSON, by its name and its partition's.
pub fn is_written_ndjson(path: &Path) -> bool {
    let partition = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    path.extension().is_some_and(|extension| extension == "ndjson")
        && partition.is_some_and(|name| name.starts_with("event_date="))
}

/// What the threads of the run share.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads all that is new.
pub fn all(all: &Correlation<'_>, parts: &[Found], found: &[Found]) -> anyhow::Result<Read> {
    let mut read =
        Read { inputs: Vec::new(), lines: Lines::default(), counts: Counts::default(), is_new: false };
    let mut tally = Tally::default();
    all.run.each_batch(all.store, found, &mut |jobs, aliases| {
        let done: Vec<_> = jobs.par_iter().map(|pieces| logs(all, pieces)).collect::<anyhow::Result<_>>()?;
        for (done, counts) in done {
            read.counts += counts;
            read.is_new = true;
            read.inputs.extend(done.inputs.into_values().map(|(_, input)| input));
            tally += done.tally;
            all.run.totals(|totals| totals.files.extend(done.files));
        }
        read.inputs.extend(aliases.into_iter().map(|mut input| {
            input.units.iter_mut().for_each(|unit| unit.alias = true);
            input
        }));
        Ok(())
    })?;
    let parts: Vec<_> = parts.par_iter().map(|found| part(all, found)).collect::<anyhow::Result<_>>()?;
    for (input, counts) in parts.into_iter().flatten() {
        read.counts += counts;
        read.is_new = true;
        read.inputs.push(input);
    }
    let account = &tally.account;
    let (records, rejected, blank, lines) = (account.records, account.rejected, account.blank, account.lines);
    read.lines = Lines { records, rejected, blank, lines };
    all.run.totals(|totals| totals.tally += tally);
    Ok(read)
}

/// The sink of one job.
struct Logs<'a, 's> {
    all: &'a Correlation<'s>,
    scatter: Scatter<'a>,
    source: String,
}

impl Sink for Logs<'_, '_> {
    type Error = anyhow::Error;

    fn event(&mut self, event: &Event<'_>, _: &Bump) -> anyhow::Result<()> {
        self.scatter.event(event)?;
        Ok(())
    }

    fn reject(&mut self, reject: &Reject<'_>) -> anyhow::Result<()> {
        if !reject.recovered {
            self.all.run.counters.rejected.fetch_add(1, Ordering::Relaxed);
        }
        lake::refuse(self.all.run, &self.source, reject)?;
        quarantine::write(lock(&self.all.job).quarantine()?, &self.source, reject)?;
        Ok(())
    }
}

/// Reads raw logs.
fn logs(all: &Correlation<'_>, pieces: &[Planned]) -> anyhow::Result<(Done, Counts)> {
    let mut sink = Logs { all, scatter: all.join.scatter(), source: String::new() };
    let mut source = Source::new(all.run.settings(true));
    let mut done = Done::default();
    for planned in pieces {
        planned.piece.unit.name.clone_into(&mut sink.source);
        let outcome = source.read(&planned.piece, &mut sink, |_| Ok(()))?;
        done.add(all.run, &mut source, planned, &outcome)?;
    }
    Ok((done, sink.scatter.finish()?))
}

/// Reads a part of converted logs; none if it is known, or no message is made of its table.
fn part(all: &Correlation<'_>, found: &Found) -> anyhow::Result<Option<(CommittedInput, Counts)>> {
    interrupt::check()?;
    let stamp = plan::stamp(found);
    if matches!(all.store.stamp_state(&stamp), StampState::Unchanged { .. }) {
        all.run.totals(|totals| totals.report.files.unchanged += 1);
        return Ok(None);
    }
    let part = match ReadPart::open(&found.path, None) {
        Ok(part) => part,
        Err(error) => {
            all.run.progress.say(&format!("warning: {error}"));
            let why = error.to_string();
            all.run.totals(|totals| totals.tally.unreadable.entry(found.path.clone()).or_default().push(why));
            return Ok(None);
        }
    };
    let table = part.label("table").and_then(EventType::from_table);
    if table.is_some_and(|table| table.message_members().is_none()) {
        return Ok(None);
    }
    let is_native = part.label("schema") == Some("native");
    let (Some(table), true) = (table, is_native) else {
        return Err(Hinted::error(
            format!("{} is no part of logs that mimelake converted to native columns", found.path.display()),
            "name the raw logs, or a directory that `mimelake convert` wrote with --schema native",
        ));
    };
    // A part's name is its run and its number, and its bytes never change.
    let name = found.path.file_name().unwrap_or_default().as_encoded_bytes();
    let key = UnitKey::whole(found.len, blake3::hash(name).into());
    let unit =
        CommittedUnit { index: 0, name: String::new(), key, packed: None, alias: all.store.knows(&key) };
    let is_known = unit.alias;
    let input = CommittedInput { stamp, listing: Listing::Plain, damage: None, units: vec![unit] };
    if is_known {
        all.run.totals(|totals| totals.report.files.unchanged += 1);
        return Ok(Some((input, Counts::default())));
    }
    let needed = stage::columns(table);
    let mut scatter = all.join.scatter();
    let mut bump = Bump::new();
    let (mut records, mut tally) = (0, Tally::default());
    for batch in ReadPart::open(&found.path, Some(&needed))? {
        interrupt::check()?;
        let batch = batch?;
        let rows = Events::of(table, &batch)?;
        for row in 0..rows.len() {
            scatter.event(&rows.event(row, &bump))?;
            bump.reset();
        }
        records += rows.len() as u64;
    }
    tally.account.records = records;
    tally.account.lines = records;
    tally.account.events[table as usize] = records;
    all.run.counters.done.fetch_add(found.len, Ordering::Relaxed);
    all.run.totals(|totals| {
        totals.tally += tally;
        totals.files.insert(found.path.clone().into());
    });
    Ok(Some((input, scatter.finish()?)))
}

/// Takes the messages apart that new records belong to; what they were.
pub fn touched(all: &Correlation<'_>, touched: &Touched) -> anyhow::Result<(Counts, Sets)> {
    let one = |(slot, wanted): (&Slot, &Rows)| {
        interrupt::check()?;
        let mut scatter = all.join.scatter();
        let mut wanted = wanted.numbers.iter().peekable();
        let mut gone = Set::default();
        rows::each_message(&all.native_path(*slot), &mut |row, event, _| {
            if wanted.next_if_eq(&&row).is_some() {
                gone.add(&email_of(event));
                scatter.event(event)?;
            }
            Ok(())
        })?;
        Ok((scatter.finish()?, (*slot, gone)))
    };
    let taken: Vec<_> = touched.par_iter().map(one).collect::<anyhow::Result<_>>()?;
    let mut counts = Counts::default();
    let gone = taken.into_iter().map(|(count, gone)| {
        counts += count;
        gone
    });
    let gone = gone.collect();
    Ok((counts, gone))
}
