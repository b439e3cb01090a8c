use std::path::Path;

use super::*;

/// Some fit no chunk.
fn text(n: u64) -> String {
    "é".repeat(if n % 1000 == 999 { CHUNK } else { n as usize % 8 * 20 })
}

#[test]
fn what_was_set_aside_comes_back_whatever_the_budget() {
    for most in [0, 1 << 10, 1 << 30] {
        let directory = tempfile::tempdir().unwrap();
        let budget = Budget::new(directory.path(), most, 1);
        let partitions = Partitions::new(&budget);
        let mut writer = partitions.writer();
        for n in 0..5000_u64 {
            writer.put(n % 7, n, &text(n)).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(partitions.numbers(), [0, 1, 2, 3, 4, 5, 6]);
        let mut found = Vec::new();
        for number in partitions.numbers() {
            for (n, email) in partitions.take(number).unwrap().iter() {
                assert_eq!((n % 7, email), (number, &*text(n)));
                found.push(n);
            }
        }
        found.sort_unstable();
        assert_eq!(found, (0..5000).collect::<Vec<_>>());
        assert_eq!(budget.spilled() > 0, most < 1 << 20);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_is_set_aside_anew_lies_where_it_lay() {
    for most in [0, 1 << 16, 1 << 20] {
        let directory = tempfile::tempdir().unwrap();
        let budget = Budget::new(directory.path(), most, 1);
        let [mut first, mut second] = [(); 2].map(|()| Partitions::new(&budget));
        first.expect(16);
        second.expect(3);
        let mut writer = first.writer();
        for n in 0..5000_u64 {
            writer.put(n % 16, n, &text(n)).unwrap();
        }
        writer.finish().unwrap();
        let once = budget.spilled();
        let mut writer = second.writer();
        for number in first.numbers() {
            for (hash, email) in first.take(number).unwrap().iter() {
                writer.put(hash % 3, hash, email).unwrap();
            }
        }
        writer.finish().unwrap();
        second.end();
        let mut found = Vec::new();
        for number in second.numbers() {
            for (hash, email) in second.take(number).unwrap().iter() {
                assert_eq!((hash % 3, email), (number, &*text(hash)));
                found.push(hash);
            }
        }
        found.sort_unstable();
        assert_eq!(found, (0..5000).collect::<Vec<_>>());
        let spilled = budget.spilled();
        let file = lock(&budget.file).len();
        assert!(once > 0 && spilled > once);
        assert!(file < spilled, "{most}: nothing was written over");
    }
}

#[test]
fn empty_chunks_make_room_for_long_emails() {
    let directory = tempfile::tempdir().unwrap();
    let budget = Budget::new(directory.path(), 4 << 20, 1);
    let [short, long] = [(); 2].map(|()| Partitions::new(&budget));
    let mut writer = short.writer();
    (0..40_000_u64).for_each(|n| writer.put(n % 7, n, "of sixty bytes and some, as they are").unwrap());
    writer.finish().unwrap();
    short.numbers().into_iter().for_each(|number| drop(short.take(number).unwrap()));
    assert!(lock(&budget.free).bytes > 1 << 20);
    let mut writer = long.writer();
    let email = "e".repeat(CHUNK);
    for n in 0..100_u64 {
        writer.put(n % 7, n, &email).unwrap();
        let held = budget.held.load(Ordering::Relaxed);
        assert!(held + lock(&budget.free).bytes <= budget.most + budget.each + 2 * CHUNK as u64, "{n}");
    }
    writer.finish().unwrap();
    assert_eq!(long.take(3).unwrap().iter().count(), 14);
}

#[test]
fn a_directory_that_is_gone_is_named() {
    let budget = Budget::new(Path::new("no/such/place"), 0, 1);
    let partitions = Partitions::new(&budget);
    let mut writer = partitions.writer();
    let error = writer.put(0, 0, "x").and_then(|()| writer.finish()).unwrap_err();
    assert!(error.to_string().contains("no/such/place"), "{error}");
}

#[test]
fn what_came_back_changed_is_not_whole() {
    let entry = |email: &[u8]| [&(email.len() as u32).to_le_bytes()[..], &[7; 8], email].concat();
    let chunk = [entry(b"one"), entry(b""), entry("zwölf".as_bytes())].concat();
    assert!(is_whole(&chunk) && is_whole(b""));
    assert_eq!(
        entries(&chunk).map(|(_, email)| email).collect::<Vec<_>>(),
        [&b"one"[..], b"", "zwölf".as_bytes()]
    );
    for end in 1..chunk.len() {
        assert_eq!(is_whole(&chunk[..end]), end == HEAD + 3 || end == 2 * HEAD + 3, "{end}");
    }
    for at in [0, 3, HEAD + 3, 2 * HEAD + 3, chunk.len() - 4] {
        let mut changed = chunk.clone();
        changed[at] ^= 0x40;
        assert!(!is_whole(&changed), "{at}");
    }
}
