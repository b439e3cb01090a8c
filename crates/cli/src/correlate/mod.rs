//! `mimelake correlate`: one record for each email. `docs/correlate.md` tells the design.

mod place;
mod read;
mod state;
mod write;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use mimelake_correlate::email::Email;
use mimelake_correlate::join::{Counts, Join};
use mimelake_correlate::partitions::{Budget, Partitions};
use mimelake_landing::{self as landing, Found, FoundKind};
use mimelake_write::store::{Counts as Lines, Job, Store};
use rayon::prelude::*;

use crate::args::{ConvertArgs, CorrelateArgs};
use crate::convert::{self, Run};
use crate::exit::{Exit, Hinted};
use crate::report::{self, Messages};
use crate::{interrupt, plan};

use place::Slots;
use state::State;

/// A partition is folded by one thread, which holds about twice as much.
const SHARE_OF_MEMORY: u64 = 16;

/// Runs the command.
pub fn run(args: CorrelateArgs) -> anyhow::Result<Exit> {
    let start = Instant::now();
    let args = ConvertArgs::from(args);
    if args.to_stdout() {
        return Err(Hinted::error("messages cannot be streamed", "name a directory: -o OUT"));
    }
    report::prepare(&args.read)?;
    interrupt::listen();
    let store = convert::open_store(&args, &settings(&args))?;
    // Only now what a killed run left is gone, and what another run was writing is there.
    let (parts, mut found): (Vec<_>, Vec<_>) =
        landing::find(&args.read.inputs)?.into_iter().partition(|found| read::is_part(&found.path));
    convert::leave_out_output(&args, &mut found);
    let run = Run::new(&args);
    let pool = plan::pool(args.read.threads())?;
    pool.install(|| Correlation::new(&run, &store, &parts, &found)?.run(&parts, &found))?;
    run.finish(start)
}

fn settings(args: &ConvertArgs) -> String {
    format!("messages/{}/{}", args.extension().as_str(), args.schema().name())
}

/// One run of the command.
struct Correlation<'a> {
    run: &'a Run<'a>,
    store: &'a Store,
    job: Mutex<Job<'a>>,
    join: Join,
    /// The emails that are joined, by the file they go to.
    emails: Partitions,
    /// What was written by earlier runs.
    state: State,
}

impl<'a> Correlation<'a> {
    fn new(run: &'a Run<'a>, store: &'a Store, parts: &[Found], found: &[Found]) -> anyhow::Result<Self> {
        let memory = run.args.write.memory;
        let budget = Budget::new(&store.temporary(), memory / 2, run.args.read.threads());
        let stored: u64 = parts.iter().chain(found).map(|found| found.len).sum();
        let share = memory / (SHARE_OF_MEMORY * run.args.read.threads() as u64);
        // Compressed input grows to a few times its size.
        let is_stream = found.iter().any(|found| found.kind != FoundKind::File);
        let least = if is_stream { 1 << 9 } else { 16 };
        let partitions = (stored.saturating_mul(4) / share.max(1)).clamp(least, 1 << 14);
        let state = State::load(run, store)?;
        let join = Join::new(&budget, partitions as usize);
        let join = if state.is_empty() { join } else { join.with_keys() };
        Ok(Self {
            run,
            store,
            job: Mutex::new(store.begin()?),
            join,
            emails: Partitions::new(&budget),
            state,
        })
    }

    fn run(self, parts: &[Found], found: &[Found]) -> anyhow::Result<()> {
        let mut read = read::all(&self, parts, found)?;
        let mut messages = Messages::default();
        if read.is_new {
            let touched = self.state.touched(self.join.take_keys())?;
            read.counts += read::touched(&self, &touched)?;
            let slots = Slots::new(&self.state, &self.join.days());
            read.counts += self.fold(&slots)?;
            write::share_anew(&self, &slots, &touched)?;
            let written = write::all(&self, &slots, &touched)?;
            messages.parts = written.values().filter(|summary| summary.total > 0).count() as u64;
            messages.add_all(self.state.untouched(&written).chain(written.values()));
        } else {
            messages.add_all(self.state.untouched(&BTreeMap::new()));
        }
        messages.duplicates = read.counts.duplicates;
        messages.unkeyed = read.counts.unkeyed;
        let job = self.job.into_inner().unwrap_or_else(PoisonError::into_inner);
        if read.inputs.is_empty() {
            job.abandon();
        } else {
            let commit = job.commit(read.inputs, read.lines)?;
            let files =
                commit.swaps.iter().filter(|swap| swap.file.is_some() && !swap.place.starts_with('_'));
            let bytes =
                files.filter_map(|swap| Some(self.store.out().join(&swap.place).metadata().ok()?.len()));
            let bytes: u64 = bytes.sum();
            self.run.totals(|totals| totals.report.bytes.written += bytes);
        }
        self.run.totals(|totals| totals.report.add_messages(messages, &mut totals.tables));
        Ok(())
    }

    /// Makes the emails and sets them aside by the file they go to.
    fn fold(&self, slots: &Slots) -> anyhow::Result<Counts> {
        let mut counts = self.each(
            &self.join.acode_partitions(),
            |partition, done| self.join.fold(partition, &mut |email| done(email)),
            slots,
        )?;
        counts += self.each(
            &self.join.id_partitions(),
            |partition, done| self.join.attach(partition, &mut |email| done(email)),
            slots,
        )?;
        Ok(counts)
    }

    fn each(
        &self,
        partitions: &[u64],
        fold: impl Fn(u64, &mut dyn FnMut(&Email<'_>) -> anyhow::Result<()>) -> anyhow::Result<Counts> + Sync,
        slots: &Slots,
    ) -> anyhow::Result<Counts> {
        let one = |partition: &u64| -> anyhow::Result<Counts> {
            interrupt::check()?;
            let mut writer = self.emails.writer();
            let counts = fold(*partition, &mut |email| {
                Ok(writer.put(slots.of(email).number(), 0, |out| email.write(out))?)
            })?;
            writer.finish()?;
            Ok(counts)
        };
        total(partitions.par_iter().map(one))
    }
}

/// What was read.
struct Read {
    inputs: Vec<mimelake_write::store::CommittedInput>,
    lines: Lines,
    counts: Counts,
    /// Whether anything was read that was not known.
    is_new: bool,
}

/// What workers counted, together.
fn total(counts: impl ParallelIterator<Item = anyhow::Result<Counts>>) -> anyhow::Result<Counts> {
    counts.try_reduce(Counts::default, |mut a, b| {
        a += b;
        Ok(a)
    })
}
