//! Benches of every stage, and the generator of their input.

pub mod generate;
pub mod program;
