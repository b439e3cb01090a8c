//! Raw logs: every file that holds one of the names is read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bumpalo::Bump;
use mimelake_landing::{self as landing, LandingError, Limits, Reason};
use mimelake_parse::{Event, Reject, Sink};
use rayon::prelude::*;

use super::holds::Scan;
use super::lake;
use super::record::{Maker, Record};
use super::search::{Names, Search};
use crate::args::ReadArgs;
use crate::interrupt;
use crate::plan::{self, Planned};
use crate::progress::Counters;
use crate::source::{Settings, Source};

/// The raw logs among the inputs.
pub struct Raw<'a> {
    read: &'a ReadArgs,
    jobs: Vec<Vec<Planned>>,
    counters: Arc<Counters>,
    /// Records of streams, which are read once, that may belong to what is found later.
    candidates: Vec<Record>,
}

/// What was met in reading.
#[derive(Default)]
pub struct Met {
    /// What could not be read to its end, and why.
    pub damages: Vec<String>,
    /// Whether something could not be read at all.
    pub unread: bool,
}

impl Met {
    fn add(&mut self, damage: &LandingError) {
        self.damages.push(damage.to_string());
        self.unread |= matches!(damage.reason, Reason::Io(_) | Reason::Utf16);
    }

    /// What was found of parts, those noted that could not be read.
    pub fn unless_unread<T>(&mut self, (found, unreadable): lake::Found<T>) -> Vec<T> {
        self.unread |= !unreadable.is_empty();
        for damage in unreadable {
            // Parts are looked into more than once.
            if !self.damages.contains(&damage) {
                self.damages.push(damage);
            }
        }
        found
    }
}

impl<'a> Raw<'a> {
    /// Lists these inputs.
    pub fn open(
        inputs: &[String],
        read: &'a ReadArgs,
        counters: &Arc<Counters>,
        met: &mut Met,
    ) -> anyhow::Result<Self> {
        let mut pieces = Vec::new();
        // The pieces of all files are held to the end.
        let limits = Limits { keep_small: false, ..read.limits() };
        let found = if inputs.is_empty() { Vec::new() } else { landing::find(inputs)? };
        for found in found {
            let listed = plan::list(&found, &limits, read.format());
            interrupt::check()?;
            match listed {
                Ok(file) => {
                    file.damages.iter().for_each(|damage| met.add(damage));
                    pieces.extend(Planned::of(file));
                }
                Err(damage) => {
                    met.add(&damage);
                    met.unread = true;
                }
            }
        }
        counters.total.store(pieces.iter().map(Planned::stored).sum(), Ordering::Relaxed);
        Ok(Self { read, jobs: plan::jobs(pieces), counters: Arc::clone(counters), candidates: Vec::new() })
    }

    /// The records that belong to the email, read for the first time.
    pub fn find(&mut self, search: &Search, maker: &Maker, met: &mut Met) -> anyhow::Result<Vec<Record>> {
        let picks = self.pick(search, maker, |_| true)?;
        let mut found = Vec::new();
        for pick in picks {
            pick.damages.iter().for_each(|damage| met.add(damage));
            found.extend(pick.found);
            self.candidates.extend(pick.candidates);
        }
        Ok(found)
    }

    /// The records that belong to the email by what was learnt from those that were found.
    pub fn find_linked(&mut self, search: &Search, maker: &Maker) -> anyhow::Result<Vec<Record>> {
        self.counters.total.fetch_add(
            self.jobs.iter().flatten().filter(|p| !p.file.is_stream).map(Planned::stored).sum(),
            Ordering::Relaxed,
        );
        let picks = self.pick(search, maker, |planned| !planned.file.is_stream)?;
        let mut found = std::mem::take(&mut self.candidates);
        found.retain(|record| search.accepts(record.names()));
        found.extend(picks.into_iter().flat_map(|pick| pick.found));
        Ok(found)
    }

    fn pick<'b>(
        &self,
        search: &'b Search,
        maker: &'b Maker,
        wanted: impl Fn(&Planned) -> bool + Sync,
    ) -> anyhow::Result<Vec<Pick<'b>>> {
        let read = self.read;
        let settings = Settings {
            format: read.format(),
            max_record: read.max_record,
            limits: read.limits(),
            digest: false,
            done: &self.counters.done,
        };
        let read_job = |job: &Vec<Planned>| -> anyhow::Result<Pick<'b>> {
            let mut source = Source::new(settings);
            let mut scan = Scan::new(&search.needles(), read);
            let mut pick = Pick::new(search, maker);
            for planned in job.iter().filter(|planned| wanted(planned)) {
                interrupt::check()?;
                pick.keep = planned.file.is_stream;
                if !pick.keep && !scan.may_hold(&planned.piece)? {
                    self.counters.done.fetch_add(planned.stored(), Ordering::Relaxed);
                    continue;
                }
                let outcome = source.read(&planned.piece, &mut pick, |_| Ok(()))?;
                pick.damages.extend(outcome.damage);
            }
            Ok(pick)
        };
        self.jobs.par_iter().map(read_job).collect()
    }
}

/// Takes the records that belong to the email.
struct Pick<'a> {
    search: &'a Search,
    maker: &'a Maker,
    /// Whether what may belong to it is kept too.
    keep: bool,
    found: Vec<Record>,
    candidates: Vec<Record>,
    damages: Vec<LandingError>,
}

impl<'a> Pick<'a> {
    fn new(search: &'a Search, maker: &'a Maker) -> Self {
        Self { search, maker, keep: false, found: Vec::new(), candidates: Vec::new(), damages: Vec::new() }
    }
}

impl Sink for Pick<'_> {
    type Error = anyhow::Error;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> anyhow::Result<()> {
        let names = Names::of(event);
        if self.search.accepts(names) {
            self.found.push(self.maker.record(event, bump));
        } else if self.keep && names.may_be_linked() {
            self.candidates.push(self.maker.record(event, bump));
        }
        Ok(())
    }

    fn reject(&mut self, _: &Reject<'_>) -> anyhow::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Command, Program};

    #[test]
    fn what_is_held_of_a_file_does_not_grow_with_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.log"), "datetime=2026-03-02T10:00:00+0000|Act=Acc").unwrap();
        let Command::Check(args) = Program::parse_from(["mimelake", "check", "x"]).command else {
            unreachable!("it is check")
        };
        let inputs = [directory.path().display().to_string()];
        let raw = Raw::open(&inputs, &args.read, &Arc::default(), &mut Met::default()).unwrap();
        assert_eq!(
            raw.jobs.iter().flatten().map(|planned| planned.piece.unit.is_kept()).collect::<Vec<_>>(),
            [false]
        );
    }
}
