//! All sources of a run, round after round.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mimelake_landing::put::Folder;
use mimelake_schema::EventType;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, LocalSet};
use tracing::{debug, error, info, warn};

use crate::audit;
use crate::client::{Client, Setting};
use crate::config::{Api, Config, Source};
use crate::error::{ConfigError, FetchError};
use crate::siem1::{self, Wanted};
use crate::siem2::{self, Calls};
use crate::status::{AUDIT, Status};
use crate::stream::Stream;

/// What of each source is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The logs, and the audit events where the configuration has them.
    All,
    /// The audit events only.
    Audit,
}

/// The sources of a configuration on their way to a landing directory, whose parts it holds.
#[derive(Debug)]
pub struct Fetcher {
    runtime: Runtime,
    accounts: Vec<Account>,
    setting: Setting,
    status: Status,
}

/// One source.
#[derive(Debug, Clone)]
struct Account {
    name: String,
    source: Arc<Source>,
    client: Arc<Client>,
    logs: Option<Arc<Folder>>,
    audit: Option<Arc<Folder>>,
    calls: Calls,
    /// Types that were said to be unlicensed.
    unlicensed: Arc<Mutex<HashSet<EventType>>>,
}

/// What came of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// The sources that did not come to their end, and why.
    pub failures: Vec<Failure>,
    /// How many sources there were.
    pub sources: usize,
}

/// A source that did not come to its end.
#[derive(Debug)]
pub struct Failure {
    /// The source's name.
    pub source: String,
    /// Why.
    pub error: FetchError,
    /// Whether no stream of the source came to its end, or would by itself.
    pub is_whole: bool,
}

impl Round {
    /// Whether no source can be fetched, and that does not pass by itself.
    pub fn is_hopeless(&self) -> bool {
        let refused = |failure: &&Failure| {
            failure.is_whole && matches!(failure.error, FetchError::Refused { .. } | FetchError::Config(_))
        };
        let names: HashSet<_> = self.failures.iter().filter(refused).map(|f| &f.source).collect();
        names.len() == self.sources
    }
}

impl Fetcher {
    /// Returns the sources, ready to be fetched; those named in `only`, or all where none is.
    ///
    /// # Errors
    /// A name is no source's, a secret cannot be had, or another run holds a part of the landing directory.
    pub fn new(
        config: &Config,
        land: &Path,
        only: &[String],
        scope: Scope,
        setting: Setting,
    ) -> Result<Self, FetchError> {
        let runtime = runtime()?;
        let mut accounts = Vec::new();
        for (name, source) in config.chosen(only)? {
            if scope == Scope::Audit && source.audit.is_none() {
                continue;
            }
            let named =
                |error: ConfigError| ConfigError::new(format!("source.{name}: {error}"), error.hint());
            let part = match source.api {
                Api::V1 => "siem-v1",
                Api::V2 => "siem-v2",
            };
            let open = |wanted: bool, part: &str| {
                wanted.then(|| Folder::open(land, &source.account, part).map(Arc::new)).transpose()
            };
            accounts.push(Account {
                name: name.to_owned(),
                client: Arc::new(Client::new(source, &setting).map_err(named)?),
                logs: open(scope == Scope::All, part)?,
                audit: open(source.audit.is_some(), AUDIT)?,
                source: Arc::new(source.clone()),
                calls: Calls::default(),
                unlicensed: Arc::default(),
            });
        }
        if accounts.is_empty() {
            let hint = "add a table [source.NAME.audit] with categories = […]";
            return Err(ConfigError::new("no source has audit events to fetch", hint).into());
        }
        Ok(Self { runtime, accounts, setting, status: Status::default() })
    }

    /// Returns the state of all streams, kept up to date.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Fetches everything there is, from all sources at a time; returns once each is caught up or failed.
    pub fn round(&self) -> Round {
        let mut round = Round { failures: Vec::new(), sources: self.accounts.len() };
        round.failures = LocalSet::new().block_on(&self.runtime, async {
            let mut running = JoinSet::new();
            for account in &self.accounts {
                running.spawn_local(account.clone().fetch(self.status.clone()));
            }
            running.join_all().await.into_iter().flatten().collect()
        });
        round.failures.sort_by(|a, b| a.source.cmp(&b.source));
        round
    }

    /// Fetches every `interval`, calling `each` after every round, until it is asked to stop or `each` says so.
    ///
    /// # Errors
    /// What `each` returns.
    pub fn follow<E>(
        &self,
        interval: Duration,
        mut each: impl FnMut(&Round) -> Result<(), E>,
    ) -> Result<(), E> {
        while !self.setting.stop.is_requested() {
            let began = self.setting.clock.now();
            let round = self.round();
            each(&round)?;
            let took = Duration::try_from(self.setting.clock.now().duration_since(began)).unwrap_or_default();
            let rest = interval.saturating_sub(took);
            // Being asked to stop ends the wait, and then the loop.
            _ = self.runtime.block_on(self.setting.clock.wait(rest, &self.setting.stop));
        }
        Ok(())
    }
}

impl Config {
    /// Returns the named sources, or all where none is named.
    fn chosen<'a>(&'a self, only: &'a [String]) -> Result<Vec<(&'a str, &'a Source)>, ConfigError> {
        if only.is_empty() {
            return Ok(self.sources.iter().map(|(name, source)| (name.as_str(), source)).collect());
        }
        // Named twice it is one all the same.
        let only: BTreeSet<_> = only.iter().map(String::as_str).collect();
        only.into_iter().map(|name| Ok((name, self.source(name)?))).collect()
    }

    /// Returns the source of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn source(&self, name: &str) -> Result<&Source, ConfigError> {
        self.sources.get(name).ok_or_else(|| {
            let names: Vec<_> = self.sources.keys().map(String::as_str).collect();
            ConfigError::new(format!("no source {name:?}"), format!("the sources are {}", names.join(", ")))
        })
    }
}

