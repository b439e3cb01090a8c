//! One record: the scanner and the grammar.

use mimelake_parse::{Form, Pair, kv};

/// Both read the same pairs, and these with what separates them are the record.
///
/// # Panics
/// It is not so.
pub fn agree_and_lose_nothing(record: &[u8]) {
    let mut pairs = Vec::new();
    let mut scanner = kv::Scanner::default();
    let first = scanner.scan(record, &mut pairs);
    assert_eq!(kv::grammar::record(record), first.map(|_| pairs.clone()));
    // Now that it knows the keys.
    let again = &mut Vec::new();
    assert_eq!((scanner.scan(record, again), &*again), (first, &pairs));
    if first.is_ok() {
        let bars = record.iter().rev().take_while(|&&b| b == b'|').count();
        assert_eq!(written_back(record, &pairs), &record[..record.len() - bars]);
    }
}

fn written_back(record: &[u8], pairs: &[Pair]) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.len());
    for pair in pairs {
        let (open, close): (&[u8], &[u8]) = match pair.form {
            Form::Quoted => (b"\\", b"\\"),
            Form::Unterminated => (b"\\", b""),
            _ => (b"", b""),
        };
        let bar: &[u8] = if out.is_empty() { b"" } else { b"|" };
        for part in [bar, pair.key.of(record), b"=", open, pair.value.of(record), close] {
            out.extend_from_slice(part);
        }
    }
    out
}
