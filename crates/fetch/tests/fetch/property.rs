//! Whatever happens, in the end everything has landed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mimelake_mock::{At, Content, Endpoint, Fault, Generate, LimitForm, Options, Rule, Sequence};
use proptest::prelude::*;

use crate::lab::{Lab, ZIPS, small};

/// Rounds that are enough for any script below.
const ROUNDS: usize = 60;

fn any_fault() -> impl Strategy<Value = Fault> {
    let at = || prop_oneof![Just(At::Start), Just(At::Head), (0_usize..400).prop_map(At::Body)];
    prop_oneof![
        proptest::sample::select(vec![500, 502, 503, 504, 509]).prop_map(Fault::status),
        (0_u64..100_000)
            .prop_map(|milliseconds| Fault::Limited { form: LimitForm::ResetMillis, milliseconds }),
        Just(Fault::Limited { form: LimitForm::Silent, milliseconds: 0 }),
        Just(Fault::error("internal_server_error_1", 500)),
        Just(Fault::hidden_error("internal_server_error_1", 500)),
        Just(Fault::HtmlPage),
        Just(Fault::BadJson),
        Just(Fault::NoToken),
        Just(Fault::SameToken),
        Just(Fault::Corrupt),
        (1_usize..300).prop_map(|bytes| Fault::Shorten { bytes }),
        (at(), any::<Option<bool>>()).prop_map(|(at, chunked)| Fault::Close { at, chunked }),
        at().prop_map(|at| Fault::Stall { at }),
        at().prop_map(|at| Fault::Trickle { at }),
        (0_usize..400).prop_map(|bytes| Fault::Open { bytes }),
        Just(Fault::CorruptMember),
        Just(Fault::Back),
        Just(Fault::error("unknown", 401)),
        Just(Fault::binding_expired()),
    ]
}

fn script(
    endpoints: &'static [Endpoint],
    own: impl Strategy<Value = Fault> + 'static,
) -> impl Strategy<Value = Vec<Rule>> {
    let fault = prop_oneof![4 => any_fault(), 1 => own];
    let rule = (proptest::sample::select(endpoints), fault, 1_u64..25, 0_u64..3)
        .prop_map(|(endpoint, fault, first, more)| Rule::new(endpoint, fault).on(first..=first + more));
    // Some long enough for one file to be given up, were it not for the time.
    let of_one_file = (proptest::sample::select(endpoints), damage(), 0_usize..16, 1_u64..30)
        .prop_map(|(endpoint, fault, file, last)| Rule::new(endpoint, fault).file(file).on(1..=last));
    proptest::collection::vec(prop_oneof![4 => rule, 1 => of_one_file], 0..8)
}

fn damage() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Corrupt),
        (1_usize..300).prop_map(|bytes| Fault::Shorten { bytes }),
        (0_usize..400).prop_map(|bytes| Fault::Close { at: At::Body(bytes), chunked: Some(false) }),
        (0_usize..400).prop_map(|bytes| Fault::Open { bytes }),
    ]
}

/// What befell a file so far, by its name.
#[derive(Default)]
struct Befell {
    /// How often it came whole and damaged.
    damaged: u32,
}

/// Adds what befell files in a round.
fn add(befell: &mut BTreeMap<String, Befell>, lab: &Lab) {
    for request in lab.mock.take_requests() {
        if !matches!(request.endpoint, Endpoint::Siem1 | Endpoint::Presigned) {
            continue;
        }
        let file = befell.entry(request.about).or_default();
        if let Some(Fault::Corrupt | Fault::CorruptMember | Fault::Shorten { .. }) = request.fault {
            file.damaged += 1;
        }
    }
}

