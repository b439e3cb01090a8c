//! One job: some pieces, one worker, its own part files, one commit.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mimelake_landing::Reason;
use mimelake_write::store::{
    Commit, CommitId, CommittedInput, CommittedUnit, Counts, Job, Listing, Store, UnitKey,
};

use super::lake::{Lake, Rooms};
use super::{PathDigest, Run};
use super::{cuts, known, replaced};
use crate::interrupt;
use crate::plan::{File, Planned};
use crate::report::Tally;
use crate::source::{Outcome, Source};
use crate::trail::Trail;

/// Does jobs one after the other, each in the buffers of the one before.
pub struct Worker<'a> {
    run: &'a Run<'a>,
    source: Source<'a>,
    rooms: Rooms,
}

impl<'a> Worker<'a> {
    /// A worker that has done nothing yet.
    pub fn new(run: &'a Run<'a>) -> Self {
        Self { run, source: Source::new(run.settings(true)), rooms: Rooms::default() }
    }

    /// Does a job: reads its pieces, writes their rows, commits.
    pub fn run(&mut self, store: &Store, pieces: &[Planned]) -> anyhow::Result<()> {
        let Self { run, source, rooms } = self;
        let mut lake = Lake::new(run, store.begin()?, rooms);
        let mut done = Done::default();
        for planned in pieces {
            lake.start(&planned.piece.unit.name);
            if planned.file.is_stream {
                source.follow(Trail::new(store.all_slices()));
            }
            let outcome = source.read(&planned.piece, &mut lake, Lake::between_blocks)?;
            done.add(run, source, planned, &outcome)?;
        }
        commit(run, store, lake.into_job()?, pieces, done)
    }
}

/// Commits what a job has written.
fn commit(
    run: &Run<'_>,
    store: &Store,
    mut job: Job<'_>,
    pieces: &[Planned],
    mut done: Done,
) -> anyhow::Result<()> {
    let keys: Vec<UnitKey> = done.keys().copied().collect();
    let stream = pieces.iter().find(|planned| planned.file.is_stream);
    let twins = cuts::covers(&done.slices, done.tally.inflated);
    let is_known = |key: &UnitKey| {
        if run.args.force {
            // What this run has converted is as new as it can be.
            store.commits_of(&[*key]).iter().any(|id| store.made(id))
        } else {
            store.knows(key)
        }
    };
    let are_known = |keys: &[UnitKey]| !keys.is_empty() && keys.iter().all(is_known);
    if stream.is_some() && (are_known(&keys) || are_known(&twins)) {
        // A stream cannot be read twice: only now it shows that its bytes are known.
        job.abandon();
        run.totals(|totals| {
            totals.report.files.unchanged += 1;
            // What comes behind damage did not arrive.
            totals.tally.add_damage(done.tally);
        });
        return Ok(());
    }
    let mut elsewhere = pieces.first().map(|planned| Arc::clone(&planned.elsewhere)).unwrap_or_default();
    if stream.is_some() && run.args.force {
        let replaced = replaced::by_stream(store, [&*keys, &twins].concat())?;
        if let Some((_, input)) = done.inputs.values_mut().next()
            && let Some(unit) = input.units.first().cloned()
        {
            input.units.extend(cuts_of(&unit, &replaced.cuts));
        }
        done.replaces.extend(replaced.commits);
        elsewhere = Arc::new(replaced.elsewhere);
    }
    // With --force they are replaced.
    let is_begun =
        |planned: &&Planned| !run.args.force && planned.piece.slice.is_none() && !planned.parts.is_empty();
    let begun =
        pieces.iter().filter(is_begun).chain(stream.filter(|_| twins.is_empty() && !done.slices.is_empty()));
    for planned in begun {
        run.progress.say(&format!(
            "warning: {}: a part of it was converted before, and is there twice now; --force with the file that held it \
             mends that",
            planned.piece.unit.name
        ));
    }
    let others: Vec<_> = done.replaces.iter().filter_map(|id| elsewhere.get(id)).flatten().cloned().collect();
    job.replace(std::mem::take(&mut done.replaces));
    let counts = done.counts();
    let commit = if done.inputs.is_empty() {
        job.abandon();
        None
    } else {
        let inputs = done.inputs.into_values().map(|(_, input)| input);
        // Of a path that is in both, what was read now was seen last.
        Some(job.commit(others.into_iter().chain(inputs).collect(), counts)?)
    };
    run.totals(|totals| {
        if let Some(commit) = &commit {
            count_parts(&mut totals.tables, commit);
            totals.report.bytes.written += commit.parts.iter().map(|part| part.bytes).sum::<u64>();
        }
        totals.tally += done.tally;
        totals.files.extend(done.files);
    });
    Ok(())
}

