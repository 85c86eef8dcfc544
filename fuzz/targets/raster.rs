//! PNG, JPEG, TIFF, WebP and BMP: whatever the first bytes say.
#![no_main]
#[path = "bounded.rs"]
mod bounded;

libfuzzer_sys::fuzz_target!(init: bounded::quiet(), |data: &[u8]| bounded::decode(data));
