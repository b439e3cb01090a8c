//! The `mimelake` program.
fn main() {}
