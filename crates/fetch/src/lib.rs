//! The Mimecast APIs 1.0 and 2.0 to the landing directory: every log once, whatever happens.
//!
//! A file is complete, checked and on the disk before the cursor moves, so a crash repeats and never skips; what is
//! repeated is known by what it holds and not landed twice. What passes is tried again within bounds, what does not
//! stops with an error that says what to mend.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use mimelake_fetch::{Config, Fetcher, Scope, Setting};
//!
//! let config = Config::read(Path::new("mimelake.toml"))?;
//! let fetcher = Fetcher::new(&config, Path::new("landing"), &[], Scope::All, Setting::default())?;
//! for failure in fetcher.round().failures {
//!     eprintln!("{}: {}", failure.source, failure.error);
//! }
//! # Ok::<(), mimelake_fetch::FetchError>(())
//! ```

mod answer;
mod audit;
mod bearer;
mod brackets;
mod client;
mod clock;
mod config;
mod cursor;
mod error;
mod fetcher;
mod lean;
mod limits;
mod login;
mod metrics;
mod secret;
mod siem1;
mod siem2;
mod sign;
mod status;
mod stream;

pub use client::{Patience, Setting};
pub use clock::{Clock, Stop};
pub use config::{Api, Audit, Config, FileFormat, Source, parse_span};
pub use error::{ConfigError, FetchError};
pub use fetcher::{Failure, Fetcher, Round, Scope, audit_categories};
pub use login::{Credentials, DISCOVERY, KeyPair, login};
pub use metrics::serve;
pub use secret::{FromEnv, FromFile, Secret, SecretSource};
pub use status::{Status, Totals};
