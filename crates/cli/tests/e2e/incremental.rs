//! Runs over input that was converted before, wholly or in part.

use std::fs;

use crate::lake::{Row, rows, snapshot, without_source};
use crate::runs::Place;
use crate::sample::{self, long_receipts, receipts, zip};

/// The aCodes of all rows, sorted.
fn acodes(place: &Place) -> Vec<String> {
    let mut codes: Vec<_> = rows(&place.path("out")).iter().map(|row| row.get("acode").to_owned()).collect();
    codes.sort();
    codes
}

/// The aCodes of these receipts, sorted.
fn codes(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    let mut codes: Vec<_> = numbers.into_iter().map(|n| format!("R{n:08}")).collect();
    codes.sort();
    codes
}

/// Converts; the number of files read and records converted must be these.
#[track_caller]
fn converts(place: &Place, arguments: &str, files: u64, records: u64) {
    let (report, ran) = place.convert(arguments);
    ran.exits(0);
    assert_eq!(report["files"]["read"], files, "{report}");
    assert_eq!(report["records"], records, "{report}");
}

#[test]
fn a_new_file_alone_is_converted() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..5));
    converts(&place, "in", 1, 5);
    let before = snapshot(&place.path("out"));
    place.write("in/b.log", receipts(5..12));
    converts(&place, "in", 1, 7);
    assert_eq!(acodes(&place), codes(0..12));
    let after = snapshot(&place.path("out"));
    assert!(before.iter().all(|file| after.contains(file)), "what was there was touched");
}

#[test]
fn another_name_is_not_another_file() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..5));
    place.write("in/b.log.gz", sample::gzip(receipts(5..9)));
    place.write("in/c.zip", zip(&[("c.log", receipts(9..20)), ("d.log", receipts(20..31))]));
    converts(&place, "in", 3, 31);
    for (from, to) in [("in/a.log", "in/x.log"), ("in/b.log.gz", "in/y.gz"), ("in/c.zip", "in/sub.zip")] {
        fs::rename(place.path(from), place.path(to)).unwrap();
    }
    converts(&place, "in", 0, 0);
    for (from, to) in [("in/x.log", "in/a.log"), ("in/y.gz", "in/b.gz"), ("in/sub.zip", "in/z.zip")] {
        fs::copy(place.path(from), place.path(to)).unwrap();
    }
    converts(&place, "in", 0, 0);
    assert_eq!(acodes(&place), codes(0..31));
    let before = snapshot(&place.path("out"));
    converts(&place, "in", 0, 0);
    assert_eq!(snapshot(&place.path("out")), before, "now every name is known");
}

#[test]
fn twins_in_one_run_are_converted_once() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..5));
    place.write("in/b.log", receipts(0..5));
    place.write("in/c.zip", zip(&[("x.log", receipts(0..5)), ("y.log", receipts(5..9))]));
    place.convert("in").1.exits(0);
    assert_eq!(acodes(&place), codes(0..9));
    converts(&place, "in", 0, 0);
}

#[test]
fn members_are_known_wherever_they_come_from() {
    let place = Place::new();
    place.write("a.zip", zip(&[("a.log", receipts(0..5)), ("b.log", receipts(5..9))]));
    converts(&place, "a.zip", 1, 9);
    place.write("b.zip", zip(&[("other/name.log", receipts(5..9)), ("new.log", receipts(9..12))]));
    converts(&place, "b.zip", 1, 3);
    place.write("extracted.log", receipts(0..5));
    converts(&place, "extracted.log", 0, 0);
    place.write("nested.zip", sample::stored_zip(&[("a.zip", zip(&[("m.log", receipts(0..5))]))]));
    converts(&place, "nested.zip", 0, 0);
    assert_eq!(acodes(&place), codes(0..12));
}

#[test]
fn a_plain_file_is_known_in_a_zip() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    converts(&place, "a.log", 1, 5);
    place.write("a.zip", zip(&[("a.log", receipts(0..5))]));
    converts(&place, "a.zip", 0, 0);
    assert_eq!(acodes(&place), codes(0..5));
}

