//! A stand-in for Mimecast's APIs 1.0 and 2.0 on 127.0.0.1: it serves logs from a folder or made up on the spot,
//! checks signatures and bearer tokens by itself, and misbehaves by script.
//!
//! ```
//! use mimelake_mock::{At, Content, Endpoint, Fault, Generate, Mock, Options, Rule};
//!
//! let mock = Mock::start(Options {
//!     content: Content::generated(Generate { files: 12, ..Generate::default() }),
//!     script: vec![Rule::new(Endpoint::Siem1, Fault::Close { at: At::Body(100), chunked: None }).on(2..=3)].into(),
//!     ..Options::default()
//! })?;
//! assert!(mock.requests().is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```

mod archive;
mod audit;
mod batch;
mod content;
pub mod credentials;
mod cursor;
mod fault;
mod generate;
mod http;
mod login;
mod oauth;
mod options;
mod presigned;
mod random;
mod script;
mod server;
mod siem1;
mod sign;
mod state;
mod stream;

pub use audit::AuditEvent;
pub use content::{Content, File, FileFormat, Sequence};
pub use fault::{At, ErrorShape, Fault, LimitForm};
pub use generate::Generate;
pub use options::{AuditNext, Limit, Options};
pub use script::{Endpoint, Rule, Script};
pub use server::Mock;
pub use sign::signature;
pub use state::Request;
