//! `Accept`: JSON, a picture or a DICOM segmentation.

use super::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};

/// What the client wants back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Json,
    /// The overlay of a slice, the montage of a series.
    Picture,
    /// The masks as a DICOM segmentation object.
    DicomSeg,
}

/// The first type in `Accept` that can be given; JSON without the header (RFC 9110, 12.5.1;
/// weights are not read, clients list what they prefer first).
pub(super) fn answer(headers: &HeaderMap) -> Result<Answer, Problem> {
    let Some(accept) = headers.get(header::ACCEPT) else { return Ok(Answer::Json) };
    let accept = accept.to_str().unwrap_or_default().to_ascii_lowercase();
    let wanted = accept.split(',').map(|t| t.split(';').next().unwrap_or_default().trim());
    wanted
        .filter_map(|kind| match kind {
            "application/json" | "application/*" | "*/*" => Some(Answer::Json),
            "image/png" | "image/*" => Some(Answer::Picture),
            "application/dicom" => Some(Answer::DicomSeg),
            _ => None,
        })
        .next()
        .ok_or_else(|| {
            let detail = "The answer comes as application/json, image/png (the overlay, of a series a montage) \
                          or application/dicom (a segmentation object of DICOM input). Name one of them in \
                          Accept, or leave it out.";
            Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_type_that_can_be_given_wins() {
        let cases = [
            ("*/*", Some(Answer::Json)),
            ("application/json", Some(Answer::Json)),
            ("text/html, image/png;q=0.9", Some(Answer::Picture)),
            ("IMAGE/PNG, */*", Some(Answer::Picture)),
            ("application/dicom", Some(Answer::DicomSeg)),
            ("text/html", None),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(answer(&headers).ok(), expected, "{accept}");
        }
        assert_eq!(answer(&HeaderMap::new()).ok(), Some(Answer::Json));
    }
}
