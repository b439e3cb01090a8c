//! Events that are handed over together.

use bumpalo::{Bump, collections::Vec as BumpVec};

use crate::{Event, Reject, Sink};

/// So many events are handed over together: what writes columns goes through them once for each column, while they are
/// in the processor's caches.
const EVENTS: usize = 32;
/// So many bytes of records, about.
const BYTES: usize = 64 << 10;

/// The events that wait to be handed to the sink, and what they borrow from.
pub(super) struct Batch<'a, 's, S> {
    /// What is made for an event lives here.
    pub(super) bump: &'a Bump,
    /// The name of the source.
    pub(super) source: &'a str,
    sink: &'s mut S,
    events: BumpVec<'a, Event<'a>>,
    /// How many bytes their records have.
    bytes: usize,
}

impl<'a, 's, S: Sink> Batch<'a, 's, S> {
    /// No events.
    pub(super) fn new(bump: &'a Bump, source: &'a str, sink: &'s mut S) -> Self {
        Self { bump, source, sink, events: BumpVec::with_capacity_in(EVENTS, bump), bytes: 0 }
    }

    /// Whether it has to be handed over before there are more events.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= EVENTS || self.bytes >= BYTES
    }

    /// Takes an event behind the others.
    #[inline]
    pub(super) fn push(&mut self, event: Event<'a>) {
        self.bytes += event.text.len();
        self.events.push(event);
    }

    /// Hands over the events, and then a reject.
    pub(super) fn reject(&mut self, reject: &Reject<'_>) -> Result<(), S::Error> {
        self.hand_over()?;
        self.sink.reject(reject)
    }

    /// Hands over the last events.
    pub(super) fn end(mut self) -> Result<(), S::Error> {
        self.hand_over()
    }

    fn hand_over(&mut self) -> Result<(), S::Error> {
        if !self.events.is_empty() {
            self.sink.events(&self.events, self.bump)?;
            self.events.clear();
            self.bytes = 0;
        }
        Ok(())
    }
}
