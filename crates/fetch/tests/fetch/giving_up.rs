//! When a file of API 2.0 is given up, and when it is not.

use std::time::Duration;

use mimelake_mock::{At, Content, Endpoint, Fault, Generate, Options, Rule};

use crate::lab::{Lab, seconds};
use crate::siem2::{BATCHES, TYPES, batch, calls, lab, presigned};

#[test]
fn a_page_whose_links_all_expire_while_nothing_else_comes_is_not_given_up() {
    let lab = lab(vec![batch(Fault::ExpiredLinks).about("receipt").every()]);
    for _ in 0..5 {
        let error = lab.failure();
        assert!(error.passes() && error.to_string().contains("expire"), "{error}");
        assert_eq!(lab.landed("siem-v2").len(), 12, "the other types are there");
    }
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert!(lab.state("siem-v2.notes.ndjson").is_empty());
}

/// What befalls one file in every round, and whether something of it is put into the quarantine.
fn for_ever() -> Vec<(Fault, bool)> {
    let kind = vec![("Content-Type".to_owned(), "application/gzip".to_owned())];
    vec![
        (Fault::expired(), false),
        (Fault::status(400), false),
        (Fault::status(500), false),
        // What would stop a call to the API says nothing of other links.
        (Fault::status(405), false),
        (Fault::status(418), false),
        (Fault::HtmlPage, true),
        (Fault::Status { code: 200, headers: kind, body: "blocked".to_owned() }, true),
        (Fault::Close { at: At::Body(60), chunked: Some(false) }, true),
        (Fault::Close { at: At::Start, chunked: None }, false),
    ]
}

#[test]
fn a_file_that_never_comes_while_the_others_do_is_given_up_after_some_rounds() {
    for (fault, has_rest) in for_ever() {
        let mut lab = lab(vec![presigned(fault.clone()).file(9).every()]);
        for round in 0..5 {
            // Three rounds one upon the other say little.
            lab.pass([0, 0, 0, 12, 12][round]);
            let failures = lab.round().failures;
            let is_last = round == 4;
            assert_eq!(failures.is_empty(), is_last, "{fault:?}: {failures:?}");
            assert!(failures.iter().all(|failure| failure.error.passes()), "{fault:?}");
        }
        assert_eq!(lab.landed("siem-v2").len(), 15, "{fault:?}");
        assert_eq!(lab.landed("_quarantine").len(), usize::from(has_rest), "{fault:?}");
        let notes = lab.state("siem-v2.notes.ndjson");
        let what = if has_rest { "\"what\":\"quarantine\"" } else { "\"what\":\"gap\"" };
        assert!(notes.lines().count() == 1 && notes.contains(what), "{fault:?}: {notes}");
        lab.fetch();
        assert_eq!(lab.landed("siem-v2").len(), 15, "{fault:?}: the cursor moved on");
    }
}

#[test]
fn a_dead_network_counts_for_nothing() {
    let dead = || presigned(Fault::Close { at: At::Start, chunked: None }).every();
    let lab = lab(vec![dead()]);
    let fails = |script: Vec<Rule>| {
        lab.mock.set_script(script.into());
        assert!(lab.round().failures.iter().all(|failure| failure.error.passes()));
        assert!(lab.landed("_quarantine").is_empty() && lab.state("siem-v2.notes.ndjson").is_empty());
    };
    for _ in 0..4 {
        fails(vec![dead()]);
    }
    assert!(lab.landed("siem-v2").is_empty());
    // What follows is the first and the second round in which these files are known to fail.
    for _ in 0..2 {
        fails(
            for_ever()
                .into_iter()
                .zip(4..)
                .map(|((fault, _), file)| presigned(fault).file(file).every())
                .collect(),
        );
    }
    // Nor does a round count in which no file of a page comes.
    for (fault, _) in for_ever() {
        fails(vec![presigned(fault).every()]);
    }
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
}

/// A page that stands before all files for days, and bodies of which nothing comes, say nothing of any file.
#[test]
fn what_stands_before_all_files_moves_no_cursor() {
    for fault in [Fault::HtmlPage, Fault::Close { at: At::Body(0), chunked: Some(false) }] {
        let options = Options {
            out: Some(16),
            page_size: 4,
            script: vec![presigned(fault).every()].into(),
            ..Options::default()
        };
        let mut lab = Lab::v2(options, TYPES);
        for _ in 0..5 {
            lab.pass(12);
            let failures = lab.round().failures;
            assert!(!failures.is_empty() && failures.iter().all(|failure| failure.error.passes()));
            assert!(lab.landed("_quarantine").is_empty() && lab.state("siem-v2.notes.ndjson").is_empty());
        }
        lab.mock.set_script(vec![].into());
        lab.fetch();
        assert_eq!(lab.landed("siem-v2").len(), 16);
    }
}

