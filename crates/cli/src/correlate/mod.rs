//! `mimelake correlate`: one record for each email. `docs/correlate.md` tells the design.

mod chain;
mod keys;
mod moves;
mod place;
mod read;
mod rows;
mod state;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use mimelake_columns::document::Document;
use mimelake_correlate::budget::Budget;
use mimelake_correlate::email::Email;
use mimelake_correlate::join::{Counts, Join};
use mimelake_correlate::keys::Keys;
use mimelake_correlate::partitions::{Partitions, Writer};
use mimelake_landing::{self as landing, Found, FoundKind};
use mimelake_schema::EventType;
use mimelake_write::parquet::Room;
use mimelake_write::store::{Counts as Lines, Job, Store};
use rayon::prelude::*;

use crate::args::{ConvertArgs, CorrelateArgs};
use crate::convert::{self, Run};
use crate::exit::{Exit, Hinted};
use crate::report::{self, Messages};
use crate::{interrupt, plan};

use moves::Moves;
use place::{Slot, Slots};
use state::State;
use write::{Changes, Sets};

/// A partition is folded by one thread, which holds about twice as much.
const SHARE_OF_MEMORY: u64 = 16;

/// Bytes of what is sorted at a time, about: so many that the processor's caches hold them, for records are read and rows
/// are made where they lie.
const CACHED: u64 = 2 << 20;

/// So many pieces at the most are made for the caches' sake: many would be small when they go to the disk.
const PIECES: u64 = 256;

/// Runs the command.
pub fn run(args: CorrelateArgs) -> anyhow::Result<Exit> {
    let start = Instant::now();
    small_pages();
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
    if let Some(table) = found.iter().find(|found| read::is_written_ndjson(&found.path)) {
        return Err(Hinted::error(
            format!("{} is a table in NDJSON, which is not read back", table.path.display()),
            "name the raw logs, or a directory that `mimelake convert` wrote as Parquet",
        ));
    }
    let run = Run::new(&args);
    let pool = plan::pool(args.read.threads())?;
    pool.install(|| Correlation::new(&run, &store, &parts, &found)?.run(&parts, &found))?;
    run.finish(start)
}

/// Has the kernel give memory in small pages: huge ones are cleared whole, and of what is set aside for many files much
/// is never touched. Where that cannot be said, it does without.
fn small_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
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
    /// The columns of messages that can be read back.
    native: Document,
    /// What the parts of finished files of the table leave for those of others.
    rooms: Mutex<Vec<Vec<Option<Room>>>>,
    /// Bytes of what one worker holds at a time, about.
    share: u64,
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
        let cached = (stored / CACHED).min(PIECES);
        let partitions = (stored.saturating_mul(4) / share.max(1)).max(cached).clamp(least, 1 << 14);
        let state = State::load(run, store)?;
        let join = Join::new(&budget, partitions as usize);
        let keys = (memory / SHARE_OF_MEMORY) as usize / size_of::<u64>();
        let join = if state.is_empty() { join } else { join.with_keys(Keys::new(keys)) };
        Ok(Self {
            run,
            store,
            job: Mutex::new(store.begin()?),
            join,
            emails: Partitions::new(&budget),
            state,
            native: Document::native(EventType::Message, false),
            rooms: Mutex::default(),
            share,
        })
    }

    fn run(mut self, parts: &[Found], found: &[Found]) -> anyhow::Result<()> {
        let mut read = read::all(&self, parts, found)?;
        let mut messages = Messages::default();
        if read.is_new {
            let keys = self.join.take_keys();
            let days = self.join.days();
            if let Some(window) = self.run.args.window {
                self.state.close_after(window, &days);
            }
            let touched = self.state.touched(self.run.args, keys)?;
            let bytes: u64 = days.values().map(|day| day.bytes).sum();
            let stretch = (bytes / PIECES).max(CACHED).min(self.share);
            let slots = Slots::new(&self.state, &days, stretch);
            self.emails.expect(slots.count());
            let (counts, gone) = read::touched(&self, &touched)?;
            read.counts += counts;
            let moves = Moves::new(&touched);
            let (counts, added) = self.fold(&slots, &moves)?;
            read.counts += counts;
            let mut changes = Changes { slots: &slots, touched: &touched, gone, added };
            write::share_anew(&self, &mut changes, &moves)?;
            let written = write::all(&self, &changes)?;
            let order = moves.order(written.keys().copied().collect());
            let order = order.into_iter().map(|slot| rows::visible(self.run.args, slot)).collect();
            read::lock(&self.job).swap_in_order(order);
            messages.parts = written.values().filter(|kept| kept.summary.total > 0).count() as u64;
            messages
                .add_all(self.state.untouched(&written).chain(written.values().map(|kept| &kept.summary)));
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

    /// Where the messages of a file can be read back.
    fn native_path(&self, slot: Slot) -> PathBuf {
        self.store.out().join(rows::native(self.run.args, slot))
    }

    /// Makes the emails and sets them aside by the file they go to.
    fn fold(&self, slots: &Slots, moves: &Moves) -> anyhow::Result<(Counts, Sets)> {
        let (join, aside) = (&self.join, Aside { all: self, slots, moves });
        let (mut counts, mut added) = aside.each(&join.acode_partitions(), |partition, done| {
            join.fold(partition, &mut |email| done(email))
        })?;
        let (more, others) = aside.each(&join.id_partitions(), |partition, done| {
            join.attach(partition, &mut |email| done(email))
        })?;
        counts += more;
        write::merge(&mut added, others);
        Ok((counts, added))
    }
}

/// Sets emails aside by the file they go to.
#[derive(Clone, Copy)]
struct Aside<'a, 's> {
    all: &'a Correlation<'s>,
    slots: &'a Slots,
    moves: &'a Moves,
}

impl<'a> Aside<'a, '_> {
    /// The emails that `fold` makes of each of these partitions.
    fn each(
        self,
        partitions: &[u64],
        fold: impl Fn(u64, &mut dyn FnMut(&Email<'_>) -> anyhow::Result<()>) -> anyhow::Result<Counts> + Sync,
    ) -> anyhow::Result<(Counts, Sets)> {
        let one = |mut filled: Filled<'a>, partition: &u64| -> anyhow::Result<Filled<'a>> {
            interrupt::check()?;
            let Filled { writer, added, text, .. } = &mut filled;
            let counts = fold(*partition, &mut |email| {
                let place = self.slots.of(email);
                self.moves.note(email, place.slot);
                text.clear();
                email.write(text);
                added.entry(place.slot).or_default().add(text);
                writer.put(place.number, place.order, text)?;
                Ok(())
            })?;
            filled.counts += counts;
            Ok(filled)
        };
        // One writer for many partitions: its chunks are full when they are handed over.
        let nothing = || Filled {
            writer: self.all.emails.writer(),
            counts: Counts::default(),
            added: Sets::new(),
            text: String::new(),
        };
        partitions.par_iter().try_fold(nothing, one).map(|filled| filled?.finish()).try_reduce(
            Default::default,
            |(mut counts, mut added), (more, others)| {
                counts += more;
                write::merge(&mut added, others);
                Ok((counts, added))
            },
        )
    }
}

/// What one worker sets aside.
struct Filled<'p> {
    writer: Writer<'p>,
    counts: Counts,
    added: Sets,
    /// Room for an email's text.
    text: String,
}

impl Filled<'_> {
    fn finish(mut self) -> anyhow::Result<(Counts, Sets)> {
        self.writer.finish()?;
        Ok((self.counts, self.added))
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
