use std::io::Read as _;
use std::io::Write as _;

use flate2::{Decompress, FlushDecompress, Status};
use zip::CompressionMethod::{Deflated, Stored};
use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

use crate::samples::{self, gzip, lines, list, list_within, read, read_within, zip, zstd};
use crate::{Limits, Opener, Reason, Window, find, units};

/// What a gzip member of one stream holds when it is fed to the decoder a byte at a time.
fn gzip_prefix(bytes: &[u8]) -> Vec<u8> {
    let mut state = Decompress::new(false);
    let mut content = Vec::new();
    let mut out = vec![0; 1 << 16];
    for byte in bytes.iter().skip(10) {
        let before = state.total_out();
        let result = state.decompress(&[*byte], &mut out, FlushDecompress::None);
        content.extend_from_slice(&out[..(state.total_out() - before) as usize]);
        if !matches!(result, Ok(Status::Ok | Status::BufError)) {
            break;
        }
    }
    content
}

/// What a zstd file holds when it is fed to the decoder a byte at a time.
fn zstd_prefix(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new().unwrap();
    let mut content = Vec::new();
    let mut out = vec![0; 1 << 18];
    for byte in bytes {
        let mut output = OutBuffer::around(&mut out[..]);
        let result = decoder.run(&mut InBuffer::around(&[*byte]), &mut output);
        let n = output.pos();
        content.extend_from_slice(&out[..n]);
        if result.is_err() {
            break;
        }
    }
    content
}

fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (2..len.min(40)).chain((40..len).step_by(len / 97 + 1)).chain(len.saturating_sub(40).max(40)..len)
}

#[test]
fn every_container_gives_its_content() {
    let text = lines(20_000);
    let cases = [
        ("plain", text.clone()),
        ("gzip", gzip(&text)),
        ("zstd", zstd(&text)),
        ("gzip in gzip", gzip(&gzip(&text))),
        ("zstd in gzip", gzip(&zstd(&text))),
        ("zip", zip(&[("m", &text)])),
        ("stored", samples::zip_by(Stored, &[("m", &text)])),
        ("zstd member", samples::zip_by(Stored, &[("m", &zstd(&text))])),
        ("gzip member", zip(&[("m", &gzip(&text))])),
        ("zip in zip", zip(&[("n.zip", &zip(&[("m", &text)]))])),
        ("gzip in zip in zip", zip(&[("n.zip", &zip(&[("m", &gzip(&text))]))])),
        ("streamed", samples::streamed_zip(Deflated, false, &[("m", &text)])),
        ("streamed wide", samples::streamed_zip(Deflated, true, &[("m", &text)])),
    ];
    for (name, bytes) in cases {
        let listing = list(&bytes);
        assert!(listing.damages.is_empty(), "{name}: {:?}", listing.damages);
        assert_eq!(listing.units.len(), 1, "{name}");
        for step in [1, 7, 4096, 1 << 21] {
            if step == 1 && name != "plain" && name != "zip" {
                continue;
            }
            let (content, fault) = read_within(&listing.units[0], &Limits::default(), step);
            assert!(fault.is_none(), "{name}: {fault:?}");
            assert!(content == text, "{name} by {step}: {} bytes", content.len());
        }
    }
}

#[test]
fn gzip_members_and_padding() {
    let (a, b) = (lines(10), lines(20));
    let both = [a.clone(), b.clone()].concat();
    let cases = [
        ([gzip(&a), gzip(&b)].concat(), true),
        ([gzip(&a), gzip(b""), gzip(&b)].concat(), true),
        ([gzip(&a), vec![0; 700], gzip(&b), vec![0; 3]].concat(), true),
        ([zstd(&a), zstd(&b)].concat(), true),
        ([zstd(&a), b"\x50\x2a\x4d\x18\x04\0\0\0skip".to_vec(), zstd(&b)].concat(), true),
        ([gzip(&a), gzip(&b), b"garbage".to_vec()].concat(), false),
        ([gzip(&a), gzip(&b), b"\x1fgarbage garbage".to_vec()].concat(), false),
        ([zstd(&a), zstd(&b), b"garbage".to_vec()].concat(), false),
        ([zstd(&a), zstd(&b), b"g".to_vec()].concat(), false),
    ];
    for (i, (bytes, is_whole)) in cases.iter().enumerate() {
        for step in [13, 1 << 20] {
            let (content, fault) = read_within(&list(bytes).units[0], &Limits::default(), step);
            assert!(content == both, "case {i} by {step}");
            match fault {
                None => assert!(is_whole, "case {i} by {step}"),
                Some(fault) => {
                    assert!(!is_whole && matches!(fault.reason, Reason::Trailing(_)), "case {i}: {fault}");
                }
            }
        }
    }
}

