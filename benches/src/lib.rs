//! Input generator for benches and tests.
