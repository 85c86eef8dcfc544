//! Zip: the signature of a local file header is put in place.
#![no_main]
#[path = "bounded.rs"]
mod bounded;

libfuzzer_sys::fuzz_target!(init: bounded::quiet(), |data: &[u8]| {
    let mut bytes = data.to_vec();
    if bytes.len() >= 4 {
        bytes[..4].copy_from_slice(b"PK\x03\x04");
    }
    bounded::decode(&bytes);
});
