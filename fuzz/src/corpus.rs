//! The corpus, for the tests that replay it.

use std::path::Path;
use std::{fs, io};

/// Runs `check` on every input of a fuzz target's corpus.
///
/// # Errors
/// The corpus cannot be read.
///
/// # Panics
/// The corpus is empty, or an input fails: its path is then the last one printed.
#[expect(clippy::print_stdout, reason = "a test that fails shows it")]
pub fn replay(target: &str, check: fn(&[u8])) -> io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    println!("{}", directory.display());
    let entries = fs::read_dir(&directory)?.map(|entry| Ok(entry?.path()));
    let mut inputs = entries.collect::<io::Result<Vec<_>>>()?;
    inputs.sort();
    assert!(!inputs.is_empty(), "the corpus is empty");
    for input in inputs {
        println!("{}", input.display());
        check(&fs::read(&input)?);
    }
    Ok(())
}
