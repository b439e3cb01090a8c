//! `mimelake trace` over logs and over what was converted from them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::archive::{place, testdata};
use crate::lake::{Row, files, rows};
use crate::runs::{Place, Ran, ended};

/// Where a record was read from.
type At = (String, String);

impl Place {
    fn trace<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        ended(&mut self.command(["trace"].into_iter().chain(arguments)))
    }

    /// The records of a key, which must be there.
    #[track_caller]
    fn records(&self, key: &str, input: &str) -> Vec<Value> {
        let ran = self.trace([key, input, "--format", "json", "-q"]).exits(0);
        let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(found["key"], key);
        found["records"].as_array().unwrap().clone()
    }

    /// The timeline of a key, which must be there.
    #[track_caller]
    fn timeline(&self, arguments: &[&str]) -> String {
        let ran = self.trace(arguments.iter().copied()).exits(0);
        String::from_utf8(ran.stdout).unwrap()
    }
}

/// The archive in `archive`, and converted in `lake`.
fn converted() -> Place {
    let place = place();
    place.run("convert archive -o lake -q").exits(1);
    place
}

fn messages() -> Vec<Value> {
    let all: Value =
        serde_json::from_slice(&std::fs::read(testdata().join("archive.json")).unwrap()).unwrap();
    all["messages"].as_array().unwrap().clone()
}

fn bare(acode: &str) -> &str {
    match acode.split_once("_1772") {
        Some((bare, seconds)) if seconds.len() == 6 => bare,
        _ => acode,
    }
}

fn unbracketed(id: &str) -> &str {
    id.trim_matches(['<', '>'])
}

/// What is in the tables of an email, by a look at every row.
fn expected(rows: &[Row], acode: &str, message_id: &str) -> BTreeSet<At> {
    let names =
        |row: &Row| (bare(row.get("acode")).to_owned(), unbracketed(row.get("message_id")).to_owned());
    let of_key = |row: &&Row| {
        let (code, id) = names(row);
        (!acode.is_empty() && code == bare(acode))
            || (!message_id.is_empty() && id == unbracketed(message_id))
    };
    let direct: Vec<&Row> = rows.iter().filter(of_key).collect();
    let codes: BTreeSet<_> = direct.iter().map(|row| names(row).0).filter(|code| !code.is_empty()).collect();
    let ids: BTreeSet<_> = direct.iter().map(|row| names(row).1).filter(|id| !id.is_empty()).collect();
    let linked = rows.iter().filter(|row| {
        let (code, id) = names(row);
        let by_id = code.is_empty() || matches!(&*row.table, "url_protect" | "attachment_protect");
        (!acode.is_empty() && by_id && ids.contains(&id))
            || (!message_id.is_empty() && id.is_empty() && codes.contains(&code))
    });
    let at = |row: &Row| (row.get("source_file").to_owned(), row.get("source_offset").to_owned());
    direct.iter().map(|row| at(row)).chain(linked.map(at)).collect()
}

fn found(records: &[Value]) -> BTreeSet<At> {
    let at = |r: &Value| (r["source_file"].as_str().unwrap().to_owned(), r["source_offset"].to_string());
    records.iter().map(at).collect()
}

/// A map of Parquet numbers keys that come twice, so `extra` may differ.
fn without_extra(mut records: Vec<Value>) -> Vec<Value> {
    for record in &mut records {
        record.as_object_mut().unwrap().remove("extra");
    }
    records
}

#[test]
fn every_email_is_found_whole_in_logs_and_in_tables() {
    let place = converted();
    let rows = rows(&place.path("lake"));
    for (n, message) in messages().iter().enumerate() {
        let [acode, id] = ["acode", "message_id"].map(|name| message[name].as_str().unwrap());
        for (key, expected) in [(acode, expected(&rows, acode, "")), (id, expected(&rows, "", id))] {
            // A run is slow enough that not all of them can be made twice.
            if key.is_empty() || (key == id && n % 4 != 0) {
                continue;
            }
            let of_logs = place.records(key, "archive");
            assert_eq!(found(&of_logs), expected, "{key} in logs: {message}");
            assert_eq!(of_logs.len(), expected.len(), "{key}");
            let of_tables = place.records(key, "lake");
            assert_eq!(without_extra(of_tables), without_extra(of_logs), "{key} in tables: {message}");
        }
    }
}

