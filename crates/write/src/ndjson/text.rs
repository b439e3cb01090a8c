//! JSON strings.

/// Every byte of a word set to one.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of every byte.
const HIGH: u64 = ONES << 7;
const WORD: usize = size_of::<u64>();

/// Appends a text in quotes, escaped where JSON asks for it: `"`, `\` and control characters.
#[inline]
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.push(b'"');
    if needs_no_escape(bytes) {
        out.extend_from_slice(bytes);
    } else {
        write_escaped(bytes, out);
    }
    out.push(b'"');
}

/// Looks at eight bytes at a time; the last eight may overlap those before.
#[inline]
fn needs_no_escape(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<WORD>();
    if words.iter().any(|word| has_special(*word)) {
        return false;
    }
    match bytes.last_chunk::<WORD>() {
        Some(word) => !has_special(*word),
        None => !rest.iter().any(|b| is_special(*b)),
    }
}

/// Whether a byte of the word is a control character, `"` or `\`.
#[inline]
fn has_special(word: [u8; WORD]) -> bool {
    let word = u64::from_le_bytes(word);
    // A byte below n borrows into its highest bit; a byte that is not ASCII has it set already.
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGH != 0
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cold]
fn write_escaped(mut bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    while let Some(plain) = bytes.iter().position(|b| is_special(*b)) {
        let special = bytes[plain];
        out.extend_from_slice(&bytes[..plain]);
        match special {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', special]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let digits = [DIGITS[usize::from(special >> 4)], DIGITS[usize::from(special & 15)]];
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&digits);
            }
        }
        bytes = &bytes[plain + 1..];
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn every_byte_at_every_place_of_a_word() {
        for special in 0..=0x7f_u8 {
            for length in 1..20 {
                for place in 0..length {
                    let mut bytes = vec![b'x'; length];
                    bytes[place] = special;
                    let text = String::from_utf8(bytes).unwrap();
                    let mut out = vec![];
                    write(&text, &mut out);
                    let read: String = serde_json::from_slice(&out).unwrap();
                    assert_eq!(read, text);
                    let escapes = special < 0x20 || special == b'"' || special == b'\\';
                    assert_eq!(out.len() > length + 2, escapes, "{special} {text:?}");
                }
            }
        }
    }

    #[test]
    fn short_escapes_and_text_beyond_ascii() {
        let cases = [
            ("", "\"\""),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\n\r\t\u{0}\u{1f}", r#""\n\r\t\u0000\u001f""#),
            ("日本 \u{2028} é \u{7f}", "\"日本 \u{2028} é \u{7f}\""),
            ("🔎 ends in \\", r#""🔎 ends in \\""#),
        ];
        for (text, expected) in cases {
            let mut out = vec![];
            write(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
