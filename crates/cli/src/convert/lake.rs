//! The sink of a job: rows into the part files of their table and date.

use std::collections::HashMap;
use std::slice;
use std::sync::atomic::Ordering;

use bumpalo::Bump;
use mimelake_columns::document::Document;
use mimelake_parse::{Event, Reject, Sink, time};
use mimelake_schema::EventType;
use mimelake_write::parquet::Room;
use mimelake_write::store::{Job, PartFile};

use super::Run;
use super::part::Part;
use crate::args::OnReject;
use crate::exit::Rejected;
use crate::quarantine;

/// The date of events without a time.
pub const UNKNOWN: i64 = i64::MIN;
/// So many part files are open at a time, shared by the workers; beyond it, those that were written to least
/// lately are finished.
const MAX_OPEN: usize = 512;
/// Buffers of a worker that are not counted with its parts: the window, the parser, the reader of a zip, the page that
/// is encoded.
const OVERHEAD: u64 = 24 << 20;

/// Writes the rows of a job.
pub struct Lake<'a> {
    run: &'a Run<'a>,
    job: Job<'a>,
    /// The name of the piece that is read.
    source: String,
    open: HashMap<(EventType, i64), Part>,
    /// The part that the last event of each type went to, taken out of `open`.
    current: Vec<Option<(i64, Part)>>,
    /// Blocks read so far, to tell which part was written to least lately.
    clock: u64,
    /// How often a part was taken up.
    turns: u64,
    budget: u64,
    rooms: &'a mut Rooms,
}

/// So many parts of a table leave their rooms: a job may have hundreds.
const ROOMS: usize = 2;

/// What finished parts leave for those of the next job.
pub type Rooms = Vec<(EventType, Room)>;

impl<'a> Lake<'a> {
    /// A lake for one job, whose parts are written in these rooms, and leave theirs there.
    pub fn new(run: &'a Run<'a>, job: Job<'a>, rooms: &'a mut Rooms) -> Self {
        let share = run.args.write.memory / run.args.read.threads() as u64;
        Self {
            run,
            job,
            source: String::new(),
            open: HashMap::new(),
            current: EventType::ALL.iter().map(|_| None).collect(),
            clock: 0,
            turns: 0,
            budget: share.saturating_sub(OVERHEAD).max(8 << 20),
            rooms,
        }
    }

    /// Says which piece is read next.
    pub fn start(&mut self, source: &str) {
        source.clone_into(&mut self.source);
    }

    /// Writes out what is more than the worker's share of memory.
    pub fn between_blocks(&mut self) -> anyhow::Result<()> {
        self.clock += 1;
        let mut held = self.held();
        if held > self.budget / 2 {
            // Rooms that no part is in are not counted.
            self.rooms.clear();
        }
        while held > self.budget {
            let Some(largest) = self.parts_mut().max_by_key(|part| part.memory()) else { break };
            let before = largest.memory();
            largest.flush()?;
            let freed = before.saturating_sub(largest.memory());
            if freed == 0 {
                // All that is left is what open parts cannot do without.
                return self.finish_idle();
            }
            held -= freed;
        }
        Ok(())
    }

    /// Finishes the half of the parts that was written to least lately.
    fn finish_idle(&mut self) -> anyhow::Result<()> {
        let mut idle: Vec<_> = self.open.iter().map(|(key, part)| (part.used(), *key)).collect();
        idle.sort_unstable();
        for (_, key) in idle.iter().take(idle.len().div_ceil(2)) {
            if let Some(part) = self.open.remove(key) {
                part.finish()?;
            }
        }
        Ok(())
    }

    /// About how many bytes the parts hold.
    fn held(&self) -> u64 {
        self.parts().map(Part::memory).sum()
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.open.values().chain(self.current.iter().flatten().map(|(_, part)| part))
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        self.open.values_mut().chain(self.current.iter_mut().flatten().map(|(_, part)| part))
    }

