//! When a token of API 1.0 moves on without its file, and when it does not.

use mimelake_mock::{At, Fault, FileFormat, Sequence};

use crate::lab::{Lab, ZIPS};
use crate::siem1::{faulty, siem1};

#[test]
fn a_file_that_always_breaks_off_is_given_up_after_some_runs() {
    let fault = Fault::Close { at: At::Body(200), chunked: Some(false) };
    // Whatever ends it, as long as it is the same piece on every try.
    for fault in [fault, Fault::Stall { at: At::Body(200) }] {
        let mut lab = Lab::v1(faulty(vec![siem1(fault).file(2).every()]), "");
        lab.setting.patience.idle = std::time::Duration::from_millis(50);
        for hours in [0, 0, 0, 12, 12] {
            assert!(lab.failure().passes());
            assert_eq!(lab.landed("siem-v1").len(), 2);
            lab.pass(hours);
        }
        lab.fetch();
        assert_eq!(lab.landed("siem-v1").len(), lab.mock.expected(ZIPS).count() - 1);
        assert_eq!(lab.landed("_quarantine").len(), 1);
    }
}

#[test]
fn a_dead_network_counts_for_nothing() {
    let cut = |on| siem1(Fault::Close { at: At::Body(200), chunked: Some(false) }).file(2).on(on);
    let dead = || siem1(Fault::Close { at: At::Start, chunked: None }).file(2).every();
    let lab = Lab::v1(faulty(vec![]), "");
    // It breaks off, and then the network is gone.
    for _ in 0..4 {
        lab.mock.set_script(vec![cut(1..=2), dead()].into());
        assert!(lab.failure().passes());
    }
    assert!(lab.landed("_quarantine").is_empty());
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
}

#[test]
fn what_a_bad_network_may_have_cut_moves_no_token() {
    let cut = |bytes| Fault::Close { at: At::Body(bytes), chunked: Some(false) };
    let faults = [
        (200..205).map(cut).collect(),
        vec![Fault::Stall { at: At::Body(200) }; 5],
        vec![Fault::Trickle { at: At::Body(200) }; 5],
    ];
    for faults in faults {
        let mut lab = Lab::v1(faulty(vec![]), "");
        if !matches!(faults[0], Fault::Close { .. }) {
            lab.setting.patience.idle = std::time::Duration::from_millis(100);
            lab.setting.patience.slow = std::time::Duration::from_millis(100);
        }
        let fails = |fault: &Fault| {
            lab.mock.set_script(vec![siem1(fault.clone()).file(2).every()].into());
            assert!(lab.failure().passes(), "{fault:?}");
        };
        faults.iter().for_each(fails);
        assert!(lab.landed("_quarantine").is_empty(), "{faults:?}");
        // It is lost anyhow where it has stood there for nearly as long as logs are kept.
        crate::lab::set_back(&lab, "siem-v1.cursor.json", 6 * 24 + 1);
        faults[..2].iter().for_each(fails);
        assert!(lab.landed("_quarantine").is_empty(), "{faults:?}");
        lab.mock.set_script(vec![siem1(faults[2].clone()).file(2).every()].into());
        lab.fetch();
        assert_eq!(lab.landed("_quarantine").len(), 1, "{faults:?}");
        assert_eq!(lab.landed("siem-v1").len(), lab.mock.expected(ZIPS).count() - 1);
    }
}

#[test]
fn answers_without_a_log_end_the_round_however_their_tokens_move() {
    let lab = Lab::v1(faulty(vec![siem1(Fault::EmptyZip).on(3..=u64::MAX)]), "");
    let error = lab.failure();
    assert!(error.passes() && error.to_string().contains("without a log"), "{error}");
    assert_eq!(lab.mock.requests().len(), 1002);
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
}

/// Where neither a length nor chunks say so, only what is packed is known to be whole.
#[test]
fn a_body_that_ends_with_its_connection_may_be_cut() {
    for (more, sequence) in [
        ("", ZIPS),
        ("compress = false", Sequence::Logs(FileFormat::KeyValue)),
        ("compress = false\nfile_format = \"json\"", Sequence::Logs(FileFormat::Json)),
    ] {
        let rule = siem1(Fault::Open { bytes: 200 }).file(2).on(1..=8);
        let lab = Lab::v1(faulty(vec![rule]), more);
        assert!(lab.failure().passes());
        assert_eq!(lab.landed("siem-v1").len(), 2);
        lab.fetch();
        lab.is_complete("siem-v1", sequence);
        assert!(lab.landed("_quarantine").is_empty());
    }
    let lab = Lab::v1(faulty(vec![siem1(Fault::Open { bytes: 1 << 30 }).on(1..=4)]), "");
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
    assert!(lab.setting.clock.waits().is_empty());
}

/// Behind a proxy that tells of no body how long it is.
#[test]
fn plain_files_without_a_length_land_once_the_same_came_three_times() {
    for format in [FileFormat::KeyValue, FileFormat::Json] {
        let rule = siem1(Fault::Open { bytes: 1 << 30 }).every();
        let more = if format == FileFormat::Json { "file_format = \"json\"" } else { "" };
        let lab = Lab::v1(faulty(vec![rule]), &format!("compress = false\n{more}"));
        lab.fetch();
        let files = Sequence::Logs(format);
        lab.is_complete("siem-v1", files);
        assert!(lab.landed("_quarantine").is_empty());
        let notes = lab.state("siem-v1.notes.ndjson");
        assert_eq!(notes.matches("\"what\":\"open\"").count(), lab.mock.expected(files).count(), "{notes}");
    }
}

/// Nothing can be asked for behind a token whose answer is a page: what stands there is said, round after round.
#[test]
fn a_page_in_the_place_of_one_file_is_reported_for_as_long_as_it_is_there() {
    let mut lab = Lab::v1(faulty(vec![siem1(Fault::HtmlPage).file(2).every()]), "");
    for round in 0..4 {
        let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
        let failures = fetcher.round().failures;
        assert!(failures.len() == 1 && failures[0].error.to_string().contains("HTML page"), "{failures:?}");
        let status = fetcher.status().json(lab.setting.clock.now());
        let stream = &status["sources"]["eu"]["siem-v1"];
        assert!(stream["error"].as_str().unwrap().contains("HTML page"), "{stream}");
        assert_eq!(stream["warnings"].as_array().unwrap().len(), usize::from(round > 1), "{stream}");
        drop(fetcher);
        lab.pass(2 * 24);
    }
    assert_eq!(lab.landed("siem-v1").len(), 2);
}

#[test]
fn tokens_that_go_in_circles_end_the_round() {
    let lab = Lab::v1(faulty(vec![siem1(Fault::Back).file(2).every()]), "");
    let error = lab.failure();
    assert!(error.passes() && error.to_string().contains("circles"), "{error}");
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v1", ZIPS);
}