#[test]
fn appended_lines_alone_are_converted() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    converts(&place, "a.log", 1, 5);
    for (from, to) in [(5, 6), (6, 40), (40, 41)] {
        place.append("a.log", receipts(from..to));
        converts(&place, "a.log", 1, (to - from) as u64);
    }
    assert_eq!(acodes(&place), codes(0..41));
    converts(&place, "a.log", 0, 0);

    // Offsets are those of the file.
    let whole = receipts(0..41);
    for row in rows(&place.path("out")) {
        let offset: usize = row.get("source_offset").parse().unwrap();
        let line = whole[offset..].lines().next().unwrap();
        assert!(line.contains(row.get("acode")), "{row:?}");
    }

    // What has grown is known as a whole too.
    fs::copy(place.path("a.log"), place.path("b.log")).unwrap();
    place.convert("b.log").1.exits(0);
    assert_eq!(acodes(&place).len(), 41, "a copy of a file that has grown is converted twice");
}

#[test]
fn appended_json_lines_alone_are_converted() {
    let place = Place::new();
    let json = |numbers: std::ops::Range<usize>| numbers.map(sample::json2).collect::<String>();
    place.write("a.ndjson", json(0..5));
    converts(&place, "a.ndjson", 1, 5);
    place.append("a.ndjson", json(5..9));
    converts(&place, "a.ndjson", 1, 4);
    assert_eq!(rows(&place.path("out")).len(), 9);
}

#[test]
fn what_is_appended_need_not_be_a_record() {
    let place = Place::new();
    place.write("a.log", receipts(0..2));
    converts(&place, "a.log", 1, 2);
    place.append("a.log", "no record\n\n");
    let (report, ran) = place.convert("a.log");
    ran.exits(1);
    assert_eq!((&report["rejected"], &report["blank"]), (&1.into(), &1.into()));
    place.append("a.log", receipts(2..3));
    converts(&place, "a.log", 1, 1);
    assert_eq!(acodes(&place), codes(0..3));
}

/// What was written cannot be taken back, but the rest of the line makes no second record.
#[test]
fn the_rest_of_a_line_that_was_half_written_is_rejected() {
    let place = Place::new();
    let whole = receipts(0..3);
    place.write("a.log", &whole[..whole.rfind("Act=").unwrap()]);
    converts(&place, "a.log", 1, 3);
    place.write("a.log", whole + &receipts(3..4));
    let (report, ran) = place.convert("a.log");
    ran.exits(1);
    assert_eq!((&report["records"], &report["rejected"]), (&1.into(), &1.into()));
    assert_eq!(acodes(&place), codes(0..4));
}

#[test]
fn a_gzip_file_is_known_in_every_place() {
    let place = Place::new();
    let gz = sample::gzip(receipts(0..5));
    place.write("a.zip", sample::stored_zip(&[("a.log.gz", &gz)]));
    converts(&place, "a.zip", 1, 5);
    place.write("a.log.gz", &gz);
    converts(&place, "a.log.gz", 0, 0);
    place.run_with_stdin("convert - -o out", &gz).exits(0);
    assert_eq!(acodes(&place), codes(0..5));
}

/// Compressed in ways that do not say how long the content is, and damaged at the end.
fn opaque() -> [Vec<u8>; 3] {
    let members = [sample::gzip(receipts(0..3)), sample::gzip(receipts(3..5))].concat();
    let mut cut = sample::gzip(receipts(0..300));
    cut.truncate(cut.len() / 2);
    [sample::gzip(receipts(0..5)), members, cut]
}

#[test]
fn compressed_bytes_are_known_in_every_order_of_places() {
    let places = ["file", "zip", "nested", "stdin", "copy"];
    for (case, gz) in opaque().iter().enumerate() {
        for first in 0..places.len() {
            let place = Place::new();
            let inner = zip(&[("deep.gz", gz)]);
            place.write("file", gz);
            place.write("copy", gz);
            place.write("zip", zip(&[("a.log.gz", gz)]));
            place.write("nested", sample::stored_zip(&[("inner.zip", inner)]));
            let mut before = None;
            for name in places.iter().cycle().skip(first).take(places.len()) {
                let ran = match *name {
                    "stdin" => place.run_with_stdin("convert - -o out", gz),
                    file => place.run(&format!("convert {file} -o out")),
                };
                assert!(matches!((case, ran.code), (_, Some(0)) | (2, Some(1))), "{name}: {}", ran.stderr);
                let now = rows(&place.path("out"));
                assert!(!now.is_empty() && *before.get_or_insert(now.clone()) == now, "{case} {name}");
            }
        }
    }
}

