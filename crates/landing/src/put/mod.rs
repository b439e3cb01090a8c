//! Put: how a file gets into the landing directory whole, once, and for good.
//!
//! A file is written to a temporary name, checked, synced, renamed, and its folder synced; only then may the caller
//! move its cursor. What was landed is remembered by what it holds, so that a repeat is known even under another
//! name.
//!
//! ```
//! use mimelake_landing::put::{Expect, Folder, Landed};
//!
//! let land = tempfile::tempdir()?;
//! let folder = Folder::open(land.path(), "C0A0", "siem-v1")?;
//! let mut incoming = folder.incoming()?;
//! incoming.write(b"datetime=2026-03-02T09:00:00+0000|aCode=x\n")?;
//! let whole = incoming.check("receipt_20260302.siem", Expect::Anything).map_err(|bad| bad.damage)?;
//! let landed = folder.land(whole, "2026/03/02")?;
//! assert!(matches!(landed, Landed::New(path) if path.ends_with("2026/03/02/receipt_20260302.siem")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod disk;
mod error;
mod folder;
mod incoming;
mod index;
mod lock;
mod name;

pub use disk::{Access, can_replace, replace};
pub use error::PutError;
pub use folder::{Folder, Landed};
pub use incoming::{Bad, Expect, Incoming, Whole};
pub use index::Identity;
pub use name::safe_name;

#[cfg(test)]
mod tests;
