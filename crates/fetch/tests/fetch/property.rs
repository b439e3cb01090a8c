//! Whatever happens, in the end everything has landed.

use std::collections::BTreeSet;

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
    ]
}

fn script(
    endpoints: &'static [Endpoint],
    own: impl Strategy<Value = Fault> + 'static,
) -> impl Strategy<Value = Vec<Rule>> {
    let fault = prop_oneof![4 => any_fault(), 1 => own];
    let rule = (proptest::sample::select(endpoints), fault, 1_u64..25, 0_u64..3)
        .prop_map(|(endpoint, fault, first, more)| Rule::new(endpoint, fault).on(first..=first + more));
    proptest::collection::vec(rule, 0..8)
}

/// Fetches round after round until one comes to its end and everything is there.
fn fetch_to_the_end(lab: &Lab, part: &str, sequence: Sequence, damages: bool) -> Result<(), TestCaseError> {
    let is_over = || lab.round().failures.is_empty() && all_is_there(lab, part, sequence, damages).is_ok();
    prop_assert!(
        (0..ROUNDS).any(|_| is_over()),
        "it does not end: {:?}",
        all_is_there(lab, part, sequence, damages)
    );
    Ok(())
}

/// Whether a script does what a file may be put into the quarantine for.
fn damages(script: &[Rule]) -> bool {
    let is_damage =
        |fault: &Fault| matches!(fault, Fault::Corrupt | Fault::Shorten { .. } | Fault::Close { .. });
    script.iter().any(|rule| is_damage(&rule.fault))
}

/// Everything has landed, once and byte for byte, or lies in the quarantine with a note where the script damages files.
fn all_is_there(lab: &Lab, part: &str, sequence: Sequence, damages: bool) -> Result<(), TestCaseError> {
    let landed = lab.landed(part);
    let expected: BTreeSet<(String, Vec<u8>)> =
        lab.mock.expected(sequence).map(|file| (file.name, file.bytes.clone())).collect();
    let quarantined: Vec<String> = lab.landed("_quarantine").into_keys().collect();
    let extra: Vec<Vec<u8>> = lab.mock.extra().into_iter().map(|file| file.bytes.clone()).collect();
    for (name, bytes) in &landed {
        prop_assert!(expected.contains(&(name.clone(), bytes.clone())) || extra.contains(bytes), "{name}");
    }
    for (name, _) in &expected {
        let stem = name.split('.').next().unwrap();
        let is_bad = damages && quarantined.iter().any(|bad| bad.starts_with(stem));
        prop_assert!(landed.contains_key(name) || is_bad, "{name} is missing");
    }
    let notes = lab.state(&format!("{part}.notes.ndjson"));
    prop_assert!(notes.matches("\"what\":\"quarantine\"").count() >= quarantined.len(), "{notes}");
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
        let damages = damages(&script);
        let options = Options { content: Content::generated(Generate { files: 40, ..Generate::default() }),
            script: script.into(), ..Options::default() };
        let lab = Lab::v1(options, "");
        fetch_to_the_end(&lab, "siem-v1", ZIPS, damages)?;
    }

    #[test]
    fn api_2_lands_what_the_server_has(script in script(&[Endpoint::Batch, Endpoint::Presigned, Endpoint::Token],
        prop_oneof![Just(Fault::ResetCursor), Just(Fault::Repeat), Just(Fault::ExpiredLinks), Just(Fault::expired())])) {
        let damages = damages(&script);
        let options = Options { content: small(), page_size: 3, script: script.into(), ..Options::default() };
        let lab = Lab::v2(options, "types = [\"receipt\", \"process\", \"delivery\", \"url protect\"]");
        fetch_to_the_end(&lab, "siem-v2", Sequence::Batches, damages)?;
    }
}
