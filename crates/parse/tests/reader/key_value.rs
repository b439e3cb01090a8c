//! Key-value lines: their ends, quotes over several of them, and what is none.

use mimelake_parse::{Collector, Format, MAX_PAIRS, Reader, Reason};

use crate::{column, kv, read_in_steps, read_with, reasons};

#[test]
fn every_line_is_a_record_rejected_or_blank() {
    let (reader, collector) = kv("\u{FEFF}Act=1|Rcpt=a\r\n\r\n  \nno record\n|||\nAct=2|Rcpt=b");
    let account = reader.account();
    assert_eq!((account.lines, account.records, account.rejected, account.blank), (6, 2, 2, 2));
    assert_eq!(reasons(&collector), [Reason::NoKey, Reason::NoKey]);
    assert_eq!(collector.rejects[0].0, 22);
    assert_eq!(collector.rejects[0].3, b"no record");
    assert_eq!(collector.events[0].offset, 3);
}

#[test]
fn quotes_that_span_lines() {
    let one = "datetime=1|Subject=\\two\r\nlines\\|Act=Acc|Rcpt=a\ndatetime=2|Act=Acc|Rcpt=b\n";
    let (reader, collector) = kv(one);
    assert_eq!(column(&collector.events[0], "subject"), Some("two\nlines"));
    assert_eq!(column(&collector.events[0], "action"), Some("Acc"));
    assert_eq!((reader.account().lines, reader.account().records, reader.account().continued), (3, 3, 1));
    assert_eq!(collector.events.len(), 2);

    let none = "Act=1|Subject=\\open|Rcpt=a\nstray\\x\ndatetime=2|Subject=\\x\\\n";
    let (_, collector) = kv(none);
    assert_eq!(column(&collector.events[0], "flags"), Some("unterminated_quote"));
    assert_eq!(column(&collector.events[0], "subject"), Some("open"));
    assert_eq!(reasons(&collector), [Reason::NoKey]);
    assert_eq!(collector.events.len(), 2);
}

#[test]
fn what_damage_cuts_is_no_record() {
    let (whole, open) = ("datetime=1|Act=Acc|Rcpt=a\n", "datetime=2|Subject=\\two\n");
    for (rest, events, expected) in [
        ("", 1, &[][..]),
        ("\n", 1, &[]),
        ("datetime=2|Act=Acc|Rcpt=b\n", 2, &[]),
        ("datetime=2|Act=Acc|Rcpt=b", 1, &[Reason::CutRecord]),
        ("date", 1, &[Reason::CutRecord]),
        ("  ", 1, &[]),
        (&format!("{open}lines\\|Act=Acc\n"), 2, &[]),
        // The first line stands alone, as where no line closes the quote.
        (&format!("{open}lines\\|Act=Acc"), 2, &[Reason::CutRecord]),
        (&format!("{open}lines\\|X=\\more\nlines\\"), 2, &[Reason::CutRecord]),
        (&format!("{open}li"), 2, &[Reason::CutRecord]),
    ] {
        let text = format!("{whole}{rest}");
        for step in [1, 1 << 20] {
            let mut reader = Reader::new(Format::KeyValue, "x");
            reader.cut_short();
            let (reader, collector) = read_with(reader, text.as_bytes(), step);
            assert_eq!(collector.events.len(), events, "{text}");
            assert_eq!(reasons(&collector), expected, "{text}");
            if let Some(reject) = collector.rejects.last() {
                assert!(text.as_bytes().ends_with(&reject.3), "{text}");
            }
            let (undamaged, _) = read_in_steps(Format::KeyValue, "x", text.as_bytes(), step);
            assert_eq!(undamaged.account().lines, reader.account().lines, "{text}");
        }
    }
}

#[test]
fn a_close_is_looked_for_in_63_lines() {
    let text = |lines| format!("Act=1|Rcpt=b|Subject=\\a{}z\\\n", "\nx".repeat(lines));
    let (reader, _) = kv(&text(63));
    assert_eq!((reader.account().records, reader.account().continued), (64, 63));
    let (reader, _) = kv(&text(64));
    assert_eq!((reader.account().records, reader.account().rejected), (1, 64));
}

