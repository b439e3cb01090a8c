//! `mimelake check`: read everything, write nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bumpalo::Bump;
use mimelake_landing as landing;
use mimelake_parse::{Event, Reject, Sink};
use rayon::prelude::*;

use crate::args::{CheckArgs, ReadArgs};
use crate::exit::Exit;
use crate::interrupt;
use crate::plan::{self, Planned};
use crate::progress::{Counters, Progress};
use crate::report::{self, Report, Tables, Tally};
use crate::source::{Outcome, Settings, Source};

/// Counts, and keeps nothing.
struct Count<'a>(&'a Counters);

impl Sink for Count<'_> {
    type Error = anyhow::Error;

    fn event(&mut self, _: &Event<'_>, _: &Bump) -> anyhow::Result<()> {
        Ok(())
    }

    fn reject(&mut self, reject: &Reject<'_>) -> anyhow::Result<()> {
        if !reject.recovered {
            self.0.rejected.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Runs the command.
pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let start = Instant::now();
    report::prepare(&args.read)?;
    interrupt::listen();
    let read = &args.read;
    let counters = Arc::new(Counters::default());
    let mut report = Report::default();
    let progress = Progress::show(&counters, !read.quiet && !read.no_progress);
    let pool = plan::pool(read.threads())?;
    let mut tally = Tally::default();
    for some in landing::find(&read.inputs)?.chunks(plan::FILES_AT_ONCE) {
        let mut pieces = Vec::new();
        for found in some {
            let listed = plan::list(found, &read.limits(), read.format());
            interrupt::check()?;
            let file = match listed {
                Ok(file) => file,
                Err(damage) => {
                    progress.say(&format!("warning: {damage}"));
                    tally.damaged(&found.path, &damage);
                    continue;
                }
            };
            report.files.read += 1;
            for damage in &file.damages {
                progress.say(&format!("warning: {damage}"));
                tally.damaged(&file.stamp.path, damage);
            }
            pieces.extend(Planned::of(file));
        }
        counters.total.fetch_add(pieces.iter().map(Planned::stored).sum(), Ordering::Relaxed);
        let jobs = plan::jobs(pieces);
        let outcomes: Vec<_> = pool.install(|| {
            jobs.par_iter().map(|job| read_job(read, &counters, job)).collect::<anyhow::Result<_>>()
        })?;
        for (planned, outcome) in jobs.iter().flatten().zip(outcomes.iter().flatten()) {
            tally.add(&planned.file.stamp.path, outcome);
            if let Some(damage) = &outcome.damage {
                progress.say(&format!("warning: {damage}"));
            }
        }
    }
    drop(progress);
    report.bytes.read = counters.done.load(Ordering::Relaxed);
    report.finish(tally, &Tables::new(), start, read)
}

/// Reads the pieces of one job.
fn read_job(args: &ReadArgs, counters: &Counters, job: &[Planned]) -> anyhow::Result<Vec<Outcome>> {
    let mut source = Source::new(Settings {
        format: args.format(),
        max_record: args.max_record,
        limits: args.limits(),
        digest: false,
        done: &counters.done,
    });
    let mut sink = Count(counters);
    job.iter().map(|planned| source.read(&planned.piece, &mut sink, |_| Ok(()))).collect()
}
