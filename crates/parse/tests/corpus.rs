//! What the fuzzer has found worth keeping, through the checks of its targets.

#[path = "../../../fuzz/src/corpus.rs"]
pub mod corpus;
#[path = "../../../fuzz/src/pairs.rs"]
pub mod pairs;
#[path = "../../../fuzz/src/source.rs"]
pub mod source;

#[test]
fn scan() -> std::io::Result<()> {
    corpus::replay("scan", pairs::agree_and_lose_nothing)
}

#[test]
fn reader_kv() -> std::io::Result<()> {
    corpus::replay("reader_kv", source::key_value)
}

#[test]
fn reader_json() -> std::io::Result<()> {
    corpus::replay("reader_json", source::json)
}
