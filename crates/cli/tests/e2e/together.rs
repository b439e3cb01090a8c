//! Several runs on one output directory at once.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use crate::lake::rows;
use crate::runs::{Place, ended};
use crate::sample::receipts;

/// A run on `fifo` that holds `out` until the file that it reads is given and ended.
fn holding(place: &Place) -> (Child, fs::File) {
    assert!(ended(Command::new("mkfifo").arg(place.path("fifo"))).code == Some(0));
    let child = place.command("convert fifo -o out -v".split(' ')).stderr(Stdio::piped()).spawn().unwrap();
    // Opening waits for the reader, which by then holds the output directory.
    let input = fs::OpenOptions::new().write(true).open(place.path("fifo")).unwrap();
    (child, input)
}

#[test]
fn two_runs_at_once() {
    let place = Place::new();
    let (mut first, mut input) = holding(&place);
    input.write_all(receipts(0..5).as_bytes()).unwrap();
    place.write("b.log", receipts(3..9));

    let refused = place.run("convert b.log -o out --no-wait").exits(2);
    assert!(refused.stderr.contains(&format!("pid {}", first.id())), "{}", refused.stderr);

    let mut second = place.command("convert b.log -o out".split(' ')).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(second.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("waiting for out") && line.contains(&first.id().to_string()), "{line}");
    assert!(second.try_wait().unwrap().is_none());

    drop(input);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(0), "{rest}");
    // The second sees what the first has done: its file holds some of the same receipts, but is another.
    assert_eq!(rows(&place.path("out")).len(), 5 + 6);
}

#[test]
fn two_runs_over_the_same_input() {
    let place = Place::new();
    for n in 0..4 {
        place.write(&format!("in/{n}.log"), receipts(n * 1000..(n + 1) * 1000));
    }
    let run = || place.command("convert in -o out -q".split(' ')).stderr(Stdio::piped()).spawn().unwrap();
    let runs = [run(), run(), run()];
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let rows = rows(&place.path("out"));
    assert_eq!(rows.len(), 4000);
    assert_eq!(rows.iter().map(|row| row.get("acode")).collect::<BTreeSet<_>>().len(), 4000);
}
