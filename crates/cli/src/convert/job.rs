//! One job: some pieces, one worker, its own part files, one commit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use mimelake_landing::Reason;
use mimelake_write::store::{Commit, CommittedInput, CommittedUnit, Counts, Store};

use super::Run;
use super::known::{self, Replaced};
use super::lake::Lake;
use crate::plan::{File, Planned};
use crate::report::Tally;
use crate::source::{Outcome, Source};

/// Runs a job: reads its pieces, writes their rows, commits.
pub fn run(run: &Run<'_>, store: &Store, pieces: &[Planned], replaced: &Replaced) -> anyhow::Result<()> {
    let job = store.begin()?;
    let mut lake = Lake::new(run, job);
    let mut source = Source::new(run.settings(true));
    let mut done = Done::default();
    for planned in pieces {
        lake.start(&planned.piece.unit.name);
        let outcome = source.read(&planned.piece, &mut lake, Lake::between_blocks)?;
        done.add(run, planned, &outcome);
    }
    if let [only] = pieces
        && only.digest.is_none()
        && !run.args.force
        && done.keys().all(|key| store.knows(key))
        && done.has_units()
    {
        // Standard input cannot be read twice: only now it shows that its bytes are known.
        lake.into_job()?.abandon();
        run.totals(|totals| totals.report.files.unchanged += 1);
        return Ok(());
    }
    let mut job = lake.into_job()?;
    let commits = done.keys().filter_map(|key| replaced.get(&known::place(key))).flatten();
    job.replace(commits.cloned().collect::<std::collections::BTreeSet<_>>());
    let counts = done.counts();
    let commit = job.commit(done.inputs.into_values().map(|(_, input)| input).collect(), counts)?;
    run.totals(|totals| {
        count_parts(&mut totals.tables, &commit);
        totals.report.bytes.written += commit.parts.iter().map(|part| part.bytes).sum::<u64>();
        totals.tally += done.tally;
        totals.files.extend(done.files);
    });
    Ok(())
}

fn count_parts(tables: &mut crate::report::Tables, commit: &Commit) {
    for part in &commit.parts {
        let name = mimelake_schema::EventType::from_table(&part.table).map_or("", |t| t.table());
        let table = tables.entry(name).or_default();
        table.records += part.rows;
        table.parts += 1;
    }
}

/// What a job has read.
#[derive(Default)]
struct Done {
    tally: Tally,
    files: Vec<PathBuf>,
    inputs: BTreeMap<PathBuf, (Arc<File>, CommittedInput)>,
}

impl Done {
    fn add(&mut self, run: &Run<'_>, planned: &Planned, outcome: &Outcome) {
        let file = &planned.file;
        self.tally.add(&file.stamp.path, outcome);
        self.files.push(file.stamp.path.clone());
        if let Some(damage) = &outcome.damage {
            run.progress.say(&format!("warning: {damage}"));
        } else if run.args.read.verbose {
            run.progress
                .say(&format!("read {}: {} records", planned.piece.unit.name, outcome.account.records));
        }
        // What the operating system refused may be there next time.
        if matches!(&outcome.damage, Some(damage) if matches!(damage.reason, Reason::Io(_))) {
            return;
        }
        let own = if file.is_compressed { known::file_digest(file) } else { None };
        let (digest, bytes) = own.unwrap_or((outcome.digest, outcome.inflated));
        let key = known::key(planned, digest, bytes);
        let name =
            if file.pieces.is_empty() { planned.piece.unit.leaf_name().to_owned() } else { String::new() };
        let unit = CommittedUnit { index: planned.index, name, key, alias: false };
        let entry = self.inputs.entry(file.stamp.path.clone());
        let (_, input) =
            entry.or_insert_with(|| (Arc::clone(file), input(file, file.beginning.clone(), None)));
        input.units.push(unit);
        if let Some(damage) = &outcome.damage {
            input.damage = Some(damage.to_string());
        }
    }

    fn keys(&self) -> impl Iterator<Item = &mimelake_write::store::UnitKey> {
        self.inputs.values().flat_map(|(_, input)| input.units.iter().map(|unit| &unit.key))
    }

    fn has_units(&self) -> bool {
        self.keys().next().is_some()
    }

    fn counts(&self) -> Counts {
        let account = &self.tally.account;
        Counts {
            records: account.records,
            rejected: account.rejected,
            blank: account.blank,
            lines: account.lines,
        }
    }
}

/// A file as a commit names it.
pub fn input(file: &File, units: Vec<CommittedUnit>, damage: Option<String>) -> CommittedInput {
    let listed = file.damages.first().map(ToString::to_string);
    CommittedInput { stamp: file.stamp.clone(), listing: file.listing, damage: damage.or(listed), units }
}