/// The key of the gzip or zstd file that a piece is, if it is one.
fn packed(source: &mut Source<'_>, planned: &Planned) -> anyhow::Result<Option<UnitKey>> {
    match (planned.packed, &planned.file.pipe) {
        (None, Some(pipe)) => {
            let key = pipe.key();
            interrupt::check()?;
            Ok(key.ok())
        }
        (None, None) => source.packed(&planned.piece.unit),
        (known, _) => Ok(known),
    }
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
pub struct Done {
    /// What became of it.
    pub tally: Tally,
    /// The files, one for each piece.
    pub files: Vec<PathDigest>,
    /// The files as a commit names them, by their number.
    pub inputs: BTreeMap<usize, (Arc<File>, CommittedInput)>,
    /// Of a stream, the converted slices that it holds.
    slices: Vec<UnitKey>,
    /// The commits whose rows were read again.
    replaces: BTreeSet<CommitId>,
}

impl Done {
    /// Adds a piece that was read.
    pub fn add(
        &mut self,
        run: &Run<'_>,
        source: &mut Source<'_>,
        planned: &Planned,
        outcome: &Outcome,
    ) -> anyhow::Result<()> {
        let packed = packed(source, planned)?;
        let file = &planned.file;
        self.tally.add(&file.stamp.path, outcome);
        self.files.push(file.stamp.path.as_path().into());
        if let Some(damage) = &outcome.damage {
            run.progress.say(&format!("warning: {damage}"));
        } else if run.args.read.verbose {
            run.progress
                .say(&format!("read {}: {} records", planned.piece.unit.name, outcome.account.records));
        }
        replaced::ensure_unchanged(planned, outcome)?;
        let is_unread = match outcome.damage.as_ref().map(|damage| &damage.reason) {
            // What the operating system refused may be there next time. What it gave before it did is converted, and
            // would be twice if it were read again.
            Some(Reason::Io(_)) => outcome.inflated == 0,
            // To be said again until it is mended.
            Some(Reason::Utf16) => true,
            _ => false,
        };
        if is_unread {
            return Ok(());
        }
        let content = known::key(planned, outcome.digest, outcome.inflated);
        self.slices.extend(&outcome.slices);
        self.replaces.extend(planned.replaces.iter().cloned());
        let (key, packed) = match packed {
            // There is no content to know it by.
            Some(packed) if outcome.inflated == 0 && outcome.damage.is_some() => (packed, None),
            packed => {
                let other = packed.or_else(|| known::stated_key(planned, outcome.digest));
                (content, other.filter(|other| *other != content))
            }
        };
        let name = match file.listing {
            Listing::Plain => String::new(),
            Listing::Members(_) => planned.piece.unit.leaf_name().to_owned(),
        };
        let unit = CommittedUnit { index: planned.index, name, key, packed, alias: false };
        let cuts = cuts_of(&unit, &planned.cuts);
        // Most files have one unit.
        let units = std::iter::once(unit).chain(cuts);
        let input = match self.inputs.entry(file.number) {
            Entry::Occupied(entry) => {
                let (_, input) = entry.into_mut();
                input.units.extend(units);
                input
            }
            Entry::Vacant(entry) => {
                &mut entry.insert((Arc::clone(file), input(file, units.collect(), None))).1
            }
        };
        if let Some(damage) = &outcome.damage {
            input.damage = Some(damage.to_string());
        }
        Ok(())
    }

    fn keys(&self) -> impl Iterator<Item = &UnitKey> {
        self.inputs.values().flat_map(|(_, input)| input.units.iter().map(|unit| &unit.key))
    }

    /// What a commit counts.
    pub fn counts(&self) -> Counts {
        let account = &self.tally.account;
        Counts {
            records: account.records,
            rejected: account.rejected,
            blank: account.blank,
            lines: account.lines,
        }
    }
}

/// The cuts of a unit that were held by what it replaces: as long as it holds them, all that was known by them is known.
fn cuts_of(unit: &CommittedUnit, cuts: &[UnitKey]) -> Vec<CommittedUnit> {
    let cuts = cuts.iter().filter(|cut| !unit.keys().any(|key| key == *cut));
    cuts.map(|cut| CommittedUnit { key: *cut, packed: None, ..unit.clone() }).collect()
}

/// A file as a commit names it.
pub fn input(file: &File, mut units: Vec<CommittedUnit>, damage: Option<String>) -> CommittedInput {
    units.extend(file.beginning.iter().cloned());
    let listed = file.damages.first().map(ToString::to_string);
    CommittedInput { stamp: file.stamp.clone(), listing: file.listing, damage: damage.or(listed), units }
}