/// Fetches round after round until one comes to its end and everything is there.
fn fetch_to_the_end(lab: &mut Lab, part: &str, sequence: Sequence) -> Result<(), TestCaseError> {
    let moment = Duration::from_millis(40);
    (lab.setting.patience.idle, lab.setting.patience.slow) = (moment * 2, moment);
    let mut befell = BTreeMap::new();
    let mut last = Ok(());
    for _ in 0..ROUNDS {
        let failures = lab.round().failures;
        // All rounds together take less than a day.
        lab.pass_minutes(20);
        add(&mut befell, lab);
        last = all_is_there(lab, part, sequence, &befell);
        if failures.is_empty() && last.is_ok() {
            return Ok(());
        }
    }
    Err(TestCaseError::fail(format!("it does not end: {last:?}")))
}

/// Everything has landed, once and byte for byte, or lies in the quarantine with a note, if that very file came damaged
/// as often as it is downloaded at the least. What passes within a day leaves no gap and nothing in the quarantine.
fn all_is_there(
    lab: &Lab,
    part: &str,
    sequence: Sequence,
    befell: &BTreeMap<String, Befell>,
) -> Result<(), TestCaseError> {
    let landed = lab.landed(part);
    let expected: BTreeSet<(String, Vec<u8>)> =
        lab.mock.expected(sequence).map(|file| (file.name, file.bytes.clone())).collect();
    let quarantined: Vec<String> = lab.landed("_quarantine").into_keys().collect();
    let extra: Vec<Vec<u8>> = lab.mock.extra().into_iter().map(|file| file.bytes.clone()).collect();
    for (name, bytes) in &landed {
        prop_assert!(expected.contains(&(name.clone(), bytes.clone())) || extra.contains(bytes), "{name}");
    }
    let is_of = |bad: &str, name: &str| bad.starts_with(name.split('.').next().unwrap());
    let may_be_bad = |name: &str| befell.get(name).is_some_and(|file| file.damaged >= 3);
    for bad in &quarantined {
        let of: Vec<_> = expected.iter().filter(|(name, _)| is_of(bad, name)).collect();
        prop_assert!(of.len() == 1 && may_be_bad(&of[0].0), "{bad} was not damaged");
    }
    for (name, _) in &expected {
        let is_bad = quarantined.iter().any(|bad| is_of(bad, name));
        // Both where it came damaged after it had landed.
        prop_assert!(landed.contains_key(name) || is_bad, "{name} is missing");
    }
    let notes = lab.state(&format!("{part}.notes.ndjson"));
    prop_assert!(notes.matches("\"what\":\"quarantine\"").count() >= quarantined.len(), "{notes}");
    // Only a token that the server forgot is a gap: the oldest logs may be gone.
    let is_gap = |note: &&str| note.contains("\"what\":\"gap\"") && !note.contains("beginning");
    prop_assert!(notes.lines().find(is_gap).is_none(), "{notes}");
    Ok(())
}

/// As many as `PROPTEST_CASES` says; each is some rounds of fetching.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(24, |text| text.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn api_1_lands_what_the_server_has(script in script(&[Endpoint::Siem1],
        prop_oneof![Just(Fault::invalid_token()), Just(Fault::EmptyZip)])) {
        let options = Options { content: Content::generated(Generate { files: 40, ..Generate::default() }),
            script: script.into(), ..Options::default() };
        let mut lab = Lab::v1(options, "");
        fetch_to_the_end(&mut lab, "siem-v1", ZIPS)?;
    }

    #[test]
    fn api_2_lands_what_the_server_has(script in script(&[Endpoint::Batch, Endpoint::Presigned, Endpoint::Token],
        prop_oneof![Just(Fault::ResetCursor), Just(Fault::Repeat), Just(Fault::ExpiredLinks), Just(Fault::expired())])) {
        let options = Options { content: small(), page_size: 3, script: script.into(), ..Options::default() };
        let mut lab = Lab::v2(options, "types = [\"receipt\", \"process\", \"delivery\", \"url protect\"]");
        fetch_to_the_end(&mut lab, "siem-v2", Sequence::Batches)?;
    }
}
