//! `mimelake convert`: raw logs to tables.

mod cuts;
mod damaged;
pub mod job;
pub mod known;
pub mod lake;
pub mod part;
pub mod replaced;
mod stream;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use job::Worker;
use mimelake_columns::document::Document;
use mimelake_landing::{self as landing, Found, FoundKind, Limits};
use mimelake_schema::EventType;
use mimelake_write::store::{CommittedInput, StampState, Store, Wait};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::args::{ConvertArgs, SchemaKind, To};
use crate::exit::{Exit, Hinted};
use crate::interrupt;
use crate::plan::{self, File, Planned};
use crate::progress::{Counters, Progress};
use crate::report::{self, Report, Tables, Tally};
use crate::source::Settings;
use crate::terminal;

/// What all workers share.
pub struct Run<'a> {
    /// What was asked for.
    pub args: &'a ConvertArgs,
    /// How events become rows, by event type; none for tables that are not wanted.
    documents: Vec<Option<Document>>,
    /// What the progress bar shows.
    pub counters: Arc<Counters>,
    /// Where messages go while it is shown.
    pub progress: Progress,
    totals: Mutex<Totals>,
}

/// What was done so far.
#[derive(Default)]
pub struct Totals {
    /// What is reported.
    pub report: Report,
    /// What was read.
    pub tally: Tally,
    /// What was written.
    pub tables: Tables,
    /// The files that were read, wholly or in part.
    pub files: HashSet<PathDigest>,
}

/// What tells a file from others where they are counted: the paths of millions need not be kept.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct PathDigest(u128);

impl From<&Path> for PathDigest {
    fn from(path: &Path) -> Self {
        Self(xxh3_128(path.as_os_str().as_encoded_bytes()))
    }
}

impl From<PathBuf> for PathDigest {
    fn from(path: PathBuf) -> Self {
        path.as_path().into()
    }
}

/// Runs the command.
pub fn run(args: &ConvertArgs) -> anyhow::Result<Exit> {
    let start = Instant::now();
    check_arguments(args)?;
    report::prepare(&args.read)?;
    interrupt::listen();
    let mut found = landing::find(&args.read.inputs)?;
    leave_out_output(args, &mut found);
    let run = Run::new(args);
    let pool = plan::pool(args.read.threads())?;
    if args.to_stdout() {
        pool.install(|| stream::run(&run, &found))?;
    } else {
        let store = open_store(args, &settings(args))?;
        pool.install(|| run.convert(&store, &found))?;
    }
    run.finish(start)
}

/// Leaves out what lies in OUT, by whatever way it was found: what was written is no input.
pub fn leave_out_output(args: &ConvertArgs, found: &mut Vec<Found>) {
    // In a directory that is not there yet lies nothing.
    let (false, Ok(out)) = (args.to_stdout(), args.output.canonicalize()) else { return };
    let before = found.len();
    // Of most files the directory is that of the one before.
    let mut last: Option<(PathBuf, bool)> = None;
    found.retain(|found| {
        let directory = found.path.parent().filter(|_| found.kind != FoundKind::Stdin);
        let Some(directory) = directory else { return true };
        match &last {
            Some((known, is_out)) if known.as_os_str() == directory.as_os_str() => !is_out,
            _ => {
                let whole = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
                let is_out = whole.canonicalize().is_ok_and(|directory| directory.starts_with(&out));
                last = Some((directory.to_owned(), is_out));
                !is_out
            }
        }
    });
    if found.len() < before && !args.read.quiet {
        terminal::say(&format!(
            "note: left out {} files that lie in {}",
            before - found.len(),
            args.output.display()
        ));
    }
}

fn check_arguments(args: &ConvertArgs) -> anyhow::Result<()> {
    if args.to_stdout() && args.to() == To::Parquet {
        return Err(Hinted::error(
            "Parquet cannot be streamed to stdout",
            "leave out --to parquet, or name a directory",
        ));
    }
    Ok(())
}

