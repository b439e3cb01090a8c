//! The commands that convert nothing, and wrong usage.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::runs::Place;

const TYPES: [&str; 8] = ["string", "int64", "bool", "timestamp", "list<string>", "json", "struct", "map"];

#[test]
fn the_schema_as_json() {
    let ran = Place::new().run("schema --format json").exits(0);
    let schema: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(schema["version"], 1);
    assert_eq!(schema["ecs_version"], "9.4.0");
    let tables = schema["tables"].as_object().unwrap();
    for table in ["receipt", "process", "delivery", "audit", "unknown"] {
        assert!(tables.contains_key(table), "{table}");
    }
    for (name, table) in tables {
        let mut names = BTreeSet::new();
        for column in table["columns"].as_array().unwrap() {
            assert!(TYPES.contains(&column["type"].as_str().unwrap()), "{column}");
            assert!(!column["doc"].as_str().unwrap().is_empty(), "{column}");
            for list in ["kv", "json2", "ecs"] {
                assert!(column[list].as_array().unwrap().iter().all(Value::is_string), "{column}");
            }
            assert!(names.insert(column["name"].as_str().unwrap()), "{name} has {column} twice");
        }
        let always: &[&str] = match name.as_str() {
            "messages" => &["first_seen", "acode", "status", "deliveries", "flags"],
            _ => &["timestamp", "source_file", "source_offset", "flags", "extra"],
        };
        for always in always {
            assert!(names.contains(*always), "{name} has no {always}");
        }
    }
    let receipt = tables["receipt"]["columns"].as_array().unwrap();
    let subject = receipt.iter().find(|column| column["name"] == "subject").unwrap();
    assert_eq!(subject["type"], "string");
    assert_eq!(subject["kv"], serde_json::json!(["Subject"]));
    assert_eq!(subject["json2"], serde_json::json!(["subject"]));
    assert_eq!(subject["ecs"], serde_json::json!(["email.subject"]));
}

#[test]
fn one_table_of_the_schema() {
    let place = Place::new();
    let ran = place.run("schema receipt --format json").exits(0);
    let schema: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(schema["tables"].as_object().unwrap().keys().collect::<Vec<_>>(), ["receipt"]);
    for format in ["text", "markdown"] {
        let ran = place.run(&format!("schema receipt --format {format}")).exits(0);
        let text = String::from_utf8(ran.stdout).unwrap();
        assert!(text.contains("subject") && !text.contains("audit_type"), "{text}");
    }
    place.run("schema nonesuch").exits(2).says("the tables are");
}

#[test]
fn what_helps_goes_to_stdout() {
    let place = Place::new();
    let cases = [
        ("--help", "convert"),
        ("convert --help", "--on-reject"),
        ("check --help", "--max-record"),
        ("trace --help", "--local"),
        ("schema --help", "--format"),
        ("--version", env!("CARGO_PKG_VERSION")),
        ("completions bash", "mimelake"),
        ("completions zsh", "#compdef mimelake"),
        ("completions fish", "complete -c mimelake"),
        ("man", ".TH mimelake"),
    ];
    for (arguments, text) in cases {
        let ran = place.run(arguments).exits(0);
        let stdout = String::from_utf8(ran.stdout).unwrap();
        assert!(stdout.contains(text), "{arguments}: {stdout}");
        assert_eq!(ran.stderr, "", "{arguments}");
    }
}

#[test]
fn wrong_usage_is_told_on_stderr() {
    let place = Place::new();
    place.write("a.log", crate::sample::receipt(1));
    let cases = [
        "",
        "nonesuch",
        "convert",
        "convert a.log",
        "convert -o out",
        "convert a.log -o out --threads 0",
        "convert a.log -o out --threads many",
        "convert a.log -o out --memory lots",
        "convert a.log -o out --to csv",
        "convert a.log -o out --schema own",
        "convert a.log -o out --tables receipts",
        "convert a.log -o out --compression zstd:99",
        "convert a.log -o out --on-reject maybe",
        "convert a.log -o - --to parquet",
        "convert a.log -o out -q -v",
        "check",
        "trace",
        "trace x",
        "trace x a.log --format yaml",
        "completions dos",
        "schema --format yaml",
    ];
    for arguments in cases {
        let ran = place.run(arguments).exits(2);
        assert_eq!(ran.stdout, b"", "{arguments}");
        assert!(!ran.stderr.is_empty(), "{arguments}");
    }
    assert!(!place.path("out").exists(), "nothing was made");
}

#[test]
fn the_report_of_nothing_new_has_every_name() {
    let place = Place::new();
    place.write("a.log", crate::sample::receipt(1));
    let (report, ran) = place.convert("a.log");
    ran.exits(0);
    assert_eq!(report["version"], 1);
    assert!(report["bytes"]["written"].as_u64().unwrap() > 0);
    let (again, ran) = place.convert("a.log");
    ran.exits(0);
    for name in report.as_object().unwrap().keys() {
        assert!(!again[name].is_null(), "{name}: {again}");
    }
    assert_eq!(again["bytes"]["written"], 0);
    assert_eq!(again["tables"], serde_json::json!({}));
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    place.write("a.log", crate::sample::receipt(1));
    place.run("convert a.log -o out --report none/report.json").exits(2).says("none/report.json");
}

#[test]
fn quiet_runs_say_nothing() {
    let place = Place::new();
    place.write("a.log", crate::sample::receipt(1));
    let ran = place.run("convert a.log -o out -q").exits(0);
    assert_eq!((ran.stdout.as_slice(), ran.stderr.as_str()), (&b""[..], ""));
}
