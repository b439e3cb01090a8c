//! Files packed as Mimecast packs them, the same bytes every time.

use std::io::{self, Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Returns a zip of these members, by name and content.
pub(crate) fn zipped(members: impl IntoIterator<Item = (String, Vec<u8>)>) -> io::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (name, content) in members {
        writer.start_file(name, options)?;
        writer.write_all(&content)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// Returns a zip of the members of all these zips.
pub(crate) fn merged(zips: impl IntoIterator<Item = Vec<u8>>) -> io::Result<Vec<u8>> {
    let mut members = Vec::new();
    for bytes in zips {
        let mut archive = ZipArchive::new(Cursor::new(bytes))?;
        for index in 0..archive.len() {
            let mut member = archive.by_index(index)?;
            let mut content = Vec::new();
            member.read_to_end(&mut content)?;
            members.push((member.name()?.into_owned(), content));
        }
    }
    zipped(members)
}

/// Returns `content` as gzip, in two members where it has two lines or more, as API 2.0 is known to send it.
pub(crate) fn gzipped(content: &[u8]) -> io::Result<Vec<u8>> {
    let first = content.iter().position(|&b| b == b'\n').map_or(content.len(), |end| end + 1);
    let mut out = Vec::new();
    for member in [&content[..first], &content[first..]] {
        if !member.is_empty() || out.is_empty() {
            let mut encoder = GzEncoder::new(out, Compression::new(1));
            encoder.write_all(member)?;
            out = encoder.finish()?;
        }
    }
    Ok(out)
}
