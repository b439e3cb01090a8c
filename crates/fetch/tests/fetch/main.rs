//! Fetching from the stand-in, and every way in which it misbehaves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod audit;
mod giving_up;
mod lab;
mod login;
mod moving_on;
mod patience;
mod property;
mod siem1;
mod siem2;
