//! Files that take the place of others.

use super::fault::Fault;
use super::*;

const LATE: &str = "messages/event_date=2026-03-03/part-0.ndjson";
const EARLY: &str = "messages/event_date=2026-03-02/part-0.ndjson";
const GONE: &str = "messages/event_date=2026-03-04/part-0.ndjson";

fn put(job: &Job<'_>, place: &str, rows: &str) -> Result<()> {
    let mut file = job.create_at(place)?;
    file.write_all(rows.as_bytes()).unwrap();
    file.finish(1)
}

/// The first run: three days with a row each.
fn before(out: &Path) {
    let store = open(out);
    let job = store.begin().unwrap();
    for (place, row) in [(EARLY, "a\n"), (LATE, "b\n"), (GONE, "c\n")] {
        put(&job, place, row).unwrap();
    }
    job.commit(vec![plain("one", "one")], Counts::default()).unwrap();
}

/// The second run: what was on the third and fourth turns out to be of the second.
fn run(out: &Path, disk: &Arc<Disk>) -> Result<()> {
    let store = Store::open_on(Arc::clone(disk), out, KIND, Wait::Fail)?;
    if store.knows(&key("two")) {
        return Ok(());
    }
    let mut job = store.begin()?;
    put(&job, EARLY, "a\nb\nc\n")?;
    put(&job, LATE, "d\n")?;
    job.remove_at(GONE)?;
    job.commit(vec![plain("two", "two")], Counts::default())?;
    Ok(())
}

fn found(out: &Path) -> Vec<String> {
    rows(out).into_iter().map(|row| row.rsplit_once(": ").unwrap().1.to_owned()).collect()
}

fn each_once(rows: &[String]) -> bool {
    rows.windows(2).all(|pair| pair[0] != pair[1])
}

fn at_every_step(after: &dyn Fn(&Path, &Fault, i64)) -> i64 {
    at_every_step_of(&run, after)
}

fn at_every_step_of(
    run: &dyn Fn(&Path, &Arc<Disk>) -> Result<()>,
    after: &dyn Fn(&Path, &Fault, i64),
) -> i64 {
    for step in 0.. {
        let out = tempfile::tempdir().unwrap();
        before(out.path());
        let disk = Arc::new(Disk { fault: Fault::kill(step) });
        let complete = run(out.path(), &disk).is_ok() && !disk.fault.happened();
        after(out.path(), &disk.fault, step);
        if complete {
            return step;
        }
    }
    unreachable!("a run has an end")
}

/// Opens the output: it is as before or as after, and another run makes it as after.
fn check(out: &Path, what: &str) {
    let knew = open(out).knows(&key("two"));
    let now = found(out);
    assert_eq!(now, if knew { ["a", "b", "c", "d"].as_slice() } else { &["a", "b", "c"] }, "{what}");
    assert_eq!(out.join(GONE).exists(), !knew, "{what}");
    run(out, &Arc::default()).unwrap();
    assert_eq!(found(out), ["a", "b", "c", "d"], "{what}");
    assert_eq!(layout::names(&out.join("_mimelake/tmp")).unwrap(), Vec::<String>::new(), "{what}");
}

/// Another second run: what was on the second turns out to be of the third.
fn later(out: &Path, disk: &Arc<Disk>) -> Result<()> {
    let store = Store::open_on(Arc::clone(disk), out, KIND, Wait::Fail)?;
    let mut job = store.begin()?;
    put(&job, EARLY, "x\n")?;
    put(&job, LATE, "a\nb\n")?;
    job.swap_in_order(vec![EARLY.to_owned(), LATE.to_owned()]);
    job.commit(vec![plain("two", "two")], Counts::default())?;
    Ok(())
}

#[test]
fn a_row_that_moves_to_a_later_place_is_never_there_twice_in_the_order_asked_for() {
    let steps = at_every_step_of(&later, &|out, _, step| {
        let mut rows = found(out);
        rows.sort();
        assert!(each_once(&rows), "killed before step {step}: {rows:?}");
        open(out);
        let rows = found(out);
        assert!(rows == ["a", "b", "c"] || rows == ["x", "a", "b", "c"], "{step}: {rows:?}");
    });
    assert!(steps > 10, "{steps}");
}

#[test]
fn killed_at_every_step_no_row_is_there_twice_and_the_next_start_completes_it() {
    let steps = at_every_step(&|out, _, step| {
        let mut rows = found(out);
        rows.sort();
        assert!(each_once(&rows), "killed before step {step}: {rows:?}");
        check(out, &format!("killed before step {step}"));
    });
    assert!(steps > 15, "{steps} steps");
}

#[test]
fn power_lost_at_every_step() {
    at_every_step(&|out, fault, step| {
        fault.lose_power(|_| true);
        check(out, &format!("power lost before step {step}"));
    });
}

#[test]
fn places_lie_below_the_output() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let mut job = store.begin().unwrap();
    for place in ["", "x", "../x/y", "/x/y", "x/../../y", "./x/y/.."] {
        assert!(matches!(job.create_at(place), Err(StoreError::BadName { .. })), "{place}");
        assert!(matches!(job.remove_at(place), Err(StoreError::BadName { .. })), "{place}");
    }
}
