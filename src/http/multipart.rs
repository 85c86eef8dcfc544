//! The parts of a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1) that is completely in memory.
//!
//! Nothing is copied: a part borrows from the body, whose size was checked before.

use memchr::memmem::Finder;

/// Maximum length of a boundary, RFC 2046 section 5.1.1.
const MAX_BOUNDARY_BYTES: usize = 70;
/// Maximum length of the headers of one part. Browsers send about 150 bytes.
const MAX_HEADER_BYTES: usize = 8 << 10;

/// Why a body cannot be split into parts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// The Content-Type has no usable boundary.
    #[error(
        "The Content-Type of the multipart body has no boundary. Do not set this header yourself: the HTTP \
         library writes it together with the body."
    )]
    NoBoundary,
    /// The boundary is not in the body.
    #[error(
        "The boundary of the Content-Type is not in the multipart body. Do not set this header yourself: the \
         HTTP library writes it together with the body."
    )]
    BoundaryNotFound,
    /// The closing boundary is missing.
    #[error(
        "The multipart body ends before its closing boundary: a part of it is missing. Send it again."
    )]
    Truncated,
    /// More parts than allowed.
    #[error("The multipart body has more than {0} parts. Send the files as one zip.")]
    TooManyParts(usize),
    /// The headers of a part have no end or are too long.
    #[error(
        "Part {0} of the multipart body has no readable headers. Write a blank line between the headers of a \
         part and its content."
    )]
    PartHeaders(usize),
    /// A part without a name.
    #[error(
        "Part {0} of the multipart body has no name. Give it the header Content-Disposition: form-data; \
         name=\"file\"."
    )]
    PartWithoutName(usize),
    /// A part in an unsupported transfer encoding.
    #[error(
        "Part {0} of the multipart body has an unsupported Content-Transfer-Encoding. Send its bytes \
         unencoded, or as base64."
    )]
    PartEncoding(usize),
}

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Name of the field.
    pub name: String,
    /// Name of the file at the client, where the part is a file.
    pub file_name: Option<String>,
    /// Whether the content is base64 (RFC 2045 section 6.8).
    pub is_base64: bool,
    /// The content as it was sent.
    pub content: &'a [u8],
}

/// The boundary in a Content-Type.
///
/// # Errors
/// [`MultipartError::NoBoundary`].
pub fn boundary(content_type: &str) -> Result<String, MultipartError> {
    let value = parameter(content_type, "boundary").ok_or(MultipartError::NoBoundary)?;
    let is_usable = (1..=MAX_BOUNDARY_BYTES).contains(&value.len());
    if is_usable { Ok(value) } else { Err(MultipartError::NoBoundary) }
}

/// Splits a body into its parts.
///
/// # Errors
/// [`MultipartError`] with the number, from 1, of the first part that cannot be read.
pub fn parts<'a>(
    body: &'a [u8],
    boundary: &str,
    max_parts: usize,
) -> Result<Vec<Part<'a>>, MultipartError> {
    let mut parts = Vec::new();
    let mut content_start = None;
    let delimiter = format!("--{boundary}");
    for at in Finder::new(&delimiter).find_iter(body) {
        let Some(end) = content_end(body, at) else { continue };
        let Some(line) = delimiter_line(&body[at + delimiter.len()..]) else { continue };
        if let Some(start) = content_start {
            if parts.len() == max_parts {
                return Err(MultipartError::TooManyParts(max_parts));
            }
            let bytes = body.get(start..end).unwrap_or_default();
            parts.push(part(bytes, parts.len() + 1)?);
        }
        match line {
            DelimiterLine::Closing => return Ok(parts),
            DelimiterLine::Opening(length) => content_start = Some(at + delimiter.len() + length),
        }
    }
    match content_start {
        Some(_) => Err(MultipartError::Truncated),
        None => Err(MultipartError::BoundaryNotFound),
    }
}

/// Where the content before a delimiter ends: the line break in between belongs to the delimiter. `None` where
/// the delimiter does not start a line. Some clients end lines with LF only.
fn content_end(body: &[u8], delimiter: usize) -> Option<usize> {
    match &body[..delimiter] {
        [] => Some(0),
        [.., b'\r', b'\n'] => Some(delimiter - 2),
        [.., b'\n'] => Some(delimiter - 1),
        _ => None,
    }
}

enum DelimiterLine {
    /// More parts follow, after this many bytes.
    Opening(usize),
    Closing,
}

/// What follows a delimiter on its line; `None` where the line continues, so that it is no delimiter.
fn delimiter_line(rest: &[u8]) -> Option<DelimiterLine> {
    if rest.starts_with(b"--") {
        return Some(DelimiterLine::Closing);
    }
    // Transport padding, RFC 2046 section 5.1.1.
    let padding = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match &rest[padding..] {
        [b'\r', b'\n', ..] => Some(DelimiterLine::Opening(padding + 2)),
        [b'\n', ..] => Some(DelimiterLine::Opening(padding + 1)),
        _ => None,
    }
}

