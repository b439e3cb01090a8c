//! Fetching from the stand-in, and every way in which it misbehaves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod lab;
mod siem1;