/// Each round four files come, and then nothing does.
#[test]
fn a_network_that_dies_midway_counts_for_nothing() {
    let lab = lab(vec![]);
    for round in 0..4 {
        lab.mock.set_script(
            vec![presigned(Fault::Close { at: At::Start, chunked: None }).on(5..=u64::MAX)].into(),
        );
        assert_eq!(lab.round().failures.is_empty(), round == 3);
        assert_eq!(lab.landed("siem-v2").len(), 4 * (round + 1));
    }
    lab.is_complete("siem-v2", BATCHES);
    assert!(lab.state("siem-v2.notes.ndjson").is_empty());
}

/// A page of one file, while only files of other types come.
#[test]
fn the_only_file_of_a_page_is_given_up_while_others_come() {
    let faults = for_ever().into_iter().chain([(Fault::Stall { at: At::Body(60) }, true)]);
    for (fault, has_rest) in faults {
        let rule = presigned(fault.clone()).file(9).every();
        let options =
            Options { out: Some(12), page_size: 1, script: vec![rule].into(), ..Options::default() };
        let mut lab = Lab::v2(options, TYPES);
        lab.setting.patience.idle = Duration::from_millis(50);
        let rounds = (0..6).take_while(|round| {
            lab.pass(12);
            lab.mock.publish(12 + 4 * round);
            !lab.round().failures.is_empty()
        });
        assert!((2..4).contains(&rounds.count()), "{fault:?}");
        lab.mock.publish(40);
        lab.fetch();
        assert_eq!(lab.landed("siem-v2").len(), 39, "{fault:?}");
        assert_eq!(lab.landed("_quarantine").len(), usize::from(has_rest), "{fault:?}");
        assert_eq!(lab.state("siem-v2.notes.ndjson").lines().count(), 1, "{fault:?}");
    }
}

/// Nothing else comes: only the file's age can tell.
#[test]
fn the_only_file_that_there_is_is_given_up_before_it_would_be_lost() {
    let rule = presigned(Fault::status(500)).file(3).every();
    let options = Options { out: Some(4), page_size: 1, script: vec![rule].into(), ..Options::default() };
    let mut lab = Lab::v2(options, "types = [\"url protect\"]");
    for _ in 0..5 {
        assert!(lab.failure().passes());
    }
    crate::lab::set_back(&lab, "siem-v2.url_protect.json", 6 * 24 + 1);
    for _ in 0..3 {
        assert!(lab.failure().passes());
    }
    lab.pass(6);
    lab.fetch();
    let notes = lab.state("siem-v2.notes.ndjson");
    assert!(notes.lines().count() == 1 && notes.contains("\"what\":\"gap\""), "{notes}");
}

#[test]
fn a_file_that_is_listed_no_more_is_a_gap() {
    let rules = || {
        vec![presigned(Fault::expired()).file(13).on(1..=1), batch(Fault::Fewer).about("process").on(2..=4)]
    };
    let lab = lab(rules());
    assert!(lab.failure().passes());
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), 15);
    let notes = lab.state("siem-v2.notes.ndjson");
    assert!(notes.lines().count() == 1 && notes.contains("listed no more"), "{notes}");
    // Listed again, it comes.
    let lab = crate::siem2::lab(rules());
    assert!(lab.failure().passes());
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert!(lab.state("siem-v2.notes.ndjson").is_empty());
}

#[test]
fn links_to_a_dead_host_keep_no_others_back_and_are_given_up_late() {
    let content = Content::generated(Generate { files: 160, ..Generate::default() });
    let script = vec![batch(Fault::DeadHost { entries: 5 }).every()].into();
    let mut lab = Lab::v2(Options { content, script, ..Options::default() }, "types = [\"receipt\"]");
    for _ in 0..4 {
        assert!(lab.failure().passes());
        lab.pass(24);
        assert_eq!(lab.landed("siem-v2").len(), 35, "those of the other host");
    }
    assert!(lab.state("siem-v2.notes.ndjson").is_empty(), "it may be the network");
    lab.pass(2 * 24 + 1);
    for _ in 0..2 {
        assert!(lab.failure().passes());
    }
    lab.fetch();
    let notes = lab.state("siem-v2.notes.ndjson");
    assert_eq!(notes.matches("did not come").count(), 5, "{notes}");
}