#[test]
fn a_gzip_header_may_hold_everything() {
    let text = lines(3);
    let mut encoder = flate2::GzBuilder::new()
        .filename("a.siem")
        .comment("c")
        .extra(b"xyz".to_vec())
        .write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&text).unwrap();
    let (content, fault) = read(&list(&encoder.finish().unwrap()).units[0]);
    assert!(fault.is_none() && content == text);
}

#[test]
fn a_cut_gzip_gives_all_that_can_be_decoded() {
    let text = lines(3000);
    let bytes = gzip(&text);
    for cut in cuts(bytes.len()) {
        for step in [97, 1 << 20] {
            let (content, fault) = read_within(&list(&bytes[..cut]).units[0], &Limits::default(), step);
            let fault = fault.unwrap();
            assert!(matches!(fault.reason, Reason::Truncated(_)), "{cut}: {fault}");
            assert_eq!(fault.offset, Some(cut as u64));
            assert_eq!(content.len(), gzip_prefix(&bytes[..cut]).len(), "{cut} by {step}");
            assert!(text.starts_with(&content), "{cut}");
        }
    }
}

#[test]
fn a_corrupt_gzip_gives_all_that_can_be_decoded() {
    let bytes = gzip(&lines(3000));
    for at in cuts(bytes.len()).filter(|&at| at >= 10) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x55;
        let oracle = gzip_prefix(&bytes);
        for step in [97, 1 << 20] {
            let (content, fault) = read_within(&list(&bytes).units[0], &Limits::default(), step);
            assert!(fault.is_some(), "{at} by {step}");
            assert!(content == oracle, "{at} by {step}: {} for {}", content.len(), oracle.len());
        }
    }
}

#[test]
fn a_cut_or_corrupt_zstd_gives_all_blocks_before() {
    let text = lines(9000);
    let bytes = zstd(&text);
    for at in cuts(bytes.len()).filter(|&at| at >= 8) {
        let mut corrupt = bytes.clone();
        corrupt[at] ^= 0x55;
        for (bytes, is_cut) in [(&bytes[..at], true), (&corrupt[..], false)] {
            let oracle = zstd_prefix(bytes);
            for step in [97, 1 << 20] {
                let (content, fault) = read_within(&list(bytes).units[0], &Limits::default(), step);
                let fault = fault.unwrap_or_else(|| panic!("{at} by {step}: no fault"));
                assert!(!is_cut || matches!(fault.reason, Reason::Truncated(_)), "{at}: {fault}");
                assert!(
                    content.len() >= oracle.len(),
                    "{at} by {step}: {} of {}",
                    content.len(),
                    oracle.len()
                );
                assert!(content.starts_with(&oracle), "{at} by {step}");
            }
        }
    }
}

#[test]
fn damage_inside_a_member_comes_after_its_bytes() {
    let text = lines(2000);
    let gz = gzip(&text);
    let cut = &gz[..gz.len() / 2];
    let bytes = zip(&[("a", &text), ("b.gz", cut), ("c", &text)]);
    let listing = list(&bytes);
    assert!(listing.damages.is_empty());
    let (content, fault) = read(&listing.units[1]);
    let fault = fault.unwrap();
    assert_eq!(content, gzip_prefix(cut));
    assert_eq!(fault.path, "in!b.gz");
    assert!(matches!(fault.reason, Reason::Truncated(_)));
    assert_eq!(read(&listing.units[2]).0, text);
}

