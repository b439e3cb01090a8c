//! The archive of the test data, converted in every way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::lake::{Row, documents, files, quarantine, rows, snapshot, tables};
use crate::runs::Place;

const TABLES: [&str; 12] = [
    "attachment_protect",
    "audit",
    "av",
    "delivery",
    "impersonation_protect",
    "internal_email_protect",
    "journal",
    "process",
    "receipt",
    "spam",
    "unknown",
    "url_protect",
];

/// The directory of the test data.
pub fn testdata() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// A place with a copy of the archive in `archive`.
pub fn place() -> Place {
    let place = Place::new();
    let from = testdata().join("archive");
    for path in files(&from) {
        let name = Path::new("archive").join(path.strip_prefix(&from).unwrap());
        place.write(name.to_str().unwrap(), fs::read(path).unwrap());
    }
    place
}

/// What `archive.json` says of each file: lines, records, rejected, blank, continued.
fn expected() -> BTreeMap<String, [u64; 5]> {
    let text = fs::read(testdata().join("archive.json")).unwrap();
    let all: Value = serde_json::from_slice(&text).unwrap();
    let counts = |file: &Value| {
        ["lines", "records", "rejected", "blank", "continued"].map(|name| file[name].as_u64().unwrap())
    };
    let files = all["files"].as_object().unwrap().iter();
    files.map(|(name, file)| (format!("archive/{name}"), counts(file))).collect()
}

fn count<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name.to_owned()).or_default() += 1);
    counts
}

#[test]
fn everything_is_accounted_for() {
    let place = place();
    let (report, ran) = place.convert("archive");
    let ran = ran.exits(1);
    assert_eq!(ran.stdout, b"", "data and messages are kept apart");
    let expected = expected();
    let total = |at: usize| expected.values().map(|file| file[at]).sum::<u64>();
    assert_eq!(report["lines"], total(0));
    // A record that spans lines counts each of them.
    assert_eq!(report["records"], total(1) + total(4));
    assert_eq!(report["rejected"], total(2));
    assert_eq!(report["blank"], total(3));
    assert_eq!(report["continued"], total(4));
    assert_eq!(report["files"]["unreadable"], 1, "the cut delivery file");

    let rows = rows(&place.path("out"));
    let by_table = tables(&rows);
    assert_eq!(by_table.keys().copied().collect::<Vec<_>>(), TABLES);
    for (table, count) in &by_table {
        assert_eq!(report["tables"][table]["records"], *count, "{table}");
    }
    assert_eq!(rows.len() as u64, total(1));
    let by_file = count(rows.iter().map(|row| row.get("source_file")));
    let records = expected.iter().filter(|(_, file)| file[1] > 0);
    assert_eq!(by_file, records.map(|(name, file)| (name.clone(), file[1])).collect());
}

#[test]
fn the_quarantine_gives_back_every_byte() {
    let place = place();
    place.convert("archive").1.exits(1);
    let lines = quarantine(&place.path("out"));
    let mut rejected = BTreeMap::new();
    for line in &lines {
        let file = line["source_file"].as_str().unwrap();
        let [offset, length] = ["source_offset", "length"].map(|name| line[name].as_u64().unwrap() as usize);
        let stated = match (&line["record"], &line["record_base64"]) {
            (Value::String(text), Value::Null) => text.as_bytes().to_vec(),
            (Value::Null, Value::String(text)) => STANDARD.decode(text).unwrap(),
            _ => panic!("either text or base64: {line}"),
        };
        let bytes = content(&place, file);
        assert_eq!(bytes[offset..offset + length], stated, "{line}");
        let recovered = line["recovered"].as_bool().unwrap();
        assert_eq!(recovered, line["reason"] == "invalid_utf8", "{line}");
        if !recovered {
            *rejected.entry(file.to_owned()).or_insert(0) += 1;
        }
    }
    let expected = expected().into_iter().filter(|(_, file)| file[2] > 0).map(|(name, file)| (name, file[2]));
    assert_eq!(rejected, expected.collect());
}

/// The content of a plain or gzip file, as far as it goes.
fn content(place: &Place, file: &str) -> Vec<u8> {
    let bytes = fs::read(place.path(file)).unwrap();
    if !bytes.starts_with(b"\x1f\x8b") {
        return bytes;
    }
    let mut content = Vec::new();
    _ = flate2::bufread::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut content);
    content
}

#[test]
fn a_second_run_changes_nothing() {
    let place = place();
    let (first, _) = place.convert("archive");
    let before = snapshot(&place.path("out"));
    let (second, ran) = place.convert("archive");
    ran.exits(0);
    assert_eq!(second["files"]["read"], 0);
    assert_eq!(second["files"]["unchanged"], first["files"]["read"]);
    assert_eq!(second["lines"], 0);
    assert_eq!(snapshot(&place.path("out")), before);
}

#[test]
fn a_selection_of_tables() {
    let place = place();
    place.convert("archive").1.exits(1);
    let wanted = |row: &Row| ["receipt", "spam"].contains(&row.table.as_str());
    let expected: Vec<Row> = rows(&place.path("out")).into_iter().filter(wanted).collect();
    place.run("convert archive -o few --tables receipt,spam").exits(1);
    assert_eq!(rows(&place.path("few")), expected);
}

