//! The scanner and the grammar, on the same cases and on anything at all.

use std::cell::RefCell;

use mimelake_parse::Form::{self, Bare, Json, Quoted, Unterminated};
use mimelake_parse::{MAX_PAIRS, Pair, Reason, kv};
use proptest::prelude::*;

thread_local! {
    /// One for all records of a test: what it remembers of one must not show in another.
    static SCANNER: RefCell<kv::Scanner> = RefCell::default();
}

fn scan(record: &[u8]) -> Result<Vec<Pair>, Reason> {
    let mut pairs = Vec::new();
    let quotes = SCANNER.with_borrow_mut(|scanner| scanner.scan(record, &mut pairs))?;
    let is_open = pairs.iter().any(|pair| pair.form == Unterminated);
    assert_eq!(quotes == kv::Quotes::Open, is_open, "{}", record.escape_ascii());
    Ok(pairs)
}

fn read(record: &str) -> Vec<(String, String, Form)> {
    let pairs = scan(record.as_bytes()).unwrap_or_default();
    assert_eq!(kv::grammar::record(record.as_bytes()).unwrap_or_default(), pairs, "{record}");
    let owned = |p: &Pair| (p.key.of_text(record).to_owned(), p.value.of_text(record).to_owned(), p.form);
    pairs.iter().map(owned).collect()
}

macro_rules! reads_to {
    ($($name:ident: $record:expr => [$(($key:expr, $value:expr, $form:expr)),* $(,)?];)+) => { $(
        #[test]
        fn $name() {
            let expected: Vec<(String, String, Form)> = vec![$(($key.into(), $value.into(), $form)),*];
            assert_eq!(read($record), expected);
        }
    )+ };
}

reads_to! {
    one_pair: "a=1" => [("a", "1", Bare)];
    two_pairs: "a=1|b=2" => [("a", "1", Bare), ("b", "2", Bare)];
    an_empty_value: "a=|b=" => [("a", "", Bare), ("b", "", Bare)];
    bars_at_the_end_are_dropped: "a=1|||" => [("a", "1", Bare)];
    a_bar_without_a_key_is_content: "Subject=a | b|Act=Acc" => [("Subject", "a | b", Bare), ("Act", "Acc", Bare)];
    a_bar_before_no_equals_is_content: "a=1|b|c=2" => [("a", "1|b", Bare), ("c", "2", Bare)];
    an_equals_in_a_value: "URL=https://x/?a=b" => [("URL", "https://x/?a=b", Bare)];
    a_key_begins_with_a_letter: "a=1|9b=2|_c=3" => [("a", "1|9b=2|_c=3", Bare)];
    quoted: r"Subject=\a | b=c\|Act=Acc" => [("Subject", "a | b=c", Quoted), ("Act", "Acc", Bare)];
    quoted_cannot_forge: r"Subject=\x|Act=Acc|y\|Act=Rej" => [("Subject", "x|Act=Acc|y", Quoted), ("Act", "Rej", Bare)];
    quoted_holds_backslashes: r"Err=\a\b \c\|x=1" => [("Err", r"a\b \c", Quoted), ("x", "1", Bare)];
    quoted_holds_quotes: r#"AttNames=\"a.docx", "b.xlsx"\|MsgSize=1"# => [("AttNames", r#""a.docx", "b.xlsx""#, Quoted), ("MsgSize", "1", Bare)];
    quoted_empty: r"a=\\|b=\\" => [("a", "", Quoted), ("b", "", Quoted)];
    quoted_at_the_end_with_bars: r"a=\x\||" => [("a", "x", Quoted)];
    unterminated_at_the_end: r"UseTls=Yes|Route=\Mimecast Exchange Route" => [("UseTls", "Yes", Bare), ("Route", "Mimecast Exchange Route", Unterminated)];
    unterminated_runs_to_the_boundary: r"a=\x y|b=2" => [("a", "x y", Unterminated), ("b", "2", Bare)];
    unterminated_alone: r"a=\" => [("a", "", Unterminated)];
    json: r#"D={"spf":{"info":"a|b=c","allow":true}}|S=1"# => [("D", r#"{"spf":{"info":"a|b=c","allow":true}}"#, Json), ("S", "1", Bare)];
    json_array: "SpamInfo=[]|Act=Acc" => [("SpamInfo", "[]", Json), ("Act", "Acc", Bare)];
    json_escapes: r#"D={"a":"\"}|x=1"}|S=1"# => [("D", r#"{"a":"\"}|x=1"}"#, Json), ("S", "1", Bare)];
    json_that_goes_on_is_bare: "D={a}b|S=1" => [("D", "{a}b", Bare), ("S", "1", Bare)];
    json_unbalanced_is_bare: "D={\"a|S=1" => [("D", "{\"a", Bare), ("S", "1", Bare)];
    json_mismatched_is_bare: "D={]|S=1" => [("D", "{]", Bare), ("S", "1", Bare)];
    null_path: "Sender=<>|Rcpt=a" => [("Sender", "<>", Bare), ("Rcpt", "a", Bare)];
    the_longest_key: &format!("{}=1|{}=2", "k".repeat(64), "k".repeat(65)) => [("k".repeat(64), format!("1|{}=2", "k".repeat(65)), Bare)];
    no_key: "hello" => [];
    no_key_but_bars: "|||" => [];
    a_blank_before_the_key: " a=1" => [];
    nothing: "" => [];
}

