//! Whether JSON that came is complete, told byte by byte.

/// The brackets and strings of a body so far.
#[derive(Debug, Default)]
pub(crate) struct Brackets {
    first: Option<u8>,
    last: Option<u8>,
    open: u64,
    is_in_string: bool,
    is_escaped: bool,
}

impl Brackets {
    /// Adds the bytes that come next.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().filter(|byte| !byte.is_ascii_whitespace()) {
            self.first = self.first.or(Some(*byte));
            self.last = Some(*byte);
            self.step(*byte);
        }
    }

    fn step(&mut self, byte: u8) {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = self.is_in_string,
            b'"' => self.is_in_string = !self.is_in_string,
            _ if self.is_in_string => {}
            b'{' | b'[' => self.open += 1,
            b'}' | b']' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
    }

    /// Whether it is an object or an array, or several, and each is closed.
    pub(crate) fn are_closed(&self) -> bool {
        let is_open = self.open > 0 || self.is_in_string;
        matches!(self.first, Some(b'{' | b'[')) && matches!(self.last, Some(b'}' | b']')) && !is_open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_complete_is_closed() {
        let cases = [
            (r#"{"type":"MTA","data":[{"a":"}]\"{"}]}"#, true),
            (" [1, [2], {}]\r\n", true),
            ("{\"a\":1}\n{\"a\":2}", true),
            (r#"{"a":"\\"}"#, true),
            ("", false),
            ("  ", false),
            ("7", false),
            ("datetime=x|Subject={}", false),
            ("{} 7", false),
        ];
        for (text, closed) in cases {
            let mut brackets = Brackets::default();
            text.as_bytes().chunks(3).for_each(|chunk| brackets.add(chunk));
            assert_eq!(brackets.are_closed(), closed, "{text}");
        }
        let (whole, _) = cases[0];
        for end in 0..whole.len() {
            let mut brackets = Brackets::default();
            brackets.add(&whole.as_bytes()[..end]);
            assert!(!brackets.are_closed(), "cut at {end}");
        }
    }
}
