#![no_main]

use mimelake_fuzz::container;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| container::opens_within_limits(bytes));
