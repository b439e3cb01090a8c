//! Contents that were converted in slices, or line by line as they grew, and come again in another form.

use std::fs;

use crate::lake::rows;
use crate::runs::Place;
use crate::sample::{gzip, long_receipts, receipts, zip};

/// Whether the output holds so many rows, each of another record.
#[track_caller]
pub fn holds(place: &Place, count: usize) {
    let rows = rows(&place.path("out"));
    let mut acodes: Vec<_> = rows.iter().map(|row| row.get("acode")).collect();
    acodes.sort_unstable();
    acodes.dedup();
    assert_eq!((rows.len(), acodes.len()), (count, count));
}

pub fn convert(place: &Place, arguments: &str) {
    place.run(&format!("convert -o out -q --threads 2 {arguments}")).exits(0);
}

pub fn stdin(place: &Place, arguments: &str, bytes: impl AsRef<[u8]>) {
    place.run_with_stdin(&format!("convert -o out -q --threads 2 {arguments}"), bytes.as_ref()).exits(0);
}

/// `a.log`, converted as it grew.
pub fn grown() -> Place {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    convert(&place, "a.log");
    place.append("a.log", receipts(5..9));
    convert(&place, "a.log");
    holds(&place, 9);
    place
}

#[test]
fn a_file_that_has_grown_is_known_by_stdin() {
    for forced in ["", "--force"] {
        let place = grown();
        for _ in 0..2 {
            stdin(&place, &format!("- {forced}"), receipts(0..9));
            holds(&place, 9);
        }
        stdin(&place, &format!("- {forced}"), gzip(receipts(0..9)));
        holds(&place, 9);
        place.append("a.log", receipts(9..12));
        convert(&place, "a.log");
        holds(&place, 12);
        convert(&place, "a.log --force");
        holds(&place, 12);
    }
}

#[test]
fn what_was_replaced_from_elsewhere_grows_on() {
    for forced in ["copy.log", "copy.log.gz", "copy.zip"] {
        let place = grown();
        place.write("copy.log", receipts(0..9));
        place.write("copy.log.gz", gzip(receipts(0..9)));
        place.write("copy.zip", zip(&[("copy.log", receipts(0..9))]));
        convert(&place, &format!("{forced} --force"));
        holds(&place, 9);
        place.append("a.log", receipts(9..12));
        convert(&place, "a.log");
        holds(&place, 12);
    }
}

#[test]
fn a_content_in_slices_is_known_in_every_form() {
    let text = long_receipts("Sx", 34 << 20);
    let count = text.lines().count();
    let packed = gzip(&text);
    let write = |place: &Place| {
        place.write("a.log", &text);
        place.write("b.log.gz", &packed);
        place.write("c.zip", zip(&[("x.log", &text)]));
        place.write("0.zip", zip(&[("x.log", &text)]));
    };
    // In one run, in every order.
    for inputs in ["a.log b.log.gz c.zip", "0.zip a.log", "b.log.gz a.log"] {
        let place = Place::new();
        write(&place);
        for forced in ["", "", "--force"] {
            convert(&place, &format!("{inputs} {forced}"));
            holds(&place, count);
        }
    }
    // One after the other, and by stdin.
    let place = Place::new();
    write(&place);
    stdin(&place, "a.log -", &text);
    holds(&place, count);
    for arguments in ["-", "- --force", "-"] {
        stdin(&place, arguments, &packed);
        holds(&place, count);
    }
    for arguments in
        ["a.log", "b.log.gz --force", "c.zip", "a.log --force", "0.zip --force", "a.log b.log.gz c.zip"]
    {
        convert(&place, arguments);
        holds(&place, count);
    }
}

/// A directory with a large file and others of the same content, converted by a run that was stopped: this one of the
/// commits of its slices is missing.
pub fn stopped(text: &str, missing: usize) -> Place {
    let place = Place::new();
    place.write("a.log", text);
    place.run("convert -o out -q --threads 1 a.log").exits(0);
    let commits = fs::read_dir(place.path("out/_mimelake/commits")).unwrap();
    let mut commits: Vec<_> = commits.map(|entry| entry.unwrap().path()).collect();
    commits.sort();
    assert_eq!(commits.len(), 2);
    let commit = &commits[missing];
    let (run, _) = commit.file_stem().unwrap().to_str().unwrap().rsplit_once('-').unwrap();
    place.write(&format!("out/_mimelake/runs/{run}"), "");
    fs::remove_file(commit).unwrap();
    place.write("b.log.gz", gzip(text));
    place.write("c.zip", zip(&[("x.log", text)]));
    place
}

#[test]
fn a_run_that_was_stopped_in_a_large_file_is_completed() {
    let text = long_receipts("Sx", 34 << 20);
    let count = text.lines().count();
    for (inputs, missing) in
        [("a.log", 0), ("a.log b.log.gz", 0), ("b.log.gz a.log", 1), ("a.log --force", 1)]
    {
        let place = stopped(&text, missing);
        for _ in 0..2 {
            convert(&place, inputs);
            holds(&place, count);
        }
        convert(&place, "a.log b.log.gz c.zip");
        stdin(&place, "-", &text);
        holds(&place, count);
    }
}

#[test]
fn what_is_there_twice_is_told_and_mended() {
    let text = long_receipts("Sx", 34 << 20);
    let count = text.lines().count();
    for form in ["b.log.gz", "c.zip", "-"] {
        let place = stopped(&text, 1);
        let ran = place.run_with_stdin(&format!("convert -o out {form}"), text.as_bytes()).exits(0);
        ran.says("a part of it was converted before, and is there twice now");
        assert!(rows(&place.path("out")).len() > count);
        convert(&place, "a.log --force");
        holds(&place, count);
    }
}

