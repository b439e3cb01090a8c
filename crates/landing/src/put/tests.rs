use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::samples::{gzip, lines, zip};

fn land() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(land: &Path) -> Folder {
    Folder::open(land, "C0A0", "siem-v1").unwrap()
}

fn coming(folder: &Folder, bytes: &[u8]) -> Incoming {
    let mut incoming = folder.incoming().unwrap();
    bytes.chunks(7).for_each(|chunk| incoming.write(chunk).unwrap());
    incoming
}

fn put(folder: &Folder, name: &str, bytes: &[u8]) -> Landed {
    let whole = coming(folder, bytes).check(name, Expect::Anything).unwrap();
    folder.land(whole, "2026/03/02").unwrap()
}

/// The files under a path, relative to it.
fn files(path: &Path) -> Vec<String> {
    let mut files: Vec<_> = walkdir::WalkDir::new(path)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(path).unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    files
}

fn landed(land: &Path) -> Vec<String> {
    files(&land.join("C0A0/siem-v1"))
}

#[test]
fn a_file_lands_under_its_name_byte_for_byte() {
    let land = land();
    let bytes = gzip(&lines(1000));
    let Landed::New(path) = put(&open(land.path()), "receipt_20260302.json.gz", &bytes) else { panic!() };
    assert_eq!(fs::read(path).unwrap(), bytes);
    assert_eq!(landed(land.path()), ["2026/03/02/receipt_20260302.json.gz"]);
}

#[test]
fn a_repeat_is_known_in_this_run_and_the_next() {
    let land = land();
    let folder = open(land.path());
    put(&folder, "a.siem", b"x=1\n");
    assert_eq!(put(&folder, "a.siem", b"x=1\n"), Landed::Known);
    drop(folder);
    assert_eq!(put(&open(land.path()), "a.siem", b"x=1\n"), Landed::Known);
    assert_eq!(landed(land.path()), ["2026/03/02/a.siem"]);
}

#[test]
fn an_archive_is_known_by_its_members_whatever_its_name() {
    let land = land();
    let folder = open(land.path());
    let (one, two) = (("receipt_1.siem", &b"x=1\n"[..]), ("delivery_1.siem", &b"x=2\n"[..]));
    assert!(matches!(put(&folder, "9d1c.zip", &zip(&[one, two])), Landed::New(_)));
    assert_eq!(put(&folder, "77aa.zip", &zip(&[two, one])), Landed::Known);
    assert_eq!(put(&folder, "0b0b.zip", &zip(&[one])), Landed::Known, "a part of it");
    let three = ("process_1.siem", &b"x=3\n"[..]);
    assert!(matches!(put(&folder, "1c1c.zip", &zip(&[one, three])), Landed::New(_)), "one new member");
    assert_eq!(put(&folder, "2d2d.zip", &zip(&[three, two])), Landed::Known, "cut otherwise");
}

#[test]
fn files_of_one_name_or_one_content_are_two_files() {
    let land = land();
    let folder = open(land.path());
    put(&folder, "a.json.gz", &gzip(b"1"));
    put(&folder, "a.json.gz", &gzip(b"2"));
    put(&folder, "b.json.gz", &gzip(b"1"));
    let landed = landed(land.path());
    assert_eq!(landed.len(), 3);
    assert!(landed[0].starts_with("2026/03/02/a-") && landed[0].ends_with(".json.gz"), "{landed:?}");
}

#[test]
fn an_archive_without_members_is_empty() {
    let land = land();
    let folder = open(land.path());
    let whole = coming(&folder, &zip(&[])).check("a.zip", Expect::Anything).unwrap();
    assert!(whole.is_empty());
    assert!(!coming(&folder, &zip(&[("a", b"")])).check("a.zip", Expect::Anything).unwrap().is_empty());
}

