//! Archives that are damaged, or made to do damage.

use std::fs;

use serde_json::Value;

use crate::lake::{rows, snapshot};
use crate::runs::Place;
use crate::sample::{gzip, receipt, receipts, stored_zip, zip};

/// How many whole receipts the output has: the first ones, each once, and perhaps what is left of another.
#[track_caller]
fn whole_records(place: &Place) -> usize {
    let rows = rows(&place.path("out"));
    let mut codes: Vec<_> = rows.iter().map(|row| row.get("acode")).collect();
    // The cut may be in the aCode itself, which then sorts before whole ones.
    codes.sort_by_key(|code| (code.len() < 9, *code));
    let whole = codes.iter().enumerate().take_while(|(n, code)| **code == format!("R{n:08}")).count();
    assert!(whole + 1 >= codes.len(), "{codes:?}");
    whole
}

/// The one line that says what could not be read.
#[track_caller]
fn unreadable(report: &Value) -> String {
    let unreadable = report["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 1, "{report}");
    unreadable[0].as_str().unwrap().to_owned()
}

#[test]
fn names_of_members_lead_nowhere() {
    let place = Place::new();
    let names = ["../../escape.log", "/absolute.log", "..\\..\\windows.log", "a/../../b.log", "c\nd.log"];
    let members: Vec<_> = names.iter().enumerate().map(|(n, name)| (*name, receipt(n))).collect();
    place.write("work/in.zip", zip(&members));
    let ran = place.run("convert work/in.zip -o work/deep/out").exits(0);
    assert!(!ran.stderr.contains("c\nd"), "{}", ran.stderr);
    let rows = rows(&place.path("work/deep/out"));
    assert_eq!(rows.len(), names.len());
    assert!(rows.iter().any(|row| row.get("source_file") == "work/in.zip!../../escape.log"));
    let mut made: Vec<_> =
        fs::read_dir(place.path("work")).unwrap().map(|e| e.unwrap().file_name()).collect();
    made.sort();
    assert_eq!(made, ["deep", "in.zip"]);
    assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 1);
}

#[test]
fn ten_thousand_members() {
    let place = Place::new();
    let members: Vec<_> = (0..10_000).map(|n| (format!("receipt_20260302{n:09}.siem"), receipt(n))).collect();
    place.write("in.zip", zip(&members));
    let (report, ran) = place.convert("in.zip");
    ran.exits(0);
    assert_eq!(report["records"], 10_000);
    assert_eq!(report["files"]["read"], 1);
    assert_eq!(whole_records(&place), 10_000);
    let before = snapshot(&place.path("out"));
    assert_eq!(place.convert("in.zip").0["files"]["unchanged"], 1);
    assert_eq!(snapshot(&place.path("out")), before);
}

#[test]
fn too_many_members_are_said() {
    let place = Place::new();
    let members: Vec<_> = (0..20).map(|n| (format!("{n}.log"), receipt(n))).collect();
    place.write("in.zip", zip(&members));
    let (report, ran) = place.convert("in.zip --max-members 10");
    ran.exits(1).says("--max-members");
    assert!(unreadable(&report).contains("in.zip"), "{report}");
    assert_eq!(whole_records(&place), 10);
}

#[test]
fn bombs_are_cut() {
    let zeros = vec![b'\n'; 96 << 20];
    let start = receipts(0..3);
    let bomb = [start.as_bytes(), &zeros].concat();
    let bombs = [("in.gz", gzip(&bomb)), ("in.zip", zip(&[("bomb.log", &bomb)]))];
    for (name, bytes) in bombs {
        let place = Place::new();
        place.write(name, bytes);
        for limit in ["--max-ratio 100", "--max-inflated 1MiB"] {
            let (report, ran) = place.convert(&format!("{name} {limit}"));
            ran.exits(1).says(&limit[..limit.find(' ').unwrap()]).says(": byte ");
            let said = unreadable(&report);
            assert!(said.starts_with(name) && said.contains(": byte "), "{said}");
            assert!(report["bytes"]["inflated"].as_u64().unwrap() < 80 << 20, "{report}");
            assert_eq!(whole_records(&place), 3);
            fs::remove_dir_all(place.path("out")).unwrap();
        }
    }
}