#[test]
fn invalid_utf8_is_kept_and_quarantined() {
    let (reader, collector) =
        read_in_steps(Format::KeyValue, "x", b"Act=\xff1|Rcpt=a\nAct=2|Rcpt=b\n", 1 << 20);
    assert_eq!(column(&collector.events[0], "action"), Some("\u{FFFD}1"));
    assert_eq!(column(&collector.events[0], "flags"), Some("invalid_utf8"));
    assert_eq!(reasons(&collector), [Reason::InvalidUtf8]);
    assert_eq!(collector.rejects[0].3, b"Act=\xff1|Rcpt=a");
    assert_eq!((reader.account().records, reader.account().rejected), (2, 0));
}

#[test]
fn records_that_are_too_long() {
    let long = format!("Act=1|Rcpt=b\nAct={}\r\nAct=2|Rcpt=c\n", "x".repeat(20_000));
    for step in [100, 5000, 1 << 20] {
        let (_, collector) = read_in_steps(Format::KeyValue, "x", long.as_bytes(), step);
        assert_eq!(reasons(&collector), [Reason::TooLong], "step {step}");
        assert_eq!((collector.rejects[0].0, collector.rejects[0].1), (13, 20_004));
        assert_eq!(collector.events.len(), 2);
    }
    let long =
        format!("{{\"Act\":1,\"Rcpt\":2}}\n{{\"a\":\"{}\"}}\n{{\"Act\":1,\"Rcpt\":2}}", "x".repeat(20_000));
    for step in [100, 5000, 1 << 20] {
        let (_, collector) = read_in_steps(Format::Json, "x", long.as_bytes(), step);
        assert_eq!(reasons(&collector), [Reason::TooLong], "step {step}");
        assert_eq!(collector.events.len(), 2);
    }
}

#[test]
fn an_open_quote_holds_no_more_than_a_record() {
    let open = "Act=1|Subject=\\open\n";
    let mut reader = Reader::new(Format::KeyValue, "x").max_record(1 << 10);
    let mut collector = Collector::default();
    let endless = open.to_owned() + &"x".repeat(100_000);
    let done = reader.read(endless.as_bytes(), 0, false, &mut collector).unwrap();
    assert!(endless.len() - done <= 2 << 10, "{} bytes are left", endless.len() - done);
    // A record of 4096 bytes is taken, and one byte more is too much.
    for (more, lines) in [(0, 2), (1, 1)] {
        let text = format!("{open}{}\\\n", "x".repeat((1 << 12) - open.len() - 1 + more));
        for step in [1, 100, 1 << 20] {
            let (reader, _) = read_in_steps(Format::KeyValue, "x", text.as_bytes(), step);
            let continued = reader.account().continued;
            assert_eq!(continued + 1, lines, "{more} more, step {step}");
        }
    }
}

#[test]
fn blank_lines_may_be_too_long() {
    let text = format!("{}\nAct=1|Rcpt=b\n", " ".repeat(20_000));
    for step in [100, 1 << 20] {
        let (_, collector) = read_in_steps(Format::KeyValue, "x", text.as_bytes(), step);
        assert_eq!((reasons(&collector), collector.events.len()), (vec![Reason::TooLong], 1));
    }
}

/// A whole file may stand on one line, longer than any record.

#[test]
fn a_list_without_end_is_no_list() {
    for (count, list) in [(MAX_PAIRS, true), (MAX_PAIRS + 1, false)] {
        let recipients = "a;".repeat(count);
        let mut reader = Reader::new(Format::KeyValue, "x");
        let mut collector = Collector::default();
        let text = format!("Act=Acc|Rcpt={recipients}\n");
        reader.read(text.as_bytes(), 0, true, &mut collector).unwrap();
        let event = &collector.events[0];
        assert_eq!(column(event, "recipients").is_some(), list);
        let expected = if list { String::new() } else { format!("Rcpt={recipients}") };
        assert_eq!(column(event, "extra"), Some(&*expected));
    }
}

#[test]
fn a_quote_over_lines_is_no_way_past_the_cap() {
    let text = format!("{}b=\\x\nclose\\|{}\na=1\n", "a=1|".repeat(MAX_PAIRS - 1), "c=1|c=2");
    let mut reader = Reader::new(Format::KeyValue, "x");
    let mut collector = Collector::default();
    reader.read(text.as_bytes(), 0, true, &mut collector).unwrap();
    assert_eq!((collector.events.len(), reasons(&collector)), (2, vec![Reason::NoKey]));
    assert!(column(&collector.events[0], "flags").unwrap().contains("unterminated_quote"));
}
