//! Key-value lines or JSON, told by the first bytes.

/// The two shapes that logs are delivered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `key=value|key=value` lines.
    KeyValue,
    /// The API 1.0 envelope, a bare array, or NDJSON.
    Json,
}

impl Format {
    /// Whether `bytes` begin with a byte-order mark of UTF-16, in which no log is read.
    pub fn is_utf16(bytes: &[u8]) -> bool {
        matches!(bytes, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])
    }

    /// Returns the format that the first two non-blank bytes tell (after an optional UTF-8 byte-order mark), or
    /// `None` where `bytes` holds blanks only.
    ///
    /// ```
    /// use mimelake_landing::Format;
    /// assert_eq!(Format::of(b"\xEF\xBB\xBF\n {\"a\":1}"), Some(Format::Json));
    /// assert_eq!(Format::of(b"datetime=2017"), Some(Format::KeyValue));
    /// assert_eq!(Format::of(b"[start of export]"), Some(Format::KeyValue));
    /// assert_eq!(Format::of(b" \r\n"), None);
    /// ```
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut solid = text.iter().filter(|byte| !byte.is_ascii_whitespace());
        let is_json = match solid.next()? {
            b'{' => matches!(solid.next(), None | Some(b'"' | b'}')),
            b'[' => matches!(solid.next(), None | Some(b'{' | b'[' | b']' | b'"' | b'-' | b'0'..=b'9')),
            _ => false,
        };
        Some(if is_json { Self::Json } else { Self::KeyValue })
    }
}