impl Account {
    async fn fetch(self, status: Status) -> Vec<Failure> {
        let logs = match (&self.logs, self.source.api) {
            (None, _) => Vec::new(),
            (Some(folder), Api::V1) => {
                let stream = self.stream(folder, &status, "siem-v1");
                let wanted = Wanted { format: self.source.file_format, compress: self.source.compress };
                vec![end(&stream, siem1::fetch(&stream, wanted).await)]
            }
            (Some(folder), Api::V2) => self.batches(folder, &status).await,
        };
        let is_over = logs.iter().any(|ended| {
            matches!(ended, Err(FetchError::Stopped | FetchError::Refused { is_general: true, .. }))
        });
        let mut audited = None;
        if let (Some(folder), Some(wanted), false) = (&self.audit, &self.source.audit, is_over) {
            let stream = self.stream(folder, &status, AUDIT);
            audited = Some(end(&stream, audit::fetch(&stream, wanted).await));
        }
        let is_lasting = |ended: &Result<(), FetchError>| ended.as_ref().is_err_and(|error| !error.passes());
        let is_whole = logs.iter().chain(&audited).all(is_lasting);
        let audited = audited.and_then(Result::err);
        let errors = worst(logs).into_iter().chain(audited);
        errors.map(|error| Failure { source: self.name.clone(), error, is_whole }).collect()
    }

    fn stream(&self, folder: &Arc<Folder>, status: &Status, name: &str) -> Stream {
        let watch = status.watch(&self.name, name);
        Stream { client: Arc::clone(&self.client), folder: Arc::clone(folder), watch }
    }

    /// Fetches each event type and returns how each that is licensed ended. What stops one does not stop the others,
    /// unless it is the disk or the login.
    async fn batches(&self, folder: &Arc<Folder>, status: &Status) -> Vec<Result<(), FetchError>> {
        let mut types = match self.source.types() {
            Ok(types) => types,
            Err(error) => return vec![Err(error.into())],
        };
        // Whether others come is known once these have failed.
        types.sort_by_key(|event_type| !siem2::is_stuck(folder, *event_type));
        let round = siem2::Round::new(&self.calls, self.source.start);
        let mut all = Vec::new();
        for event_type in &types {
            let name = format!("siem-v2/{}", event_type.table());
            let stream = self.stream(folder, status, &name);
            let fetched = siem2::fetch(&stream, *event_type, &round).await;
            let is_licensed = !matches!(fetched, Ok(false));
            stream.watch.update(|status| status.unlicensed = !is_licensed);
            let ended = end(&stream, fetched.map(|_| ()));
            if !is_licensed {
                self.say_unlicensed(*event_type);
                continue;
            }
            let is_over = matches!(
                ended,
                Err(FetchError::Put(_)
                    | FetchError::Config(_)
                    | FetchError::Stopped
                    | FetchError::Refused { is_general: true, .. })
            );
            all.push(ended);
            if is_over {
                break;
            }
        }
        if let Err(error) = round.end(self.client.clock.now()) {
            all.push(Err(error));
        }
        if all.is_empty() {
            all.push(Err(FetchError::Refused {
                call: "siem-v2".to_owned(),
                what: "none of the event types is licensed".to_owned(),
                hint: "check the application's products in Mimecast's console, and `types`".to_owned(),
                is_general: false,
            }));
        }
        all
    }

    fn say_unlicensed(&self, event_type: EventType) {
        let mut said = self.unlicensed.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(event_type) {
            let table = event_type.table();
            warn!(source = self.name, "{table} is not licensed for this account; going on with the others");
        }
    }
}

/// Returns the error that says most of how a run ends: the first that does not pass, or else that it was stopped.
fn worst(ended: Vec<Result<(), FetchError>>) -> Option<FetchError> {
    ended.into_iter().filter_map(Result::err).min_by_key(|error| match error {
        FetchError::Stopped => 1,
        error => 2 * u8::from(error.passes()),
    })
}

/// Has the status and the log say how a stream ended.
fn end(stream: &Stream, ended: Result<(), FetchError>) -> Result<(), FetchError> {
    stream.watch.update(|status| {
        status.error =
            ended.as_ref().err().filter(|e| !matches!(e, FetchError::Stopped)).map(ToString::to_string);
    });
    let name = stream.watch.stream();
    match &ended {
        Ok(()) => debug!(stream = name, "ended"),
        Err(FetchError::Stopped) => info!(stream = name, "stopped as asked"),
        Err(failed) => error!(stream = name, hint = failed.hint(), "{failed}"),
    }
    ended
}

/// Returns a runtime: one thread for connections, and a few for the disk.
pub(crate) fn runtime() -> Result<Runtime, ConfigError> {
    let built = Builder::new_current_thread().enable_all().max_blocking_threads(8).build();
    built.map_err(|error| ConfigError::new(format!("cannot start: {error}"), "raise the limit on open files"))
}

/// Returns the categories of audit events that the source's API knows.
///
/// # Errors
/// As fetching.
pub fn audit_categories(source: &Source, setting: &Setting) -> Result<Vec<String>, FetchError> {
    let client = Client::new(source, setting)?;
    runtime()?.block_on(audit::categories(&client))
}
