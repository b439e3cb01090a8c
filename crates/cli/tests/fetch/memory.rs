//! What a run holds, whatever it fetches.

use std::fmt::Write;

use mimelake_mock::{Content, FileFormat, Generate, Options, Sequence};

use crate::stage::Stage;

/// The most memory that a run of these arguments held, in KiB.
#[cfg(target_os = "linux")]
fn peak(stage: &Stage, arguments: &str) -> u64 {
    let mut run = stage.start(arguments);
    let status = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    while run.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::yield_now();
    }
    assert!(run.wait().unwrap().success());
    peak
}

/// `cargo test -p mimelake --test fetch ten_thousand -- --ignored`
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes minutes"]
fn ten_thousand_files_stay_within_64_mib() {
    let content = Content::generated(Generate { files: 10_000, ..Generate::default() });
    let stage = Stage::new(Options { content, ..Options::default() });
    let config = stage.mock.config().replace("file_format", "compress = false\nfile_format");
    // Of one type there are few enough pages that no list call has to wait for Mimecast's limit.
    let config = config.replace(r#"["receipt", "process", "delivery", "url protect"]"#, r#"["receipt"]"#);
    stage.write_private("mimelake.toml", &config);
    for (source, part, files) in [("first", "siem-v1", 10_000), ("second", "siem-v2", 2500)] {
        let peak = peak(&stage, &format!("fetch --config mimelake.toml --land land -q --source {source}"));
        assert_eq!(stage.landed(part).len(), files);
        assert!(peak > 0 && peak < 64 << 10, "{source}: {peak} KiB");
    }
    stage.is_complete("siem-v1", Sequence::Logs(FileFormat::KeyValue));
}

/// A file of 100 MB and one of a few lines cost the same.
#[cfg(target_os = "linux")]
#[test]
fn a_large_file_stays_within_64_mib() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        "datetime=2026-03-02T09:00:00+0000|aCode=AAAAAAAAAAAAAAAAAAAAAA|acc=C0A0|Sender=a@example.com|x=";
    let mut text = String::with_capacity(100 << 20);
    let mut number = 1_u64;
    while text.len() < 100 << 20 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        writeln!(text, "{line}{number:x}").unwrap();
    }
    std::fs::write(folder.path().join("receipt_20260302090000000.siem"), text).unwrap();
    let content = Content::folder(folder.path(), 4).unwrap();
    let stage = Stage::new(Options { content, ..Options::default() });
    let peak = peak(&stage, "fetch --config mimelake.toml --land land -q");
    stage.is_complete("siem-v1", crate::stage::ZIPS);
    assert!(peak > 0 && peak < 64 << 10, "{peak} KiB");
}