#[test]
fn nesting_to_64_is_json() {
    let deep = |n| format!("D={}{}|S=1", "[".repeat(n), "]".repeat(n));
    assert_eq!(read(&deep(64))[0].2, Json);
    assert_eq!(read(&deep(65))[0].2, Bare);
}

/// Sixteen megabytes of each: with quadratic time this would not end.
#[test]
fn hostile_records_take_linear_time() {
    let size = 16 << 20;
    for unit in [
        r"|a=\",
        r#"|a={""#,
        "|a={",
        "|a=[",
        "|",
        r"\",
        "{",
        "a=",
        r"\|",
        r#"|a={"":["#,
        "|a=[]x",
        "|aaaaaaaaaaaaaaaa",
        "\"",
    ] {
        let record = format!("k={}", unit.repeat(size / unit.len()));
        assert_ne!(scan(record.as_bytes()), Err(Reason::NoKey));
    }
}

/// The record that the pairs came from: keys, `=`, values in their quotes, and `|` between them.
fn written_back(record: &[u8], pairs: &[Pair]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        if number > 0 {
            out.push(b'|');
        }
        out.extend_from_slice(pair.key.of(record));
        out.push(b'=');
        if matches!(pair.form, Quoted | Unterminated) {
            out.push(b'\\');
        }
        out.extend_from_slice(pair.value.of(record));
        if pair.form == Quoted {
            out.push(b'\\');
        }
    }
    out
}

fn without_bars_at_the_end(record: &[u8]) -> &[u8] {
    let end = record.iter().rposition(|&b| b != b'|').map_or(0, |last| last + 1);
    &record[..end]
}

fn agree_and_lose_nothing(record: &[u8]) -> Result<(), TestCaseError> {
    let pairs = scan(record);
    prop_assert_eq!(&kv::grammar::record(record), &pairs);
    if let Ok(pairs) = pairs {
        prop_assert_eq!(written_back(record, &pairs), without_bars_at_the_end(record));
    }
    Ok(())
}

/// One of Mimecast's sample lines.
fn sample() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<Vec<u8>> =
        include_bytes!("../../../testdata/seeds.log").split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
    prop::sample::select(lines)
}

#[test]
fn pairs_are_capped() {
    let record = |pairs: usize| "a=1|".repeat(pairs).into_bytes();
    assert_eq!(scan(&record(MAX_PAIRS)).unwrap().len(), MAX_PAIRS);
    assert_eq!(scan(&record(MAX_PAIRS + 1)), Err(Reason::TooManyPairs));
    for pairs in [MAX_PAIRS, MAX_PAIRS + 1] {
        agree_and_lose_nothing(&record(pairs)).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn on_any_bytes(record in prop::collection::vec(any::<u8>(), 0..64)) {
        agree_and_lose_nothing(&record)?;
    }

    #[test]
    fn on_bytes_that_matter(record in r#"(a=|b=|\||\\|\{|\}|\[|\]|"|x| |=){0,40}"#) {
        agree_and_lose_nothing(record.as_bytes())?;
        agree_and_lose_nothing(format!("k={record}").as_bytes())?;
    }

    #[test]
    fn on_mutated_lines(line in sample(), edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"|\\{}[]\"=a\n\0\xff".to_vec()), any::<bool>()), 0..12)) {
        let mut line = line;
        for (at, byte, replace) in edits {
            let at = at.index(line.len() + 1);
            if replace && at < line.len() {
                line[at] = byte;
            } else {
                line.insert(at, byte);
            }
        }
        agree_and_lose_nothing(&line)?;
    }
}
