//! Who may open an output directory, and what is left alone.

use super::*;

#[test]
fn the_second_run_learns_who_holds_the_first() {
    let out = tempfile::tempdir().unwrap();
    let first = open(out.path());
    let pid = format!("pid {}", std::process::id());
    let error = Store::open(out.path(), KIND, Wait::Fail).unwrap_err();
    assert!(matches!(&error, StoreError::Locked { holder, .. } if holder.contains(&pid)), "{error}");
    assert!(error.to_string().contains("_mimelake"), "{error}");

    let mut calls = Vec::new();
    let wait = Wait::Until { held: &mut |holder| calls.push(holder.to_owned()), give_up: &|| true };
    assert!(matches!(Store::open(out.path(), KIND, wait), Err(StoreError::Locked { .. })));
    assert!(calls.len() == 1 && calls[0].contains(&pid), "{calls:?}");

    let first = Mutex::new(Some(first));
    let let_go = || {
        first.lock().unwrap().take();
        false
    };
    assert!(Store::open(out.path(), KIND, Wait::Until { held: &mut |_| {}, give_up: &let_go }).is_ok());
}

#[test]
fn foreign_files_survive() {
    let out = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    convert(&open(other.path()), &["elsewhere"], Vec::new()).unwrap();
    let moved = visible(other.path()).into_iter().find(|name| name.starts_with("receipt")).unwrap();

    fs::create_dir_all(out.path().join("receipt/event_date=2026-01-31")).unwrap();
    fs::create_dir_all(out.path().join("_quarantine")).unwrap();
    let foreign = [
        "README",
        "receipt/event_date=2026-01-31/part-0.parquet",
        "receipt/event_date=2026-01-31/part-00000-aa.ndjson",
        "_quarantine/mine.ndjson",
    ];
    for name in foreign {
        fs::write(out.path().join(name), "foreign").unwrap();
    }
    let store = open(out.path());
    convert(&store, &["a"], Vec::new()).unwrap();
    // As if the run had been killed: its marker stays.
    store.leave_marker();
    drop(store);
    // A part of another output, put here by somebody.
    let moved_to = out.path().join("receipt/event_date=2026-01-31").join(moved.rsplit_once('/').unwrap().1);
    fs::copy(other.path().join(&moved), &moved_to).unwrap();

    drop(open(out.path()));
    for name in foreign {
        assert_eq!(fs::read_to_string(out.path().join(name)).unwrap(), "foreign", "{name}");
    }
    assert!(moved_to.exists());
    assert_eq!(visible(out.path()).len(), foreign.len() + 1 + 3);
}

#[test]
fn a_newer_format_is_refused() {
    let out = tempfile::tempdir().unwrap();
    drop(open(out.path()));
    fs::write(out.path().join("_mimelake/version"), "2\n").unwrap();
    let error = Store::open(out.path(), KIND, Wait::Fail).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 2, known: 1, .. }), "{error}");
    fs::write(out.path().join("_mimelake/version"), "one").unwrap();
    let error = Store::open(out.path(), KIND, Wait::Fail).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { line: 1, .. }), "{error}");
}

#[test]
fn parts_without_a_record_are_refused() {
    let out = tempfile::tempdir().unwrap();
    convert(&open(out.path()), &["a"], Vec::new()).unwrap();
    fs::remove_dir_all(out.path().join("_mimelake")).unwrap();
    let error = Store::open(out.path(), KIND, Wait::Fail).unwrap_err();
    assert!(matches!(error, StoreError::StateLost { .. }), "{error}");
    assert_eq!(visible(out.path()).len(), 3);
}

#[test]
fn names_that_leave_the_output_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let job = store.begin().unwrap();
    for (table, date) in [
        ("", "unknown"),
        ("..", "unknown"),
        ("a/b", "unknown"),
        ("_mimelake", "unknown"),
        ("Receipt", "unknown"),
        ("receipt", ""),
        ("receipt", "../x"),
        ("receipt", "2026-1-31"),
        ("receipt", "2026-01-311"),
    ] {
        let result = job.create(table, date, Extension::Parquet);
        assert!(matches!(result, Err(StoreError::BadName { .. })), "{table:?} {date:?}");
    }
}

#[test]
fn a_run_that_adds_nothing_changes_nothing() {
    let out = tempfile::tempdir().unwrap();
    convert(&open(out.path()), &["a"], Vec::new()).unwrap();
    let state = || {
        let mut files = Vec::new();
        walk(out.path(), &mut |path| files.push((path.to_owned(), fs::read(path).unwrap())));
        files.sort();
        files
    };
    let before = state();
    drop(open(out.path()));
    assert_eq!(before, state());
}

#[test]
fn a_job_that_never_ended_is_cleaned_up_after() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let runs = store.layout.runs();
    std::mem::forget(store.begin().unwrap());
    drop(store);
    assert_eq!(layout::names(&runs).unwrap().len(), 1);
    drop(open(out.path()));
    assert!(layout::names(&runs).unwrap().is_empty());
}

#[test]
fn jobs_run_side_by_side() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let contents: Vec<String> = (0..24).map(|number| format!("content {number}")).collect();
    std::thread::scope(|scope| {
        for share in contents.chunks(6) {
            let store = &store;
            scope.spawn(move || {
                for content in share {
                    convert(store, &[content], Vec::new()).unwrap();
                }
            });
        }
    });
    assert_eq!(rows(out.path()).len(), 24 * 3);
    assert_eq!(visible(out.path()), named(&store));
    drop(store);
    let store = open(out.path());
    assert!(contents.iter().all(|content| store.knows(&key(content))));
}

#[test]
fn runs_follow_each_other_whatever_the_clock_says() {
    for newest in ["29991231T235959Z-0123abcd", "29991231T235959Z-ffffffff"] {
        let out = tempfile::tempdir().unwrap();
        let store = open(out.path());
        let committed = commit(&store, vec![plain("a.log", "a")]).id;
        // As if the clock had been ahead.
        let ahead = CommitId::new(newest, 1);
        fs::rename(store.layout.commit_file(&committed), store.layout.commit_file(&ahead)).unwrap();
        drop(store);
        let mut last = ahead;
        for content in ["bb", "ccc"] {
            let next = commit(&open(out.path()), vec![plain("a.log", content)]).id;
            assert!(next > last && CommitId::parse(next.as_str()).is_some(), "{last} {next}");
            last = next;
        }
        assert_eq!(open(out.path()).known_slices(Path::new("a.log")), [key("ccc")]);
    }
}
