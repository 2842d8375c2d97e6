#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqlite_fuzz::restore(data, &mut |_| ()));
