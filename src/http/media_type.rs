//! Media types of bodies and uploads. They only tell wrappers apart: the format of a file is read from its bytes.

use super::multipart::{MultipartError, boundary};
use super::problem::Problem;
use crate::decode::MEDIA_TYPES;
use axum::http::{HeaderMap, StatusCode, header};

/// What browsers, phones and tools send for the types that are read here.
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

/// How a body carries its files.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// The body is the file.
    Raw,
    /// A JSON object with base64.
    Json,
    /// A form whose parts are separated by this boundary.
    Form(String),
}

impl BodyKind {
    pub(super) fn of(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let value = headers.get(header::CONTENT_TYPE);
        let value = value.map_or("", |value| value.to_str().unwrap_or_default());
        let kind = essence(value);
        match kind.as_str() {
            "application/json" | "text/json" => Ok(Self::Json),
            "multipart/form-data" => boundary(value).map(Self::Form).map_err(Problem::from),
            kind if kind.ends_with("+json") => Ok(Self::Json),
            kind if kind.starts_with("multipart/") && !ALIASES.contains(&kind) => {
                Err(other_multipart())
            }
            // What clients send that do not set a type. No image begins with a brace.
            "" | "text/plain" | "application/x-www-form-urlencoded" if is_object(body) => {
                Ok(Self::Json)
            }
            "application/x-www-form-urlencoded" if is_urlencoded_image(body) => Err(urlencoded()),
            _ => Ok(Self::Raw),
        }
    }
}

/// The type alone, in small letters and without parameters.
pub(super) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The media type that an upload is ordered with.
pub(super) fn of_upload(content_type: Option<&str>) -> Result<String, Problem> {
    let kind = essence(content_type.unwrap_or_default());
    if kind.is_empty() {
        return Ok("application/octet-stream".into());
    }
    if MEDIA_TYPES.contains(&kind.as_str()) || ALIASES.contains(&kind.as_str()) {
        return Ok(kind);
    }
    if kind.starts_with("multipart/") {
        let detail = "An upload is one file, not a multipart body. Pack several files as a zip and order the \
                      upload as application/zip.";
        return Err(unsupported(detail));
    }
    let known = MEDIA_TYPES.join(", ");
    Err(unsupported(&format!("content_type is one of {known} or application/octet-stream.")))
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
    fn only_wrappers_are_told_apart() {
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
        let of = |name| of_upload(name).map_err(|problem| problem.code);
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
