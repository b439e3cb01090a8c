use zip::CompressionMethod::{Deflated, Stored};

use crate::samples::{
    self, lines, list, list_within, position, read, reasons, streamed_zip, whole, zip, zip_by,
};
use crate::{Limits, Reason};

const LOCAL: &[u8] = b"PK\x03\x04";
const LISTED: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

fn members() -> Vec<(String, Vec<u8>)> {
    let text = lines(3000);
    let inner = zip_by(Stored, &[("x", &text[..500]), ("y", b"")]);
    let sizes = [0, 1, 70, text.len()];
    let mut members: Vec<(String, Vec<u8>)> =
        sizes.iter().enumerate().map(|(i, &size)| (format!("m{i}"), text[..size].to_vec())).collect();
    members.push(("n.zip".to_owned(), inner));
    members
}

/// The same members as each kind of archive.
fn archives() -> Vec<(&'static str, Vec<u8>)> {
    let members = members();
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    vec![
        ("deflated", zip(&members)),
        ("stored", zip_by(Stored, &members)),
        ("streamed", streamed_zip(Deflated, false, &members)),
        ("streamed, wide", streamed_zip(Deflated, true, &members)),
        ("streamed, stored", streamed_zip(Stored, false, &members)),
    ]
}

fn expected() -> Vec<(String, Vec<u8>)> {
    let text = lines(3000);
    let mut expected: Vec<(String, Vec<u8>)> =
        members().into_iter().take(4).map(|(name, content)| (format!("in!{name}"), content)).collect();
    expected.push(("in!n.zip!x".to_owned(), text[..500].to_vec()));
    expected.push(("in!n.zip!y".to_owned(), Vec::new()));
    expected
}

#[test]
fn archives_are_read_by_their_directory() {
    for (name, bytes) in archives() {
        let listing = list(&bytes);
        assert!(listing.damages.is_empty(), "{name}: {:?}", listing.damages);
        assert_eq!(whole(&listing), expected(), "{name}");
    }
}

#[test]
fn archives_without_a_directory_are_walked() {
    for (name, bytes) in archives() {
        let directory = position(&bytes, LISTED, if name == "deflated" { 0 } else { 2 });
        for cut in [directory, directory + 1, directory + 50, bytes.len() - 1] {
            let listing = list(&bytes[..cut]);
            assert!(
                matches!(reasons(&listing.damages)[..], [Reason::Directory(_)]),
                "{name}, {cut}: {:?}",
                listing.damages
            );
            assert_eq!(whole(&listing), expected(), "{name}, {cut}");
        }
    }
}

#[test]
fn a_cut_archive_gives_every_byte_before_the_cut() {
    let expected = expected();
    for (name, bytes) in archives() {
        // A zip that is stored with its size behind it cannot be told from members, once its end is cut off.
        let nested = position(&bytes, b"n.zip", 0);
        let is_told = name != "streamed, stored";
        for cut in (5..bytes.len()).step_by(bytes.len() / 251).filter(|&cut| is_told || cut < nested) {
            let listing = list(&bytes[..cut]);
            let mut contents = Vec::new();
            let mut faults = listing.damages.len();
            for unit in &listing.units {
                let (content, fault) = read(unit);
                faults += usize::from(fault.is_some());
                contents.push((unit.name.clone(), content));
            }
            assert!(faults > 0, "{name}, {cut}");
            for (i, (member, content)) in contents.iter().enumerate() {
                if member == "in!n.zip" {
                    assert!(content.len() < 4, "{name}, {cut}: too short to be told as a zip");
                    continue;
                }
                let (whole_name, whole) = &expected[i];
                assert_eq!(member, whole_name, "{name}, {cut}");
                if i + 1 < contents.len() {
                    assert!(content == whole, "{name}, {cut}, {member}");
                }
                // Without a descriptor, what stands behind stored data cannot be told from it.
                let shared = content.len().min(whole.len());
                assert_eq!(content[..shared], whole[..shared], "{name}, {cut}, {member}");
                assert!(content.len() <= whole.len() + 24, "{name}, {cut}, {member}");
            }
        }
    }
}

