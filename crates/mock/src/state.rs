//! What the server knows, and how it answers.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::content::{File, Sequence};
use crate::credentials::{ACCESS_KEY, SECRET_KEY};
use crate::fault::{self, ErrorShape, Fault};
use crate::http::{Answer, Message};
use crate::options::Options;
use crate::random::Random;
use crate::script::{Endpoint, Running, Subject};
use crate::{audit, batch, login, oauth, presigned, siem1, sign, stream};

/// A request that reached the server, as it was and what became of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it asked for.
    pub endpoint: Endpoint,
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// All headers as they came.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The status of the answer.
    pub status: u16,
    /// What [`Rule::about`](crate::Rule::about) is looked for in: the name of the file served, for siem1 and downloads.
    pub about: String,
    /// What the script did to it.
    pub fault: Option<Fault>,
}

impl Request {
    /// Returns the first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::http::header(&self.headers, name)
    }
}

/// The state behind all connections.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) base_url: String,
    pub(crate) script: Mutex<Running>,
    pub(crate) requests: Mutex<Vec<Request>>,
    pub(crate) extra: Mutex<Vec<File>>,
    pub(crate) audit: Mutex<Vec<audit::AuditEvent>>,
    /// Access and secret key of every binding.
    pub(crate) bindings: Mutex<Vec<(String, String)>>,
    /// OAuth tokens and when they end.
    pub(crate) tokens: Mutex<Vec<(String, Timestamp)>>,
    pub(crate) out: AtomicUsize,
    seen: Mutex<HashSet<String>>,
    windows: Mutex<[Option<(Instant, u64)>; 2]>,
    /// What was said to have passed beside the real time.
    pub(crate) passed: Mutex<SignedDuration>,
    counter: AtomicU64,
    gathered: Mutex<Gathered>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Gathered {
    count: u64,
    stopped: bool,
}

/// Takes a lock whatever another thread did while it held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(mut options: Options, base_url: String) -> Self {
        Self {
            base_url,
            script: Mutex::new(Running::new(std::mem::take(&mut options.script))),
            requests: Mutex::default(),
            extra: Mutex::default(),
            audit: Mutex::new(std::mem::take(&mut options.audit)),
            bindings: Mutex::new(vec![(ACCESS_KEY.to_owned(), SECRET_KEY.to_owned())]),
            tokens: Mutex::default(),
            out: AtomicUsize::new(options.out.unwrap_or(usize::MAX)),
            seen: Mutex::default(),
            windows: Mutex::default(),
            passed: Mutex::default(),
            counter: AtomicU64::new(0),
            gathered: Mutex::default(),
            arrived: Condvar::new(),
            options,
        }
    }

    /// The server's own clock, which may be wrong.
    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let ahead = self.options.clock_skew + *lock(&self.passed);
        now.checked_add(ahead).unwrap_or(now)
    }

    /// How many files of a sequence are out.
    pub(crate) fn count(&self, sequence: Sequence) -> usize {
        self.options.content.count(sequence).min(self.out.load(Ordering::SeqCst))
    }

    /// A number that was never given before.
    pub(crate) fn serial(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// Returns the answer to a request, and what is to happen to it on the wire.
    pub(crate) fn answer(&self, message: &Message) -> (Answer, Option<Fault>) {
        let endpoint = Endpoint::of(message.path());
        let subject = self.subject(endpoint, message);
        let fault = lock(&self.script).next(endpoint, &subject);
        let right =
            || self.limited(endpoint).unwrap_or_else(|| self.right(endpoint, message, fault.as_ref()));
        let answer = fault.as_ref().and_then(|fault| fault.instead(self.now())).unwrap_or_else(right);
        let answer = answer
            .with("Date", sign::spelled(self.now(), "GMT"))
            .with("x-request-id", Random::new(0x7265_7175, self.serial()).uuid());
        lock(&self.requests).push(Request {
            endpoint,
            method: message.method.clone(),
            target: message.target.clone(),
            headers: message.headers.clone(),
            body: message.body.clone(),
            status: answer.status,
            about: subject.about,
            fault: fault.clone(),
        });
        (answer, fault)
    }

    fn subject(&self, endpoint: Endpoint, message: &Message) -> Subject {
        match endpoint {
            Endpoint::Siem1 => siem1::subject(self, message),
            Endpoint::Presigned => presigned::subject(self, message),
            Endpoint::Batch => batch::subject(message),
            Endpoint::Stream => Subject { about: message.query("types").unwrap_or_default(), file: None },
            _ => Subject { about: String::from_utf8_lossy(&message.body).into_owned(), file: None },
        }
    }

    fn right(&self, endpoint: Endpoint, message: &Message, fault: Option<&Fault>) -> Answer {
        let method = match endpoint {
            Endpoint::Batch | Endpoint::Stream | Endpoint::Presigned => "GET",
            _ => "POST",
        };
        if endpoint == Endpoint::Other || message.method != method {
            return fault::error(404, "err_not_found", ErrorShape::Errors);
        }
        match endpoint {
            Endpoint::Discover => login::discover(self, message),
            Endpoint::Login => login::login(self, message),
            Endpoint::Siem1 => siem1::logs(self, message, fault),
            Endpoint::Audit => audit::events(self, message, fault),
            Endpoint::Categories => audit::categories(self, message),
            Endpoint::Token => oauth::token(self, message, fault),
            Endpoint::Batch => batch::page(self, message, fault),
            Endpoint::Stream => stream::page(self, message, fault),
            Endpoint::Presigned | Endpoint::Other => presigned::download(self, message, fault),
        }
    }

    /// Waits until `requests` have come here, this one among them, or the server stops.
    pub(crate) fn gather(&self, requests: u64) {
        let mut gathered = lock(&self.gathered);
        gathered.count += 1;
        let enough = gathered.count.next_multiple_of(requests.max(1));
        self.arrived.notify_all();
        while gathered.count < enough && !gathered.stopped {
            gathered = self.arrived.wait(gathered).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets go of everyone who waits.
    pub(crate) fn stop(&self) {
        lock(&self.gathered).stopped = true;
        self.arrived.notify_all();
    }

    /// Whether this signed request id is new.
    pub(crate) fn first_seen(&self, request_id: &str) -> bool {
        lock(&self.seen).insert(request_id.to_ascii_lowercase())
    }

    /// A refusal, where the limit on calls is reached.
    fn limited(&self, endpoint: Endpoint) -> Option<Answer> {
        let limit = self.options.limit?;
        let api = match endpoint {
            Endpoint::Siem1 | Endpoint::Audit => 0,
            Endpoint::Batch | Endpoint::Stream => 1,
            _ => return None,
        };
        let window = &mut lock(&self.windows)[api];
        let (since, calls) = window.get_or_insert_with(|| (Instant::now(), 0));
        let left = limit.window.saturating_sub(since.elapsed());
        if left.is_zero() {
            (*since, *calls) = (Instant::now(), 0);
        }
        *calls += 1;
        (*calls > limit.calls).then(|| fault::limited(limit.form, left.as_millis() as u64 + 1, self.now()))
    }
}

/// The instant `lifetime` from `now`.
pub(crate) fn after(now: Timestamp, lifetime: std::time::Duration) -> Timestamp {
    let lifetime = SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::ZERO);
    now.checked_add(lifetime).unwrap_or(Timestamp::MAX)
}