/// Its writer may have failed midway and closed it in order.
#[test]
fn an_archive_whose_directory_is_empty_while_members_stand_before_it_is_damaged() {
    let land = land();
    let folder = open(land.path());
    let mut bytes = zip(&[("a.siem", &lines(500))]);
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes.truncate(directory);
    for start in [0, u32::try_from(directory).unwrap()] {
        let mut end = b"PK\x05\x06".to_vec();
        end.resize(22, 0);
        end[16..20].copy_from_slice(&start.to_le_bytes());
        let bad = coming(&folder, &[bytes.clone(), end].concat()).check("a.zip", Expect::Zip).unwrap_err();
        assert!(bad.damage.reason.to_string().contains("directory"), "{}", bad.damage);
    }
}

#[test]
fn what_is_damaged_is_not_whole() {
    let land = land();
    let folder = open(land.path());
    let (gz, archive) = (gzip(&lines(500)), zip(&[("a.siem", &lines(500)), ("b.siem", &lines(300))]));
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        bytes
    };
    let cases = [
        gz[..gz.len() - 1].to_vec(),
        flipped(&gz),
        archive[..archive.len() - 30].to_vec(),
        flipped(&archive),
        archive[..archive.len() / 2].to_vec(),
    ];
    for (number, bytes) in cases.iter().enumerate() {
        let bad = coming(&folder, bytes).check("a.zip", Expect::Anything).unwrap_err();
        let path = folder.quarantine(bad.incoming, "../a.zip").unwrap();
        assert_eq!(&fs::read(path).unwrap(), bytes, "{number}");
    }
    assert_eq!(files(&land.path().join("C0A0/_quarantine")).len(), cases.len());
    assert!(!land.path().join("C0A0/siem-v1").exists());
}

#[test]
fn what_is_expected_to_be_gzip_is() {
    let land = land();
    let folder = open(land.path());
    for bytes in [&b"<html>"[..], b"", &zip(&[("a", b"1")])] {
        assert!(coming(&folder, bytes).check("a.json.gz", Expect::Gzip).is_err());
    }
    for bytes in [&b"XK\x03\x04"[..], b"PK", b"PK\x01\x02", b"{}", b""] {
        assert!(coming(&folder, bytes).check("a.zip", Expect::Zip).is_err());
    }
    assert!(coming(&folder, &zip(&[])).check("a.zip", Expect::Zip).is_ok());
    assert!(coming(&folder, b"").check("a.log", Expect::Anything).is_err());
    let members = [gzip(b"{}\n"), gzip(b"{}\n")].concat();
    assert!(coming(&folder, &members).check("a.json.gz", Expect::Gzip).is_ok());
}

#[test]
fn a_crash_between_index_and_name_is_settled() {
    let land = land();
    put(&open(land.path()), "a.siem", b"x=1\n");
    let index = land.path().join("C0A0/_state/siem-v1.landed");
    let lines = fs::read_to_string(&index).unwrap();
    let begun = lines.lines().next().unwrap().to_owned();
    let file = land.path().join("C0A0/siem-v1/2026/03/02/a.siem");
    // The file got its name, and the line after it was lost, or cut.
    for tail in ["\n", "\n= 00", ""] {
        fs::write(&index, format!("{begun}{tail}")).unwrap();
        let expected = if tail.is_empty() { None } else { Some(Landed::Known) };
        let again = put(&open(land.path()), "a.siem", b"x=1\n");
        assert!(expected.is_none_or(|known| known == again), "{tail:?}");
        fs::remove_dir_all(land.path().join("C0A0/siem-v1")).unwrap();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"x=1\n").unwrap();
    }
    // The file never got its name; another one has it now.
    fs::write(&index, format!("{begun}\n")).unwrap();
    fs::write(&file, b"x=2\n").unwrap();
    assert!(matches!(put(&open(land.path()), "a.siem", b"x=1\n"), Landed::New(_)));
    assert_eq!(landed(land.path()).len(), 2);
}

/// The file got its name, and the disk failed before that was known.
#[test]
fn a_file_that_has_its_name_already_is_not_landed_beside_it() {
    let land = land();
    let folder = open(land.path());
    let path = land.path().join("C0A0/siem-v1/2026/03/02/a.siem");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, b"x=1\n").unwrap();
    for _ in 0..2 {
        assert_eq!(put(&folder, "a.siem", b"x=1\n"), Landed::Known);
    }
    // Of the same length, and not the same.
    assert!(matches!(put(&folder, "a.siem", b"x=2\n"), Landed::New(_)));
    drop(folder);
    assert_eq!(put(&open(land.path()), "a.siem", b"x=1\n"), Landed::Known);
    assert_eq!(landed(land.path()).len(), 2);
}

