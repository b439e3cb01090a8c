#![no_main]

use mimelake_fuzz::lines;

libfuzzer_sys::fuzz_target!(|input: &[u8]| lines::are_json(input));
