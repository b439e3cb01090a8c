//! Time and waiting, in one place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::error::FetchError;

/// Tells the time and waits. One that [skips](Clock::skipping) its waits remembers them instead, so that what takes
/// hours can be watched in no time.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<Skipping>>);

#[derive(Debug)]
struct Skipping {
    ahead: SignedDuration,
    waits: Mutex<Vec<Duration>>,
}

impl Clock {
    /// Returns the system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// Returns a clock that is so far ahead of the system's and waits for nothing.
    pub fn skipping(ahead: SignedDuration) -> Self {
        Self(Some(Arc::new(Skipping { ahead, waits: Mutex::default() })))
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.0.as_ref().map_or(now, |skipping| now.saturating_add(skipping.ahead).unwrap_or(now))
    }

    /// Returns every wait that was skipped.
    pub fn waits(&self) -> Vec<Duration> {
        let waits = |skipping: &Arc<Skipping>| lock(&skipping.waits).clone();
        self.0.as_ref().map(waits).unwrap_or_default()
    }

    /// Waits, unless `stop` ends it.
    pub(crate) async fn wait(&self, time: Duration, stop: &Stop) -> Result<(), FetchError> {
        stop.check()?;
        match &self.0 {
            Some(skipping) => lock(&skipping.waits).push(time),
            None => tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = stop.requested() => {}
            },
        }
        stop.check()
    }
}

fn lock(waits: &Mutex<Vec<Duration>>) -> MutexGuard<'_, Vec<Duration>> {
    waits.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request to stop, from a signal handler or a test: what is in hand is finished, nothing new is begun.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<Option<Instant>>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Stop {
    /// Asks to stop.
    pub fn request(&self) {
        self.0.send_if_modified(|asked| asked.is_none() && asked.replace(Instant::now()).is_none());
    }

    /// Whether it was asked to stop.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    pub(crate) fn check(&self) -> Result<(), FetchError> {
        if self.is_requested() { Err(FetchError::Stopped) } else { Ok(()) }
    }

    async fn requested(&self) {
        self.requested_for(Duration::ZERO).await;
    }

    /// Returns so long after it was asked to stop, however late this is called.
    pub(crate) async fn requested_for(&self, time: Duration) {
        let mut asked = self.0.subscribe();
        // The sender lives as long as this.
        let asked = asked.wait_for(Option::is_some).await.ok().and_then(|asked| *asked);
        if let Some(until) = asked.and_then(|asked| asked.checked_add(time)) {
            tokio::time::sleep_until(until.into()).await;
        }
    }
}