    /// Finishes all parts; the job comes back, ready to be committed.
    pub fn into_job(self) -> anyhow::Result<Job<'a>> {
        let is_small = self.held() <= self.budget / 2;
        self.rooms.clear();
        let mut parts: Vec<_> = self.open.into_iter().collect();
        let current = EventType::ALL.iter().zip(self.current);
        parts.extend(current.filter_map(|(t, part)| part.map(|(day, part)| ((*t, day), part))));
        parts.sort_by_key(|(key, _)| *key);
        for ((event_type, _), part) in parts {
            let (_, room) = part.finish_with_room()?;
            let has_room = self.rooms.iter().filter(|(of, _)| *of == event_type).count() < ROOMS;
            self.rooms.extend(room.filter(|_| is_small && has_room).map(|room| (event_type, room)));
        }
        Ok(self.job)
    }

    /// Writes events of one place.
    fn write(&mut self, events: &[(Place, &Event<'_>)], bump: &Bump) -> anyhow::Result<()> {
        let Some(((number, day), _)) = events.first() else { return Ok(()) };
        let Some(document) = &self.run.documents[*number] else { return Ok(()) };
        if !matches!(&self.current[*number], Some((current, _)) if current == day) {
            self.turn_to(document, *day)?;
        }
        if let Some((_, part)) = &mut self.current[*number] {
            let rows: Vec<_> = events.iter().map(|(_, event)| document.row(event, bump)).collect();
            part.write(&rows)?;
        }
        Ok(())
    }

    /// Makes the part of the event's date the current one of its type.
    #[cold]
    fn turn_to(&mut self, document: &Document, day: i64) -> anyhow::Result<()> {
        let event_type = document.event_type();
        let current = &mut self.current[event_type as usize];
        if let Some((other, mut part)) = current.take() {
            part.set_used(self.clock);
            self.open.insert((event_type, other), part);
        }
        let part = match self.open.remove(&(event_type, day)) {
            Some(part) => part,
            None => {
                let share = (MAX_OPEN / self.run.args.read.threads()).max(16);
                if self.open.len() >= share {
                    self.finish_idle()?;
                }
                let place = self.rooms.iter().position(|(of, _)| *of == event_type);
                let room = place.map(|place| self.rooms.swap_remove(place).1);
                Part::create(self.run, &self.job, document, &date(day), room)?
            }
        };
        self.current[event_type as usize] = Some((day, part));
        self.turns += 1;
        if self.turns.is_multiple_of(64) { self.between_blocks() } else { Ok(()) }
    }
}

/// Whose part an event belongs to: the number of its type, and its day.
type Place = (usize, i64);

fn place(event: &Event<'_>) -> Place {
    let day = event.timestamp().map_or(UNKNOWN, |micros| micros.div_euclid(time::DAY));
    (event.event_type as usize, day)
}

/// A day since 1970 as partitions are named.
pub fn date(day: i64) -> String {
    if day == UNKNOWN {
        return "unknown".to_owned();
    }
    let time::Date { year, month, day } = time::date(day);
    format!("{year:04}-{month:02}-{day:02}")
}

impl Sink for Lake<'_> {
    type Error = anyhow::Error;

    fn event(&mut self, event: &Event<'_>, bump: &Bump) -> anyhow::Result<()> {
        self.events(slice::from_ref(event), bump)
    }

    fn events(&mut self, events: &[Event<'_>], bump: &Bump) -> anyhow::Result<()> {
        let mut placed: Vec<_> = events.iter().map(|event| (place(event), event)).collect();
        placed.sort_by_key(|(place, _)| *place);
        placed.chunk_by(|a, b| a.0 == b.0).try_for_each(|same| self.write(same, bump))
    }

    fn reject(&mut self, reject: &Reject<'_>) -> anyhow::Result<()> {
        if !reject.recovered {
            self.run.counters.rejected.fetch_add(1, Ordering::Relaxed);
        }
        refuse(self.run, &self.source, reject)?;
        let file: &mut PartFile = self.job.quarantine()?;
        quarantine::write(file, &self.source, reject)?;
        Ok(())
    }
}

/// Stops the run at a reject, where that is asked for.
pub fn refuse(run: &Run<'_>, source: &str, reject: &Reject<'_>) -> anyhow::Result<()> {
    if run.args.write.on_reject == OnReject::Fail && !reject.recovered {
        let what = format!("{source}: byte {}: rejected ({})", reject.offset, reject.reason.name());
        return Err(anyhow::Error::new(Rejected(what)));
    }
    Ok(())
}
