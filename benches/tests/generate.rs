//! What the generated logs hold, and that a seed fixes them.

#![expect(clippy::unwrap_used, reason = "a failure of the set-up has to fail the test")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use mimelake_bench::generate::{
    Dialect, GenerateError, Plan, Records, Shape, Stage, archive, bytes, write_to,
};
use serde_json::Value;

const DIALECTS: [Dialect; 3] = [Dialect::Kv, Dialect::Json1, Dialect::Json2];
const SHAPES: [Shape; 5] = [Shape::Kv, Shape::Json1, Shape::Json2, Shape::Zip, Shape::Gzip];

fn plan(shape: Shape, seed: u64) -> Plan {
    Plan { size: 400_000, seed, shape, file_size: 40_000, single: false, days: 2 }
}

fn read_dir(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect()
}

/// The text of every file and zip member.
fn texts(dir: &Path) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for (name, content) in read_dir(dir) {
        let mut text = String::new();
        let extension = name.rsplit('.').next().unwrap();
        if extension == "gz" {
            GzDecoder::new(&content[..]).read_to_string(&mut text).unwrap();
            texts.push((name, text));
        } else if extension == "zip" {
            let mut zip = zip::ZipArchive::new(std::io::Cursor::new(content)).unwrap();
            for i in 0..zip.len() {
                let mut member = zip.by_index(i).unwrap();
                let mut text = String::new();
                member.read_to_string(&mut text).unwrap();
                texts.push((member.name().unwrap().into_owned(), text));
            }
        } else {
            texts.push((name, String::from_utf8(content).unwrap()));
        }
    }
    texts
}

#[test]
fn same_seed_same_bytes_and_another_seed_others() {
    for dialect in DIALECTS {
        for stage in [None, Some(Stage::Receipt), Some(Stage::Process), Some(Stage::Delivery)] {
            let first = bytes(dialect, stage, 50_000, 7);
            assert_eq!(first, bytes(dialect, stage, 50_000, 7), "{dialect:?} {stage:?}");
            assert_ne!(first, bytes(dialect, stage, 50_000, 8), "{dialect:?} {stage:?}");
        }
    }
}

#[test]
fn same_plan_same_files_and_another_seed_others() {
    for shape in SHAPES {
        let dirs = [7, 7, 8].map(|seed| {
            let dir = tempfile::tempdir().unwrap();
            archive(dir.path(), &plan(shape, seed)).unwrap();
            dir
        });
        let [first, again, other] = dirs.each_ref().map(|dir| read_dir(dir.path()));
        assert_eq!(first, again, "{shape:?}");
        assert_ne!(first, other, "{shape:?}");
    }
}

#[test]
fn every_line_has_the_keys_of_its_stage() {
    let kv = [
        (Stage::Receipt, &["acc", "Act", "Rcpt", "Sender", "IP", "Dir", "TlsVer"][..]),
        (Stage::Process, &["acc", "Act", "AttCnt", "AttSize", "AttNames", "MsgSize", "MsgId"]),
        (Stage::Delivery, &["acc", "Delivered", "Attempt", "Latency", "Rcpt", "Snt", "UseTls", "Subject"]),
    ];
    for (stage, keys) in kv {
        let text = String::from_utf8(bytes(Dialect::Kv, Some(stage), 200_000, 3)).unwrap();
        for line in text.lines() {
            assert!(line.starts_with("datetime=2026-"), "{line}");
            assert_eq!(line.split("|aCode=").nth(1).unwrap().find('|'), Some(22), "{line}");
            for key in keys {
                assert!(line.contains(&format!("|{key}=")), "no {key} in {line}");
            }
        }
        for line in String::from_utf8(bytes(Dialect::Json1, Some(stage), 200_000, 3)).unwrap().lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            for key in keys {
                assert!(object.get(*key).is_some(), "no {key} in {line}");
            }
        }
    }
}

#[test]
fn api_2_numbers_are_text_but_for_three() {
    let text = String::from_utf8(bytes(Dialect::Json2, None, 300_000, 3)).unwrap();
    let mut types = HashSet::new();
    for line in text.lines() {
        let object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        types.insert(object["type"].as_str().unwrap().to_owned());
        for key in
            ["processingId", "aggregateId", "accountId", "subtype", "messageId", "subject", "senderEnvelope"]
        {
            assert!(object[key].is_string(), "{key} in {line}");
        }
        for (key, value) in &object {
            let number = ["timestamp", "_offset", "_partition"].contains(&key.as_str());
            assert_eq!(value.is_number(), number, "{key} in {line}");
            assert!(number || value.is_string() || value.is_null(), "{key} in {line}");
        }
    }
    assert_eq!(types.len(), 3);
}

#[test]
fn the_dialects_tell_the_same() {
    let [kv, json1, json2] = DIALECTS.map(|dialect| {
        let mut out = Vec::new();
        Records::new(5, 400).take(500).for_each(|record| record.write(dialect, &mut out));
        String::from_utf8(out).unwrap()
    });
    for ((kv, json1), json2) in kv.lines().zip(json1.lines()).zip(json2.lines()) {
        let [json1, json2]: [Value; 2] = [json1, json2].map(|line| serde_json::from_str(line).unwrap());
        let code = json1["aCode"].as_str().unwrap();
        assert!(kv.contains(&format!("|aCode={code}|")));
        assert!(json2["aggregateId"].as_str().unwrap().starts_with(code));
        if let Some(subject) = json1["Subject"].as_str() {
            assert!(kv.contains(&format!("|Subject=\\{subject}\\|")), "{kv}");
            assert_eq!(json2["subject"], subject);
        }
        if let Some(latency) = json1["Latency"].as_i64() {
            assert!(kv.contains(&format!("|Latency={latency}|")), "{kv}");
            assert_eq!(json2["deliveryTime"], latency.to_string());
        }
    }
}

