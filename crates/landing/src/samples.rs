//! Containers for the tests, and what the tests do with them.

use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{LandingError, Limits, Listing, Opener, Reason, Unit, units_of_bytes};

/// Lines that differ from each other, so that deflate has something to do.
pub(crate) fn lines(n: usize) -> Vec<u8> {
    let mut text = Vec::new();
    for i in 0..n {
        let code = i.wrapping_mul(2_654_435_761) % 1_000_003;
        writeln!(text, "datetime=2017-05-26T16:47:41+0100|aCode=7O7I7MvGP1mj8plHRDuHEA{code}|Size={i}")
            .unwrap();
    }
    text
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method)
}

/// A zip whose local headers carry sizes.
pub(crate) fn zip_by(method: CompressionMethod, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, options(method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_by(CompressionMethod::Deflated, members)
}

/// A zip as streamed: sizes stand behind the data, in 64 bits if `wide`.
pub(crate) fn streamed_zip(method: CompressionMethod, wide: bool, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new_stream(Vec::new());
    for (name, content) in members {
        writer.start_file(*name, options(method).large_file(wide)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Where `needle` stands in `bytes` for the `nth` time.
pub(crate) fn position(bytes: &[u8], needle: &[u8], nth: usize) -> usize {
    memchr::memmem::find_iter(bytes, needle).nth(nth).unwrap()
}

pub(crate) fn list(bytes: &[u8]) -> Listing {
    list_within(bytes, &Limits::default())
}

pub(crate) fn list_within(bytes: &[u8], limits: &Limits) -> Listing {
    units_of_bytes("in", Arc::from(bytes), limits).unwrap()
}

/// Content of a unit and what it ends in.
pub(crate) fn read(unit: &Unit) -> (Vec<u8>, Option<LandingError>) {
    read_within(unit, &Limits::default(), 1000)
}

pub(crate) fn read_within(unit: &Unit, limits: &Limits, step: usize) -> (Vec<u8>, Option<LandingError>) {
    let mut reader = match Opener::new(*limits).open(unit) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut content = Vec::new();
    let mut buffer = vec![0; step];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return (content, None),
            Ok(n) => content.extend_from_slice(&buffer[..n]),
            Err(error) => {
                assert_eq!(reader.read(&mut buffer).unwrap(), 0, "a fault is told once");
                return (content, Some(LandingError::from_io(error).unwrap()));
            }
        }
    }
}

/// Names and contents of all units, none of them damaged.
pub(crate) fn whole(listing: &Listing) -> Vec<(String, Vec<u8>)> {
    let units = listing.units.iter();
    units
        .map(|unit| match read(unit) {
            (content, None) => (unit.name.clone(), content),
            (_, Some(error)) => panic!("{error}"),
        })
        .collect()
}

pub(crate) fn reasons(damages: &[LandingError]) -> Vec<&Reason> {
    damages.iter().map(|damage| &damage.reason).collect()
}
