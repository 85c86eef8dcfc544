//! Base64 as clients write it: with line breaks, in the alphabet for URLs, without padding, in a `data:` URL.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The decoded bytes, or the reason why the text is not base64.
pub(super) fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let text = match text.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("data:") => data_url_content(&text[5..])?,
        _ => Cow::Borrowed(text),
    };
    let text = without_line_breaks(&text)?;
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text.as_bytes()).map_err(|error| explain(&text, error))
}

/// The base64 in a URL of the form `data:image/png;base64,...`, with percent-encoding resolved (RFC 2397).
fn data_url_content(url: &str) -> Result<Cow<'_, str>, String> {
    let (kind, data) =
        url.split_once(',').ok_or("it is a data: URL without a comma before its data")?;
    if !kind.trim_end().to_ascii_lowercase().ends_with(";base64") {
        return Err("it is a data: URL without ;base64 before its comma".into());
    }
    if !data.contains('%') {
        return Ok(Cow::Borrowed(data));
    }
    let mut pieces = data.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        let code = code
            .filter(u8::is_ascii)
            .ok_or("it has a % without two hexadecimal digits after it")?;
        text.push(char::from(code));
        text.push_str(&piece[2..]);
    }
    Ok(Cow::Owned(text))
}

/// Joins the lines. A space within a line is an error: it usually stands where a form replaced a '+', and
/// skipping it would shift every bit after it.
fn without_line_breaks(text: &str) -> Result<Cow<'_, str>, String> {
    let lines = || text.split(['\r', '\n']).map(str::trim);
    if lines().any(|line| line.contains([' ', '\t'])) {
        return Err("it has spaces within a line. If the text was part of a form or a URL, each '+' became a \
                    space: percent-encode it there"
            .into());
    }
    if text.contains(['\r', '\n']) { Ok(lines().collect()) } else { Ok(Cow::Borrowed(text)) }
}

fn explain(text: &str, error: base64::DecodeError) -> String {
    use base64::DecodeError::{InvalidByte, InvalidLastSymbol, InvalidLength, InvalidPadding};
    match error {
        InvalidByte(at, b'=') if at < text.len() => {
            format!("character {} is '=', which is only valid at the end", at + 1)
        }
        InvalidByte(at, _) if text.contains(['-', '_']) && text.contains(['+', '/']) => {
            format!("it mixes both alphabets of base64, up to character {}", at + 1)
        }
        InvalidByte(at, _) => format!("character {} is not base64", at + 1),
        InvalidLength(_) | InvalidPadding | InvalidLastSymbol(..) => {
            "its end is missing: the number of characters does not give whole bytes".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes whose base64 has both characters that differ between the alphabets.
    const BYTES: &[u8] = &[0xFB, 0xEF, 0xFF, 0x00, 0x10, 0x3E, 0x3F];
    const TEXT: &str = "++//ABA+Pw==";

    #[test]
    fn every_form_of_base64_gives_the_same_bytes() {
        for text in [
            TEXT,
            " ++//ABA+Pw==\n",
            "++//\r\nABA+\r\nPw==\r\n",
            "++//\n  ABA+\n  Pw==",
            "++//ABA+Pw",
            "--__ABA-Pw==",
            "--__ABA-Pw",
            "data:image/png;base64,++//ABA+Pw==",
            "DATA:application/dicom;name=a;BASE64,++//ABA+Pw",
            "data:;base64,%2B%2b%2F/ABA%2BPw%3D%3D",
        ] {
            assert_eq!(decode_base64(text).as_deref(), Ok(BYTES), "{text}");
        }
        assert_eq!(decode_base64(""), Ok(vec![]));
    }

    #[test]
    fn errors_name_their_reason() {
        for (text, reason) in [
            ("@@", "character 1"),
            ("++//ABA+\u{e9}", "character 9"),
            ("//ABA+Pw=", "'='"),
            ("++ //ABA Pw==", "spaces"),
            ("++//=ABA+", "'='"),
            ("--//", "mixes"),
            ("++//A", "its end is missing"),
            ("data:image/png,++//", ";base64"),
            ("data:image/png;base64", "comma"),
            ("data:;base64,++%2", "hexadecimal"),
            ("data:;base64,%FF", "hexadecimal"),
        ] {
            let error = decode_base64(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
