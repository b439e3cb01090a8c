//! Records and files that nobody sends in good faith, and input that is not there.

use std::fs;

use crate::lake::{quarantine, rows};
use crate::runs::Place;
use crate::sample::{json2, receipt, receipts};

const MIB: usize = 1 << 20;

/// Records before and after the text; both must be found, and the account must hold.
#[track_caller]
fn between_records(text: &[u8], arguments: &str) -> (serde_json::Value, Place) {
    let place = Place::new();
    place.write("in.log", [receipt(0).as_bytes(), text, b"\n", receipt(1).as_bytes()].concat());
    let (report, _) = place.convert(&format!("in.log {arguments}"));
    let rows = rows(&place.path("out"));
    for code in ["R00000000", "R00000001"] {
        assert_eq!(rows.iter().filter(|row| row.get("acode") == code).count(), 1, "{code}");
    }
    (report, place)
}

#[test]
fn records_of_nothing_but_syntax() {
    let one = ["\\", "|", "{", "[", "=", "\"", "a="].map(|unit| (unit, 16 * MIB - 200, None));
    let many = ["|a={", "|a=[", "|a=\\x", "a=\\|", "|a=1"].map(|unit| (unit, MIB, Some(1)));
    for (unit, room, rejected) in one.into_iter().chain(many) {
        for key in ["", "Subject=\\"] {
            let syntax = unit.repeat(room / unit.len());
            let text = format!("datetime=2026-03-01T00:00:00Z|aCode=X|{key}{syntax}");
            let (report, _) = between_records(text.as_bytes(), "");
            assert_eq!(report["lines"], 3, "{key}{unit}: {report}");
            assert_eq!(report["rejects"]["too_many_pairs"].as_u64(), rejected, "{key}{unit}: {report}");
            assert_eq!(report["rejected"], rejected.unwrap_or(0), "{key}{unit}: {report}");
        }
    }
}

#[test]
fn a_record_of_too_many_pairs_is_kept_whole_in_the_quarantine() {
    let line = format!("datetime=2026-03-01T00:00:00Z|{}", "a=1|".repeat(100_000));
    let (report, place) = between_records(line.as_bytes(), "");
    assert_eq!(report["rejects"]["too_many_pairs"], 1);
    assert_eq!(quarantine(&place.path("out"))[0]["record"], line);
}

#[test]
fn lines_of_nothing_but_open_quotes() {
    for unit in ["a=\\\n", "datetime=\\\n", "a=[\n", "|a=\\\n", "\\\n"] {
        let text = unit.repeat(MIB / unit.len());
        let (report, _) = between_records(text.trim_end().as_bytes(), "");
        assert_eq!(report["lines"], 2 + MIB / unit.len(), "{unit:?}");
    }
}

#[test]
fn a_line_that_is_too_long() {
    let line = format!("datetime=2026-03-01T00:00:00Z|aCode=X|Subject={}", "x".repeat(20 * MIB));
    let (report, place) = between_records(line.as_bytes(), "");
    assert_eq!((&report["lines"], &report["rejected"]), (&3.into(), &1.into()));
    let quarantined = quarantine(&place.path("out"));
    assert_eq!(quarantined.len(), 1);
    assert_eq!(quarantined[0]["reason"], "too_long");
    assert_eq!(quarantined[0]["length"], line.len());
    assert_eq!(quarantined[0]["truncated"], true);

    let (report, _) = between_records(line.as_bytes(), "--max-record 32MiB");
    assert_eq!(report["rejected"], 0);
    let (report, _) = between_records(&vec![b'x'; 20 * MIB], "");
    assert_eq!(report["rejected"], 1);
}

#[test]
fn odd_bytes() {
    let cases: [(&[u8], u64, u64); 7] = [
        (b"datetime=2026-03-01T00:00:00Z|aCode=a\0b|Act=Acc|Rcpt=\0", 0, 3),
        (b"\0\0\0\0", 1, 2),
        (b"datetime=2026-03-01T00:00:00Z|aCode=\xff\xfe|Act=Acc", 0, 3),
        (b"\xff\xff", 1, 2),
        (b"datetime=2026-03-01T00:00:00Z|aCode=\x1b[2J|Subject=\\\xe2\x80\xae\\", 0, 3),
        (b"\r\r\r", 0, 2),
        (b"datetime=9999999999-99-99T99:99:99+9999|aCode=x|SpamScore=99999999999999999999", 0, 3),
    ];
    for (bytes, rejected, records) in cases {
        let (report, _) = between_records(bytes, "");
        let case = bytes.escape_ascii();
        assert_eq!(report["rejected"], rejected, "{case}: {report}");
        assert_eq!(report["records"], records, "{case}: {report}");
    }
}