/// Ten pages, and on each what keeps it back.
fn ten_bad_pages() -> [Vec<Rule>; 2] {
    let damaged = (0..160).step_by(16).map(|file| presigned(Fault::status(500)).file(file).every());
    [vec![batch(Fault::DeadHost { entries: 1 }).every()], damaged.collect()]
}

#[test]
fn a_stream_that_is_late_catches_up_whatever_is_on_each_page() {
    for script in ten_bad_pages() {
        let content = Content::generated(Generate { files: 160, ..Generate::default() });
        let script = script.into();
        let options = Options { content, script, page_size: 4, ..Options::default() };
        let mut lab = Lab::v2(options, "types = [\"receipt\"]");
        assert!(lab.failure().passes());
        assert_eq!(lab.landed("siem-v2").len(), 3);
        // The first of what waits is about to be lost, and the last of it within days.
        lab.pass(6 * 24 + 1);
        let rounds = (0..60).take_while(|_| {
            lab.pass_minutes(15);
            !lab.round().failures.is_empty()
        });
        // Three rounds a page, of which the last is the first of the next.
        assert!(rounds.count() <= 20);
        assert_eq!(lab.landed("siem-v2").len(), 30, "all that the server gives");
        let notes = lab.state("siem-v2.notes.ndjson");
        assert_eq!(notes.matches("did not come").count(), 10, "{notes}");
        // It is late no more: a file has a day again.
        lab.mock.set_script(vec![].into());
        lab.fetch();
        assert_eq!(lab.state("siem-v2.notes.ndjson"), notes);
    }
}

/// Beside a host that answers, a hundred links to one that does not cost no hundred times six tries.
#[test]
fn a_late_page_of_links_to_a_dead_host_takes_a_bounded_time() {
    let content = Content::generated(Generate { files: 160, ..Generate::default() });
    let script = vec![batch(Fault::DeadHost { entries: 39 }).every()].into();
    let mut lab = Lab::v2(Options { content, script, ..Options::default() }, "types = [\"receipt\"]");
    assert!(lab.failure().passes());
    lab.pass(6 * 24 + 1);
    for round in 0..3 {
        let waits = lab.setting.clock.waits().len();
        assert_eq!(lab.round().failures.is_empty(), round == 2);
        // Those of four links that are tried six times.
        assert!(lab.setting.clock.waits().len() - waits <= 4 * 5, "{:?}", seconds(&lab));
    }
    assert_eq!(lab.landed("siem-v2").len(), 1);
    let notes = lab.state("siem-v2.notes.ndjson");
    assert_eq!(notes.matches("did not come").count(), 39, "{notes}");
}

/// Four links fail on every try, so that the next is tried but once; then it is seen that their host lives.
#[test]
fn a_single_try_does_not_count_where_others_come() {
    let content = Content::generated(Generate { files: 160, ..Generate::default() });
    let dead = |file| presigned(Fault::Close { at: At::Start, chunked: None }).file(file);
    let mut script: Vec<_> = (0..4).map(|link| dead(4 * link).every()).collect();
    script.push(dead(16).on(1..=1));
    let options = Options {
        content,
        script: vec![batch(Fault::status(503)).about("receipt").on(1..=6)].into(),
        ..Options::default()
    };
    let mut lab = Lab::v2(options, "types = [\"process\", \"receipt\"]");
    assert!(lab.failure().passes());
    lab.pass(6 * 24 + 1);
    lab.mock.set_script(script.into());
    std::fs::remove_file(lab.land.path().join("C0A0/_state/siem-v2.process.json")).unwrap();
    assert!(lab.failure().passes());
    let cursor: serde_json::Value = serde_json::from_str(&lab.state("siem-v2.receipt.json")).unwrap();
    let mut rounds: Vec<_> = cursor["failed"]
        .as_object()
        .unwrap()
        .values()
        .map(|failures| failures["rounds"].as_u64().unwrap())
        .collect();
    rounds.sort_unstable();
    assert_eq!(rounds, [0, 1, 1, 1, 1]);
    assert_eq!(lab.landed("siem-v2").len(), 75);
}