#[test]
fn original_keeps_the_record() {
    let place = place();
    place.convert("archive --original").1.exits(1);
    let mut seen = 0;
    for row in rows(&place.path("out")) {
        let (file, original) = (row.get("source_file"), row.get("original"));
        assert!(!original.is_empty(), "{row:?}");
        if file.contains(".zip!") || row.get("flags").contains("invalid_utf8") {
            continue;
        }
        let offset: usize = row.get("source_offset").parse().unwrap();
        let bytes = content(&place, file);
        assert_eq!(&bytes[offset..offset + original.len()], original.as_bytes(), "{file} at {offset}");
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn any_number_of_threads_gives_the_same_rows() {
    let place = place();
    for threads in [1, 2, 4] {
        place.run(&format!("convert archive -o out{threads} --threads {threads}")).exits(1);
    }
    let one = rows(&place.path("out1"));
    assert_eq!(one.len(), 246);
    assert!(rows(&place.path("out2")) == one);
    assert!(rows(&place.path("out4")) == one);
}

#[test]
fn every_format_has_every_row() {
    let place = place();
    place.convert("archive").1.exits(1);
    let native = rows(&place.path("out"));
    let ways = ["--to ndjson", "--to ndjson --schema native", "--to parquet --schema ecs"];
    for (at, way) in ways.iter().enumerate() {
        place.run(&format!("convert archive -o way{at} {way}")).exits(1);
        let rows = rows(&place.path(format!("way{at}")));
        assert_eq!(tables(&rows), tables(&native), "{way}");
        let dates = |rows: &[Row]| count(rows.iter().map(|row| row.date.as_str()));
        assert_eq!(dates(&rows), dates(&native), "{way}");
    }
    let plain = rows(&place.path("way1"));
    let place_of = |row: &Row| (row.get("source_file").to_owned(), row.get("source_offset").to_owned());
    let places = |rows: &[Row]| rows.iter().map(place_of).collect::<BTreeSet<_>>();
    assert_eq!(places(&plain), places(&native));
    let subjects = |rows: &[Row]| count(rows.iter().map(|row| row.get("subject")));
    assert_eq!(subjects(&plain), subjects(&native));
}

#[test]
fn ecs_documents_say_what_they_must() {
    let place = place();
    place.run("convert archive -o ecs --to ndjson").exits(1);
    let mut ids = BTreeSet::new();
    let parts: Vec<_> = files(&place.path("ecs")).into_iter().filter(|p| is_part(p)).collect();
    for path in parts {
        for document in documents(&path) {
            let event = &document["event"];
            assert_eq!(document["ecs"]["version"], "9.4.0");
            assert_eq!(event["module"], "mimecast");
            assert!(event["dataset"].as_str().unwrap().starts_with("mimecast."));
            assert!(document["@timestamp"].is_string() || path.to_str().unwrap().contains("=unknown"));
            ids.insert(event["id"].as_str().unwrap().to_owned());
        }
    }
    // Exact twins, which the archive has on purpose, may share an id; hardly anything else may.
    assert!(ids.len() > 235, "{}", ids.len());
}

fn is_part(path: &Path) -> bool {
    path.to_str().unwrap().contains("event_date=")
}

#[test]
fn stdout_has_the_documents_of_the_parts() {
    let place = place();
    for schema in ["ecs", "native"] {
        place.run(&format!("convert archive -o {schema} --to ndjson --schema {schema}")).exits(1);
        let ran = place.run(&format!("convert archive -o - --schema {schema}")).exits(1);
        let sorted = |text: Vec<u8>| {
            let text = String::from_utf8(text).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let parts = files(&place.path(schema)).into_iter().filter(|path| is_part(path));
        let parts: Vec<u8> = parts.flat_map(|path| fs::read(path).unwrap()).collect();
        assert!(sorted(ran.stdout) == sorted(parts), "{schema}");
        assert_eq!(files(&place.path("-")).len(), 0);
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = place();
    let many: String = (0..20_000).map(crate::sample::receipt).collect();
    place.write("many.log", many);
    for command in ["convert many.log -o -", "schema --format json", "man", "completions bash"] {
        let mut child = place
            .command(command.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{command}: {stderr}");
        assert!(!stderr.contains("error"), "{command}: {stderr}");
    }
}

#[test]
fn check_counts_what_convert_counts() {
    let place = place();
    let (converted, _) = place.convert("archive");
    let ran = place.run("check archive --report report.json").exits(1);
    let checked = place.report(&ran);
    assert_eq!(ran.stdout, b"");
    for name in ["lines", "records", "rejected", "blank", "continued", "flags", "rejects", "unknown_keys"] {
        assert_eq!(checked[name], converted[name], "{name}");
    }
    assert_eq!(checked["files"], converted["files"]);
    for table in TABLES {
        assert_eq!(checked["tables"][table]["records"], converted["tables"][table]["records"], "{table}");
    }
}
