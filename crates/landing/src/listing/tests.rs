use std::io::{Cursor, Read as _};

use super::{units, units_of_stream};
use crate::samples::{gzip, lines, list, list_within, read, reasons, streamed_zip, whole, zip, zstd};
use crate::{LandingError, Limits, Opener, Reason};

#[test]
fn names_are_text() {
    let text = lines(2);
    let inner = zip(&[("../../etc/passwd", &text), ("x\\process_1.siem", &text)]);
    let bytes = zip(&[("/abs/receipt_1.siem", &text), ("in\nner!.zip", &inner), ("plain", &text)]);
    let listing = list(&bytes);
    let names: Vec<(&str, &str)> =
        listing.units.iter().map(|unit| (unit.name.as_str(), unit.leaf_name())).collect();
    let expected = [
        ("in!/abs/receipt_1.siem", "receipt_1.siem"),
        ("in!in\nner!.zip!../../etc/passwd", "passwd"),
        ("in!in\nner!.zip!x\\process_1.siem", "process_1.siem"),
        ("in!plain", "plain"),
    ];
    assert_eq!(names, expected);
    let error = LandingError::new("a\n\u{1b}[1m\u{202e}", Reason::NotFound);
    assert_eq!(error.to_string(), "a\\u{a}\\u{1b}[1m\\u{202e}: no such file or directory");
}

#[test]
fn units_carry_what_the_directory_says() {
    let text = lines(100);
    let listing = list(&zip(&[("a", &text), ("b", b"")]));
    assert_eq!(listing.units[0].len, Some(text.len() as u64));
    assert_eq!(listing.units[1].len, Some(0));
    let mut crc = flate2::Crc::new();
    crc.update(&text);
    assert_eq!(listing.units[0].crc32, Some(crc.sum()));
    assert!(listing.units[0].stored_len > 0 && listing.units[0].stored_len < text.len() as u64);
}

#[test]
fn compressed_files_say_how_long_they_are_and_what_is_in_them() {
    let text = lines(100);
    let told = Some(text.len() as u64);
    for (packed, len) in
        [(gzip(&text), told), (::zstd::bulk::compress(&text, 1).unwrap(), told), (zstd(&text), None)]
    {
        let file = &list(&packed).units[0];
        assert_eq!(file.len, len);
        let nested = zip(&[("b.zip", &zip(&[("b", &packed)])), ("a", &packed)]);
        let listing = list(&nested);
        assert!(listing.units.iter().all(|member| member.len.is_none() && member.crc32.is_some()));
        for unit in listing.units.iter().chain([file]) {
            assert_eq!(unit.packed_len, Some(packed.len() as u64));
            let mut opened = Vec::new();
            Opener::new(Limits::default()).open_packed(unit).unwrap().read_to_end(&mut opened).unwrap();
            assert_eq!(opened, packed);
        }
    }
}

#[test]
fn an_empty_file_is_one_empty_unit_and_an_empty_zip_none() {
    let listing = list(b"");
    assert_eq!(whole(&listing), [("in".to_owned(), Vec::new())]);
    let listing = list(&zip(&[]));
    assert!(listing.units.is_empty() && listing.damages.is_empty());
}

#[test]
fn members_are_capped() {
    let inner = zip(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
    let bytes = zip(&[("a", b"1"), ("n", &inner), ("c", b"3")]);
    let cut = &bytes[..bytes.len() - 1];
    for (bytes, max, units) in [(&bytes[..], 6, 5), (&bytes[..], 5, 4), (&bytes[..], 2, 1), (cut, 2, 1)] {
        let listing = list_within(bytes, &Limits { max_members: max, ..Limits::default() });
        assert_eq!(listing.units.len(), units, "{max}");
        let is_full = reasons(&listing.damages).iter().any(|reason| matches!(reason, Reason::Members(_)));
        assert_eq!(is_full, max < 6, "{max}");
    }
    let listing = list_within(&bytes, &Limits { max_listing: 600, ..Limits::default() });
    assert!(matches!(reasons(&listing.damages)[..], [Reason::Listing(600), ..]), "{:?}", listing.damages);
}

#[test]
fn a_pipe_is_read_once_and_a_zip_in_it_spooled() {
    let text = lines(1000);
    let limits = Limits::default();
    for bytes in [text.clone(), gzip(&text), b"ab".to_vec()] {
        let listing = units_of_stream("-", Box::new(Cursor::new(bytes.clone())), &limits).unwrap();
        let (content, fault) = read(&listing.units[0]);
        assert!(fault.is_none() && (content == text || content == bytes));
        assert!(!listing.units[0].is_plain());
        let again = Opener::new(limits).open(&listing.units[0]).unwrap_err();
        assert!(matches!(again.reason, Reason::StreamTaken));
    }
    let archive = streamed_zip(zip::CompressionMethod::Deflated, false, &[("a", &text), ("b", b"x")]);
    let listing = units_of_stream("-", Box::new(Cursor::new(archive)), &limits).unwrap();
    let expected = [("-!a".to_owned(), text), ("-!b".to_owned(), b"x".to_vec())];
    assert_eq!(whole(&listing), expected);
}

#[test]
fn one_opener_reads_many_archives_in_any_order() {
    let text = lines(50);
    let inner = zip(&[("c", &text[..200]), ("d", &text[..300])]);
    let bytes = zip(&[("a", &text), ("n.zip", &inner), ("o.zip", &inner), ("b", &text[..100])]);
    let (one, two) = (list(&bytes), list(&inner));
    let mut opener = Opener::new(Limits::default());
    let expected = [text.len(), 200, 300, 200, 300, 100];
    for order in [[0, 1, 2, 3, 4, 5], [5, 4, 1, 3, 2, 0]] {
        for i in order {
            for (unit, len) in [(&one.units[i], expected[i]), (&two.units[i % 2], [200, 300][i % 2])] {
                let mut content = Vec::new();
                opener.open(unit).unwrap().read_to_end(&mut content).unwrap();
                assert!(content.len() == len && text.starts_with(&content));
            }
        }
    }
}

#[test]
fn a_small_file_is_kept_as_it_was_listed() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    for (len, is_kept) in [(0, true), (1, true), (8 << 10, true), ((8 << 10) + 1, false)] {
        let path = dir.path().join(len.to_string());
        std::fs::write(&path, "a".repeat(len)).unwrap();
        let found = crate::find(&[path.to_string_lossy().into_owned()]).unwrap().remove(0);
        let unit = units(&found, &limits).unwrap().units.remove(0);
        assert_eq!((unit.len, unit.is_plain(), unit.is_kept()), (Some(len as u64), true, is_kept), "{len}");
        std::fs::write(&path, "b".repeat(len)).unwrap();
        let mut text = String::new();
        Opener::new(limits).open(&unit).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, if is_kept { "a" } else { "b" }.repeat(len), "{len}");
        let frugal = Limits { keep_small: false, ..limits };
        assert!(!units(&found, &frugal).unwrap().units.remove(0).is_kept(), "{len}");
        // One that changed since it was found is read as others are.
        std::fs::write(&path, "c".repeat(len + 1)).unwrap();
        let unit = units(&found, &limits).unwrap().units.remove(0);
        assert_eq!((unit.len, unit.is_kept()), (Some(len as u64 + 1), false), "{len}");
    }
}
