//! The landing directory: find inputs, tell containers by their bytes, open, inflate, and hand out a window of
//! bytes.
//!
//! ```no_run
//! use mimelake_landing::{BLOCK, Limits, Opener, Window, find, units};
//!
//! let limits = Limits::default();
//! let mut opener = Opener::new(limits);
//! for found in find(&["landing".to_owned()])? {
//!     for unit in units(&found, &limits)?.units {
//!         let mut window = Window::new(opener.open(&unit)?, BLOCK);
//!         while window.fill()? > 0 {
//!             let whole = window.bytes().len();
//!             window.consume(whole);
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is damaged is read up to the damage: every byte decoded before it is delivered, then the [`LandingError`]
//! that names file, byte and reason. One bad member never hides the others.

mod bytes;
mod error;
mod find;
mod format;
mod limits;
mod listing;
mod open;
pub mod put;
#[cfg(test)]
mod samples;
mod spool;
mod stream;
mod unit;
mod window;
mod zip;

pub use error::{LandingError, Reason, one_line};
pub use find::{Found, FoundKind, find};
pub use format::Format;
pub use limits::Limits;
pub use listing::{Listing, units, units_of_bytes, units_of_stream};
pub use open::{Opener, UnitReader};
pub use unit::Unit;
pub use window::{BLOCK, Window};
