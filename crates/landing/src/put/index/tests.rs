use super::*;

fn identities(numbers: std::ops::Range<u32>) -> Vec<Identity> {
    numbers.map(|number| Identity::of(&number.to_be_bytes())).collect()
}

fn open(root: &Path) -> Index {
    Index::open(root.join("landed"), root).unwrap()
}

/// Records a file that holds these, without the file.
fn land(index: &mut Index, identities: &[Identity]) {
    index.begin(identities, &blake3::hash(b"x"), "x").unwrap();
    index.finish(identities).unwrap();
}

/// What stands before the file of these bytes got its name, in the lines of today or in one for each identity.
fn begun(identities: &[Identity], bytes: &[u8], is_old: bool) -> String {
    let digest = blake3::hash(bytes).to_hex();
    if is_old {
        let lines = identities.iter().map(|identity| format!("+ {} {digest} x\n", identity.text()));
        return lines.collect::<Vec<_>>().concat();
    }
    format!("+{} {digest} x\n", texts(identities))
}

#[test]
fn a_file_that_is_not_recorded_is_read_once_however_much_it_holds() {
    let root = tempfile::tempdir().unwrap();
    let held = identities(0..2000);
    for is_old in [false, true] {
        std::fs::write(root.path().join("x"), b"bytes").unwrap();
        std::fs::write(root.path().join("landed"), begun(&held, b"bytes", is_old)).unwrap();
        let lines = Lines::read(&root.path().join("landed"), MOST).unwrap();
        assert_eq!(lines.begun.iter().map(|begun| begun.identities.len()).collect::<Vec<_>>(), [2000]);
        let index = open(root.path());
        assert!(held.iter().all(|identity| index.holds(*identity)), "{is_old}");
    }
}

#[test]
fn what_is_recorded_is_not_read_again() {
    let root = tempfile::tempdir().unwrap();
    let mut index = open(root.path());
    for number in 0..100 {
        land(&mut index, &identities(number * 10..number * 10 + 10));
    }
    index.begin(&identities(5..15), &blake3::hash(b"x"), "y").unwrap();
    let lines = Lines::read(&root.path().join("landed"), MOST).unwrap();
    assert_eq!(lines.begun.len(), 1, "only the last, whatever went before");
}

#[test]
fn what_a_crash_cut_says_nothing() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("x"), b"bytes").unwrap();
    let line = begun(&identities(0..3), b"bytes", false);
    for cut in 0..line.len() {
        std::fs::write(root.path().join("landed"), &line[..cut]).unwrap();
        let mut index = open(root.path());
        assert!(!index.holds(identities(0..1)[0]), "{cut}");
        land(&mut index, &identities(7..8));
        assert!(open(root.path()).holds(identities(7..8)[0]), "{cut}");
    }
}

#[test]
fn the_oldest_go_where_there_are_too_many() {
    let root = tempfile::tempdir().unwrap();
    let mut index = open(root.path());
    index.most = 40;
    for number in 0..200 {
        let new = identities(number..number + 1);
        land(&mut index, &new);
        assert!(index.landed.len() <= 40);
        let mut last = identities(number.max(34) - 34..number + 1).into_iter();
        assert!(last.all(|identity| index.holds(identity)), "{number}");
    }
    assert!(identities(166..200).iter().all(|identity| index.holds(*identity)));
    assert!(!index.holds(identities(100..101)[0]));
    let reopened = open(root.path());
    assert!(identities(166..200).iter().all(|identity| reopened.holds(*identity)));
}

#[test]
fn of_one_landing_no_more_go_than_must() {
    let mut landed: Landed = identities(0..100).into_iter().map(|identity| (identity, 7)).collect();
    forget(&mut landed, 80);
    assert_eq!(landed.len(), 70);
}

/// Numbers were seconds once, written by clocks that were right, behind, and years ahead.
#[test]
fn what_is_old_by_a_clock_is_known_and_the_count_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let held = identities(0..4);
    let lines: Vec<_> = held
        .iter()
        .zip([0, 1_700_000_000, 4_000_000_000, u32::MAX])
        .map(|(i, time)| done(&[*i], time))
        .collect();
    for lines in [&lines[..3], &lines[..]] {
        std::fs::write(root.path().join("landed"), lines.concat()).unwrap();
        let mut index = open(root.path());
        assert!(held[..lines.len()].iter().all(|identity| index.holds(*identity)));
        let new = identities(9..10);
        land(&mut index, &new);
        assert!(index.landed[&new[0]] >= 4_000_000_000);
        assert!(open(root.path()).holds(new[0]));
    }
}

/// An index of the size that was once allowed is made smaller while it is read.
#[test]
fn a_full_index_stays_small() {
    let root = tempfile::tempdir().unwrap();
    let held = identities(0..450_000);
    let lines: String = held.iter().zip(1..).map(|(identity, number)| done(&[*identity], number)).collect();
    std::fs::write(root.path().join("landed"), lines).unwrap();
    let mut index = open(root.path());
    let is_small = |index: &Index| index.landed.len() <= MOST && index.landed.capacity() < 300_000;
    assert!(is_small(&index), "{}", index.landed.capacity());
    assert!(held[350_000..].iter().all(|identity| index.holds(*identity)));
    for number in 0..60 {
        land(&mut index, &identities(1_000_000 + number * 1000..1_001_000 + number * 1000));
        assert!(is_small(&index), "{}", index.landed.capacity());
    }
    assert!(identities(1_000_000..1_060_000).iter().all(|identity| index.holds(*identity)));
    assert!(std::fs::metadata(root.path().join("landed")).unwrap().len() < 40 << 20);
}

#[test]
fn the_file_is_written_anew_while_it_grows() {
    let root = tempfile::tempdir().unwrap();
    let mut index = open(root.path());
    let held = identities(0..1000);
    for _ in 0..60 {
        land(&mut index, &held);
    }
    let len = std::fs::metadata(root.path().join("landed")).unwrap().len();
    assert!(len == index.len && len < 2 * SLACK, "{len}");
    let reopened = open(root.path());
    assert!(held.iter().all(|identity| reopened.holds(*identity)));
}