fn document(args: &ConvertArgs, event_type: EventType) -> Option<Document> {
    let wanted = args.tables.is_empty() || args.tables.contains(&event_type);
    wanted.then(|| match args.schema() {
        SchemaKind::Native => Document::native(event_type, args.original),
        SchemaKind::Ecs => Document::ecs(event_type, args.original),
    })
}

/// What kind of output this is: what was converted to another kind is not known to this run.
fn settings(args: &ConvertArgs) -> String {
    let format = if args.to() == To::Parquet { "parquet" } else { "ndjson" };
    let mut settings = format!("{format}/{}", args.schema().name());
    if args.original {
        settings.push_str("/original");
    }
    if !args.tables.is_empty() {
        let mut tables: Vec<_> = args.tables.iter().map(|t| t.table()).collect();
        tables.sort_unstable();
        tables.dedup();
        settings = format!("{settings}/{}", tables.join(","));
    }
    settings
}

pub fn open_store(args: &ConvertArgs, settings: &str) -> anyhow::Result<Store> {
    let mut held = |holder: &str| terminal::say(&format!("waiting for {}: {holder}", args.output.display()));
    let give_up = || interrupt::check().is_err();
    let wait =
        if args.write.no_wait { Wait::Fail } else { Wait::Until { held: &mut held, give_up: &give_up } };
    let store = Store::open(&args.output, settings, wait);
    interrupt::check()?;
    let store = store?;
    let format = |settings: &str| settings.split('/').next().map(str::to_owned);
    if let Some(other) = store.other_settings().into_iter().find(|other| format(other) == format(settings)) {
        let what = format!(
            "{} already holds another kind of output: {other}, not {settings}",
            args.output.display()
        );
        return Err(Hinted::error(
            what,
            "use the same --to, --schema, --tables and --original as before, or another directory",
        ));
    }
    Ok(store)
}

impl<'a> Run<'a> {
    /// A run that has done nothing yet.
    pub fn new(args: &'a ConvertArgs) -> Self {
        let counters = Arc::new(Counters::default());
        Self {
            args,
            documents: EventType::ALL.iter().map(|t| document(args, *t)).collect(),
            progress: Progress::show(&counters, !args.read.quiet && !args.read.no_progress),
            counters,
            totals: Mutex::default(),
        }
    }

    /// How events of a type become rows; none if its table is not wanted.
    pub fn document(&self, event_type: EventType) -> Option<&Document> {
        self.documents[event_type as usize].as_ref()
    }

    /// Reports what was done since `start`; how to exit.
    pub fn finish(self, start: Instant) -> anyhow::Result<Exit> {
        let Self { args, counters, progress, totals, .. } = self;
        drop(progress);
        let Totals { mut report, tally, tables, files } =
            totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.files.read = files.len() as u64;
        report.writes_tables = !args.to_stdout();
        report.bytes.read = counters.done.load(Ordering::Relaxed);
        report.finish(tally, &tables, start, &args.read)
    }
}

