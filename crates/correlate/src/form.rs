//! The bytes and texts that the row form is made of.
//!
//! All of it is UTF-8, so that what lies in a partition is checked once and not each text of it: bytes that are no text
//! are written as one or two ASCII characters, which sort as they do.

/// The first bytes that are written as two, each for a half of those that are left.
const TWO: [u8; 2] = [0x7E, 0x7F];
/// Where the second half begins.
const HALF: u8 = 0xBE;

/// Appends a byte that is no text as one or two ASCII characters, which sort as the byte does.
#[inline]
pub(crate) fn byte(byte: u8, out: &mut String) {
    if byte < TWO[0] {
        out.push(char::from(byte));
    } else {
        two(byte, out);
    }
}

// Apart, for nearly all are one character.
#[inline(never)]
fn two(byte: u8, out: &mut String) {
    let (first, second) = if byte < HALF { (TWO[0], byte - TWO[0]) } else { (TWO[1], byte - HALF) };
    out.push(char::from(first));
    out.push(char::from(second));
}

/// Appends a text, or that there is none.
pub(crate) fn write_text(text: Option<&str>, out: &mut String) {
    match text {
        Some(text) => {
            length(text.len() + 1, out);
            out.push_str(text);
        }
        None => byte(0, out),
    }
}

/// Appends a length, seven bits a byte, the lowest first; the highest bit says that more follow.
#[inline]
pub(crate) fn length(mut length: usize, out: &mut String) {
    while length > 0x7F {
        byte(length as u8 | 0x80, out);
        length >>= 7;
    }
    byte(length as u8, out);
}

/// The row form while it is read. What ends early reads as nothing: the text is our own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Begins at this byte.
    pub(crate) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// Whether all was read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn ascii(&mut self) -> u8 {
        let ascii = self.text.as_bytes().get(self.at).copied().unwrap_or_default();
        self.at += 1;
        ascii
    }

    /// The next byte that is no text.
    #[inline]
    pub(crate) fn byte(&mut self) -> u8 {
        let first = self.ascii();
        if first < TWO[0] { first } else { self.second(first) }
    }

    #[inline(never)]
    fn second(&mut self, first: u8) -> u8 {
        let from = if first == TWO[0] { TWO[0] } else { HALF };
        from.wrapping_add(self.ascii())
    }

    /// The next so many bytes of text.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &'a str {
        let from = self.at;
        self.at = from.saturating_add(count).min(self.text.len());
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// A length, seven bits a byte.
    #[inline]
    pub(crate) fn length(&mut self) -> usize {
        let first = self.byte();
        if first & 0x80 == 0 { first.into() } else { self.long_length(first) }
    }

    #[inline(never)]
    fn long_length(&mut self, first: u8) -> usize {
        let (mut length, mut shift) = (usize::from(first & 0x7F), 7);
        loop {
            let byte = self.byte();
            length |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 || shift > 56 {
                return length;
            }
        }
    }

    /// A text, if there is one.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.length().checked_sub(1)?;
        Some(self.take(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_that_sorts_as_they_do() {
        let written = |bytes: &[u8]| {
            let mut out = String::new();
            for number in bytes {
                byte(*number, &mut out);
            }
            out
        };
        for number in 0..=u8::MAX {
            let text = written(&[number]);
            assert_eq!(Reader::new(&text, 0).byte(), number);
            assert!(text.is_ascii() && number.checked_sub(1).is_none_or(|less| written(&[less]) < text));
        }
        for at in [0, 1, 0x7D, 0x7E, 0x7F, 0x80, 300, 1 << 14, usize::MAX >> 8] {
            let mut text = String::new();
            length(at, &mut text);
            assert_eq!(Reader::new(&text, 0).length(), at);
        }
    }
}
