use std::cell::Cell;
use std::io::{self, Read};

use proptest::prelude::*;

use super::Window;

/// Gives out `content` in pieces of the given sizes, over and over, then fails or ends.
struct Steps<'a> {
    content: &'a [u8],
    sizes: &'a [usize],
    turn: usize,
    fails: bool,
}

impl Read for Steps<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        if self.turn.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.content.is_empty() && std::mem::take(&mut self.fails) {
            return Err(io::Error::other("broken"));
        }
        let step = self.sizes[self.turn % self.sizes.len()].min(out.len()).min(self.content.len());
        let (now, later) = self.content.split_at(step);
        out[..step].copy_from_slice(now);
        self.content = later;
        Ok(step)
    }
}

/// Where a record stands, and the record; `None` in the place of one that is too long.
type Record = (u64, Option<Vec<u8>>);

/// Records by way of the window, and whether reading failed.
fn records(window: &mut Window<Steps<'_>>, max: usize) -> (Vec<Record>, bool) {
    let (mut records, mut failed) = (Vec::new(), false);
    loop {
        let offset = window.offset();
        let bytes = window.bytes();
        if let Some(end) = memchr::memchr(b'\n', bytes).filter(|&end| end <= max) {
            records.push((offset, Some(bytes[..end].to_vec())));
            window.consume(end + 1);
        } else if bytes.len() > max {
            records.push((offset, None));
            let skipped = window.skip_until(0, |bytes, _| memchr::memchr(b'\n', bytes).map(|end| end + 1));
            failed |= skipped.is_err();
            assert!(skipped.is_err() || window.offset() == offset + skipped.unwrap());
        } else if window.at_end() {
            if !bytes.is_empty() {
                records.push((offset, Some(bytes.to_vec())));
                window.consume(usize::MAX);
            }
            return (records, failed);
        } else {
            failed |= window.fill().is_err();
        }
    }
}

proptest! {
    #[test]
    fn any_block_size_gives_the_same_records(
        content in proptest::collection::vec(prop_oneof![8 => Just(b'a'), 1 => Just(b'\n'), 1 => any::<u8>()], 0..600),
        sizes in proptest::collection::vec(1_usize..50, 1..5),
        block in 0_usize..200,
        max in 1_usize..100,
        fails in any::<bool>(),
    ) {
        let mut expected = Vec::new();
        let mut offset = 0;
        for record in content.split_inclusive(|&byte| byte == b'\n') {
            let body = record.strip_suffix(b"\n").unwrap_or(record);
            expected.push((offset as u64, (body.len() <= max).then(|| body.to_vec())));
            offset += record.len();
        }
        let mut window = Window::new(Steps { content: &content, sizes: &sizes, turn: 0, fails }, block);
        let (records, failed) = records(&mut window, max);
        prop_assert_eq!(records, expected);
        prop_assert_eq!(failed, fails);
        prop_assert_eq!(window.offset(), content.len() as u64);
    }
}

#[test]
fn a_long_record_is_read_in_growing_steps_and_the_memory_given_back() {
    let content = vec![b'a'; 1 << 20];
    let mut window = Window::new(&content[..], 1 << 10);
    let mut scanned = 0;
    while window.fill().unwrap() > 0 {
        scanned += window.bytes().len();
    }
    assert_eq!(window.bytes(), content);
    assert!(scanned < 3 * content.len(), "{scanned}");
    assert!(window.buffer.len() <= 2 * content.len());
    window.restart(&content[..], 0);
    window.fill().unwrap();
    assert_eq!(window.buffer.len(), 1 << 10);
    assert!(window.buffer.capacity() < 1 << 12);
}

#[test]
fn bytes_come_before_the_error() {
    let steps = Steps { content: b"abc", sizes: &[2], turn: 0, fails: true };
    let mut window = Window::new(steps, 100);
    assert_eq!(window.fill().unwrap(), 3);
    assert!(!window.at_end());
    assert_eq!(window.fill().unwrap_err().to_string(), "broken");
    assert!(window.at_end());
    assert_eq!((window.fill().unwrap(), window.bytes()), (0, &b"abc"[..]));
}

#[test]
fn restart_keeps_nothing_but_the_buffer() {
    let mut window = Window::new(&b"abcdef"[..], 4);
    window.fill().unwrap();
    window.consume(1);
    assert_eq!(window.restart(&b"xyz"[..], 7), b"ef");
    assert_eq!((window.offset(), window.bytes(), window.at_end()), (7, &b""[..], false));
    window.fill().unwrap();
    assert_eq!(window.bytes(), b"xyz");
    window.consume(9);
    assert_eq!(window.offset(), 10);
}

#[test]
fn skipping_keeps_what_a_pattern_may_straddle() {
    let content = b"aaaaaaaaaaaaaaa\ndatetime=1\ndatetime=2";
    for block in 1..20 {
        let mut window = Window::new(&content[..], block);
        let longest = Cell::new(0);
        let skipped = window.skip_until(9, |bytes, _| {
            longest.set(longest.get().max(bytes.len()));
            memchr::memmem::find(bytes, b"\ndatetime=").map(|at| at + 1)
        });
        assert_eq!((skipped.unwrap(), window.offset()), (16, 16), "block {block}");
        assert!(longest.get() <= block.max(20), "block {block}");
    }
}