impl Run<'_> {
    fn convert(&self, store: &Store, found: &[Found]) -> anyhow::Result<()> {
        self.each_batch(store, found, &mut |jobs, aliases| {
            // Streams come last and one by one: only reading one shows whether it holds what another job does.
            let (streams, jobs): (Vec<_>, Vec<_>) =
                jobs.into_iter().partition(|pieces| pieces.iter().any(|planned| planned.file.is_stream));
            // One after the other, as workers are free: the last jobs are small.
            let worker = || Worker::new(self);
            let bridge = jobs.iter().par_bridge();
            bridge.try_for_each_init(worker, |worker, pieces| worker.run(store, pieces))?;
            streams.iter().try_for_each(|pieces| worker().run(store, pieces))?;
            if !aliases.is_empty() {
                store.remember_aliases(aliases)?;
            }
            Ok(())
        })
    }

    /// Plans the files, some at a time; `each` gets the jobs of what is new, and the files that turned out to be known
    /// or to hold nothing.
    pub fn each_batch(
        &self,
        store: &Store,
        found: &[Found],
        each: &mut (dyn FnMut(Vec<Vec<Planned>>, Vec<CommittedInput>) -> anyhow::Result<()> + Send),
    ) -> anyhow::Result<()> {
        let is_over = AtomicBool::new(false);
        let list = |files: Option<&[Found]>| -> anyhow::Result<Option<Vec<_>>> {
            let Some(files) = files else { return Ok(None) };
            let files = files.par_iter().take_any_while(|_| !is_over.load(Ordering::Relaxed));
            files.filter_map(|found| self.list(store, found).transpose()).collect::<Result<_, _>>().map(Some)
        };
        // What was converted together is replaced together, wherever among the files it stands by now.
        let at_once = if self.args.force { found.len().max(1) } else { plan::FILES_AT_ONCE };
        let mut batches = found.chunks(at_once);
        let mut next = list(batches.next())?;
        while let Some(listed) = next {
            let work = known::sort_out(self, store, listed.into_iter())?;
            let stored = work.pieces.iter().map(Planned::stored).sum();
            self.counters.total.fetch_add(stored, Ordering::Relaxed);
            // Small files make one job, which leaves the other workers free to list those that come after it. Not so
            // where one of those may keep the run waiting.
            let files = batches.next();
            let waits = files.is_some_and(|files| files.iter().any(|found| found.kind != FoundKind::File));
            let (ahead, later) = if waits { (None, files) } else { (files, None) };
            let each = || {
                let done = each(plan::jobs(work.pieces), work.aliases);
                is_over.store(done.is_err(), Ordering::Relaxed);
                done
            };
            let (done, listed) = rayon::join(each, || list(ahead));
            done?;
            next = if waits { list(later)? } else { listed? };
        }
        Ok(())
    }

    /// What a file holds, and what is known of it; none if all of it has been converted, or it cannot be read.
    fn list(&self, store: &Store, found: &Found) -> anyhow::Result<Option<(File, StampState)>> {
        interrupt::check()?;
        let stamp = plan::stamp(found);
        let is_asked = found.kind == FoundKind::File && !self.args.force;
        let state = if is_asked { store.stamp_state(&stamp) } else { StampState::Unknown };
        if matches!(state, StampState::Unchanged { .. }) {
            self.totals(|totals| totals.report.files.unchanged += 1);
            return Ok(None);
        }
        let limits = Limits { keep_small: !self.args.force, ..self.args.read.limits() };
        let listed = plan::list_stamped(found, stamp, &limits, self.args.read.format());
        // Waiting for a stream may have ended by a signal.
        interrupt::check()?;
        match listed {
            Ok(mut file) => {
                file.damages.iter().for_each(|damage| self.damaged(&file.stamp.path, damage));
                // While they are at hand: a digest is wanted of nearly all.
                file.pieces.iter_mut().for_each(|(_, piece)| piece.digest_kept());
                Ok(Some((file, state)))
            }
            Err(damage) => {
                self.damaged(&found.path, &damage);
                Ok(None)
            }
        }
    }

    fn damaged(&self, file: &Path, damage: &landing::LandingError) {
        self.progress.say(&format!("warning: {damage}"));
        self.totals(|totals| totals.tally.damaged(file, damage));
    }

    /// Changes the totals.
    pub fn totals<T>(&self, change: impl FnOnce(&mut Totals) -> T) -> T {
        change(&mut self.totals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How pieces are read.
    pub fn settings(&self, digest: bool) -> Settings<'_> {
        let read = &self.args.read;
        Settings {
            format: read.format(),
            max_record: read.max_record,
            limits: read.limits(),
            digest,
            done: &self.counters.done,
        }
    }
}

/// What there is to do for some files.
#[derive(Default)]
pub struct Work {
    pieces: Vec<Planned>,
    /// Files whose units are all known under other names, and files that hold nothing.
    aliases: Vec<CommittedInput>,
}