#[test]
fn what_is_compressed_later_or_unpacked_is_the_same() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..5));
    place.write("in/b.log.gz", sample::gzip(receipts(5..9)));
    converts(&place, "in", 2, 9);
    place.write("in/a.log.gz", sample::gzip(receipts(0..5)));
    place.write("in/b.log", receipts(5..9));
    converts(&place, "in", 0, 0);
    // In one run too.
    place.write("in/c.log", receipts(9..12));
    place.write("in/c.log.gz", sample::gzip(receipts(9..12)));
    place.write("in/d.zip", sample::stored_zip(&[("d.gz", sample::gzip(receipts(9..12)))]));
    place.convert("in").1.exits(0);
    assert_eq!(acodes(&place), codes(0..12));
    let before = snapshot(&place.path("out"));
    converts(&place, "in", 0, 0);
    assert_eq!(snapshot(&place.path("out")), before, "now every name is known");
}

#[test]
fn force_replaces_what_is_known_in_another_form() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    converts(&place, "a.log", 1, 5);
    place.write("a.log.gz", sample::gzip(receipts(0..5)));
    converts(&place, "a.log.gz --force", 1, 5);
    assert_eq!(acodes(&place), codes(0..5));
    place.write("other.gz", sample::gzip(receipts(0..5)));
    converts(&place, "other.gz a.log", 0, 0);
}

#[test]
fn a_file_changed_in_its_middle_is_new() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    converts(&place, "a.log", 1, 5);
    let changed = receipts(0..5).replace("R00000002", "R00000099");
    place.write("a.log", &changed);
    converts(&place, "a.log", 1, 5);
    place.write("a.log", changed.replace("R00000099", "R00000077") + &receipts(5..6));
    converts(&place, "a.log", 1, 6);
}

#[test]
fn damage_counts_in_the_run_that_meets_it() {
    let place = Place::new();
    let mut zip = sample::stored_zip(&[("a.log", receipts(0..3)), ("b.log", receipts(3..6))]);
    let at = zip.windows(9).position(|w| w == b"R00000004").unwrap();
    zip[at] = b'Q';
    let cut = zip[..zip.len() - 40].to_vec();
    for (name, bytes) in [("zip", zip), ("cut", cut)] {
        for (copy, read) in [("one", u64::from(name == "zip")), ("two", 0)] {
            let file = format!("{name}.{copy}");
            place.write(&file, &bytes);
            let (report, ran) = place.convert(&file);
            ran.exits(1).says("warning: ").says("b.log");
            assert_eq!((&report["files"]["read"], &report["files"]["unreadable"]), (&read.into(), &1.into()));
            let before = snapshot(&place.path("out"));
            let (report, _) = place.convert(&file);
            assert_eq!(report["files"]["unchanged"], 1);
            place.run(&format!("convert {file} -o out")).exits(0);
            assert_eq!(snapshot(&place.path("out")), before);
        }
    }
    assert_eq!(rows(&place.path("out")).len(), 6);
}

#[test]
fn force_replaces() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..5));
    place.write("in/b.zip", zip(&[("b.log", receipts(5..9)), ("c.log", receipts(9..20))]));
    place.write("in/d.log.gz", sample::gzip(receipts(20..25)));
    converts(&place, "in", 3, 25);
    let before = rows(&place.path("out"));
    for _ in 0..2 {
        converts(&place, "in --force", 3, 25);
        assert!(rows(&place.path("out")) == before);
    }
    converts(&place, "in", 0, 0);
    place.write("in/e.log", receipts(25..26));
    converts(&place, "in --force", 4, 26);
    assert_eq!(acodes(&place), codes(0..26));
}

