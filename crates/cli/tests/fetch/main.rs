//! The commands that call Mimecast, against the stand-in.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod commands;
mod kill;
mod memory;
mod secrets;
mod service;
mod stage;
