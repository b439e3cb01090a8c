//! A run that is stopped before any one of its steps is completed by the next.

use super::fault::Fault;
use super::*;

const CONTENTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

const FOREIGN: &str = "receipt/event_date=unknown/part-0.parquet";

/// Converts what is not known, in jobs of two contents.
fn complete(store: &Store) -> Result<()> {
    let new: Vec<&str> = CONTENTS.into_iter().filter(|content| !store.knows(&key(content))).collect();
    for contents in new.chunks(2) {
        convert(store, contents, Vec::new())?;
    }
    Ok(())
}

/// A run of everything: opens, merges, converts what is new, abandons a job, converts two again.
fn run(out: &Path, disk: &Arc<Disk>) -> Result<()> {
    let store = Store::open_on(Arc::clone(disk), out, KIND, Wait::Fail)?;
    complete(&store)?;
    let job = store.begin()?;
    let part = job.create("process", "2026-02-01", Extension::Parquet)?;
    part.finish(0)?;
    job.abandon();
    let old = store.commits_of(&[key("a")]);
    assert_eq!(store.inputs_of(&old[0])?.len(), 2);
    convert(&store, &["b", "a"], old)?;
    Ok(())
}

fn disk(fault: Fault) -> Arc<Disk> {
    Arc::new(Disk { fault })
}

/// An output with more commit files than are kept, half of the contents, and a foreign file.
fn before(out: &Path) {
    let store = open(out);
    convert(&store, &CONTENTS[..2], Vec::new()).unwrap();
    convert(&store, &CONTENTS[2..4], Vec::new()).unwrap();
    for name in ["x", "y", "z"] {
        commit(&store, vec![plain(name, name)]);
    }
    fs::write(out.join(FOREIGN), "foreign\n").unwrap();
}

fn expected() -> Vec<String> {
    let mut rows = vec!["receipt/event_date=unknown: foreign".to_owned()];
    for content in CONTENTS {
        for home in ["_quarantine", "receipt/event_date=2026-01-31", "receipt/event_date=unknown"] {
            rows.push(format!("{home}: {content}"));
        }
    }
    rows.sort();
    rows
}

/// Opens the output, and checks that what is visible is what commits name, and that nothing is missing then.
fn check(out: &Path, what: &str) {
    assert!(out.join(FOREIGN).exists(), "{what}: foreign file");
    check_ours(out, what);
    let store = open(out);
    assert!(["x", "y", "z"].iter().all(|name| store.knows(&key(name))), "{what}: units without rows");
}

/// The same for an output that a run began with.
fn check_ours(out: &Path, what: &str) {
    let store = open(out);
    let foreign = out.join(FOREIGN).exists();
    let ours = visible(out).into_iter().filter(|name| name != FOREIGN).collect();
    assert_eq!(named(&store), ours, "{what}: named and visible");
    complete(&store).unwrap();
    let expected: Vec<String> =
        expected().into_iter().filter(|row| foreign || !row.contains("foreign")).collect();
    assert_eq!(rows(out), expected, "{what}: rows");
    drop(store);
    for empty in ["tmp", "runs"] {
        assert_eq!(fs::read_dir(out.join("_mimelake").join(empty)).unwrap().count(), 0, "{what}: {empty}");
    }
}

/// Runs with a fault at every step in turn, until a run has fewer steps; says how many it had.
fn at_every_step(fault: fn(i64) -> Fault, after: &dyn Fn(&Path, &Fault, i64)) -> i64 {
    at_every_step_from(&before, fault, after)
}

fn at_every_step_from(
    before: &dyn Fn(&Path),
    fault: fn(i64) -> Fault,
    after: &dyn Fn(&Path, &Fault, i64),
) -> i64 {
    for step in 0.. {
        let out = tempfile::tempdir().unwrap();
        before(out.path());
        let disk = disk(fault(step));
        let complete = run(out.path(), &disk).is_ok() && !disk.fault.happened();
        after(out.path(), &disk.fault, step);
        if complete {
            return step;
        }
    }
    unreachable!("a run has an end")
}

