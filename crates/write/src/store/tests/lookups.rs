//! What a planner asks before it converts anything.

use super::*;

fn archive(path: &str, members: u32, units: Vec<CommittedUnit>) -> CommittedInput {
    CommittedInput { stamp: stamp(path, 500), listing: Listing::Members(members), damage: None, units }
}

const UNCHANGED: StampState = StampState::Unchanged { damage: None };

/// Runs `check` on the store as it is, and as the next start finds it.
fn now_and_later(out: &Path, store: Store, check: impl Fn(&Store)) {
    check(&store);
    drop(store);
    check(&open(out));
}

#[test]
fn an_archive_is_unchanged_when_all_its_members_are_in() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let file = stamp("a.zip", 500);
    assert_eq!(store.stamp_state(&file), StampState::Unknown);
    commit(&store, vec![archive("a.zip", 3, vec![unit(0, key("x")), unit(2, key("z"))])]);
    let covered = vec![(0, key("x")), (2, key("z"))];
    assert_eq!(store.stamp_state(&file), StampState::Partly { covered });
    commit(&store, vec![archive("a.zip", 3, vec![unit(1, key("y"))])]);
    commit(&store, vec![archive("empty.zip", 0, vec![])]);
    now_and_later(out.path(), store, |store| {
        assert_eq!(store.stamp_state(&file), UNCHANGED);
        assert_eq!(store.stamp_state(&stamp("empty.zip", 500)), UNCHANGED);
        for other in [stamp("b.zip", 500), stamp("a.zip", 501), FileStamp { modified_ns: 8, ..file.clone() }]
        {
            assert_eq!(store.stamp_state(&other), StampState::Unknown);
        }
    });
}

#[test]
fn a_sliced_file_is_unchanged_when_its_slices_meet() {
    let content = "0123456789";
    let cases: [(&[(usize, usize)], bool); 7] = [
        (&[(0, 10)], true),
        (&[(0, 4), (4, 10)], true),
        (&[(4, 10), (0, 4)], true),
        (&[(0, 6), (4, 10)], true),
        (&[(0, 4), (5, 10)], false),
        (&[(0, 9)], false),
        (&[(1, 10)], false),
    ];
    for (slices, whole) in cases {
        let out = tempfile::tempdir().unwrap();
        let store = open(out.path());
        for &(start, end) in slices {
            let units = vec![unit(0, slice(content, start, end))];
            commit(&store, vec![CommittedInput { units, ..plain("big.log", content) }]);
        }
        now_and_later(out.path(), store, |store| {
            assert_eq!(store.stamp_state(&stamp("big.log", 10)) == UNCHANGED, whole, "{slices:?}");
        });
    }
}

#[test]
fn an_empty_file_is_known_once_it_was_seen() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    commit(&store, vec![plain("empty", "")]);
    now_and_later(out.path(), store, |store| {
        assert_eq!(store.stamp_state(&stamp("empty", 0)), UNCHANGED);
        assert!(store.knows(&key("")) && store.length_known(0, None));
        assert_eq!(store.known_slices(Path::new("empty")), []);
    });
}

#[test]
fn damage_is_told_again() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let damage = Some("member 3: wrong CRC".to_owned());
    let input = CommittedInput { damage: damage.clone(), ..archive("bad.zip", 1, vec![unit(0, key("x"))]) };
    let old = commit(&store, vec![input]);
    assert_eq!(store.stamp_state(&stamp("bad.zip", 500)), StampState::Unchanged { damage });
    // Converted again by a program that can read it.
    let mut job = store.begin().unwrap();
    job.replace([old.id]);
    job.commit(vec![archive("bad.zip", 1, vec![unit(0, key("x"))])], Counts::default()).unwrap();
    now_and_later(out.path(), store, |store| {
        assert_eq!(store.stamp_state(&stamp("bad.zip", 500)), UNCHANGED);
    });
}

#[test]
fn damage_goes_with_the_commit_that_saw_it() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    commit(&store, vec![archive("bad.zip", 2, vec![unit(0, key("x"))])]);
    let input = archive("bad.zip", 2, vec![unit(1, key("y"))]);
    let old = commit(&store, vec![CommittedInput { damage: Some("cut".to_owned()), ..input.clone() }]);
    let mut job = store.begin().unwrap();
    job.replace([old.id]);
    job.commit(vec![input], Counts::default()).unwrap();
    now_and_later(out.path(), store, |store| {
        assert_eq!(store.stamp_state(&stamp("bad.zip", 500)), UNCHANGED);
    });
}

#[test]
fn a_plain_file_is_not_covered_by_what_it_was() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    commit(&store, vec![plain("app.log", "01234")]);
    store
        .remember_aliases(vec![CommittedInput { stamp: stamp("app.log", 10), ..plain("", "01234") }])
        .unwrap();
    now_and_later(out.path(), store, |store| {
        let covered = vec![(0, key("01234"))];
        assert_eq!(store.stamp_state(&stamp("app.log", 10)), StampState::Partly { covered });
    });
}

