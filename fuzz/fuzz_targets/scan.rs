#![no_main]

use mimelake_fuzz::pairs;

libfuzzer_sys::fuzz_target!(|record: &[u8]| pairs::agree_and_lose_nothing(record));