#[test]
fn killed_at_every_step() {
    let steps = at_every_step(Fault::kill, &|out, _, step| check(out, &format!("killed before step {step}")));
    assert!(steps > 50, "{steps} steps");
}

#[test]
fn a_disk_that_fails_once_at_every_step() {
    at_every_step(Fault::full_once, &|out, _, step| check(out, &format!("failed at step {step}")));
}

#[test]
fn power_lost_at_every_step() {
    at_every_step(Fault::kill, &|out, fault, step| {
        fault.lose_power(|_| true);
        check(out, &format!("power lost before step {step}"));
    });
}

#[test]
fn power_lost_at_every_step_of_the_first_run() {
    at_every_step_from(&|_| {}, Fault::kill, &|out, fault, step| {
        fault.lose_power(|_| true);
        check_ours(out, &format!("power lost before step {step} of the first run"));
    });
}

/// A coin for every change of names, the same every time.
fn toss(seed: i64, step: i64, number: usize) -> bool {
    blake3::hash(format!("{seed} {step} {number}").as_bytes()).as_bytes()[0] < 128
}

#[test]
fn power_lost_at_every_step_and_some_changes_kept() {
    for seed in 0..3 {
        at_every_step(Fault::kill, &|out, fault, step| {
            fault.lose_power(|number| toss(seed, step, number));
            check(out, &format!("power lost before step {step}, seed {seed}"));
        });
    }
}

#[test]
fn killed_again_while_recovering() {
    at_every_step(Fault::kill, &|out, _, step| {
        // Every later recovery gets one step further than the one before it, and loses some of it.
        for again in 0.. {
            let disk = disk(Fault::kill(again));
            let recovered = Store::open_on(Arc::clone(&disk), out, KIND, Wait::Fail).is_ok();
            disk.fault.lose_power(|number| toss(step, again, number));
            if recovered || !disk.fault.happened() {
                break;
            }
        }
        check(out, &format!("killed before step {step} and while recovering"));
    });
}

#[test]
fn a_failed_job_leaves_nothing_visible_at_once() {
    for step in 0..40 {
        let out = tempfile::tempdir().unwrap();
        let Ok(store) = Store::open_on(disk(Fault::full_once(step)), out.path(), KIND, Wait::Fail) else {
            continue;
        };
        match convert(&store, &["a"], Vec::new()) {
            Ok(_) => assert_eq!(visible(out.path()).len(), 3),
            Err(error) => {
                assert!(error.to_string().contains(out.path().to_str().unwrap()), "{error}");
                // Once the record has its name, only the next start can tell.
                let recorded = !layout::names(&store.layout.commits()).unwrap().is_empty();
                assert_eq!(visible(out.path()).len(), if recorded { 3 } else { 0 }, "step {step}: {error}");
                assert!(recorded || layout::names(&store.layout.temporary()).unwrap().is_empty());
            }
        }
    }
}

#[test]
fn a_part_without_an_end_stops_its_job() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let job = store.begin().unwrap();
    drop(job.create("receipt", "unknown", Extension::Ndjson).unwrap());
    job.create("receipt", "unknown", Extension::Ndjson).unwrap().finish(1).unwrap();
    let error = job.commit(vec![plain("a", "a")], Counts::default()).unwrap_err();
    assert!(matches!(error, StoreError::Unfinished { .. }), "{error}");
    assert!(!store.knows(&key("a")));
    let job = store.begin().unwrap();
    job.create("receipt", "unknown", Extension::Ndjson).unwrap().discard();
    job.commit(vec![plain("a", "a")], Counts::default()).unwrap();
    assert!(store.knows(&key("a")));
    assert!(visible(out.path()).is_empty());
    assert!(layout::names(&store.layout.temporary()).unwrap().is_empty());
}