#[test]
fn proportions_are_those_of_a_real_tenant() {
    let text = String::from_utf8(bytes(Dialect::Kv, None, 20_000_000, 1)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let count = |part: &str| lines.iter().filter(|line| line.contains(part)).count() as f64;
    let deliveries = count("|Delivered=");
    let processes = count("|MsgSize=");
    let receipts = lines.len() as f64 - deliveries - processes;
    for (what, got, low, high) in [
        ("bytes a line", text.len() as f64 / lines.len() as f64, 420.0, 480.0),
        ("processes", processes / receipts, 0.87, 0.93),
        ("deliveries", deliveries / receipts, 1.0, 1.1),
        ("rejected", count("|Act=Rej|") / receipts, 0.03, 0.05),
        ("held", count("|Act=Hld|") / processes, 0.015, 0.03),
        ("lines with a pipe in a value", count(" | ") / lines.len() as f64, 0.025, 0.06),
        ("forged pairs", count("|Act=Acc|Dir=Internal\\") / lines.len() as f64, 0.0005, 0.01),
        ("retries", 1.0 - count("|Attempt=1|") / deliveries, 0.04, 0.15),
    ] {
        assert!((low..high).contains(&got), "{what}: {got}");
    }
}

#[test]
fn stages_join_by_acode_in_time_order() {
    let mut records = Records::new(2, 400);
    let mut seen: HashMap<String, Vec<Stage>> = HashMap::new();
    let mut last = 0;
    let mut count = 0;
    while let Some(record) = records.next() {
        assert!(record.at_ms() >= last);
        last = record.at_ms();
        seen.entry(record.acode().to_owned()).or_default().push(record.stage());
        count += 1;
        if count == 2000 {
            records.close();
        }
    }
    assert!(count > 2000, "open emails are completed after close");
    for stages in seen.values() {
        assert_eq!(stages[0], Stage::Receipt);
        let processes = stages.iter().filter(|stage| **stage == Stage::Process).count();
        let deliveries = stages.iter().filter(|stage| **stage == Stage::Delivery).count();
        let receipts = stages.len() - processes - deliveries;
        assert!(processes <= 1 && (deliveries == 0 || deliveries >= receipts), "{stages:?}");
    }
}

#[test]
fn sizes_are_within_a_tenth() {
    for shape in SHAPES {
        for single in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let plan = Plan { single, ..plan(shape, 4) };
            let summary = archive(dir.path(), &plan).unwrap();
            assert!((400_000..440_000).contains(&summary.bytes), "{shape:?} {summary:?}");
            let texts = texts(dir.path());
            assert_eq!(
                texts.iter().map(|(_, text)| text.len() as u64).sum::<u64>(),
                summary.bytes,
                "{shape:?}"
            );
            let files = read_dir(dir.path()).len() as u64;
            assert_eq!(files, summary.files);
            assert!(if single { files == 1 } else { (5..20).contains(&files) }, "{shape:?} {files}");
        }
    }
    for size in [1, 1000, 300_000] {
        let text = bytes(Dialect::Kv, None, size, 4);
        assert!((size..size + 2000).contains(&text.len()));
    }
}

#[test]
fn files_hold_one_stage_and_are_named_for_it() {
    for shape in SHAPES {
        let dir = tempfile::tempdir().unwrap();
        let summary = archive(dir.path(), &plan(shape, 9)).unwrap();
        let mut records = 0;
        for (name, text) in texts(dir.path()) {
            let (stage, rest) = name.split_once('_').unwrap();
            let (stamp, extension) = rest.split_once('.').unwrap();
            assert!(["receipt", "process", "delivery"].contains(&stage), "{name}");
            assert!(stamp.len() == 17 && stamp.bytes().all(|b| b.is_ascii_digit()), "{name}");
            assert!(["siem", "json", "json.gz"].contains(&extension), "{name}");
            if shape == Shape::Json1 {
                let envelope: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(envelope["type"], "MTA");
                records += envelope["data"].as_array().unwrap().len();
                continue;
            }
            for line in text.lines() {
                records += 1;
                let held = match stage {
                    "process" => line.contains("MsgSize=") || line.contains(r#""type":"process""#),
                    "delivery" => line.contains("|Delivered=") || line.contains(r#""type":"delivery""#),
                    _ => line.contains("|Rcpt=") || line.contains(r#""type":"receipt""#),
                };
                assert!(held, "{name}: {line}");
            }
        }
        assert_eq!(records as u64, summary.records, "{shape:?}");
    }
}

#[test]
fn a_directory_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine"), "x").unwrap();
    let refused = archive(dir.path(), &plan(Shape::Kv, 1));
    assert!(matches!(refused, Err(GenerateError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(read_dir(dir.path()).len(), 1);
}

#[test]
fn write_to_writes_what_bytes_returns() {
    for stage in [None, Some(Stage::Delivery)] {
        let mut out = Vec::new();
        let written = write_to(&mut out, Dialect::Kv, stage, 700_000, 6).unwrap();
        assert_eq!(written, out.len() as u64);
        assert_eq!(out, bytes(Dialect::Kv, stage, 700_000, 6));
    }
}
