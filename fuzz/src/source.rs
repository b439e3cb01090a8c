//! A whole source: the account of its lines, and that windows and pieces change nothing.
//!
//! The input's first byte chooses the window, the rest is the source.

use mimelake_parse::{Account, Collector, Format, Reader, kv};

/// The shortest that a reader takes, so that a small input holds records that are too long.
const SHORT: usize = 1 << 10;
/// Longer than any input.
const LONG: usize = 1 << 20;

/// Key-value lines: windows and pieces change nothing.
///
/// # Panics
/// It is not so.
pub fn key_value(input: &[u8]) {
    let Some((step, source)) = split(input) else { return };
    for max_record in [SHORT, LONG] {
        let whole = read(Format::KeyValue, source, source.len(), max_record);
        assert_same(&whole, &read(Format::KeyValue, source, step, max_record));
        pieces_are_the_whole(source, 16 + step, max_record, &whole.0);
    }
}

/// JSON of any shape: windows change nothing.
///
/// # Panics
/// It is not so.
pub fn json(input: &[u8]) {
    let Some((step, source)) = split(input) else { return };
    let whole = read(Format::Json, source, source.len(), LONG);
    assert_same(&whole, &read(Format::Json, source, step, LONG));
    // Where a record is too long to hold and is broken, or spans lines, its line's end is taken for its own: what
    // goes with it depends on the window.
    read(Format::Json, source, step, SHORT);
}

fn split(input: &[u8]) -> Option<(usize, &[u8])> {
    let (first, source) = input.split_first()?;
    Some((1 + usize::from(*first), source))
}

/// Reads a source in windows that grow by `step` bytes.
fn read(format: Format, source: &[u8], step: usize, max_record: usize) -> (Collector, Account) {
    let mut reader = Reader::new(format, "fuzz").max_record(max_record);
    let mut collector = Collector::default();
    let (mut start, mut end) = (0, 0);
    loop {
        end = (end + step).min(source.len());
        let at_end = end == source.len();
        let Ok(done) = reader.read(&source[start..end], start as u64, at_end, &mut collector);
        start += done;
        assert!(end - start <= 2 * max_record + step, "{} bytes are left of a window", end - start);
        if at_end {
            assert_eq!(start, end, "something is left at the end");
            let account = reader.account();
            assert!(account.holds(), "{account:?}");
            assert_eq!(account.events.iter().sum::<u64>(), collector.events.len() as u64);
            return (collector, account.clone());
        }
    }
}

fn assert_same(whole: &(Collector, Account), windows: &(Collector, Account)) {
    assert_eq!(whole.0.events, windows.0.events);
    assert_eq!(whole.0.rejects, windows.0.rejects);
    assert_eq!(whole.1, windows.1);
}

/// Several readers that share a source read what one reads.
fn pieces_are_the_whole(source: &[u8], piece: usize, max_record: usize, whole: &Collector) {
    let mut parts = Collector::default();
    for start in (0..source.len()).step_by(piece) {
        let sure = if start == 0 { Some(0) } else { kv::sure_start(source, start) };
        let Some(sure) = sure.filter(|&sure| sure < start + piece) else { continue };
        let mut reader = Reader::new(Format::KeyValue, "fuzz").max_record(max_record);
        reader = reader.stop_at((start + piece) as u64);
        let Ok(_) = reader.read(&source[sure..], sure as u64, true, &mut parts);
    }
    assert_eq!(whole.events, parts.events);
    assert_eq!(whole.rejects, parts.rejects);
}
