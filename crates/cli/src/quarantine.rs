//! The lines of the quarantine: what was rejected, where, why, and its bytes.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mimelake_parse::{Reason, Reject};
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    source_file: &'a str,
    source_offset: u64,
    length: u64,
    reason: &'static str,
    recovered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_base64: Option<String>,
    /// Only the beginning of the record is here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// Writes one reject as a line of JSON: its bytes as text where they are text, else in base64.
pub fn write(out: &mut impl Write, source: &str, reject: &Reject<'_>) -> io::Result<()> {
    let text = std::str::from_utf8(reject.bytes).ok();
    let line = Line {
        source_file: source,
        source_offset: reject.offset,
        length: reject.length,
        reason: reject.reason.name(),
        recovered: reject.recovered,
        record: text,
        record_base64: text.is_none().then(|| STANDARD.encode(reject.bytes)),
        truncated: reject.reason == Reason::TooLong,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