fn part(bytes: &[u8], number: usize) -> Result<Part<'_>, MultipartError> {
    let (headers, content) = split_headers(bytes).ok_or(MultipartError::PartHeaders(number))?;
    let mut disposition = None;
    let mut encoding = None;
    for line in headers.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.trim().to_ascii_lowercase().as_str() {
            "content-disposition" => disposition = Some(value),
            "content-transfer-encoding" => encoding = Some(value.trim().to_ascii_lowercase()),
            _ => {}
        }
    }
    let name = disposition
        .and_then(|value| parameter(value, "name"))
        .ok_or(MultipartError::PartWithoutName(number))?;
    let file_name = disposition.and_then(|value| parameter(value, "filename"));
    let is_base64 = match encoding.as_deref() {
        None | Some("binary" | "8bit" | "7bit") => false,
        Some("base64") => true,
        Some(_) => return Err(MultipartError::PartEncoding(number)),
    };
    Ok(Part { name, file_name, is_base64, content })
}

/// The headers as text, with continuation lines joined, and the content after the blank line.
fn split_headers(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut headers = String::new();
    let mut rest = bytes;
    loop {
        let line_end = memchr::memchr(b'\n', rest)?;
        let (line, after) = (rest.get(..line_end)?, rest.get(line_end + 1..)?);
        rest = after;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Some((headers, rest));
        }
        if headers.len() + line.len() > MAX_HEADER_BYTES {
            return None;
        }
        let is_continuation = matches!(line.first(), Some(b' ' | b'\t')) && !headers.is_empty();
        if !is_continuation && !headers.is_empty() {
            headers.push('\n');
        }
        headers.push_str(&String::from_utf8_lossy(line));
    }
}

/// The value of one parameter of a header, `type; name=value; name="quoted value"`.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        // Skips parameters without a value.
        let name = name.rsplit(';').next().unwrap_or(name).trim();
        let (value, after) = value(after.trim_start());
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after.split_once(';')?.1;
    }
}

/// The value at the start of a text, and the text after it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            // A backslash escapes only these two characters; elsewhere it is part of a Windows file name.
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push(character),
            },
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, content: &'static [u8]) -> Part<'static> {
        Part { name: name.into(), file_name: None, is_base64: false, content }
    }

    #[test]
    fn parts_borrow_from_the_body() {
        let body = b"ignored\r\n--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nunet\r\n\
            --b  \r\nContent-Type: image/png\r\nContent-Disposition: form-data; filename=\"a;\\\"b.png\"; name=file\r\n\
            \r\n\r\n--bad\r\n\0\xFF\r\n\r\n--b--\r\nignored";
        let file = Part {
            file_name: Some("a;\"b.png".into()),
            ..named("file", b"\r\n--bad\r\n\0\xFF\r\n")
        };
        assert_eq!(parts(body, "b", 2), Ok(vec![named("model", b"unet"), file]));
        assert_eq!(parts(body, "b", 1), Err(MultipartError::TooManyParts(1)));
    }

    #[test]
    fn lines_may_end_with_lf_and_headers_may_continue() {
        let body = b"--b\nContent-Disposition: form-data;\n name=\"file\"\ncontent-transfer-encoding: BASE64\n\nAAAA\n--b--";
        let expected = Part { is_base64: true, ..named("file", b"AAAA") };
        assert_eq!(parts(body, "b", 9), Ok(vec![expected]));
    }

    #[test]
    fn an_empty_part_and_a_body_without_parts_are_read() {
        let body = b"--b\r\ncontent-disposition: form-data; name=a\r\n\r\n\r\n--b--\r\n";
        assert_eq!(parts(body, "b", 9), Ok(vec![named("a", b"")]));
        assert_eq!(parts(b"--b--\r\n", "b", 9), Ok(vec![]));
    }

    #[test]
    fn each_error_names_what_is_wrong() {
        let head = "--b\r\ncontent-disposition: form-data; name=\"file\"\r\n";
        let encoded =
            format!("{head}content-transfer-encoding: quoted-printable\r\n\r\nx\r\n--b--");
        let long = format!("--b\r\nx: {}\r\n\r\nx\r\n--b--", "y".repeat(MAX_HEADER_BYTES));
        let cases: [(&str, MultipartError); 8] = [
            ("", MultipartError::BoundaryNotFound),
            ("x--b\r\n", MultipartError::BoundaryNotFound),
            (&format!("{head}\r\npixels"), MultipartError::Truncated),
            (&format!("{head}\r\npixels\r\n--"), MultipartError::Truncated),
            ("--b\r\n\r\nx\r\n--b--", MultipartError::PartWithoutName(1)),
            (&format!("{head}--b--"), MultipartError::PartHeaders(1)),
            (&encoded, MultipartError::PartEncoding(1)),
            (&long, MultipartError::PartHeaders(1)),
        ];
        for (body, error) in cases {
            assert_eq!(parts(body.as_bytes(), "b", 9), Err(error), "{body:.80}");
        }
    }

    #[test]
    fn boundaries_may_be_quoted() {
        for (header, expected) in [
            ("multipart/form-data; boundary=frontier", Some("frontier")),
            ("multipart/form-data; charset=utf-8; Boundary=\"a b\"", Some("a b")),
            ("multipart/form-data;boundary=x;charset=utf-8", Some("x")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"\"", None),
        ] {
            assert_eq!(boundary(header).ok().as_deref(), expected, "{header}");
        }
        let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
        assert_eq!(boundary(&long), Err(MultipartError::NoBoundary));
    }
}
