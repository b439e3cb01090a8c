//! Key-value lines or JSON, told by the first byte.

/// The two shapes that logs are delivered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `key=value|key=value` lines.
    KeyValue,
    /// The API 1.0 envelope, a bare array, or NDJSON.
    Json,
}

impl Format {
    /// Returns the format that the first non-blank byte tells (after an optional UTF-8 byte-order mark), or `None`
    /// where `bytes` holds blanks only.
    ///
    /// ```
    /// use mimelake_landing::Format;
    /// assert_eq!(Format::of(b"\xEF\xBB\xBF\n {\"a\":1}"), Some(Format::Json));
    /// assert_eq!(Format::of(b"datetime=2017"), Some(Format::KeyValue));
    /// assert_eq!(Format::of(b" \r\n"), None);
    /// ```
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        match text.iter().find(|byte| !byte.is_ascii_whitespace())? {
            b'{' | b'[' => Some(Self::Json),
            _ => Some(Self::KeyValue),
        }
    }
}
