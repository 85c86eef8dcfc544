//! DICOM: whatever does not begin as such gets a preamble in front.
#![no_main]
#[path = "bounded.rs"]
mod bounded;

libfuzzer_sys::fuzz_target!(init: bounded::quiet(), |data: &[u8]| {
    if data.get(128..132) == Some(b"DICM") {
        bounded::decode(data);
    } else {
        bounded::decode(&[&[0; 128], &b"DICM"[..], data].concat());
    }
});