#[test]
fn json_that_is_cut_or_deep() {
    let whole: String = (0..5).map(json2).collect();
    let deep = format!("{{\"type\":\"receipt\",\"x\":{}1{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let objects =
        format!("{{\"type\":\"receipt\",\"x\":{}1{}}}\n", "{\"a\":".repeat(9_000), "}".repeat(9_000));
    let texts = [
        format!("{whole}{}", &json2(5)[..40]),
        format!("{deep}{whole}"),
        format!("{objects}{whole}"),
        format!("{{\"type\":\"MTA\",\"data\":[{}", whole.trim_end().replace('\n', ",\n")),
        format!("{}{whole}", "[".repeat(100_000)),
        format!("[{}", whole.trim_end().replace('\n', ",")),
    ];
    for (at, text) in texts.iter().enumerate() {
        let place = Place::new();
        place.write("in.json", text);
        let (report, ran) = place.convert("in.json --from json");
        assert!(matches!(ran.code, Some(0 | 1)), "{at}: {}", ran.stderr);
        let found = rows(&place.path("out"));
        let whole = found.iter().filter(|row| row.get("acode").starts_with("J0000000")).count();
        assert!(whole == 5 || at == 4, "{at}: {whole} of {report}");
    }
}

#[test]
fn empty_inputs() {
    let place = Place::new();
    place.write("in/empty.log", "");
    place.write("in/blank.log", "\n\n\r\n");
    place.write("in/bom.log", "\u{feff}");
    let (report, ran) = place.convert("in");
    ran.exits(0);
    assert_eq!(report["records"], 0);
    assert_eq!(report["files"]["read"], 3);
    assert_eq!(rows(&place.path("out")).len(), 0);
    assert_eq!(place.convert("in").0["files"]["unchanged"], 3);
}

#[test]
fn input_that_is_not_there() {
    let place = Place::new();
    fs::create_dir_all(place.path("none/_hidden")).unwrap();
    place.write("a.log", receipts(0..1));
    for input in ["missing.log", "none", "*.siem", "a.log missing.log", "a.log/b"] {
        for command in [format!("convert {input} -o out"), format!("check {input}")] {
            let ran = place.run(&command).exits(2);
            let lines: Vec<&str> = ran.stderr.lines().collect();
            assert!(lines[0].starts_with("error: ") && lines.len() <= 2, "{command}: {lines:?}");
            assert!(input.contains("a.log/b") || lines[1].starts_with("hint: "), "{command}: {lines:?}");
        }
    }
    assert!(!place.path("out").exists());
}

#[test]
fn output_that_cannot_be_written() {
    let place = Place::new();
    place.write("a.log", receipts(0..1));
    place.write("file", "");
    for out in ["file", "file/out", "/dev/null/out", "/proc/out"] {
        let ran = place.run(&format!("convert a.log -o {out}")).exits(2);
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(out), "{}", ran.stderr);
    }
}

#[test]
fn a_damaged_log_of_commits_is_not_trusted() {
    let place = Place::new();
    place.write("a.log", receipts(0..1));
    place.convert("a.log").1.exits(0);
    let commit = &crate::lake::files(&place.path("out/_mimelake/commits"))[0];
    fs::write(commit, "{\"half\":").unwrap();
    place.run("convert a.log -o out").exits(2).says("damaged");
    fs::remove_dir_all(place.path("out/_mimelake")).unwrap();
    place.run("convert a.log -o out").exits(2).says("_mimelake");
}

#[test]
fn names_cannot_speak_to_the_terminal() {
    let place = Place::new();
    let name = "in/red\u{1b}[31m\u{202e}gol\n.log";
    place.write(name, format!("{}no record\n", receipt(0)));
    place.write(&format!("{name}.gz"), &crate::sample::gzip(receipts(0..50))[..100]);
    for command in
        ["convert in -o out -v", "convert in -o -", "check in -v", "convert in -o new --on-reject fail"]
    {
        let ran = place.run(command).exits(1);
        let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!ran.stderr.contains(bad) && !ran.stderr.contains("gol\n"), "{:?}", ran.stderr);
        assert!(ran.stderr.contains("red\\u{1b}[31m"), "{}", ran.stderr);
    }
}

#[test]
fn on_reject_fail_commits_nothing() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..50));
    place.write("in/b.log", format!("{}no record\n{}", receipts(50..60), receipts(60..70)));
    let offset = receipts(50..60).len();
    let ran = place.run("convert in -o out --on-reject fail").exits(1);
    assert!(ran.stderr.contains(&format!("in/b.log: byte {offset}: rejected (no_key)")), "{}", ran.stderr);
    assert_eq!(rows(&place.path("out")).len(), 0);
    assert_eq!(quarantine(&place.path("out")).len(), 0);
    place.run("convert in -o - --on-reject fail").exits(1);
    place.convert("in").1.exits(1);
    assert_eq!(rows(&place.path("out")).len(), 70);
}

#[test]
fn utf_16_is_told_until_it_is_converted() {
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{}", receipts(0..3)).encode_utf16().flat_map(order).collect()
    };
    for bytes in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
        let place = Place::new();
        place.write("in/a.zip", crate::sample::zip(&[("a.log", &bytes)]));
        place.write("in/b.log", &bytes);
        place.write("in/c.log", receipts(3..5));
        place.convert("in/c.log").1.exits(0);
        let before = crate::lake::snapshot(&place.path("out"));
        for name in ["in/b.log", "in/a.zip!a.log"] {
            let ran = place.run(&format!("convert {} -o out", name.split('!').next().unwrap())).exits(1);
            ran.says(&format!("{name}: byte 0: UTF-16")).says("iconv");
            let (report, ran) = place.convert(name.split('!').next().unwrap());
            ran.exits(1).says("iconv");
            assert_eq!((&report["lines"], &report["files"]["unreadable"]), (&0.into(), &1.into()));
        }
        assert_eq!(crate::lake::snapshot(&place.path("out")), before);
        place.run("check in/b.log").exits(1).says("iconv");
        place.write("in/b.log", receipts(0..3));
        place.convert("in/b.log").1.exits(0);
        assert_eq!(rows(&place.path("out")).len(), 5);
    }
}

#[test]
fn a_wrong_format_is_told() {
    let place = Place::new();
    place.write("a.log", receipts(0..3));
    place.write("b.json", (0..3).map(json2).collect::<String>());
    let (report, ran) = place.convert("a.log --from json");
    ran.exits(1);
    assert_eq!((&report["records"], &report["rejected"]), (&0.into(), &3.into()));
    let ran = place.run("check b.json --from kv --report report.json").exits(1);
    assert_eq!(place.report(&ran)["rejected"], 3);
}
