//! Whole sources through the reader: types, columns, flags, rejects, and the account.

use mimelake_parse::{Collected, Collector, Format, Reader, Reason};

mod events;
mod json;
mod key_value;
mod properties;

/// Reads a source in windows of `step` bytes at the least.
fn read_in_steps(format: Format, name: &str, bytes: &[u8], step: usize) -> (Reader, Collector) {
    read_with(Reader::new(format, name), bytes, step)
}

fn read_with(reader: Reader, bytes: &[u8], step: usize) -> (Reader, Collector) {
    let mut reader = reader.max_record(1 << 12);
    let mut collector = Collector::default();
    let (mut start, mut end) = (0, 0);
    loop {
        end = (end + step.max(1)).min(bytes.len());
        let at_end = end == bytes.len();
        start += reader.read(&bytes[start..end], start as u64, at_end, &mut collector).unwrap();
        if at_end {
            assert_eq!(start, end, "something was left at the end");
            assert!(reader.account().holds(), "{:?}", reader.account());
            assert_eq!(reader.account().events.iter().sum::<u64>(), collector.events.len() as u64);
            return (reader, collector);
        }
    }
}

fn read(format: Format, name: &str, text: &str) -> (Reader, Collector) {
    read_in_steps(format, name, text.as_bytes(), usize::MAX >> 1)
}

fn kv(text: &str) -> (Reader, Collector) {
    read(Format::KeyValue, "x.log", text)
}

fn json(text: &str) -> (Reader, Collector) {
    read(Format::Json, "x.json", text)
}

fn reasons(collector: &Collector) -> Vec<Reason> {
    collector.rejects.iter().map(|r| r.2).collect()
}

fn column<'a>(event: &'a Collected, name: &str) -> Option<&'a str> {
    event.columns.get(name).map(String::as_str)
}
