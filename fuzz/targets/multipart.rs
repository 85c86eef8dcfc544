//! Multipart bodies: the first line is the Content-Type, the rest the body.
#![no_main]

#[path = "../../src/http/multipart.rs"]
mod multipart;

use multipart::{boundary, parts};

const MAX_PARTS: usize = 16;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let header = String::from_utf8_lossy(&data[..end]);
    let body = data.get(end + 1..).unwrap_or_default();
    let boundary = match boundary(&header) {
        Ok(boundary) => boundary,
        Err(error) => return assert!(error.to_string().len() > 20),
    };
    let parts = match parts(body, &boundary, MAX_PARTS) {
        Ok(parts) => parts,
        Err(error) => return assert!(error.to_string().len() > 20),
    };
    assert!(parts.len() <= MAX_PARTS);
    assert!(parts.iter().map(|part| part.content.len()).sum::<usize>() <= body.len());
    // What was read, written again, reads the same.
    let mut again = Vec::new();
    for part in &parts {
        again.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=x\r\n\r\n").bytes());
        again.extend_from_slice(part.content);
        again.extend(b"\r\n");
    }
    again.extend(format!("--{boundary}--").bytes());
    let read = multipart::parts(&again, &boundary, MAX_PARTS).unwrap_or_default();
    assert!(read.iter().map(|part| part.content).eq(parts.iter().map(|part| part.content)));
});
