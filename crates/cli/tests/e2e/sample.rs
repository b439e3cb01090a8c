//! Made-up records, and the containers they come in.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The `n`th receipt, a line with its end.
pub fn receipt(n: usize) -> String {
    format!(
        "datetime=2026-03-{:02}T10:{:02}:{:02}+0000|aCode=R{n:08}|acc=C0A0|IP=192.0.2.{}|Dir=Inbound|\
         MsgId=<{n}@example.net>|Subject=\\Number | {n}\\|Sender=jo@example.net|Rcpt=anna@example.com|\
         Act=Acc|SpamScore={}\n",
        n / 500 % 3 + 1,
        n / 60 % 60,
        n % 60,
        n % 256,
        n % 7,
    )
}

/// The receipts of these numbers.
pub fn receipts(numbers: impl IntoIterator<Item = usize>) -> String {
    numbers.into_iter().map(receipt).collect()
}

/// The `n`th delivery, a line with its end.
pub fn delivery(n: usize) -> String {
    format!(
        "datetime=2026-03-02T11:{:02}:{:02}+0000|aCode=R{n:08}|acc=C0A0|Delivered=true|IP=198.51.100.7|\
         AttCnt=0|Dir=Inbound|Rcpt=anna@example.com|Attempt=1|Latency={n}|UseTls=Yes|Route=\\Exchange\\\n",
        n / 60 % 60,
        n % 60,
    )
}

/// The `n`th event of API 2.0, a line with its end.
pub fn json2(n: usize) -> String {
    format!(
        "{{\"type\":\"receipt\",\"aggregateId\":\"J{n:08}\",\"timestamp\":{},\"subject\":\"Number {n}\",\
         \"recipients\":\"anna@example.com\",\"action\":\"Acc\",\"accountId\":\"C0A0\"}}\n",
        1_772_500_000_000_u64 + n as u64 * 1000,
    )
}

/// Text of about this many bytes in long receipts, each with an aCode of its own that begins with `name`.
pub fn long_receipts(name: &str, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 4096);
    let mut state = 88_172_645_463_325_252_u64;
    for n in 0.. {
        if text.len() >= bytes {
            break;
        }
        let date = n % 3 + 1;
        _ = write!(text, "datetime=2026-03-0{date}T10:00:00+0000|aCode={name}{n:06}|acc=C0A0|Act=Acc|");
        text.push_str("Rcpt=anna@example.com|Subject=\\");
        for _ in 0..128 {
            // Xorshift: what zstd cannot shrink to nothing.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            _ = write!(text, "{state:016x}");
        }
        text.push_str("\\\n");
    }
    text
}

pub fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

pub fn zip<N: AsRef<str>, B: AsRef<[u8]>>(members: &[(N, B)]) -> Vec<u8> {
    zip_by(CompressionMethod::Deflated, members)
}

/// A zip whose members are stored as they are.
pub fn stored_zip<N: AsRef<str>, B: AsRef<[u8]>>(members: &[(N, B)]) -> Vec<u8> {
    zip_by(CompressionMethod::Stored, members)
}

fn zip_by<N: AsRef<str>, B: AsRef<[u8]>>(method: CompressionMethod, members: &[(N, B)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(name.as_ref(), options).unwrap();
        writer.write_all(content.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