/// In a dead network nothing more is asked for, and nothing given up, however late.
#[test]
fn a_late_stream_in_a_dead_network_gives_nothing_up() {
    let content = Content::generated(Generate { files: 160, ..Generate::default() });
    let script = vec![presigned(Fault::Close { at: At::Start, chunked: None }).every()].into();
    let mut lab = Lab::v2(Options { content, script, ..Options::default() }, "types = [\"receipt\"]");
    assert!(lab.failure().passes());
    lab.pass(6 * 24 + 1);
    for _ in 0..4 {
        lab.mock.take_requests();
        assert!(lab.failure().passes());
        assert_eq!(calls(&lab, Endpoint::Presigned), 4 * 6);
    }
    lab.mock.set_script(vec![].into());
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), 40);
    assert!(lab.state("siem-v2.notes.ndjson").is_empty());
}

/// An hour without the store of files is no reason to lose what it has again after it.
#[test]
fn a_late_stream_gives_nothing_up_while_all_links_say_that_the_server_is_in_trouble() {
    let content = Content::generated(Generate { files: 40, ..Generate::default() });
    let script = vec![presigned(Fault::status(503)).every()].into();
    let mut lab =
        Lab::v2(Options { content, script, page_size: 4, ..Options::default() }, "types = [\"receipt\"]");
    assert!(lab.failure().passes());
    lab.pass(6 * 24 + 1);
    for _ in 0..6 {
        assert!(lab.failure().passes());
    }
    lab.mock.set_script(vec![].into());
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), 10);
    assert!(lab.state("siem-v2.notes.ndjson").is_empty());
}

/// The state is that of a run that was killed once it followed the links.
#[test]
fn what_was_listed_before_a_kill_is_missed() {
    let mut lab = lab(vec![presigned(Fault::Stall { at: At::Start }).every()]);
    lab.setting.patience.idle = Duration::from_hours(1);
    lab.setting.patience.stop = Duration::ZERO;
    let fetcher = lab.fetcher(mimelake_fetch::Scope::All).unwrap();
    let path = lab.land.path().join("C0A0/_state/siem-v2.receipt.json");
    let killed = std::thread::scope(|scope| {
        let killed = scope.spawn(|| {
            while calls(&lab, Endpoint::Presigned) == 0 {
                std::thread::yield_now();
            }
            let killed = std::fs::read(&path).unwrap();
            lab.setting.stop.request();
            killed
        });
        fetcher.round();
        killed.join().unwrap()
    });
    drop(fetcher);
    std::fs::write(&path, killed).unwrap();
    lab.setting.stop = mimelake_fetch::Stop::default();
    lab.mock.set_script(vec![batch(Fault::Fewer).about("receipt").every()].into());
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), 15);
    let notes = lab.state("siem-v2.notes.ndjson");
    assert!(notes.lines().count() == 1 && notes.contains("listed no more"), "{notes}");
}

/// It is asked for once, and listing it again fails.
#[test]
fn what_was_listed_before_the_lists_failed_is_missed() {
    let later = |fault| batch(fault).about("process");
    let lab = lab(vec![
        presigned(Fault::expired()).file(13).on(1..=1),
        later(Fault::status(503)).on(2..=7),
        later(Fault::Fewer).on(8..=8),
    ]);
    assert!(lab.failure().passes());
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), 15);
    let notes = lab.state("siem-v2.notes.ndjson");
    assert!(notes.lines().count() == 1 && notes.contains("listed no more"), "{notes}");
}

#[test]
fn an_entry_that_is_no_link_keeps_no_other_back() {
    let odd = |count| batch(Fault::OddEntries { count }).about("process");
    for count in [1, 20, 2000] {
        let mut lab = lab(vec![odd(count).every()]);
        for _ in 0..2 {
            assert!(lab.failure().passes());
            lab.pass(12);
            assert_eq!(lab.landed("siem-v2").len(), 16, "all others are there");
        }
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
        let notes = lab.state("siem-v2.notes.ndjson");
        // What is behind a thousand entries, four of them links, is one gap.
        assert!(notes.lines().count() == count.min(997) && notes.contains("holds no link"), "{notes}");
        assert_eq!(notes.contains("more than 1000 entries"), count == 2000);
    }
    // Where every list is of another shape none is passed over.
    let body = "{\"value\":[{\"href\":\"x\"},{\"url\":\"ftp://x/y\"}],\"@nextPage\":\"x\"}".to_owned();
    let lab = lab(vec![batch(Fault::Status { code: 200, headers: vec![], body }).every()]);
    for _ in 0..5 {
        assert!(lab.round().failures.iter().all(|failure| failure.error.passes()));
    }
    lab.mock.set_script(vec![].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
}

#[test]
fn a_size_that_is_listed_wrong_blocks_nothing() {
    for (bytes, times) in [(1, 1), (1 << 40, 3)] {
        let lab = lab(vec![batch(Fault::Size { bytes }).about("process").every()]);
        lab.fetch();
        lab.is_complete("siem-v2", BATCHES);
        assert_eq!(calls(&lab, Endpoint::Presigned), 12 + 4 * times);
        let notes = lab.state("siem-v2.notes.ndjson");
        assert_eq!(notes.matches("\"what\":\"size\"").count(), 4, "{notes}");
    }
    // Where they are wrong one after the other they are trusted no more.
    let content = Content::generated(Generate { files: 160, ..Generate::default() });
    let script = vec![batch(Fault::Size { bytes: 1 << 40 }).every()].into();
    let lab = Lab::v2(Options { content, script, ..Options::default() }, "types = [\"receipt\"]");
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), 40);
    assert!(calls(&lab, Endpoint::Presigned) < 40 + 2 * 8, "{}", calls(&lab, Endpoint::Presigned));
    assert_eq!(lab.state("siem-v2.notes.ndjson").matches("\"what\":\"size\"").count(), 40);
}