#[test]
fn a_zip_that_holds_itself_many_times_ends() {
    let mut bytes = stored_zip(&[("a.log", receipts(0..3))]);
    for level in 0..6 {
        bytes = stored_zip(&[(format!("{level}.zip"), bytes)]);
    }
    let place = Place::new();
    place.write("in.zip", bytes);
    let (report, ran) = place.convert("in.zip");
    ran.exits(1).says("is not opened");
    assert_eq!(report["files"]["unreadable"], 1);
}

#[test]
fn cut_archives_give_what_was_before_the_cut() {
    let text = receipts(0..400);
    let forms = [
        ("in.gz", gzip(&text)),
        ("in.zip", zip(&[("a.log", &text)])),
        ("stored.zip", stored_zip(&[("a.log", &text)])),
    ];
    for (name, bytes) in forms {
        let mut most = 0;
        for tenth in [0, 1, 3, 5, 7, 9] {
            let place = Place::new();
            let cut = (bytes.len() * tenth / 10).max(40);
            place.write(name, &bytes[..cut]);
            let (report, ran) = place.convert(name);
            ran.exits(1).says(": byte ");
            assert_eq!(report["files"]["unreadable"], 1);
            let records = whole_records(&place);
            assert!(records >= most, "{name} cut at {cut}: {records} of {most}");
            most = records;
        }
        assert!(most > 300, "{name}: {most}");
    }
}

#[test]
fn one_bad_member_among_good_ones() {
    let place = Place::new();
    let members: Vec<_> = (0..5).map(|n| (format!("{n}.log"), receipts(n * 100..(n + 1) * 100))).collect();
    let mut bytes = stored_zip(&members);
    let at = bytes.windows(9).position(|w| w == b"R00000250").unwrap();
    bytes[at] = b'Q';
    place.write("in.zip", &bytes);
    let (report, ran) = place.convert("in.zip");
    ran.exits(1).says("in.zip!2.log").says("checksum");
    assert_eq!(report["files"]["unreadable"], 1);
    let expected = rows(&place.path("out"));
    assert_eq!(expected.len(), 500, "the bytes are all there, but for one");

    // The same bytes by another name, with something new beside them.
    place.write("other.zip", &bytes);
    place.write("new.log", receipts(500..501));
    place.convert("other.zip new.log");
    assert_eq!(rows(&place.path("out")).len(), 501);
}

#[test]
fn damaged_compression_by_another_name_adds_nothing() {
    let place = Place::new();
    let mut bytes = gzip(receipts(0..300));
    bytes.truncate(bytes.len() / 2);
    place.write("a.gz", &bytes);
    place.convert("a.gz").1.exits(1);
    let before = rows(&place.path("out"));
    place.write("b.gz", &bytes);
    place.write("c.log", receipts(900..901));
    place.convert("b.gz c.log");
    assert_eq!(rows(&place.path("out")).len(), before.len() + 1);
}

#[test]
fn not_what_the_name_says() {
    let place = Place::new();
    place.write("in/a.zip", receipts(0..2));
    place.write("in/b.log", gzip(receipts(2..4)));
    place.write("in/c.json", zip(&[("x.gz", gzip(receipts(4..6)))]));
    place.convert("in").1.exits(0);
    assert_eq!(whole_records(&place), 6);
}

#[test]
fn random_bytes_are_rejected_not_fatal() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let noise: Vec<u8> = (0..300_000).map(|_| noise()).collect();
    for magic in [&b""[..], b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"[{", b"datetime="] {
        let place = Place::new();
        place.write("in", [magic, &noise].concat());
        place.convert("in").1.exits(1);
        rows(&place.path("out"));
    }
}
