//! The program as its users meet it: run as a process on files, its output read back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share is outside of test functions, and a test that cannot go on fails"
)]

mod archive;
mod commands;
mod containers;
mod correlate;
mod cuts;
mod forced;
mod grown;
mod hostile;
mod incremental;
mod kill;
mod lake;
mod runs;
mod sample;
mod spread;
mod streams;
mod together;
mod trace;