#[test]
fn containers_too_deep_are_named() {
    let text = lines(3);
    let cases = [
        ("zip in gzip", gzip(&zip(&[("m", &text)]))),
        ("three times gzip", gzip(&gzip(&gzip(&text)))),
        ("gzip in gzip in zip", zip(&[("m", &gzip(&gzip(&text)))])),
        ("three times zip", zip(&[("n", &zip(&[("o", &zip(&[("m", &text)]))]))])),
    ];
    for (name, bytes) in cases {
        let listing = list(&bytes);
        let (content, fault) = read(&listing.units[0]);
        assert!(content.is_empty() && matches!(fault.unwrap().reason, Reason::TooDeep(_)), "{name}");
    }
}

#[test]
fn bombs_are_stopped_at_the_caps() {
    let zeros = vec![0; 70 << 20];
    let bombs = [gzip(&zeros), zstd(&zeros), zip(&[("m", &zeros)]), zip(&[("m", &gzip(&zeros))])];
    for bytes in bombs {
        let unit = list(&bytes).units.remove(0);
        let (content, fault) = read_within(&unit, &Limits::default(), 1 << 20);
        let fault = fault.unwrap();
        assert!(matches!(fault.reason, Reason::Ratio(1000)), "{fault}");
        assert!(fault.to_string().contains("--max-ratio"));
        assert!((64 << 20..=66 << 20).contains(&content.len()));

        let small = Limits { max_inflated: 3 << 20, ..Limits::default() };
        let (content, fault) = read_within(&unit, &small, 1 << 20);
        assert!(fault.unwrap().to_string().contains("--max-inflated"));
        assert!((3 << 20..=5 << 20).contains(&content.len()), "{}", content.len());

        let large = Limits { max_ratio: 1 << 20, ..Limits::default() };
        let (content, fault) = read_within(&unit, &large, 1 << 20);
        assert!(fault.is_none() && content.len() == zeros.len());
    }
}

#[test]
fn plain_files_open_in_their_middle() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.siem");
    let text = lines(50);
    std::fs::write(&path, &text).unwrap();
    let found = find(&[path.to_string_lossy().into_owned()]).unwrap().remove(0);
    let unit = units(&found, &Limits::default()).unwrap().units.remove(0);
    assert!(unit.is_plain());
    assert_eq!(unit.len, Some(text.len() as u64));
    assert_eq!(unit.leaf_name(), "a.siem");
    let mut opener = Opener::new(Limits::default());
    for start in [0, 1, 1000, text.len(), text.len() + 5] {
        let mut content = Vec::new();
        opener.open_at(&unit, start as u64).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, text.get(start..).unwrap_or_default());
    }
    let packed = list(&gzip(&text)).units.remove(0);
    assert!(!packed.is_plain());
    assert!(matches!(opener.open_at(&packed, 0).unwrap_err().reason, Reason::NotSeekable));
}

#[test]
fn a_nested_zip_is_spooled_within_its_cap() {
    let text = lines(5000);
    let inner = samples::zip_by(Stored, &[("a", &text[..1000]), ("b", &text)]);
    let bytes = zip(&[("n.zip", &inner)]);
    let limits = Limits { max_spool: 5000, ..Limits::default() };
    let listing = list_within(&bytes, &limits);
    assert!(listing.damages.iter().any(|damage| damage.to_string().contains("--max-spool")));
    assert_eq!(read_within(&listing.units[0], &limits, 100).0, &text[..1000]);
    let (content, fault) = read_within(&listing.units[1], &limits, 100);
    assert!(fault.is_some() && text.starts_with(&content) && content.len() > 3000);
}

#[test]
fn counters_tell_the_progress() {
    let text = lines(5000);
    let bytes = gzip(&text);
    let unit = list(&bytes).units.remove(0);
    let mut window = Window::new(Opener::new(Limits::default()).open(&unit).unwrap(), 1 << 20);
    while window.fill().unwrap() > 0 {
        let n = window.bytes().len();
        window.consume(n);
    }
    assert_eq!(window.reader().compressed(), bytes.len() as u64);
    assert_eq!(window.reader().inflated(), text.len() as u64);
    assert_eq!(unit.stored_len, bytes.len() as u64);
}