#[test]
fn a_long_page_of_which_nothing_comes_is_left_early() {
    let content = Content::generated(Generate { files: 160, ..Generate::default() });
    let script = vec![presigned(Fault::HtmlPage).every()].into();
    let lab = Lab::v2(Options { content, script, ..Options::default() }, "types = [\"receipt\"]");
    assert!(lab.failure().passes());
    let asked: std::collections::HashSet<_> = lab.mock.requests().into_iter().map(|r| r.about).collect();
    assert!(asked.len() < 30, "{} of 40 files", asked.len());
    lab.mock.set_script(vec![].into());
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), 40);
}

#[test]
fn the_only_file_of_a_page_is_given_up_if_it_always_breaks_off() {
    let content = Content::generated(Generate { files: 1, ..Generate::default() });
    let rules = vec![presigned(Fault::Close { at: At::Body(60), chunked: Some(false) }).every()];
    let mut lab = Lab::v2(Options { content, script: rules.into(), ..Options::default() }, TYPES);
    for hours in [0, 0, 0, 12, 12] {
        assert!(lab.failure().passes());
        lab.pass(hours);
    }
    lab.fetch();
    assert_eq!(lab.landed("_quarantine").len(), 1);
}

/// A file that ends between two gzip members holds together; only the size in the list tells.
#[test]
fn a_file_that_is_shorter_than_listed_is_no_whole_file() {
    let lab = lab(vec![]);
    let whole = lab.mock.expected(BATCHES).nth(9).unwrap().bytes;
    let second = 2 + whole[2..].windows(3).position(|bytes| bytes == [0x1f, 0x8b, 8]).unwrap();
    let cut = Fault::Shorten { bytes: whole.len() - second };
    lab.mock.set_script(vec![presigned(cut).file(9).on(1..=2)].into());
    lab.fetch();
    lab.is_complete("siem-v2", BATCHES);
    assert_eq!(seconds(&lab), [1, 2]);
}

/// Nothing says how long it is: neither the list nor the answer. Between two gzip members it holds together.
#[test]
fn a_file_that_ends_with_its_connection_between_two_members_may_be_cut() {
    let lab = lab(vec![presigned(Fault::status(500)).file(9).every()]);
    lab.round();
    let whole = lab.mock.expected(BATCHES).nth(9).unwrap().bytes;
    let second = 2 + whole[2..].windows(3).position(|bytes| bytes == [0x1f, 0x8b, 8]).unwrap();
    let asked = lab.mock.take_requests().into_iter().find(|request| request.fault.is_some()).unwrap();
    let entry = serde_json::json!({ "url": format!("{}{}", lab.mock.base_url(), asked.target) });
    let body = serde_json::json!({ "value": [entry], "@nextPage": "x", "isCaughtUp": true }).to_string();
    let table = lab.landed("siem-v2");
    let page = batch(Fault::Status { code: 200, headers: vec![], body }).about("process").every();
    let open = |bytes| presigned(Fault::Open { bytes }).file(9);
    lab.mock.set_script(vec![page, open(second).on(1..=2), open(1 << 30).on(3..=5)].into());
    lab.fetch();
    assert_eq!(lab.landed("siem-v2").len(), table.len() + 1);
    assert!(lab.landed("siem-v2").values().any(|bytes| *bytes == whole), "cut");
    assert_eq!(seconds(&lab)[seconds(&lab).len() - 4..], [1, 2, 4, 8]);
    assert_eq!(lab.state("siem-v2.notes.ndjson").matches("\"what\":\"open\"").count(), 1);
}
