//! Golden files: each input of `testdata` as native rows and as ECS documents.
//!
//! `MIMELAKE_ACCEPT=1 cargo test -p mimelake --test golden` takes over what the program writes now; the diff
//! of the golden files then says what changed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// What the program writes to stdout for one input, its path being relative to `testdata`.
fn converted(input: &Path, schema: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mimelake"))
        .args(["convert", "-o", "-", "--quiet", "--schema", schema])
        .arg(input)
        .current_dir(testdata())
        .output()
        .unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(pretty).collect()
}

/// One document with a member on each line, so that a diff names what changed.
fn pretty(line: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(line).unwrap();
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

/// The lines that differ, with the line number in the expected file.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let first = expected.iter().zip(&found).take_while(|(a, b)| a == b).count();
    let mut out = String::new();
    for (sign, lines) in [("-", &expected), ("+", &found)] {
        for line in lines.iter().skip(first).take(6) {
            _ = writeln!(out, "  {sign} {line}");
        }
    }
    format!("from line {} on:\n{out}", first + 1)
}

fn check(input: &Path, schema: &str, failures: &mut Vec<String>) {
    compare(input, schema, &converted(input, schema), failures);
}

fn compare(input: &Path, schema: &str, found: &str, failures: &mut Vec<String>) {
    let name = format!("{}.{schema}.json", input.file_name().unwrap().to_string_lossy());
    let golden = testdata().join(input).with_file_name(name);
    if std::env::var_os("MIMELAKE_ACCEPT").is_some() {
        std::fs::write(&golden, found).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    if expected != found {
        failures.push(format!("{} differs {}", golden.display(), difference(&expected, found)));
    }
}

fn inputs() -> Vec<PathBuf> {
    let mut inputs = vec![PathBuf::from("seeds.log"), PathBuf::from("seeds.json")];
    for table in std::fs::read_dir(testdata().join("golden")).unwrap() {
        let table = table.unwrap().path();
        for name in ["kv.log", "json1.json", "json2.ndjson"] {
            let input = table.join(name);
            if input.exists() {
                inputs.push(input.strip_prefix(testdata()).unwrap().to_owned());
            }
        }
    }
    inputs.sort();
    inputs
}

/// A status each, and what messages say of it.
#[test]
fn golden_messages() {
    let input = Path::new("golden/messages/joined.log");
    let mut failures = Vec::new();
    for schema in ["native", "ecs"] {
        compare(input, schema, &joined(input, schema), &mut failures);
    }
    let text = std::fs::read_to_string(testdata().join("golden/messages/joined.log.native.json")).unwrap();
    for status in [
        "delivered",
        "partially_delivered",
        "deferred",
        "bounced",
        "rejected",
        "held",
        "dropped",
        "in_progress",
    ] {
        assert!(text.contains(&format!("\"status\": \"{status}\"")), "no message is {status}");
    }
    assert!(failures.is_empty(), "{}\nMIMELAKE_ACCEPT=1 accepts them", failures.join("\n"));
}

/// What the program joins one input to.
fn joined(input: &Path, schema: &str) -> String {
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mimelake"))
        .args(["correlate", "--to", "ndjson", "--quiet", "--schema", schema, "-o"])
        .arg(out.path())
        .arg(input)
        .current_dir(testdata())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = out.path().join("messages/event_date=2026-03-04/part-00-of-01.ndjson");
    std::fs::read_to_string(file).unwrap().lines().map(pretty).collect()
}

#[test]
fn golden_files() {
    let inputs = inputs();
    assert!(inputs.len() > 30, "the golden inputs are missing: {inputs:?}");
    let mut failures = Vec::new();
    for input in &inputs {
        for schema in ["native", "ecs"] {
            check(input, schema, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}\nMIMELAKE_ACCEPT=1 accepts them", failures.join("\n"));
}
