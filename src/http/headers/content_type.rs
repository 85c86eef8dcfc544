//! `Content-Type` of bodies and uploads. It only decides how a body wraps its files: the format of a file is read
//! from its bytes.

use crate::decode::MEDIA_TYPES;
use crate::http::multipart::{MultipartError, boundary};
use crate::http::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};
use mime::Mime;

/// Other names under which browsers, phones and tools send the types that are read here.
const ALIASES: [&str; 25] = [
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-binary",
    "image/jpg",
    "image/pjpeg",
    "image/x-png",
    "image/tif",
    "image/x-tiff",
    "image/x-tif",
    "image/x-webp",
    "image/x-bmp",
    "image/x-ms-bmp",
    "application/x-dicom",
    "image/dicom",
    "application/dicom+zip",
    "application/x-nifti",
    "application/nifti1",
    "application/x-gzip",
    "application/gzip-compressed",
    "application/gzipped",
    "application/x-gunzip",
    "application/x-zip-compressed",
    "application/x-zip",
    "application/zip-compressed",
    "multipart/x-zip",
];

/// The form in which a body contains its files.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) enum BodyKind {
    /// The body is the file.
    Raw,
    /// A JSON object with base64.
    Json,
    /// A form whose parts are separated by this boundary.
    Form(String),
}

impl BodyKind {
    pub(in crate::http) fn of(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let value = text(headers);
        let Some(kind) = media_type(value) else {
            // Some clients set no type. No image starts with a brace.
            let is_json = value.trim().is_empty() && is_object(body);
            return Ok(if is_json { Self::Json } else { Self::Raw });
        };
        match kind.essence_str() {
            _ if is_json_type(&kind) => Ok(Self::Json),
            "multipart/form-data" => boundary(value).map(Self::Form).map_err(Problem::from),
            name if kind.type_() == mime::MULTIPART && !ALIASES.contains(&name) => {
                Err(other_multipart())
            }
            // The types of clients whose users did not choose one.
            "text/plain" | "application/x-www-form-urlencoded" if is_object(body) => Ok(Self::Json),
            "application/x-www-form-urlencoded" if is_urlencoded_image(body) => Err(urlencoded()),
            _ => Ok(Self::Raw),
        }
    }
}

/// Whether the headers announce JSON, under any of its names.
pub(in crate::http) fn is_json(headers: &HeaderMap) -> bool {
    media_type(text(headers)).is_some_and(|kind| is_json_type(&kind))
}

/// Whether the headers announce one of these media types, with any parameters.
pub(in crate::http) fn same_type(headers: &HeaderMap, media_types: &[&str]) -> bool {
    media_type(text(headers)).is_some_and(|kind| media_types.contains(&kind.essence_str()))
}

/// The media type that an upload is ordered with.
pub(in crate::http) fn upload_media_type(content_type: Option<&str>) -> Result<String, Problem> {
    let value = content_type.unwrap_or_default();
    if value.trim().is_empty() {
        return Ok("application/octet-stream".into());
    }
    let kind = media_type(value);
    let name = kind.as_ref().map_or("", Mime::essence_str);
    if MEDIA_TYPES.contains(&name) || ALIASES.contains(&name) {
        return Ok(name.to_owned());
    }
    if kind.as_ref().is_some_and(|kind| kind.type_() == mime::MULTIPART) {
        let detail = "An upload is one file, not a multipart body. Pack several files as a zip and order the \
                      upload as application/zip.";
        return Err(unsupported(detail));
    }
    let known = MEDIA_TYPES.join(", ");
    Err(unsupported(&format!("content_type is one of {known} or application/octet-stream.")))
}

fn text(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE);
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The media type of a header, in lower case and without its parameters, which some clients write wrongly.
fn media_type(value: &str) -> Option<Mime> {
    value.split(';').next().unwrap_or_default().trim().parse().ok()
}

fn is_json_type(kind: &Mime) -> bool {
    let is_named = matches!(kind.essence_str(), "application/json" | "text/json");
    is_named || kind.suffix() == Some(mime::JSON)
}

fn other_multipart() -> Problem {
    unsupported(
        "A multipart body of this type, as DICOMweb stores instances (multipart/related), is not read. Send \
         the instances as parts named 'file' of multipart/form-data, or as a zip with the Content-Type \
         application/zip, or one of them as application/dicom.",
    )
}

fn urlencoded() -> Problem {
    unsupported(
        "A form of the type application/x-www-form-urlencoded cannot carry an image. Send it as the part 'file' \
         of multipart/form-data, as in curl -F file=@slice.png.",
    )
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}

fn is_object(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'{')
}

fn is_urlencoded_image(body: &[u8]) -> bool {
    [&b"image="[..], b"file="].iter().any(|field| body.starts_with(field))
}

impl From<MultipartError> for Problem {
    fn from(error: MultipartError) -> Self {
        let (status, code) = match error {
            MultipartError::TooManyParts(_) => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            _ => (StatusCode::BAD_REQUEST, "invalid_multipart"),
        };
        Self::new(status, code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(content_type: &str, body: &[u8]) -> Result<BodyKind, &'static str> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        BodyKind::of(&headers, body).map_err(|problem| problem.code)
    }

    #[test]
    fn the_type_only_decides_on_the_wrapper() {
        for name in MEDIA_TYPES.into_iter().chain(ALIASES).chain(["", "text/html", "nonsense"]) {
            assert_eq!(kind(name, b"bytes"), Ok(BodyKind::Raw), "{name}");
        }
        for name in ["application/json; charset=utf-8", "text/json", "Application/Problem+JSON"] {
            assert_eq!(kind(name, b"bytes"), Ok(BodyKind::Json), "{name}");
        }
        let form = BodyKind::Form("b".into());
        assert_eq!(kind("Multipart/Form-Data; boundary=b", b"--b"), Ok(form));
    }

    #[test]
    fn json_without_its_type_is_read_and_other_forms_are_refused() {
        for name in ["", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"] {
            assert_eq!(kind(name, b"\xEF\xBB\xBF \n{}"), Ok(BodyKind::Json), "{name}");
        }
        assert_eq!(kind("image/png", b"{"), Ok(BodyKind::Raw));
        let form = kind("application/x-www-form-urlencoded", b"image=AAAA");
        assert_eq!(form, Err("unsupported_media_type"));
        for name in ["multipart/related; type=\"application/dicom\"; boundary=b", "multipart/mixed"]
        {
            assert_eq!(kind(name, b"--b"), Err("unsupported_media_type"), "{name}");
        }
        assert_eq!(kind("multipart/form-data", b"--b"), Err("invalid_multipart"));
    }

    #[test]
    fn uploads_are_ordered_by_any_name_of_a_type() {
        let of = |name| upload_media_type(name).map_err(|problem| problem.code);
        assert_eq!(of(None).as_deref(), Ok("application/octet-stream"));
        assert_eq!(of(Some(" Image/JPG; q=1")).as_deref(), Ok("image/jpg"));
        assert_eq!(
            of(Some("application/x-zip-compressed")).as_deref(),
            Ok("application/x-zip-compressed")
        );
        for name in ["text/html", "multipart/form-data", "application/json"] {
            assert_eq!(of(Some(name)), Err("unsupported_media_type"), "{name}");
        }
    }
}