#[test]
fn the_cut_member_is_as_long_as_what_is_left_of_it() {
    let text = lines(3000);
    let bytes = zip_by(Stored, &[("a", &text)]);
    let data = position(&bytes, &text[..40], 0);
    for left in [0, 1, 1000, text.len() - 1] {
        let listing = list(&bytes[..data + left]);
        let (content, fault) = read(&listing.units[0]);
        assert_eq!(content, &text[..left]);
        let fault = fault.unwrap();
        assert!(matches!(fault.reason, Reason::Length { .. }), "{fault}");
        assert_eq!(fault.offset, Some((data + left) as u64));
    }
}

#[test]
fn one_bad_member_hides_no_other() {
    let whole_members = expected();
    for (name, bytes) in archives() {
        let data = position(&bytes, b"m3", 0) + 2;
        // In the data of the fourth member; in its header; with and without a directory.
        for (at, len) in
            [(data + 1000, bytes.len()), (data - 30, bytes.len()), (data + 1000, bytes.len() - 1)]
        {
            let mut bytes = bytes[..len].to_vec();
            for byte in &mut bytes[at..at + 4] {
                *byte ^= 0xff;
            }
            let listing = list(&bytes);
            let mut bad = Vec::new();
            for (unit, (expected_name, expected)) in listing.units.iter().zip(whole_members.clone()) {
                assert_eq!(unit.name, expected_name, "{name}, {at} of {len}");
                let (content, fault) = read(unit);
                if fault.is_some() {
                    bad.push(unit.name.as_str());
                } else {
                    assert!(content == expected, "{name}, {at} of {len}, {expected_name}");
                }
            }
            assert_eq!(listing.units.len(), whole_members.len(), "{name}, {at} of {len}");
            assert_eq!(bad, ["in!m3"], "{name}, {at} of {len}");
        }
    }
}

