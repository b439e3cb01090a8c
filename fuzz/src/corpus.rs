//! The corpus, for the tests that replay it.

use std::fs;
use std::path::Path;

/// Runs `check` on every input of a fuzz target's corpus.
///
/// # Panics
/// The corpus is missing or empty, or the check fails: the name of the input is then the last one printed.
pub fn replay(target: &str, check: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", directory.display());
    for input in inputs {
        println!("{}", input.display());
        check(&fs::read(&input).unwrap());
    }
}
