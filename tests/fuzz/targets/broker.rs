#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mqlite_fuzz::broker(data, |_| (), &mut |_| ()));
