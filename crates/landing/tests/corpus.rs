//! What the fuzzer has found worth keeping, through the check of its target.

#[path = "../../../fuzz/src/container.rs"]
pub mod container;
#[path = "../../../fuzz/src/corpus.rs"]
pub mod corpus;

#[test]
fn container() -> std::io::Result<()> {
    corpus::replay("container", container::opens_within_limits)
}
