//! JSON strings.

use wide::u8x16;

use super::line::Line;

/// Every byte of a word set to one.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of every byte.
const HIGH: u64 = ONES << 7;
const WORD: usize = size_of::<u64>();

/// As many bytes as are looked at in one go.
const BLOCK: usize = 16;

/// Appends a text in quotes, escaped where JSON asks for it: `"`, `\` and control characters.
#[expect(clippy::inline_always, reason = "a call for each text takes three percent more time to ECS NDJSON")]
#[inline(always)]
pub(super) fn write(text: &str, out: &mut Line<'_>) {
    let bytes = text.as_bytes();
    let room = out.room(bytes.len() + 2);
    room[0] = b'"';
    room[bytes.len() + 1] = b'"';
    if copy(bytes, &mut room[1..=bytes.len()]) {
        out.advance(1);
        write_escaped(bytes, out);
        out.byte(b'"');
    } else {
        out.advance(bytes.len() + 2);
    }
}

/// Copies bytes to a place of the same length; whether some of them need an escape.
///
/// The last bytes of a block, a word or half a word may overlap those before.
#[expect(clippy::inline_always, reason = "a call for each text takes three percent more time to ECS NDJSON")]
#[inline(always)]
fn copy(from: &[u8], to: &mut [u8]) -> bool {
    if let (Some(last), Some(to_last)) = (from.last_chunk::<BLOCK>(), to.last_chunk_mut::<BLOCK>()) {
        *to_last = *last;
        let mut found = specials(*last);
        for (block, to) in from.as_chunks::<BLOCK>().0.iter().zip(to.as_chunks_mut::<BLOCK>().0) {
            *to = *block;
            found |= specials(*block);
        }
        return found.any();
    }
    if let (Some(first), Some(last)) = (from.first_chunk::<WORD>(), from.last_chunk::<WORD>()) {
        put(first, to.first_chunk_mut());
        put(last, to.last_chunk_mut());
        return has_special(*first) || has_special(*last);
    }
    if let (Some(first), Some(last)) = (from.first_chunk::<4>(), from.last_chunk::<4>()) {
        put(first, to.first_chunk_mut());
        put(last, to.last_chunk_mut());
        let both = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
        return special_bits(both) != 0;
    }
    let mut special = false;
    for (byte, to) in from.iter().zip(to) {
        *to = *byte;
        special |= is_special(*byte);
    }
    special
}

#[inline]
fn put<const N: usize>(from: &[u8; N], to: Option<&mut [u8; N]>) {
    if let Some(to) = to {
        *to = *from;
    }
}

/// All bits of the bytes that need an escape.
#[inline]
fn specials(block: [u8; BLOCK]) -> u8x16 {
    let block = u8x16::new(block);
    let is = |byte| block.simd_eq(u8x16::splat(byte));
    let is_control = block.min(u8x16::splat(0x1F)).simd_eq(block);
    is_control | is(b'"') | is(b'\\')
}

/// Whether a byte of the word is a control character, `"` or `\`.
#[inline]
fn has_special(word: [u8; WORD]) -> bool {
    special_bits(u64::from_le_bytes(word)) != 0
}

/// The highest bit of the word's first byte that is special, lowest first; bits behind it mean nothing.
#[inline]
fn special_bits(word: u64) -> u64 {
    // A byte below n borrows into its highest bit; a byte that is not ASCII has it set already.
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGH
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes from the start need no escape, of the first eight.
#[inline]
fn plain_bytes(word: [u8; WORD]) -> usize {
    (special_bits(u64::from_le_bytes(word)).trailing_zeros() / 8) as usize
}

#[inline(never)]
fn write_escaped(mut bytes: &[u8], out: &mut Line<'_>) {
    while let Some((word, _)) = bytes.split_first_chunk::<WORD>() {
        let plain = plain_bytes(*word);
        if let Some(room) = out.room(WORD).first_chunk_mut::<WORD>() {
            *room = *word;
        }
        out.advance(plain);
        bytes = &bytes[plain..];
        if plain < WORD {
            escape(bytes[0], out);
            bytes = &bytes[1..];
        }
    }
    for byte in bytes {
        if is_special(*byte) { escape(*byte, out) } else { out.byte(*byte) }
    }
}

/// The letters that stand for bytes behind a `\`; zero for those that are written as numbers.
const LETTERS: [u8; 256] = {
    let mut letters = [0; 256];
    letters[b'"' as usize] = b'"';
    letters[b'\\' as usize] = b'\\';
    letters[b'\n' as usize] = b'n';
    letters[b'\r' as usize] = b'r';
    letters[b'\t' as usize] = b't';
    letters
};

#[inline]
fn escape(byte: u8, out: &mut Line<'_>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match LETTERS[usize::from(byte)] {
        0 => {
            out.bytes(b"\\u00");
            out.byte(DIGITS[usize::from(byte >> 4)]);
            out.byte(DIGITS[usize::from(byte & 15)]);
        }
        letter => out.bytes(&[b'\\', letter]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, write};

    fn written(text: &str) -> String {
        let mut out = vec![];
        let mut line = Line::behind(&mut out);
        write(text, &mut line);
        line.finish();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_byte_at_every_place_of_a_word() {
        for special in 0..=0x7f_u8 {
            for length in [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 41, 63, 64, 65, 73, 100] {
                for place in 0..length {
                    let mut bytes = vec![b'x'; length];
                    bytes[place] = special;
                    let text = String::from_utf8(bytes).unwrap();
                    let out = written(&text);
                    let read: String = serde_json::from_str(&out).unwrap();
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
            assert_eq!(written(text), expected);
        }
    }
}
