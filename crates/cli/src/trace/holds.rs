//! Whether a file can hold a name at all: most of an archive does not, and need not be cut into records.

use std::io::Read;

use memchr::memmem::Finder;
use mimelake_landing::{self as landing, Opener};
use mimelake_parse::Format;

use crate::args::ReadArgs;
use crate::interrupt;
use crate::source::Piece;

/// Bytes looked through at a time.
const BLOCK: usize = 256 << 10;
/// More names than this are looked for in the records instead.
const MANY: usize = 16;

/// Looks for names in bytes.
pub struct Scan<'a> {
    opener: Opener,
    /// None if bytes cannot tell.
    names: Option<Vec<Finder<'a>>>,
    /// How an ASCII character begins that JSON writes by its number, or without need behind a backslash.
    escapes: [Finder<'static>; 2],
    format: Option<Format>,
    max_record: u64,
    buffer: Vec<u8>,
}

impl<'a> Scan<'a> {
    /// A scan for any of these names.
    pub fn new(names: &[&'a str], read: &ReadArgs) -> Self {
        // In other names, what the file holds may differ from what is read of it.
        let plain = |name: &&str| name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        let tell = names.len() <= MANY && names.iter().all(plain);
        Self {
            opener: Opener::new(read.limits()),
            names: tell.then(|| names.iter().map(|name| Finder::new(name.as_bytes())).collect()),
            escapes: [Finder::new(br"\u00"), Finder::new(br"\/")],
            format: read.format(),
            max_record: read.max_record,
            buffer: Vec::new(),
        }
    }

    /// Whether a record of the piece may hold one of the names; also if the piece cannot be read to its end, which
    /// reading it then tells.
    pub fn may_hold(&mut self, piece: &Piece) -> anyhow::Result<bool> {
        let Some(names) = &self.names else { return Ok(true) };
        let (start, end) = piece.slice.unwrap_or((0, u64::MAX));
        let opened =
            if start > 0 { self.opener.open_at(&piece.unit, start) } else { self.opener.open(&piece.unit) };
        let Ok(reader) = opened else { return Ok(true) };
        // The last record of a slice ends behind it.
        let mut reader = reader.take((end - start).saturating_add(self.max_record));
        let kept = names.iter().map(|name| name.needle().len()).max().unwrap_or(0).max(4);
        let (mut is_first, mut is_json) = (true, false);
        self.buffer.clear();
        loop {
            interrupt::check()?;
            let before = self.buffer.len();
            if (&mut reader).take(BLOCK as u64).read_to_end(&mut self.buffer).is_err() {
                return Ok(true);
            }
            if std::mem::take(&mut is_first) {
                let format = landing::Format::of(&self.buffer);
                let is_odd = format.is_none() || landing::Format::is_utf16(&self.buffer);
                if is_odd && !self.buffer.is_empty() {
                    return Ok(true);
                }
                is_json = self.format.map_or(format == Some(landing::Format::Json), |f| f == Format::Json);
            }
            let escapes = if is_json { &self.escapes[..] } else { &[] };
            if names.iter().chain(escapes).any(|name| name.find(&self.buffer).is_some()) {
                return Ok(true);
            }
            if self.buffer.len() == before {
                return Ok(false);
            }
            let passed = self.buffer.len().saturating_sub(kept);
            self.buffer.drain(..passed);
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use mimelake_landing::Limits;

    use super::*;
    use crate::args::{Command, Program};
    use crate::plan;

    fn read(options: &str) -> ReadArgs {
        let arguments = format!("mimelake check x {options}");
        match Program::parse_from(arguments.split_whitespace()).command {
            Command::Check(args) => args.read,
            _ => unreachable!("it is check"),
        }
    }

    fn piece(path: &std::path::Path) -> Piece {
        let found = landing::find(&[path.display().to_string()]).unwrap().remove(0);
        plan::list(&found, &Limits::default(), None).unwrap().pieces.remove(0).1
    }

    fn holds(content: &[u8], names: &[&str], options: &str) -> bool {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Scan::new(names, &read(options)).may_hold(&piece(file.path())).unwrap()
    }

    #[test]
    fn names_anywhere_in_a_file() {
        let log = |at: usize| {
            let mut log = b"datetime=2026-03-02T10:00:00+0000|Subject=".to_vec();
            log.resize(3 * BLOCK, b'x');
            log[at..at + 6].copy_from_slice(b"needle");
            log
        };
        for at in [50, BLOCK - 3, BLOCK - 6, BLOCK, 2 * BLOCK - 1, 3 * BLOCK - 6] {
            assert!(holds(&log(at), &["needle"], ""), "at {at}");
            assert!(holds(&log(at), &["absent", "needle"], ""), "at {at}");
            assert!(!holds(&log(at), &["needles", "absent"], ""), "at {at}");
        }
        assert!(!holds(b"", &["needle"], ""));
    }

    #[test]
    fn what_bytes_cannot_tell_is_read() {
        let log = b"datetime=2026-03-02T10:00:00+0000|aCode=x";
        for name in ["a b", "\u{fffd}", "a\"b", "a\\b", "\u{e9}"] {
            assert!(holds(log, &[name], ""), "{name}");
        }
        let many: Vec<String> = (0..=MANY).map(|n| format!("name{n}")).collect();
        assert!(holds(log, &many.iter().map(String::as_str).collect::<Vec<_>>(), ""));
        assert!(holds(b"\xFF\xFEd\0a\0t\0", &["needle"], ""), "UTF-16");
        assert!(holds(b"\x1f\x8b\x08\0\0\0\0\0\0\x03damaged", &["needle"], ""));
    }

    #[test]
    fn escapes_matter_in_json_only() {
        for (json, expected) in [
            (r#"{"messageId":"a@b"}"#, false),
            (r#"{"messageId":"\u003ca@b"}"#, true),
            (r#"{"messageId":"a\/b"}"#, true),
            (r#"{"subject":"\ud83d\ude97"}"#, false),
        ] {
            assert_eq!(holds(json.as_bytes(), &["needle"], ""), expected, "{json}");
        }
        let log = br"datetime=2026-03-02T10:00:00+0000|Subject=\u003c";
        assert!(!holds(log, &["needle"], ""));
        assert!(holds(log, &["needle"], "--from json"));
    }

    #[test]
    fn a_slice_holds_its_records_to_their_end() {
        let line = |n: usize| {
            format!("datetime=2026-03-02T10:00:00+0000|Subject={}|aCode=name{n:03}|\n", "x".repeat(700))
        };
        let text: String = (0..40).map(line).collect();
        let length = line(0).len() as u64;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let whole = piece(file.path());
        let read = read("--max-record 1024");
        for start in (0..text.len() as u64).step_by(997) {
            let end = (start + 997).min(text.len() as u64);
            let sliced = Piece { slice: Some((start, end)), ..whole.clone() };
            // The records that begin in the slice.
            for n in start.div_ceil(length)..end.div_ceil(length) {
                let name = format!("name{n:03}");
                assert!(Scan::new(&[&name], &read).may_hold(&sliced).unwrap(), "{name} in {start}..{end}");
            }
            assert!(!Scan::new(&["name999"], &read).may_hold(&sliced).unwrap());
        }
    }
}
