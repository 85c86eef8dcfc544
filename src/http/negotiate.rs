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

/// The types in `Accept` that are known, in its order; JSON without the header (RFC 9110, 12.5.1;
/// weights are not read, clients list what they prefer first).
pub(super) fn acceptable_answers(headers: &HeaderMap) -> Result<Vec<Answer>, Problem> {
    let Some(accept) = headers.get(header::ACCEPT) else { return Ok(vec![Answer::Json]) };
    let accept = accept.to_str().unwrap_or_default().to_ascii_lowercase();
    let wanted = accept.split(',').map(|t| t.split(';').next().unwrap_or_default().trim());
    let known: Vec<Answer> = wanted
        .filter_map(|kind| match kind {
            "application/json" | "application/*" | "*/*" => Some(Answer::Json),
            "image/png" | "image/*" => Some(Answer::Picture),
            "application/dicom" => Some(Answer::DicomSeg),
            _ => None,
        })
        .collect();
    if known.is_empty() {
        let detail = "The answer comes as application/json, image/png (the overlay, of a series a montage) \
                      or application/dicom (a segmentation object of DICOM input). Name one of them in \
                      Accept, or leave it out.";
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_are_kept_in_their_order() {
        use Answer::{DicomSeg, Json, Picture};
        let cases: [(&str, &[Answer]); 6] = [
            ("*/*", &[Json]),
            ("application/json", &[Json]),
            ("text/html, image/png;q=0.9", &[Picture]),
            ("IMAGE/PNG, */*", &[Picture, Json]),
            ("application/dicom", &[DicomSeg]),
            ("text/html", &[]),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            assert_eq!(acceptable_answers(&headers).unwrap_or_default(), expected, "{accept}");
        }
        assert_eq!(acceptable_answers(&HeaderMap::new()).unwrap(), [Json]);
    }
}
