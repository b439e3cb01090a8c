//! Standard input and named pipes, which can be read only once.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::lake::{files, rows};
use crate::runs::{Place, Ran, ended, interrupt};
use crate::sample::{gzip, receipts, zip};

fn count(place: &Place) -> usize {
    rows(&place.path("out")).len()
}

fn stdin(place: &Place, arguments: &str, bytes: impl AsRef<[u8]>) -> Ran {
    place.run_with_stdin(&format!("convert -o out {arguments}"), bytes.as_ref())
}

#[test]
fn the_same_stdin_twice_adds_nothing() {
    let members = [("a.log", receipts(0..3)), ("b.log", receipts(3..5))];
    let forms = [receipts(0..5).into_bytes(), gzip(receipts(0..5)), zip(&members)];
    for (at, bytes) in forms.iter().enumerate() {
        let place = Place::new();
        for _ in 0..3 {
            stdin(&place, "-", bytes).exits(0);
            assert_eq!(count(&place), 5, "form {at}");
        }
        stdin(&place, "-", receipts(5..9)).exits(0);
        assert_eq!(count(&place), 9, "form {at}");
    }
}

#[test]
fn stdin_is_known_as_a_file_and_the_other_way_round() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    place.write("b.log", receipts(5..9));
    place.convert("a.log").1.exits(0);
    stdin(&place, "-", receipts(0..5)).exits(0);
    assert_eq!(count(&place), 5);
    stdin(&place, "-", receipts(5..9)).exits(0);
    place.convert("b.log").1.exits(0);
    assert_eq!(count(&place), 9);
}

#[test]
fn known_stdin_beside_a_new_file() {
    let place = Place::new();
    stdin(&place, "-", receipts(0..5)).exits(0);
    place.write("b.log", receipts(5..9));
    stdin(&place, "- b.log", receipts(0..5)).exits(0);
    assert_eq!(count(&place), 9);
}

#[test]
fn stdin_and_the_same_bytes_in_a_file_of_one_run() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    stdin(&place, "- a.log", receipts(0..5)).exits(0);
    assert_eq!(count(&place), 5);
}

#[test]
fn force_replaces_what_came_by_stdin() {
    let place = Place::new();
    stdin(&place, "-", receipts(0..5)).exits(0);
    stdin(&place, "- --force", receipts(0..5)).exits(0);
    assert_eq!(count(&place), 5);
}

#[test]
fn force_replaces_by_stdin_nothing_else() {
    let place = Place::new();
    for n in 0..5 {
        place.write(&format!("in/{n}.log"), receipts(10 * n..10 * n + 5));
    }
    for _ in 0..2 {
        // What a file of the same run holds is not replaced by it.
        stdin(&place, "in - --force", receipts(10..15)).exits(0);
        assert_eq!(count(&place), 25);
        // The others would go with it.
        stdin(&place, "- --force", receipts(10..15)).exits(2).says("was converted together").says("hint: ");
        assert_eq!(count(&place), 25);
        stdin(&place, "in -", receipts(10..16)).exits(0);
        assert_eq!(count(&place), 31);
        stdin(&place, "- --force", receipts(10..16)).exits(0);
        assert_eq!(count(&place), 31);
        fs::remove_dir_all(place.path("out")).unwrap();
        stdin(&place, "in -", receipts(10..15)).exits(0);
        assert_eq!(count(&place), 25);
    }
}

#[test]
fn an_empty_stdin_is_an_empty_file() {
    let place = Place::new();
    stdin(&place, "-", "").exits(0);
    stdin(&place, "-", receipts(0..2)).exits(0);
    assert_eq!(count(&place), 2);
}

#[test]
fn stdin_to_stdout() {
    let place = Place::new();
    let ran = place.run_with_stdin("convert - -o -", receipts(0..5).as_bytes()).exits(0);
    assert_eq!(crate::lake::lines(&ran.stdout).len(), 5);
    let ran = place.run_with_stdin("check - --report report.json", &gzip(receipts(0..5))).exits(0);
    assert_eq!(place.report(&ran)["records"], 5);
}

/// Runs a shell line, in which `mimelake` is the program.
fn bash(place: &Place, line: &str) -> Ran {
    let script = format!("mimelake() {{ {} \"$@\"; }}; {line}", env!("CARGO_BIN_EXE_mimelake"));
    ended(Command::new("bash").args(["-c", &script]).current_dir(place.path("")))
}

#[test]
fn process_substitutions() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    place.write("b.log", receipts(5..9));
    place.write("c.log", receipts(9..12));
    bash(&place, "mimelake convert -o out <(cat a.log) <(cat b.log)").exits(0);
    assert_eq!(count(&place), 9);
    bash(&place, "mimelake convert -o out <(cat a.log) <(cat c.log)").exits(0);
    assert_eq!(count(&place), 12);
}

#[test]
fn a_named_pipe() {
    let place = Place::new();
    ended(Command::new("mkfifo").arg(place.path("pipe")));
    for _ in 0..2 {
        let path = place.path("pipe");
        let writer = std::thread::spawn(move || fs::write(path, receipts(0..5)));
        place.convert("pipe").1.exits(0);
        writer.join().unwrap().unwrap();
        assert_eq!(count(&place), 5);
    }
}

#[test]
fn a_run_that_failed_waits_for_no_stream() {
    let place = Place::new();
    place.write("aa.log", "no key\n");
    // More than are listed at a time.
    for n in 0..4100 {
        place.write(&format!("in/{n}.log"), receipts(n..=n));
    }
    ended(Command::new("mkfifo").arg(place.path("zz")));
    let path = place.path("zz");
    let (tell, opened) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        let pipe = fs::OpenOptions::new().write(true).open(path);
        tell.send(pipe.is_ok()).unwrap();
    });
    place.run("convert aa.log in zz -o out --on-reject fail").exits(1);
    assert!(opened.try_recv().is_err(), "the pipe was opened");
    drop(fs::File::open(place.path("zz")).unwrap());
    writer.join().unwrap();
}

#[test]
fn a_silent_stream_can_be_interrupted() {
    let beginnings = [Vec::new(), receipts(0..50).into_bytes(), zip(&[("a.log", receipts(0..50))])];
    for (at, beginning) in beginnings.iter().enumerate() {
        let place = Place::new();
        place.write("a.log", receipts(50..60));
        place.convert("a.log").1.exits(0);
        let lock = fs::read(place.path("out/_mimelake/lock")).unwrap();
        let mut run = place.command("convert - -o out".split(' '));
        let mut run = run.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdin = run.stdin.take().unwrap();
        stdin.write_all(beginning).unwrap();
        // It listens to signals before it takes the lock, and then waits for what does not come.
        while fs::read(place.path("out/_mimelake/lock")).unwrap() == lock {
            std::thread::yield_now();
        }
        interrupt(&run, "INT");
        assert_eq!(run.wait().unwrap().code(), Some(130), "beginning {at}");
        assert_eq!(count(&place), 10);
        assert!(files(&place.path("out/_mimelake/tmp")).is_empty());
        drop(stdin);
    }
}