#[test]
fn digests_are_needed_only_where_length_and_crc_fit() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let with_crc = |content, crc| unit(0, UnitKey { crc32: Some(crc), ..key(content) });
    commit(
        &store,
        vec![archive("a.zip", 1, vec![with_crc("aa", 1)]), archive("b.zip", 1, vec![with_crc("bb", 2)])],
    );
    commit(&store, vec![plain("c", "cc"), plain("d", "ddd")]);
    now_and_later(out.path(), store, |store| {
        assert!(store.length_known(2, None) && store.length_known(3, None) && !store.length_known(1, None));
        let candidates = |crc32| {
            let mut keys = store.candidates(2, crc32);
            keys.sort_by_key(|key| key.digest);
            keys
        };
        let sorted = |mut keys: Vec<UnitKey>| {
            keys.sort_by_key(|key| key.digest);
            keys
        };
        assert_eq!(candidates(None), sorted(vec![key("aa"), key("bb"), key("cc")]));
        assert_eq!(candidates(Some(1)), sorted(vec![key("aa"), key("cc")]));
        assert_eq!(candidates(Some(3)), vec![key("cc")]);
        assert!(store.knows(&key("aa")) && !store.knows(&key("zz")));
    });
}

#[test]
fn a_renamed_file_is_remembered_by_its_new_name() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let first = commit(&store, vec![plain("a.log", "content")]);
    store.remember_aliases(vec![plain("b.log", "content")]).unwrap();
    now_and_later(out.path(), store, |store| {
        assert_eq!(store.stamp_state(&stamp("b.log", 7)), UNCHANGED);
        assert_eq!(store.commits_of(&[key("content")]), std::slice::from_ref(&first.id));
    });
    // The alias holds no rows, so it does not outlive them.
    let store = open(out.path());
    let mut job = store.begin().unwrap();
    job.replace([first.id]);
    job.commit(Vec::new(), Counts::default()).unwrap();
    now_and_later(out.path(), store, |store| {
        assert_eq!(store.stamp_state(&stamp("b.log", 7)), StampState::Unknown);
        assert!(!store.knows(&key("content")) && !store.length_known(7, None));
    });
}

#[test]
fn a_grown_file_is_converted_from_where_it_ended() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let path = Path::new("app.log");
    let old = commit(&store, vec![plain("app.log", "01234")]);
    assert_eq!(store.known_slices(path), [key("01234")]);

    let grown = "0123456789";
    let known = CommittedUnit { alias: true, ..unit(0, slice(grown, 0, 5)) };
    let units = vec![known, unit(0, slice(grown, 5, 10))];
    let new = commit(&store, vec![CommittedInput { units, ..plain("app.log", grown) }]);
    now_and_later(out.path(), store, |store| {
        assert_eq!(store.stamp_state(&stamp("app.log", 10)), UNCHANGED);
        let slices = vec![slice(grown, 0, 5), slice(grown, 5, 10)];
        assert_eq!(store.known_slices(path), slices);
        assert_eq!(store.candidates(10, None).len(), 2);
        assert!(store.is_cut(10) && !store.is_cut(5));
        assert_eq!(store.commits_of(&slices), [old.id.clone(), new.id.clone()]);
        assert_eq!(store.known_slices(Path::new("other.log")), []);
    });
}

#[test]
fn a_compressed_file_is_known_by_its_own_bytes_and_by_its_content() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let (content, packed) = (key("content"), key("gz"));
    let units = vec![CommittedUnit { packed: Some(packed), ..unit(0, content) }];
    let listing = Listing::Members(1);
    let old = commit(&store, vec![CommittedInput { listing, units, ..plain("a.gz", "gz") }]);
    now_and_later(out.path(), store, |store| {
        for known in [content, packed] {
            assert!(store.knows(&known));
            assert_eq!(store.candidates(known.len, None), [known]);
            assert_eq!(store.commits_of(&[known]), std::slice::from_ref(&old.id));
        }
        assert_eq!(store.stamp_state(&stamp("a.gz", 2)), UNCHANGED);
    });
    let store = open(out.path());
    convert(&store, &["other"], vec![old.id]).unwrap();
    assert!(!store.knows(&content) && !store.knows(&packed));
}

#[test]
fn kinds_of_output_are_told_apart() {
    let out = tempfile::tempdir().unwrap();
    convert(&open(out.path()), &["a"], Vec::new()).unwrap();
    let store = Store::open(out.path(), "parquet/native", Wait::Fail).unwrap();
    assert_eq!(store.other_settings(), [KIND]);
    assert!(!store.knows(&key("a")));
    convert(&store, &["a"], Vec::new()).unwrap();
    drop(store);
    assert!(open(out.path()).knows(&key("a")));
    assert_eq!(visible(out.path()).len(), 6);
}

#[test]
fn inputs_of_an_unknown_commit_are_an_error() {
    let out = tempfile::tempdir().unwrap();
    let store = open(out.path());
    let old = commit(&store, vec![plain("a", "a")]).id;
    assert_eq!(store.inputs_of(&old).unwrap(), [plain("a", "a")]);
    let mut job = store.begin().unwrap();
    job.replace([old.clone()]);
    job.commit(Vec::new(), Counts::default()).unwrap();
    assert!(matches!(store.inputs_of(&old), Err(StoreError::UnknownCommit { .. })));
}
