//! Commit files: what is written is read, and what is damaged is not.

use proptest::prelude::*;

use super::*;

fn sample() -> Commit {
    Commit {
        id: CommitId::new("20260131T235959Z-0123abcd", 3),
        settings: "parquet/native".to_owned(),
        parts: vec![Part {
            table: "receipt".to_owned(),
            date: "unknown".to_owned(),
            name: "part-20260131T235959Z-0123abcd-000003-1.parquet".to_owned(),
            rows: 5,
            bytes: u64::MAX,
        }],
        quarantine: Some("rejects-20260131T235959Z-0123abcd-000003.ndjson".to_owned()),
        counts: Counts { records: 5, rejected: 1, blank: 2, lines: 8 },
        swaps: Vec::new(),
        replaces: vec![CommitId::new("20250131T235959Z-0123abcd", 1)],
        inputs: vec![
            CommittedInput { damage: Some("bad \"CRC\"\n".to_owned()), ..plain("in/\u{1f4e7}.log", "x") },
            CommittedInput {
                stamp: FileStamp { path: "z.zip".into(), len: 0, modified_ns: i64::MIN },
                listing: Listing::Members(2),
                damage: None,
                units: vec![CommittedUnit {
                    index: 1,
                    name: "a/b".to_owned(),
                    key: UnitKey { crc32: Some(9), ..slice("hello", 1, 3) },
                    packed: Some(key("packed")),
                    alias: true,
                }],
            },
        ],
    }
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let line = record::encode(&sample()).unwrap();
    let read: Commit = record::decode(&line).unwrap();
    assert_eq!(read, sample());
    assert_eq!(read.inputs[1].units[0].key.crc32, Some(9));
    assert_eq!(line.iter().position(|&byte| byte == b'\n'), Some(line.len() - 1));
}

#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_kept() {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(b"a\xff\xe9/\xc3\xa9"));
    let mut commit = sample();
    commit.inputs[0].stamp.path = path.to_owned();
    let read: Commit = record::decode(&record::encode(&commit).unwrap()).unwrap();
    assert_eq!(read.inputs[0].stamp.path, path);
}

#[test]
fn a_damaged_line_is_named() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    commit(&store, vec![plain("a", "a")]);
    drop(store);
    let directory = out.path().join("_mimelake/commits");
    let file = directory.join(&layout::names(&directory).unwrap()[0]);
    let good = fs::read(&file).unwrap();
    let second = [&good[..], &good[..good.len() / 2]].concat();
    for (bytes, at) in [(&b""[..], 1), (&good[..good.len() - 1], 1), (b"\n", 1), (b"{}\n", 1), (&second, 2)] {
        fs::write(&file, bytes).unwrap();
        let error = Store::open(out.path(), KIND, Wait::Fail).unwrap_err();
        assert!(
            matches!(&error, StoreError::Corrupt { path, line, .. } if *path == file && *line == at),
            "{error}"
        );
        assert!(error.to_string().contains("restore"), "{error}");
    }
    fs::write(&file, &good).unwrap();
    assert!(open(out.path()).knows(&key("a")));
}

proptest! {
    #[test]
    fn no_changed_byte_is_believed(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut line = record::encode(&sample()).unwrap();
        let at = at.index(line.len());
        prop_assume!(line[at] != to);
        line[at] = to;
        prop_assert!(record::decode::<Commit>(&line).is_err());
    }

    #[test]
    fn names_of_others_are_not_ours(name in "[ -~]{0,60}") {
        prop_assert_eq!(layout::job_of_part(&name), None);
        prop_assert_eq!(layout::job_of_quarantine(&name), None);
    }
}

#[test]
fn our_names_are_ours() {
    let run = layout::new_run(None);
    assert!(layout::is_run(&run), "{run}");
    for number in [1, 999_999, 1_000_000] {
        let job = CommitId::new(&run, number);
        assert_eq!(job.run(), run);
        assert_eq!(layout::job_of_part(&layout::part_name(&job, 12, Extension::Parquet)), Some(job.clone()));
        assert_eq!(layout::job_of_quarantine(&layout::quarantine_name(&job)), Some(job));
    }
}

#[test]
fn merged_files_say_the_same() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let first = convert(&store, &["a", "b"], Vec::new()).unwrap();
    for number in 0..5 {
        commit(&store, vec![plain("p", &format!("content {number}"))]);
    }
    convert(&store, &["a"], vec![first.id]).unwrap();
    let files = layout::names(&store.layout.commits()).unwrap();
    let (live, rows) = (named(&store), rows(out.path()));
    let state = |store: &Store| {
        let inputs = store
            .commits_of(&[key("a"), key("content 3")])
            .iter()
            .map(|id| store.inputs_of(id).unwrap())
            .collect::<Vec<_>>();
        let known = ["a", "b", "content 0", "content 4"].map(|content| store.knows(&key(content)));
        (inputs, known, store.known_slices(Path::new("p")), store.stamp_state(&stamp("a", 1)))
    };
    let before = state(&store);
    assert_eq!(before.1, [true, false, true, true]);
    let saved = files.iter().map(|name| (name, fs::read(store.layout.commits().join(name)).unwrap()));
    let saved: Vec<_> = saved.collect();
    drop(store);

    let store = open(out.path());
    let merged = layout::names(&store.layout.commits()).unwrap();
    assert_eq!(merged.len(), 1);
    let merged = fs::read_to_string(store.layout.commits().join(&merged[0])).unwrap();
    assert_eq!(merged.lines().count(), files.len() - 1, "the void record is dropped");
    assert_eq!(
        (state(&store), named(&store), self::rows(out.path())),
        (before.clone(), live.clone(), rows.clone())
    );
    // As if the merging run had been killed before it could remove any of the others.
    for (name, bytes) in saved {
        fs::write(store.layout.commits().join(name), bytes).unwrap();
    }
    drop(store);
    let store = open(out.path());
    assert_eq!((state(&store), named(&store), self::rows(out.path())), (before, live, rows));
}

#[test]
fn a_hundred_thousand_files_are_loaded() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let input = |number: usize| plain(&format!("/data/{number}.log"), &format!("content {number}"));
    for share in 0..3 {
        commit(&store, (0..100_000).skip(share).step_by(3).map(input).collect());
    }
    drop(store);
    let store = open(out.path());
    for number in (0..100_000).step_by(997) {
        let state = store.stamp_state(&input(number).stamp);
        assert_eq!(state, StampState::Unchanged { damage: None });
    }
    assert_eq!(store.stamp_state(&input(100_000).stamp), StampState::Unknown);
}
