//! NDJSON to stdout, in the order of the input.

use std::io::{self, StdoutLock, Write};
use std::sync::atomic::Ordering;

use bumpalo::Bump;
use mimelake_landing::Found;
use mimelake_parse::{Event, Reject, Sink};
use mimelake_write::ndjson::RowWriter;

use super::{Run, lake};
use crate::interrupt;
use crate::plan::{self, Planned};
use crate::source::Source;

/// Lines are handed to stdout in stretches of about this length.
const STRETCH: usize = 64 << 10;

/// Writes one line for each event.
struct Stream<'a> {
    run: &'a Run<'a>,
    out: StdoutLock<'static>,
    /// The writer of each event type's lines.
    writers: Vec<Option<RowWriter>>,
    /// Whole lines that are still to be written.
    lines: Vec<u8>,
    source: String,
}

/// Converts the files to stdout. What is rejected is said on stderr, as there is no quarantine.
pub fn run(run: &Run<'_>, found: &[Found]) -> anyhow::Result<()> {
    let writers = run.documents.iter().map(|d| d.as_ref().map(|d| RowWriter::new(d.layout()))).collect();
    let out = io::stdout().lock();
    let mut stream = Stream { run, out, writers, lines: Vec::new(), source: String::new() };
    run.counters.total.store(found.iter().map(|f| f.len).sum(), Ordering::Relaxed);
    let converted = stream.convert(found);
    // What was read is written, whatever stopped the reading.
    let written = stream.write();
    converted.and(written)
}

impl Stream<'_> {
    fn convert(&mut self, found: &[Found]) -> anyhow::Result<()> {
        let run = self.run;
        let mut source = Source::new(run.settings(false));
        for found in found {
            let listed = plan::list(found, &run.args.read.limits(), run.args.read.format());
            interrupt::check()?;
            let file = match listed {
                Ok(file) => file,
                Err(damage) => {
                    run.damaged(&found.path, &damage);
                    continue;
                }
            };
            file.damages.iter().for_each(|damage| run.damaged(&file.stamp.path, damage));
            run.totals(|totals| totals.files.insert(file.stamp.path.as_path().into()));
            for planned in Planned::of(file) {
                planned.piece.unit.name.clone_into(&mut self.source);
                let outcome = source.read(&planned.piece, self, |_| Ok(()))?;
                if let Some(damage) = &outcome.damage {
                    run.progress.say(&format!("warning: {damage}"));
                }
                run.totals(|totals| totals.tally.add(&planned.file.stamp.path, &outcome));
            }
        }
        Ok(())
    }

    fn write(&mut self) -> anyhow::Result<()> {
        Ok(write(&mut self.lines, &mut self.out)?)
    }
}

/// Writes out the lines that are held. Where that fails they are gone: a part of them may have been written.
fn write(lines: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    let written = out.write_all(lines);
    lines.clear();
    written.and_then(|()| out.flush())
}

impl Sink for Stream<'_> {
    type Error = anyhow::Error;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> anyhow::Result<()> {
        let (Some(document), Some(writer)) =
            (&self.run.documents[event.event_type as usize], &self.writers[event.event_type as usize])
        else {
            return Ok(());
        };
        writer.write_row(document.row(event, bump), &mut self.lines);
        if self.lines.len() >= STRETCH { self.write() } else { Ok(()) }
    }

    fn reject(&mut self, reject: &Reject<'_>) -> anyhow::Result<()> {
        lake::refuse(self.run, &self.source, reject)?;
        if !reject.recovered {
            self.run.counters.rejected.fetch_add(1, Ordering::Relaxed);
        }
        let (name, offset, length, reason) =
            (&self.source, reject.offset, reject.length, reject.reason.name());
        if !self.run.args.read.quiet {
            self.run
                .progress
                .say(&format!("warning: {name}: byte {offset}: rejected {length} bytes ({reason})"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes, is full once, and takes the rest.
    struct Full(Vec<u8>, bool);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() == 3 && !std::mem::replace(&mut self.1, true) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = if self.1 { bytes.len() } else { bytes.len().min(3) };
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_line_is_written_twice() {
        let (mut lines, mut out) = (b"a line\n".to_vec(), Full(Vec::new(), false));
        assert!(write(&mut lines, &mut out).is_err());
        assert!(write(&mut lines, &mut out).is_ok());
        assert_eq!(out.0, b"a l");
    }
}
