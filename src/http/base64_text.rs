//! Base64 as clients write it: with line breaks, in the alphabet for addresses, without padding, in a `data:` URL.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The bytes that a text stands for, or why it stands for none.
pub(super) fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let text = match text.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("data:") => of_data_url(&text[5..])?,
        _ => Cow::Borrowed(text),
    };
    let text = without_line_breaks(&text)?;
    let engine = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    engine.decode(text.as_bytes()).map_err(|error| explain(&text, error))
}

/// The base64 in a URL of the form `data:image/png;base64,...`; other characters may be percent-encoded in it
/// (RFC 2397).
fn of_data_url(url: &str) -> Result<Cow<'_, str>, String> {
    let (kind, data) = url
        .split_once(',')
        .ok_or("it is a data: URL without a comma, after which the data begins")?;
    if !kind.trim_end().to_ascii_lowercase().ends_with(";base64") {
        return Err("it is a data: URL that does not say ;base64 before its comma".into());
    }
    if !data.contains('%') {
        return Ok(Cow::Borrowed(data));
    }
    let mut pieces = data.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        let code =
            code.filter(u8::is_ascii).ok_or("it holds a % without two hexadecimal digits")?;
        text.push(char::from(code));
        text.push_str(&piece[2..]);
    }
    Ok(Cow::Owned(text))
}

/// Joins the lines. A space within a line is refused: it mostly stands where a form lost a '+', and
/// without it all that follows would be shifted.
fn without_line_breaks(text: &str) -> Result<Cow<'_, str>, String> {
    let lines = || text.split(['\r', '\n']).map(str::trim);
    if lines().any(|line| line.contains([' ', '\t'])) {
        return Err("it holds spaces within a line. If the text went through a form or an address, each '+' \
                    became a space: percent-encode it there"
            .into());
    }
    if text.contains(['\r', '\n']) { Ok(lines().collect()) } else { Ok(Cow::Borrowed(text)) }
}

fn explain(text: &str, error: base64::DecodeError) -> String {
    use base64::DecodeError::{InvalidByte, InvalidLastSymbol, InvalidLength, InvalidPadding};
    match error {
        InvalidByte(at, b'=') if at < text.len() => {
            format!("character {} is '=', which stands only at its end", at + 1)
        }
        InvalidByte(at, _) if text.contains(['-', '_']) && text.contains(['+', '/']) => {
            format!("both alphabets of base64 are mixed in it, up to character {}", at + 1)
        }
        InvalidByte(at, _) => format!("character {} is not of base64", at + 1),
        InvalidLength(_) | InvalidPadding | InvalidLastSymbol(..) => {
            "its end is missing: its number of characters fits no whole bytes".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes whose base64 holds both of the characters that the alphabets write differently.
    const BYTES: &[u8] = &[0xFB, 0xEF, 0xFF, 0x00, 0x10, 0x3E, 0x3F];
    const TEXT: &str = "++//ABA+Pw==";

    #[test]
    fn every_way_to_write_the_same_bytes_is_read() {
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
    fn what_cannot_be_read_is_explained() {
        for (text, reason) in [
            ("@@", "character 1"),
            ("++//ABA+\u{e9}", "character 9"),
            ("//ABA+Pw=", "'='"),
            ("++ //ABA Pw==", "spaces"),
            ("++//=ABA+", "'='"),
            ("--//", "mixed"),
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