#[test]
fn a_key_may_be_written_in_several_ways() {
    let place = converted();
    let cases: [(&[&str], usize); 4] = [
        (&["-x3QjKyRgBA0-qVsF0VCiQ", "-x3QjKyRgBA0-qVsF0VCiQ_1772528400"], 3),
        (&["59a2b318-302a-4ee2-a4ce-c6e62fd2217e", "59a2b318-302a-4ee2-a4ce-c6e62fd2217e_1772528400"], 3),
        (&["FGHiRWaQazupxhYmidsPHQ", "FGHiRWaQazupxhYmidsPHQ_1772525550"], 1),
        (
            &[
                "<7cfa901484e3e47b.629888@supplier.example.net>",
                "7cfa901484e3e47b.629888@supplier.example.net",
                "nxDdc4r4vya4HcZFbiQMzA",
                "nxDdc4r4vya4HcZFbiQMzA_1772524872",
            ],
            3,
        ),
    ];
    for (keys, count) in cases {
        for input in ["archive", "lake"] {
            let first = place.records(keys[0], input);
            assert_eq!(first.len(), count, "{keys:?} in {input}");
            for key in keys {
                assert_eq!(place.records(key, input), first, "{key} in {input}");
            }
        }
    }
    let other_case = "NXDDC4R4VYA4HCZFBIQMZA";
    place.trace([other_case, "archive"]).exits(1);
    place.trace(["-v", "-q", "nxDdc4r4vya4HcZFbiQMzA", "archive"]).exits(2);
    place.trace(["-v", "nxDdc4r4vya4HcZFbiQMzA", "archive"]).exits(0);
}

#[test]
fn an_email_that_shares_its_acode_is_not_the_others() {
    let place = converted();
    for input in ["archive", "lake"] {
        let all = place.records("HyJUanDpckKgGAP6-6DtKg", input);
        let one = place.records("b430236cd841c612.459847@example.com", input);
        let ids: BTreeSet<_> = all.iter().map(|record| record["message_id"].to_string()).collect();
        assert_eq!(ids.len(), 3, "{input}");
        assert!(!one.is_empty() && one.len() < all.len(), "{} of {}", one.len(), all.len());
        for record in &one {
            assert_eq!(record["message_id"], "<b430236cd841c612.459847@example.com>");
            assert!(all.contains(record));
        }
    }
}

#[test]
fn clicks_join_by_the_message_id() {
    let place = converted();
    for input in ["archive", "lake"] {
        let records = place.records("lmoaEES9ce7PMWVVdZjloA", input);
        let types: Vec<_> = records.iter().map(|record| record["event_type"].as_str().unwrap()).collect();
        assert_eq!(types, ["receipt", "process", "delivery", "url_protect", "url_protect"], "{input}");
        assert!(records[3].get("acode").is_none());
        assert_eq!(place.records("ebf354110c6313d4.163564@post.example.org", input), records);
    }
}

#[test]
fn records_without_a_message_id_join_by_the_acode() {
    let place = Place::new();
    let acode = "AAAAAAAAAAAAAAAAAAAAA1";
    let line =
        |time: &str, names: &str| format!("datetime=2026-03-02T10:00:{time}+0000|{names}|acc=C0A0|Act=Acc\n");
    let receipt = line("01", &format!("aCode={acode}|Rcpt=a@example.com|MsgId=<1@example.net>"));
    let bare = line("02", &format!("aCode={acode}|Rcpt=b@example.com"));
    let other = line("03", &format!("aCode={acode}|Rcpt=c@example.com|MsgId=<2@example.net>"));
    let click = "datetime=2026-03-02T10:00:04+0000|acc=C0A0|reason=malicious|url=http://x.example|\
                 MsgId=<1@example.net>\n";
    let foreign = "datetime=2026-03-02T10:00:05+0000|acc=C0A0|reason=malicious|url=http://x.example|\
                   MsgId=<3@example.net>\n";
    // What is linked comes first: in a stream it must be kept until it is known.
    let text = format!("{click}{foreign}{bare}{other}{receipt}");
    place.write("a.log", &text);
    place.write("b.log.gz", crate::sample::gzip(crate::sample::receipts(50..100)));
    place.run("convert a.log b.log.gz -o lake -q").exits(0);
    let seconds = |stdout: &[u8]| {
        let found: Value = serde_json::from_slice(stdout).unwrap();
        let second = |record: &Value| record["timestamp"].as_str().unwrap()[17..19].to_owned();
        found["records"].as_array().unwrap().iter().map(second).collect::<Vec<_>>()
    };
    for (key, expected) in [("1@example.net", vec!["01", "02", "04"]), (acode, vec!["01", "02", "03", "04"])]
    {
        for input in ["a.log b.log.gz", "lake", "lake a.log"] {
            let ran = place.run(&format!("trace {key} {input} --format json")).exits(0);
            let mut seconds = seconds(&ran.stdout);
            // Of a record in both, the path tells them apart; here it is the same.
            seconds.dedup();
            assert_eq!(seconds, expected, "{key} in {input}");
        }
        let ran = place.run_with_stdin(&format!("trace {key} - --format json"), text.as_bytes()).exits(0);
        assert_eq!(seconds(&ran.stdout), expected, "{key} in a stream");
        let ran = place
            .run_with_stdin(&format!("trace {key} b.log.gz - --format json"), &crate::sample::gzip(&text));
        assert_eq!(seconds(&ran.exits(0).stdout), expected, "{key} in a packed stream");
    }
}

