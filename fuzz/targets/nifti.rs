//! NIfTI-1: header size and magic are put in place, so that what lies between is reached.
#![no_main]
#[path = "bounded.rs"]
mod bounded;

libfuzzer_sys::fuzz_target!(init: bounded::quiet(), |data: &[u8]| {
    let is_gzip = data.starts_with(&[0x1F, 0x8B]);
    let mut bytes = data.to_vec();
    if !is_gzip && bytes.len() >= 348 {
        bytes[..4].copy_from_slice(&348_u32.to_le_bytes());
        bytes[344..348].copy_from_slice(b"n+1\0");
    }
    bounded::decode(&bytes);
});
