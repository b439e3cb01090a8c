//! `mimelake fetch`, `audit` and `login`: the APIs to the landing directory.

pub mod args;
mod convert;
mod log;
mod login;

use std::io::Write;
use std::path::Path;

use mimelake_fetch::{
    Api, Clock, Config, FetchError, Fetcher, Round, Scope, Setting, Stop, audit_categories, serve,
};
use mimelake_landing::put::{Access, replace};
use tracing::{error, info};

use self::args::{AuditArgs, FetchArgs, LogFormat, ServiceArgs};
use crate::exit::{self, Exit, Hinted};
use crate::interrupt;

use convert::Lake;
pub use login::login;

/// Runs `mimelake fetch`.
pub fn run(args: &FetchArgs) -> anyhow::Result<Exit> {
    let ended = serve_rounds(&args.service, &args.land, Scope::All, Lake::of(args).as_ref());
    logged(&args.service, ended)
}

/// Runs `mimelake audit`.
pub fn audit(args: &AuditArgs) -> anyhow::Result<Exit> {
    match &args.land {
        Some(land) if !args.categories => {
            logged(&args.service, serve_rounds(&args.service, land, Scope::Audit, None))
        }
        _ => logged(&args.service, categories(&args.service)),
    }
}

/// Has an error stand in the log where that is for programs.
fn logged(args: &ServiceArgs, ended: anyhow::Result<Exit>) -> anyhow::Result<Exit> {
    match ended {
        Err(error) if args.log_format == LogFormat::Json => Ok(log(&error)),
        ended => ended,
    }
}

/// Has an error stand in the log; returns how the program ends by it.
fn log(error: &anyhow::Error) -> Exit {
    let exit = exit::by_error(error);
    match exit {
        Exit::Done => {}
        Exit::Interrupted => info!("{}", exit::INTERRUPTED),
        _ => error!(hint = exit::hint(error), "{}", exit::said_once(error)),
    }
    exit
}

/// Fetches once or for good; after each round converts, writes the status, and says how it went.
fn serve_rounds(
    args: &ServiceArgs,
    land: &Path,
    scope: Scope,
    lake: Option<&Lake<'_>>,
) -> anyhow::Result<Exit> {
    log::start(args);
    let stop = Stop::default();
    let asked = stop.clone();
    interrupt::listen_and(move || asked.request());
    let setting = Setting { stop: stop.clone(), ..Setting::default() };
    let config = Config::read(&args.config).map_err(|error| hinted(error.into()))?;
    let fetcher = Fetcher::new(&config, land, &args.source, scope, setting).map_err(hinted)?;
    if let Some(address) = args.metrics {
        let bound =
            serve(address, fetcher.status().clone(), Clock::system()).map_err(|e| hinted(e.into()))?;
        info!("metrics at http://{bound}/metrics");
    }
    let after = |round: &Round| -> Exit {
        let converted = match lake {
            None => Ok(Exit::Done),
            Some(_) if stop.is_requested() => Ok(Exit::Interrupted),
            // The closing table is for people.
            Some(lake) => lake.keep_current(land, args.quiet || args.log_format == LogFormat::Json),
        };
        let written = write_status(args, &fetcher).map(|()| Exit::Done);
        let totals = fetcher.status().totals();
        info!(files = totals.files, bytes = totals.bytes, known = totals.known, "landed so far");
        let ends = [converted, written].map(|ended| ended.unwrap_or_else(|error| log(&error)));
        ends.into_iter().fold(exit_of(round, &fetcher), Exit::max)
    };
    if !args.follow {
        return Ok(after(&fetcher.round()));
    }
    let followed = fetcher.follow(args.interval, |round| {
        after(round);
        if round.is_hopeless() { Err(Hopeless) } else { Ok(()) }
    });
    Ok(if followed.is_err() { Exit::Failed } else { Exit::Done })
}

/// No source can be fetched, and waiting does not help.
struct Hopeless;

/// How a run ends by what came of a round; the errors were logged as they were met.
fn exit_of(round: &Round, fetcher: &Fetcher) -> Exit {
    let totals = fetcher.status().totals();
    let is_all_there = totals.quarantined == 0 && totals.gaps == 0;
    let exits = round.failures.iter().map(|failure| match &failure.error {
        FetchError::Stopped => Exit::Interrupted,
        error if error.passes() => Exit::Passing,
        _ => Exit::Failed,
    });
    exits.fold(if is_all_there { Exit::Done } else { Exit::Rejects }, Exit::max)
}

fn write_status(args: &ServiceArgs, fetcher: &Fetcher) -> anyhow::Result<()> {
    let Some(path) = &args.status_file else { return Ok(()) };
    let status = fetcher.status().json(Clock::system().now());
    replace(path, format!("{status:#}\n").as_bytes(), Access::Shared).map_err(|error| hinted(error.into()))
}

/// Prints the categories of audit events, as each source's API lists them.
fn categories(args: &ServiceArgs) -> anyhow::Result<Exit> {
    log::start(args);
    let config = Config::read(&args.config).map_err(|error| hinted(error.into()))?;
    let name = one_source(&config, args.source.first().map(String::as_str), None)?;
    let source = config.source(&name).map_err(|error| hinted(error.into()))?;
    let names = audit_categories(source, &Setting::default()).map_err(hinted)?;
    let lines: String =
        names.iter().map(|name| mimelake_landing::one_line(name).to_string() + "\n").collect();
    std::io::stdout().lock().write_all(lines.as_bytes())?;
    Ok(Exit::Done)
}

/// Returns the named source, or the only one there is of this API.
fn one_source(config: &Config, name: Option<&str>, api: Option<Api>) -> anyhow::Result<String> {
    if let Some(name) = name {
        return Ok(name.to_owned());
    }
    let mut known = config.sources.iter().filter(|(_, source)| api.is_none_or(|api| source.api == api));
    match (known.next(), known.next()) {
        (Some((name, _)), None) => Ok(name.clone()),
        (None, _) => Err(Hinted::error("no source of this API", "add one to the configuration")),
        _ => {
            let names: Vec<_> = config.sources.keys().map(String::as_str).collect();
            Err(Hinted::error("which source?", format!("--source with one of {}", names.join(", "))))
        }
    }
}

/// The error with its hint, as the program says errors.
fn hinted(error: FetchError) -> anyhow::Error {
    match error.hint().map(str::to_owned) {
        Some(hint) if error.passes() => Hinted::passing(error.to_string(), hint),
        Some(hint) => Hinted::error(error.to_string(), hint),
        None => error.into(),
    }
}
