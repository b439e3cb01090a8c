//! One record of bytes in, one borrowed, typed event out.
//!
//! [`Reader`] takes windows of a file's bytes, cuts them into records, accounts for every line, and
//! hands each record to a [`Sink`] as an [`Event`]. It does no I/O, and allocates nothing for a value:
//! events borrow from the window and from an arena that is emptied when they have been handed over.
//!
//! ```
//! use mimelake_parse::{Collector, Format, Reader};
//! use mimelake_schema::{EventType, Field};
//!
//! let line = b"datetime=2017-05-26T19:24:18+0100|aCode=015vTYvNN-Wn30v7M5MzNw|Hld=Spm|Act=Hld\n";
//! let mut reader = Reader::new(Format::KeyValue, "process_20170526.siem");
//! let mut collector = Collector::default();
//! reader.read(line, 0, true, &mut collector).unwrap();
//! let event = &collector.events[0];
//! assert_eq!(event.event_type, EventType::Process);
//! assert_eq!(event.columns["hold_reason"], "Spm");
//! ```

mod account;
mod build;
mod collector;
mod event;
mod json;
pub mod kv;
mod memo;
mod pair;
mod reader;
mod shape;
mod sink;
mod typed;
mod value;

pub use account::Account;
pub use collector::{Collected, Collector};
pub use event::{Event, Flag, Flags};
pub use pair::{Form, MAX_PAIRS, Pair, Span};
pub use reader::{Format, MAX_RECORD, Reader};
pub use sink::{Reason, Reject, Sink};
pub use typed::time;
pub use value::{ExtraPair, Value, Verdict, Verdicts};
