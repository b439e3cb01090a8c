//! Tests of the store, and the little planner they share.

mod crash;
pub(super) mod fault;
mod lookups;
mod opening;
mod records;
mod swaps;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;

const KIND: &str = "ndjson/ecs";

fn open(out: &Path) -> Store {
    Store::open(out, KIND, Wait::Fail).unwrap()
}

/// The key of a whole content.
fn key(content: &str) -> UnitKey {
    UnitKey::whole(content.len() as u64, blake3::hash(content.as_bytes()).into())
}

/// The key of a slice of a content.
fn slice(content: &str, start: usize, end: usize) -> UnitKey {
    let digest = blake3::hash(&content.as_bytes()[start..end]).into();
    UnitKey { len: content.len() as u64, start: start as u64, end: end as u64, digest, crc32: None }
}

fn unit(index: u32, key: UnitKey) -> CommittedUnit {
    CommittedUnit { index, name: String::new(), key, packed: None, alias: false }
}

fn stamp(path: &str, len: usize) -> FileStamp {
    FileStamp { path: path.into(), len: len as u64, modified_ns: 7 }
}

/// A plain file of this content, read by one job.
fn plain(path: &str, content: &str) -> CommittedInput {
    let units = vec![unit(0, key(content))];
    CommittedInput { stamp: stamp(path, content.len()), listing: Listing::Plain, damage: None, units }
}

fn commit(store: &Store, inputs: Vec<CommittedInput>) -> Commit {
    store.begin().unwrap().commit(inputs, Counts::default()).unwrap()
}

/// Converts the contents in one job: a row for each in two partitions, and a reject.
fn convert(store: &Store, contents: &[&str], replaces: Vec<CommitId>) -> Result<Commit> {
    let mut job = store.begin()?;
    for date in ["2026-01-31", "unknown"] {
        let mut part = job.create("receipt", date, Extension::Ndjson)?;
        for content in contents {
            writeln!(part, "{content}").unwrap();
        }
        part.finish(contents.len() as u64)?;
    }
    for content in contents {
        writeln!(job.quarantine()?, "{content}").unwrap();
    }
    job.replace(replaces);
    let inputs = contents.iter().map(|content| plain(content, content)).collect();
    job.commit(inputs, Counts { records: 2, rejected: 1, blank: 0, lines: 3 })
}

/// The visible files below `out` that are ours or could be, as paths relative to it.
fn visible(out: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(out, &mut |path| {
        let name = path.strip_prefix(out).unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("_mimelake") {
            found.insert(name);
        }
    });
    found
}

fn walk(directory: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// The files that live commits name.
fn named(store: &Store) -> BTreeSet<String> {
    let log = log::load(&store.layout, KIND).unwrap();
    let void: BTreeSet<_> = log.void.iter().map(|commit| commit.id.clone()).collect();
    let mut named = BTreeSet::new();
    for file in &log.files {
        for line in fs::read(file).unwrap().split_inclusive(|&byte| byte == b'\n') {
            let commit: Commit = record::decode(line).unwrap();
            if !void.contains(&commit.id) {
                let parts = commit.parts.iter();
                named.extend(parts.map(|p| format!("{}/event_date={}/{}", p.table, p.date, p.name)));
                named.extend(commit.quarantine.map(|name| format!("_quarantine/{name}")));
            }
        }
    }
    named
}

/// All visible rows, each with its directory, sorted.
fn rows(out: &Path) -> Vec<String> {
    let mut rows = Vec::new();
    for file in visible(out) {
        let directory = file.rsplit_once('/').unwrap().0;
        let text = fs::read_to_string(out.join(&file)).unwrap();
        rows.extend(text.lines().map(|row| format!("{directory}: {row}")));
    }
    rows.sort();
    rows
}
