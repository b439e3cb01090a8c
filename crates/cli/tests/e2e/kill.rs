//! Runs that are killed or interrupted, and then completed.
//!
//! `MIMELAKE_KILLS=200 cargo test -p mimelake --test e2e kill` kills more often than the usual run does.

use std::path::Path;
use std::process::{Child, Stdio};

use crate::lake::{Row, files, rows};
use crate::runs::{Place, interrupt};
use crate::sample::{long_receipts, zip};

const ARGUMENTS: &str = "convert in -o out -q --memory 64MiB --threads 2";
/// Enough of these that the run has several jobs, which are cut at some 16 MiB.
const FILES: usize = 10;
const FILE: usize = 4 << 20;

/// A place with input for several jobs, one file of which has grown since it was converted.
fn place() -> Place {
    let place = Place::new();
    for n in 0..FILES {
        place.write(&format!("in/{n}.log"), long_receipts(&format!("P{n}x"), FILE));
    }
    let members = [("a.log", long_receipts("Za", FILE / 4)), ("b.log", long_receipts("Zb", FILE / 4))];
    place.write("in/members.zip", zip(&members));
    place
}

/// Converts the beginning of a file, which then grows.
fn grow(place: &Place) {
    let whole = long_receipts("Gx", 64 << 10);
    let cut = whole[..whole.len() / 2].rfind('\n').unwrap() + 1;
    place.write("in/grown.log", &whole[..cut]);
    place.run("convert in/grown.log -o out -q").exits(0);
    place.append("in/grown.log", &whole[cut..]);
}

fn start(place: &Place) -> Child {
    let mut command = place.command(ARGUMENTS.split(' '));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn clear(place: &Place) {
    std::fs::remove_dir_all(place.path("out")).unwrap();
}

/// How many bytes an output directory has, whatever becomes of its files meanwhile.
fn written(out: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(out) else { return 0 };
    let bytes = |path: &Path| match path.metadata() {
        Ok(data) if data.is_dir() => written(path),
        data => data.map_or(0, |data| data.len()),
    };
    entries.filter_map(Result::ok).map(|entry| bytes(&entry.path())).sum()
}

/// Waits until the run has written so much, or has ended.
fn wait_until_written(run: &mut Child, place: &Place, bytes: u64) {
    while written(&place.path("out")) < bytes && run.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
}

/// The rows of a run that nothing disturbs, and how many bytes it writes.
fn undisturbed(place: &Place) -> (Vec<Row>, u64) {
    grow(place);
    place.run(ARGUMENTS).exits(0);
    let bytes = written(&place.path("out"));
    let jobs = files(&place.path("out/_mimelake/commits")).len();
    assert!(jobs > 3, "{jobs} commits are too few to be killed between");
    let rows = rows(&place.path("out"));
    clear(place);
    (rows, bytes)
}

#[test]
fn a_killed_run_is_completed_by_the_next() {
    let kills: u32 = std::env::var("MIMELAKE_KILLS").map_or(12, |text| text.parse().unwrap());
    let place = place();
    let (expected, bytes) = undisturbed(&place);
    let mut killed = 0;
    for kill in 0..kills {
        grow(&place);
        // Sometimes the run that completes a killed one is killed too.
        for again in 0..=kill % 2 {
            let mut child = start(&place);
            wait_until_written(&mut child, &place, bytes * u64::from(kill + again) / u64::from(kills));
            child.kill().unwrap();
            killed += u32::from(!child.wait().unwrap().success());
        }
        place.run(ARGUMENTS).exits(0);
        let found = rows(&place.path("out"));
        assert!(found == expected, "kill {kill}: {} rows, expected {}", found.len(), expected.len());
        assert_eq!(files(&place.path("out/_mimelake/tmp")).len(), 0);
        clear(&place);
    }
    assert!(killed > 0, "every run ended before it was killed");
}

#[test]
fn an_interrupted_run_is_completed_by_the_next() {
    let place = place();
    let (expected, bytes) = undisturbed(&place);
    let mut interrupted = 0;
    for (at, signal) in ["INT", "TERM", "INT"].into_iter().enumerate() {
        grow(&place);
        let mut child = start(&place);
        wait_until_written(&mut child, &place, bytes * (at as u64 + 2) / 6);
        interrupt(&child, signal);
        let code = child.wait_with_output().unwrap().status.code();
        assert!(matches!(code, Some(0 | 130)), "{code:?}");
        interrupted += u32::from(code == Some(130));
        // What is there is whole, and leads nowhere but to the whole.
        let found = rows(&place.path("out"));
        assert!(found.iter().all(|row| expected.binary_search(row).is_ok()));
        assert_eq!(files(&place.path("out/_mimelake/tmp")).len(), 0);
        place.run(ARGUMENTS).exits(0);
        assert!(rows(&place.path("out")) == expected);
        clear(&place);
    }
    assert!(interrupted > 0, "every run ended before it was interrupted");
}

#[test]
fn a_file_that_has_grown_since_a_killed_run_is_converted_once() {
    // One job after the other, so that it is known which is which.
    let arguments = "convert in -o out -q --threads 1";
    let place = Place::new();
    let whole = long_receipts("Sx", 34 << 20);
    let ends_line = whole.rfind("datetime=").unwrap();
    for (lost, cut) in [(0, ends_line), (1, ends_line), (0, whole.len() - 99), (1, whole.len() - 99)] {
        place.write("in/a.log", &whole[..cut]);
        place.run(arguments).exits(0);
        // As if the run had been killed before it finished one of its jobs.
        let commits = files(&place.path("out/_mimelake/commits"));
        assert_eq!(commits.len(), 2);
        let job = commits[lost].file_stem().unwrap().to_string_lossy().into_owned();
        let of_job = |path: &Path| path.to_string_lossy().contains(&job);
        for file in files(&place.path("out")).into_iter().filter(|path| of_job(path)) {
            std::fs::remove_file(file).unwrap();
        }
        place.append("in/a.log", &whole[cut..]);
        // The rest of a line is rejected only where its beginning was taken for a line.
        place.run(arguments).exits(i32::from(lost == 0 && cut > ends_line));
        let mut acodes: Vec<_> =
            rows(&place.path("out")).iter().map(|row| row.get("acode").to_owned()).collect();
        acodes.sort();
        let wanted: Vec<_> = (0..whole.matches("aCode=").count()).map(|n| format!("Sx{n:06}")).collect();
        assert!(acodes == wanted, "{lost} {cut}: {} rows, expected {}", acodes.len(), wanted.len());
        clear(&place);
    }
}