#[test]
fn a_stream_that_begins_as_a_known_file_replaces_nothing() {
    let place = grown();
    let ran = place.run_with_stdin("convert - -o out --from json", receipts(0..12).as_bytes()).exits(1);
    ran.says("is there twice now");
    holds(&place, 9);
    let ran = place.run_with_stdin("convert - -o out", receipts(0..13).as_bytes()).exits(0);
    ran.says("is there twice now");
    assert_eq!(rows(&place.path("out")).len(), 9 + 13);
    convert(&place, "a.log");
    assert_eq!(rows(&place.path("out")).len(), 9 + 13);
}

#[test]
fn a_rotated_file_is_replaced_and_the_live_one_grows_on() {
    for form in ["a.log.1", "-"] {
        let place = Place::new();
        place.write("a.log", receipts(0..9));
        convert(&place, "a.log");
        fs::rename(place.path("a.log"), place.path("a.log.1")).unwrap();
        place.write("a.log", receipts(20..30));
        convert(&place, "a.log");
        stdin(&place, &format!("{form} --force"), gzip(receipts(0..9)));
        holds(&place, 19);
        place.append("a.log", receipts(30..35));
        convert(&place, "a.log");
        holds(&place, 24);
    }
}

#[test]
fn a_file_that_has_grown_is_known_in_a_zip() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    place.write("z.zip", zip(&[("a.log", receipts(0..5))]));
    convert(&place, "z.zip");
    convert(&place, "a.log");
    place.append("a.log", receipts(5..9));
    convert(&place, "a.log");
    place.write("y.zip", zip(&[("a.log", receipts(0..9))]));
    convert(&place, "y.zip");
    holds(&place, 9);
}

#[test]
fn a_file_that_has_grown_is_known_in_another_form_of_the_run() {
    for (name, bytes) in [
        ("0.log.gz", gzip(receipts(0..9))),
        ("b.log.gz", gzip(receipts(0..9))),
        ("0.zip", zip(&[("x.log", receipts(0..9))])),
    ] {
        let place = Place::new();
        place.write("in/a.log", receipts(0..5));
        convert(&place, "in");
        place.append("in/a.log", receipts(5..9));
        place.write(&format!("in/{name}"), bytes);
        for forced in ["", "", "--force", ""] {
            convert(&place, &format!("in {forced}"));
            holds(&place, 9);
        }
        place.append("in/a.log", receipts(9..12));
        convert(&place, "in/a.log");
        holds(&place, 12);
    }
}

#[test]
fn a_zip_by_stdin_is_replaced_and_known_as_a_file_is() {
    let place = Place::new();
    let members = zip(&[("a.log", receipts(0..5)), ("b.log", receipts(5..9))]);
    place.write("z.zip", &members);
    convert(&place, "z.zip");
    stdin(&place, "- --force", &members);
    holds(&place, 9);
    let report = place.run_with_stdin("convert - -o out --report report.json", &members).exits(0);
    assert_eq!(place.report(&report)["files"]["unchanged"], 1);
    holds(&place, 9);
    // Beside a file, which is replaced without it.
    place.write("c.log", receipts(9..12));
    stdin(&place, "c.log -", zip(&[("d.log", receipts(12..14))]));
    convert(&place, "c.log --force");
    holds(&place, 14);
}

#[test]
fn a_stream_that_is_damaged_behind_what_is_known_is_damaged() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    convert(&place, "a.log");
    let first = gzip(receipts(0..5));
    let mut both = [first.clone(), gzip(receipts(5..9))].concat();
    both.truncate(first.len() + 30);
    for arguments in ["-", "- --force"] {
        place.run_with_stdin(&format!("convert -o out {arguments}"), &both).exits(1);
        holds(&place, 5);
    }
}

#[test]
fn a_record_across_a_slice_is_known_by_all_its_bytes() {
    let text = long_receipts("Sx", 34 << 20);
    let middle = text.len() / 2;
    let (begin, end) = (text[..middle].rfind('\n').unwrap() + 1, middle + text[middle..].find('\n').unwrap());
    // Two contents that differ in one byte of a subject, behind where the file would be cut.
    for at in [(middle + 1).max(begin + 200), end - 2] {
        let place = Place::new();
        let mut other = text.clone().into_bytes();
        other[at] = b'X';
        place.write("a.log", &text);
        place.write("b.log", &other);
        let acode = text[begin..end].split_once("aCode=").unwrap().1.split_once('|').unwrap().0;
        for arguments in ["a.log", "b.log", "b.log --force", "a.log b.log"] {
            convert(&place, arguments);
            let rows = rows(&place.path("out"));
            let found = rows.iter().filter(|row| row.get("acode") == acode);
            let mut found: Vec<_> = found.map(|row| row.get("subject").contains('X')).collect();
            found.sort_unstable();
            let expected = if arguments == "a.log" { &[false][..] } else { &[false, true] };
            assert_eq!(found, expected, "{arguments}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_was_written_is_no_input_by_whatever_way() {
    for out in ["link", "sub/../in/lake", "in/lake"] {
        let place = Place::new();
        place.write("in/a.log", receipts(0..5));
        fs::create_dir_all(place.path("in/lake")).unwrap();
        fs::create_dir_all(place.path("sub")).unwrap();
        std::os::unix::fs::symlink(place.path("in/lake"), place.path("link")).unwrap();
        for _ in 0..3 {
            place.run(&format!("convert in -o {out} --to ndjson -q")).exits(0);
            assert_eq!(rows(&place.path("in/lake")).len(), 5, "{out}");
        }
        place.run(&format!("convert link/.. -o {out} --to ndjson -q")).exits(0);
        assert_eq!(rows(&place.path("in/lake")).len(), 5, "{out}");
    }
}
