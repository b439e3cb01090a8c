#![no_main]

use mimelake_fuzz::source;

libfuzzer_sys::fuzz_target!(|input: &[u8]| source::key_value(input));