#[test]
fn names_that_json_writes_in_another_way() {
    let place = Place::new();
    let record = |id: &str, acode: &str| {
        format!(
            "{{\"type\":\"receipt\",\"aggregateId\":\"{acode}\",\"messageId\":\"{id}\",\"action\":\"Acc\"}}\n"
        )
    };
    let text = [
        record(r"\u003ca\u003d1\/b@example.net\u003e", "J1"),
        record("<\u{e9}t\u{e9}@example.net>", "J2"),
        record(r"<\u00e9t\u00e9@example.net>", r"\u004a3"),
        record("<q\\\"q@example.net>", "J4"),
    ];
    place.write("a.json", text.concat());
    for (key, count) in
        [("a=1/b@example.net", 1), ("<\u{e9}t\u{e9}@example.net>", 2), ("J3", 1), ("q\"q@example.net", 1)]
    {
        assert_eq!(place.records(key, "a.json").len(), count, "{key}");
    }
}

/// Run with `MIMELAKE_ACCEPT=1` to take over what is printed now.
#[test]
fn a_timeline() {
    let place = converted();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/trace.txt");
    let found = place.timeline(&["kFX38vfeE_aBkKgGZ6obzA", "lake"]);
    if std::env::var_os("MIMELAKE_ACCEPT").is_some() {
        std::fs::write(golden, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(golden).unwrap());
    assert_eq!(found, place.timeline(&["kFX38vfeE_aBkKgGZ6obzA", "archive", "-q"]));
}

#[test]
fn times_colours_and_sources_on_request() {
    let place = converted();
    let key = "kFX38vfeE_aBkKgGZ6obzA";
    let plain = place.timeline(&[key, "lake"]);
    let coloured = place.timeline(&[key, "lake", "--color", "always"]);
    assert!(!plain.contains('\x1b') && coloured.contains("\x1b[31mattempt 1 failed"), "{coloured}");
    assert_eq!(place.timeline(&[key, "lake", "--color", "never"]), plain);
    let verbose = place.timeline(&[key, "lake", "-v"]);
    assert!(
        verbose
            .contains("read from archive/C0A0/siem-v1/2026/03/02/delivery_20260302223000654.siem: byte 465")
    );
    let ran = ended(place.command(["trace", key, "lake", "--local"]).env("TZ", "<+0530>-5:30"));
    let local = String::from_utf8(ran.exits(0).stdout).unwrap();
    assert!(plain.contains("2026-03-02 21:12:04Z") && local.contains("2026-03-03 02:42:04+05:30"), "{local}");
}

#[test]
fn an_attackers_text_is_escaped() {
    let place = converted();
    let key = "hYWjqr3nyGhDTgfzUzmbiQ";
    let subject = place.records(key, "lake")[0]["subject"].as_str().unwrap().to_owned();
    let is_hostile = |c: char| {
        c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    assert!(subject.contains(is_hostile), "the sample has lost its bidi controls: {subject:?}");
    for input in ["archive", "lake"] {
        let text = place.timeline(&[key, input, "-v"]);
        assert!(!text.contains(is_hostile), "{text:?}");
        assert!(text.contains("\\u{202"), "{text:?}");
    }
    place.write(
        "a.log",
        "datetime=2026-03-02T10:00:00+0000|aCode=\x1b[31mred|acc=C0A0|Act=\x1b[2J|Rcpt=\u{202e}moc|RejInfo=\\\x07\n\x08\\\n",
    );
    let text = place.timeline(&["\x1b[31mred", "a.log", "-v"]);
    assert!(!text.contains(is_hostile), "{text:?}");
    place.trace(["\x1b[31mblue", "a.log"]).exits(1).says("\\u{1b}[31mblue");
}

#[test]
fn what_is_not_found() {
    let place = converted();
    for (input, key) in [("archive", "nobody@example.net"), ("lake", "AAAAAAAAAAAAAAAAAAAAAA"), ("lake", "x")]
    {
        let ran = place.trace([key, input]).exits(1).says(&format!("no record of {key}"));
        assert_eq!(ran.stdout, b"");
        let ran = place.trace([key, input, "--format", "json"]).exits(1);
        let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(found, serde_json::json!({"key": key, "records": []}));
    }
    for key in ["", "<>", "  "] {
        place.trace([key, "archive"]).exits(2);
    }
    place.trace(["x", "lake", "--report", "r.json"]).exits(2).says("hint:");
}

#[test]
fn what_cannot_be_read_is_told() {
    let place = converted();
    let key = "kFX38vfeE_aBkKgGZ6obzA";
    place.trace([key, "archive"]).exits(0).says("truncated");
    place.write("archive/utf16.log", b"\xFF\xFEd\0a\0t\0e\0");
    let ran = place.trace([key, "archive"]).exits(1).says("utf16.log");
    assert!(!ran.stdout.is_empty());
    for path in files(&place.path("lake/process")) {
        std::fs::write(path, "no Parquet").unwrap();
    }
    let ran = place.trace([key, "lake", "--format", "json"]).exits(1).says("process/event_date=2026-03-02");
    let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(found["records"].as_array().unwrap().len(), 5);
}

#[test]
fn tables_in_which_nothing_can_be_looked_up() {
    let place = Place::new();
    place.write("a.log", crate::sample::receipt(1));
    for (out, options) in [("lines", "--to ndjson"), ("documents", "--to parquet --schema ecs")] {
        place.run(&format!("convert a.log -o {out} -q {options}")).exits(0);
        let ran = place.trace(["R00000001", out]).exits(2).says("hint: name the logs");
        assert_eq!(ran.stdout, b"");
    }
    place.run("convert a.log -o documents -q --to ndjson").exits(0);
    place.trace(["R00000001", "a.log", "lines"]).exits(2);
    assert_eq!(place.records("R00000001", "a.log").len(), 1);
}

#[test]
fn records_of_one_second_are_in_the_order_of_the_stages() {
    let place = Place::new();
    let (time, names) = ("datetime=2026-03-02T10:00:00+0000", "aCode=A|MsgId=<1@x>|acc=C0A0");
    place.write("a.log", format!("{time}|{names}|Delivered=true|Attempt=1\n"));
    place.write(
        "b.log",
        format!("{time}|{names}|MsgSize=7|Act=Acc\n{time}|{names}|Rcpt=b@example.com|Act=Acc\n"),
    );
    let early =
        "{\"type\":\"delivery\",\"aggregateId\":\"A\",\"timestamp\":1772445599999,\"delivered\":\"false\"}\n";
    place.write("c.json", early);
    let ran = place.run("trace A a.log b.log c.json --format json --threads 3").exits(0);
    let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let types: Vec<_> =
        found["records"].as_array().unwrap().iter().map(|r| r["event_type"].clone()).collect();
    assert_eq!(types, ["delivery", "receipt", "process", "delivery"]);
}

#[test]
fn a_closed_pipe_is_the_readers_choice() {
    let place = Place::new();
    place.write("a.log", crate::sample::receipt(1));
    for format in ["text", "json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = place.command(["trace", "R00000001", "a.log", "--format", format]);
        assert_eq!(command.stdout(writer).status().unwrap().code(), Some(0), "{format}");
    }
}

#[test]
fn spellings_of_both_apis_are_found_in_one_lake() {
    let place = Place::new();
    place.write("in/receipt_1.log", "datetime=2026-03-02T10:00:00+0000|aCode=n97bxRqOImbxg5wuRyFFuQ|acc=C0A0|Act=Acc|Rcpt=a@b.example|SpamScore=1\n");
    place.write("in/two.json", "{\"type\":\"delivery\",\"aggregateId\":\"n97bxRqOImbxg5wuRyFFuQ_1772528400\",\"accountId\":\"C0A0\",\"timestamp\":1772528405000,\"delivered\":\"true\",\"recipients\":\"a@b.example\"}\n");
    place.run("convert in -o lake -q").exits(0);
    for input in ["in", "lake"] {
        let ran = place.run(&format!("trace n97bxRqOImbxg5wuRyFFuQ {input} --format json")).exits(0);
        let found: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(found["records"].as_array().unwrap().len(), 2, "{input}: {found}");
    }
}