#[test]
fn force_replaces_a_file_that_is_read_in_slices() {
    let place = Place::new();
    let text = long_receipts("Sx", 34 << 20);
    let wanted: Vec<_> = (0..text.lines().count()).map(|n| format!("Sx{n:06}")).collect();
    place.write("a.log", text);
    for arguments in ["--threads 1", "--threads 1 --force", "--threads 2 --force", "--threads 1 --force"] {
        place.run(&format!("convert a.log -o out -q {arguments}")).exits(0);
        assert!(acodes(&place) == wanted, "{arguments}: {} rows", acodes(&place).len());
    }
}

#[test]
fn force_replaces_what_is_planned_at_different_times() {
    let place = Place::new();
    // More than are planned at a time.
    for n in 0..4100 {
        place.write(&format!("in/{n:04}.log"), receipts(n..=n));
    }
    place.write("in/same.log", receipts(0..=0));
    converts(&place, "in", 4100, 4100);
    for n in 5000..5003 {
        place.write(&format!("in/-{n}.log"), receipts(n..=n));
    }
    converts(&place, "in --force", 4103, 4103);
    assert_eq!(acodes(&place), codes((0..4100).chain(5000..5003)));
    converts(&place, "in", 0, 0);
}

#[test]
fn force_replaces_a_file_that_has_grown() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    converts(&place, "a.log", 1, 5);
    place.append("a.log", receipts(5..9));
    converts(&place, "a.log", 1, 4);
    converts(&place, "a.log --force", 1, 9);
    assert_eq!(acodes(&place), codes(0..9));
    place.append("a.log", receipts(9..12));
    converts(&place, "a.log", 1, 3);
    assert_eq!(acodes(&place), codes(0..12));
}

#[test]
fn force_without_the_others_of_a_commit_is_refused() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    place.write("b.log", receipts(5..9));
    converts(&place, "a.log b.log", 2, 9);
    let before = snapshot(&place.path("out"));
    place.run("convert a.log -o out --force").exits(2).says("b.log").says("hint: ");
    assert_eq!(snapshot(&place.path("out")), before);
    converts(&place, "a.log b.log", 0, 0);
}

#[test]
fn another_kind_of_output_needs_another_directory() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    converts(&place, "a.log", 1, 5);
    let before = snapshot(&place.path("out"));
    for other in ["--schema ecs", "--original", "--tables receipt", "--schema ecs --force"] {
        place.run(&format!("convert a.log -o out {other}")).exits(2).says("another").says("hint: ");
    }
    assert_eq!(snapshot(&place.path("out")), before);
}

#[test]
fn records_without_a_date_and_records_of_every_date() {
    let place = Place::new();
    let undated = "aCode=R00000001|acc=C0A0|Act=Acc|Rcpt=anna@example.com\n";
    let odd = "datetime=soon|aCode=R00000002|acc=C0A0|Act=Acc|Rcpt=anna@example.com\n";
    let line = |year| format!("datetime={year}-06-01T00:00:00Z|aCode=Y|Act=Acc|Rcpt=a@b.example");
    let dated = (1500..2100).map(line).collect::<Vec<_>>().join("\n");
    place.write("a.log", format!("{undated}{odd}{dated}"));
    converts(&place, "a.log", 1, 602);
    let rows = rows(&place.path("out"));
    assert_eq!(rows.iter().filter(|row| row.date == "unknown").count(), 2);
    assert!(
        rows.iter().any(|row| row.date == "1500-06-01") && rows.iter().any(|row| row.date == "2099-06-01")
    );
}

#[test]
fn the_same_rows_by_any_path() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..5));
    place.run("convert in -o one").exits(0);
    place.run("convert ./in/a.log -o two").exits(0);
    place.run("convert in/*.log -o three").exits(0);
    let one: Vec<Row> = rows(&place.path("one"));
    assert!(rows(&place.path("two")) == one && rows(&place.path("three")) == one);
    place.run(&format!("convert {} -o four", place.path("in").display())).exits(0);
    assert!(without_source(rows(&place.path("four"))) == without_source(one));
}