#[test]
fn what_came_in_is_cleared_away() {
    let land = land();
    let folder = open(land.path());
    let incoming = coming(&folder, b"half");
    let path = incoming.path.clone();
    std::mem::forget(incoming);
    assert!(path.exists());
    drop(folder);
    open(land.path());
    assert!(!path.exists());
}

#[test]
fn one_run_at_a_time() {
    let land = land();
    let first = open(land.path());
    let error = Folder::open(land.path(), "C0A0", "siem-v1").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("siem-v1.lock") && text.contains(&std::process::id().to_string()), "{text}");
    assert!(error.hint().is_some());
    Folder::open(land.path(), "C0A0", "audit").unwrap();
    drop(first);
    open(land.path());
}

#[test]
fn accounts_name_folders_and_nothing_else() {
    let land = land();
    for account in ["", "..", "a/b", "_state", "C:\\x", "a b"] {
        assert!(
            matches!(Folder::open(land.path(), account, "audit"), Err(PutError::BadName { .. })),
            "{account}"
        );
    }
}

#[test]
fn state_is_kept_and_replaced() {
    let land = land();
    let folder = open(land.path());
    assert_eq!(folder.saved("cursor.json").unwrap(), None);
    folder.save("cursor.json", b"one").unwrap();
    folder.save("cursor.json", b"two").unwrap();
    assert_eq!(folder.saved("cursor.json").unwrap().as_deref(), Some(&b"two"[..]));
    folder.note("{}").unwrap();
    folder.note("{}").unwrap();
    assert_eq!(fs::read(land.path().join("C0A0/_state/siem-v1.notes.ndjson")).unwrap(), b"{}\n{}\n");
}

#[cfg(unix)]
#[test]
fn a_private_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let land = land();
    let path = land.path().join("key");
    fs::write(&path, b"old").unwrap();
    replace(&path, b"new", Access::Private).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn what_can_be_replaced_is_known_before() {
    let land = land();
    let path = land.path().join("key");
    fs::write(land.path().join("key.tmp"), "of the user").unwrap();
    for _ in 0..2 {
        can_replace(&path, Access::Private).unwrap();
        assert!(files(land.path()).iter().all(|file| ["key", "key.tmp"].contains(&file.as_str())));
        replace(&path, b"old", Access::Private).unwrap();
    }
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read(land.path().join("key.tmp")).unwrap(), b"of the user");
    for path in ["missing/key", "key/key", "."] {
        assert!(can_replace(&land.path().join(path), Access::Private).is_err(), "{path}");
    }
}

#[test]
fn names_made_safe() {
    let cases = [
        ("receipt_20170526164741000.siem", Some("receipt_20170526164741000.siem")),
        ("..\\..\\x.zip", Some("x.zip")),
        ("a/b/c\0d", Some("c_d")),
        ("con.siem", Some("x-con.siem")),
        ("_state", Some("state")),
        (".hidden.", Some("hidden")),
        ("grün.log", Some("gr_n.log")),
        ("/", None),
        ("", None),
    ];
    for (name, safe) in cases {
        assert_eq!(safe_name(name).as_deref(), safe, "{name}");
    }
    let long = safe_name(&format!("{}.json.gz", "a".repeat(400))).unwrap();
    assert!(long.len() <= 160 && long.ends_with(".json.gz"));
}

proptest! {
    #[test]
    fn any_name_is_one_visible_component(name in "\\PC{0,200}|[./\\\\_\\-a-c]{0,20}") {
        if let Some(safe) = safe_name(&name) {
            let mut parts = Path::new(&safe).components();
            prop_assert!(matches!(parts.next(), Some(std::path::Component::Normal(_))) && parts.next().is_none());
            prop_assert!(!safe.starts_with(['.', '_', '-']) && safe.len() < 200 && safe.is_ascii());
            prop_assert_eq!(safe_name(&safe), Some(safe.clone()));
        }
    }
}