#[test]
fn a_header_that_lies_about_its_name_hides_no_other() {
    let mut bytes = zip(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
    bytes[26..28].copy_from_slice(&[0xff, 0xff]);
    let listing = list(&bytes);
    assert_eq!(listing.units.len(), 3);
    assert!(read(&listing.units[0]).1.is_some());
    let listing = list(&bytes[..bytes.len() - 1]);
    assert!(matches!(reasons(&listing.damages)[..], [Reason::Directory(_), Reason::Truncated(_)]));
    assert_eq!(whole(&listing), [("in!b".to_owned(), b"2".to_vec()), ("in!c".to_owned(), b"3".to_vec())]);
}

/// The place of a field in the nth directory entry, and the same field in the nth local header.
fn fields(bytes: &[u8], nth: usize, listed: usize, local: usize) -> [usize; 2] {
    [position(bytes, LISTED, nth) + listed, position(bytes, LOCAL, nth) + local]
}

#[test]
fn lies_are_told_after_the_bytes() {
    let text = lines(200);
    let names = [("a", &text[..]), ("b", &text[..]), ("c", &text[..])];
    for method in [Deflated, Stored] {
        let bytes = zip_by(method, &names);
        // Compressed size, length, checksum: too large, too small.
        for (field, value) in [(20, 0xffff_u32), (20, 1 << 30), (20, 5), (24, 7), (24, 1 << 31), (16, 42)] {
            let mut bytes = bytes.clone();
            let at = fields(&bytes, 1, field, 0)[0];
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            let listing = list(&bytes);
            let results: Vec<_> = listing.units.iter().map(read).collect();
            assert_eq!(results.len(), 3);
            assert!(results[0].1.is_none() && results[2].1.is_none(), "{method} {field} {value}");
            assert_eq!((&results[0].0, &results[2].0), (&text, &text));
            assert!(results[1].1.is_some() || !listing.damages.is_empty(), "{method} {field} {value}");
            if field != 20 || value > 5 {
                assert_eq!(results[1].0, text, "{method} {field} {value}");
            }
            assert!(text.starts_with(&results[1].0));
        }
    }
}

#[test]
fn a_count_that_lies_makes_the_walk_decide() {
    let bytes = zip(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
    let end = position(&bytes, END, 0);
    for (field, value) in [(10, 2), (10, 9), (12, 1), (16, 0), (16, 200)] {
        let mut bytes = bytes.clone();
        bytes[end + field] = value;
        let listing = list(&bytes);
        assert!(matches!(reasons(&listing.damages)[..], [Reason::Directory(_)]), "{:?}", listing.damages);
        assert_eq!(whole(&listing).len(), 3);
    }
}

#[test]
fn overlapping_members_yield_no_byte_twice() {
    let text = lines(300);
    let mut bytes = zip_by(Stored, &[("a", &text), ("b", &text), ("c", &text)]);
    // The first member claims all; the third is the second once more.
    let [size, _] = fields(&bytes, 0, 20, 0);
    let all = (position(&bytes, LISTED, 0) - 31) as u32;
    bytes[size..size + 4].copy_from_slice(&all.to_le_bytes());
    let second = fields(&bytes, 1, 42, 0)[0];
    let third = fields(&bytes, 2, 42, 0)[0];
    bytes.copy_within(second..second + 4, third);
    let listing = list(&bytes);
    assert!(
        matches!(reasons(&listing.damages)[..], [Reason::Overlap, Reason::Overlap]),
        "{:?}",
        listing.damages
    );
    let total: usize = listing.units.iter().map(|unit| read(unit).0.len()).sum();
    assert_eq!(listing.units.len(), 2);
    assert!(total <= bytes.len());
    assert_eq!(read(&listing.units[0]).0, text);
}

#[test]
fn encrypted_and_unknown_methods_are_named() {
    let bytes = zip(&[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d/", b"")]);
    let mut changed = bytes.clone();
    for at in fields(&bytes, 0, 8, 6) {
        changed[at] |= 1;
    }
    for at in fields(&bytes, 1, 10, 8) {
        changed[at] = 12;
    }
    for bytes in [&changed[..], &changed[..changed.len() - 1]] {
        let listing = list(bytes);
        let reasons = reasons(&listing.damages);
        let (reasons, is_whole) = (&reasons[reasons.len() - 2..], bytes.len() == changed.len());
        assert!(matches!(reasons, [Reason::Encrypted, Reason::Method(12)]), "{:?}", listing.damages);
        assert_eq!(listing.damages.len(), if is_whole { 2 } else { 3 });
        assert_eq!(whole(&listing), [("in!c".to_owned(), b"3".to_vec())]);
    }
}

#[test]
fn what_follows_the_end_is_named() {
    let bytes = zip(&[("a", b"1")]);
    let listing = list(&[bytes.clone(), vec![0; 100]].concat());
    assert!(listing.damages.is_empty());
    let listing = list(&[bytes.clone(), b"html".to_vec()].concat());
    assert!(matches!(reasons(&listing.damages)[..], [Reason::Trailing(_)]));
    assert_eq!(whole(&listing).len(), 1);
}

#[test]
fn sixty_four_bit_fields_are_read() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().large_file(true);
    for i in 0..70_000 {
        writer.start_file(i.to_string(), options.compression_method(Stored)).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    let listing = list(&bytes);
    assert!(listing.damages.is_empty(), "{:?}", listing.damages);
    assert_eq!(listing.units.len(), 70_000);
    assert_eq!(listing.units[69_999].leaf_name(), "69999");
    let listing = list(&bytes[..bytes.len() - 1]);
    assert_eq!((listing.units.len(), listing.damages.len()), (70_000, 1));
}

#[test]
fn planted_headers_cost_no_more_than_linear_time() {
    // Every header claims deflate data of unknown length, and the data is stored blocks that run to the end.
    let header = b"PK\x03\x04\x14\0\x08\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0n\x00\xff\xff\0\0";
    for junk in [&header[..], b"PK\x07\x08", b"PK\x03\x04", b"PK\x05\x06", b"PK\x03\x04\x14\0\x08\0\0\0"] {
        let bytes = [&header[..], &junk.repeat((1 << 21) / junk.len())].concat();
        let limits = Limits { max_members: 2000, ..Limits::default() };
        let listing = list_within(&bytes, &limits);
        let total: usize =
            listing.units.iter().map(|unit| samples::read_within(unit, &limits, 1 << 16).0.len()).sum();
        assert!(total <= 2 * bytes.len(), "{total}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    #[test]
    fn damage_anywhere_is_survived(
        kind in 0_usize..5,
        edits in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), 0_u8..), 0..6),
        cut in proptest::option::of(proptest::prelude::any::<proptest::sample::Index>()),
    ) {
        let mut bytes = archives().remove(kind).1;
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        for unit in list(&bytes).units {
            read(&unit);
        }
    }
}
