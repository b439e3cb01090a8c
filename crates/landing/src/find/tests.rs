use std::fs;
use std::path::Path;

use super::{FoundKind, find};
use crate::{Limits, Reason, units};

/// Creates files, directories included.
fn create(root: &Path, names: &[&str]) {
    for name in names {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
}

/// Paths found, as they stand under `root`.
fn under(root: &Path, inputs: &[&str]) -> Result<Vec<String>, String> {
    let inputs: Vec<String> =
        inputs.iter().map(|input| root.join(input).to_string_lossy().into_owned()).collect();
    let found = find(&inputs).map_err(|error| error.to_string())?;
    Ok(found
        .iter()
        .map(|found| found.path.strip_prefix(root).unwrap().to_string_lossy().into_owned())
        .collect())
}

#[test]
fn inputs_name_files() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let names =
        ["b/2", "b/1", "b/c/3", "a.siem", "x[1].siem", "x1.siem", "_state/k", "b/_q/k", "b/.tmp", "_d/v"];
    create(root, &names);
    let cases: [(&[&str], &[&str]); 14] = [
        (&["a.siem"], &["a.siem"]),
        (&["b"], &["b/1", "b/2", "b/c/3"]),
        (&["b", "b/1", "./b/./1", "b/"], &["b/1", "b/2", "b/c/3"]),
        (&["b", "a.siem"], &["a.siem", "b/1", "b/2", "b/c/3"]),
        (&["*.siem"], &["a.siem", "x1.siem", "x[1].siem"]),
        (&["x[1].siem"], &["x[1].siem"]),
        (&["x[0-9].siem"], &["x1.siem"]),
        (&["*"], &["a.siem", "b/1", "b/2", "b/c/3", "x1.siem", "x[1].siem"]),
        (&["b/*"], &["b/1", "b/2", "b/c/3"]),
        (&["**/[0-9]"], &["b/1", "b/2", "b/c/3"]),
        (&["_state"], &["_state/k"]),
        (&["_s*/k"], &["_state/k"]),
        (&["_d/*"], &["_d/v"]),
        (&["b/.tmp"], &["b/.tmp"]),
    ];
    for (inputs, expected) in cases {
        assert_eq!(under(root, inputs).unwrap(), expected, "{inputs:?}");
    }
}

#[test]
fn the_working_directory_is_not_part_of_the_path() {
    let inputs = ["src", ".", "./src/lib.rs"].map(str::to_owned);
    let found = find(&inputs).unwrap();
    assert_eq!(found.iter().filter(|found| found.path.ends_with("lib.rs")).count(), 1);
    assert!(found.iter().any(|found| found.path == Path::new("src/lib.rs")));
}

#[test]
fn an_input_that_names_nothing_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    create(root.path(), &["a", "hidden/_k"]);
    let cases = [
        ("b", "no such file"),
        ("b*", "glob matches no"),
        ("hidden", "holds no file"),
        ("***", "not a glob"),
    ];
    for (input, reason) in cases {
        let error = under(root.path(), &["a", input]).unwrap_err();
        assert!(error.contains(reason) && error.contains(input), "{error}");
    }
}

#[test]
fn what_is_found_tells_length_and_time() {
    let root = tempfile::tempdir().unwrap();
    create(root.path(), &["four"]);
    let found = find(&[root.path().join("four").to_string_lossy().into_owned(), "-".to_owned()]).unwrap();
    assert_eq!((found[0].kind, found[0].len), (FoundKind::Stdin, 0));
    assert_eq!((found[1].kind, found[1].len), (FoundKind::File, 4));
    assert!(found[1].modified_ns > 1_000_000_000_000_000_000);
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    create(root, &["a/1", "b/2"]);
    symlink(root.join("a"), root.join("a/loop")).unwrap();
    symlink(root.join("b"), root.join("a/b")).unwrap();
    symlink(root.join("nowhere"), root.join("a/dangling")).unwrap();
    assert_eq!(under(root, &["a"]).unwrap(), ["a/1", "a/b/2", "a/dangling"]);
    let found = find(&[root.join("a").to_string_lossy().into_owned()]).unwrap();
    let dangling = found.iter().find(|found| found.kind == FoundKind::Unreadable).unwrap();
    let error = units(dangling, &Limits::default()).unwrap_err();
    assert!(matches!(error.reason, Reason::Io(_)) && error.to_string().contains("dangling"), "{error}");
}
