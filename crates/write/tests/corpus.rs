//! What the fuzzer has found worth keeping, through the check of its target.

#[path = "../../../fuzz/src/corpus.rs"]
pub mod corpus;
#[path = "../../../fuzz/src/lines.rs"]
pub mod lines;

#[test]
fn ndjson() -> std::io::Result<()> {
    corpus::replay("ndjson", lines::are_json)
}
