//! The stand-in as a client meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

mod client;
mod faults;
mod first;
mod second;
