//! `Accept`: the forms of an answer that a client takes (RFC 9110, section 12.5.1).

use crate::http::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};
use mime::{Mime, MimeIter};
use std::cmp::Reverse;

/// A form in which the result of a segmentation is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Answer {
    /// The report.
    Json,
    /// The overlay of a slice, the montage of a series.
    Picture,
    /// The masks as a DICOM segmentation object.
    DicomSeg,
    /// The report to read and to print.
    Html,
}

/// The forms with their media types. Where a client prefers none, the first one is taken.
const ANSWERS: [(Answer, &str); 4] = [
    (Answer::Json, "application/json"),
    (Answer::Picture, "image/png"),
    (Answer::DicomSeg, "application/dicom"),
    (Answer::Html, "text/html"),
];

/// The forms that the client takes, best first.
///
/// # Errors
/// 406 where it takes none of them.
pub(in crate::http) fn acceptable_answers(headers: &HeaderMap) -> Result<Vec<Answer>, Problem> {
    let acceptable = acceptable(headers, &ANSWERS.map(|(_, media_type)| media_type));
    if acceptable.is_empty() {
        let detail = "The answer comes as application/json, image/png (the overlay, of a series a montage), \
                      application/dicom (a segmentation object of DICOM input) or text/html (the report to \
                      print). Name one of them in \
                      Accept, or leave it out.";
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail));
    }
    Ok(acceptable.into_iter().map(|index| ANSWERS[index].0).collect())
}

/// Indices of the offered media types that the client takes: by weight, then by their order in `Accept`,
/// then by the order of the offer. Without the header the client takes all of them.
pub(in crate::http) fn acceptable(headers: &HeaderMap, offered: &[&str]) -> Vec<usize> {
    if !headers.contains_key(header::ACCEPT) {
        return (0..offered.len()).collect();
    }
    let ranges = media_ranges(headers);
    let mut acceptable: Vec<(Reverse<u16>, usize, usize)> = offered
        .iter()
        .enumerate()
        .filter_map(|(index, media_type)| {
            // The most specific range decides, so that `image/png;q=0, */*` excludes PNG.
            let matching =
                ranges.iter().enumerate().filter(|(_, range)| range.includes(media_type));
            let (place, range) = matching.min_by_key(|(_, range)| Reverse(range.specificity()))?;
            (range.weight > 0).then_some((Reverse(range.weight), place, index))
        })
        .collect();
    acceptable.sort_unstable();
    acceptable.into_iter().map(|(_, _, index)| index).collect()
}

/// One entry of `Accept`, as `image/*;q=0.5`.
struct MediaRange {
    mime: Mime,
    /// Thousandths, as precise as the header allows; 0 excludes.
    weight: u16,
}

impl MediaRange {
    fn new(mime: Mime) -> Self {
        let written = mime.get_param("q").and_then(|q| q.as_str().parse::<f32>().ok());
        let weight = written.filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0);
        Self { mime, weight: (weight * 1000.0).round() as u16 }
    }

    fn includes(&self, media_type: &str) -> bool {
        let (kind, _) = media_type.split_once('/').unwrap_or_default();
        match self.specificity() {
            0 => true,
            1 => self.mime.type_() == kind,
            _ => self.mime.essence_str() == media_type,
        }
    }

    /// 0 for `*/*`, 1 for `image/*`, 2 for one type.
    fn specificity(&self) -> u8 {
        match (self.mime.type_(), self.mime.subtype()) {
            (mime::STAR, mime::STAR) => 0,
            (_, mime::STAR) => 1,
            _ => 2,
        }
    }
}

/// The entries of every `Accept` line in their order. Entries that cannot be parsed match nothing.
fn media_ranges(headers: &HeaderMap) -> Vec<MediaRange> {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(MimeIter::new).flatten().map(MediaRange::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(lines: &[&str]) -> Vec<Answer> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT, line.parse().unwrap());
        }
        acceptable_answers(&headers).unwrap_or_default()
    }

    #[test]
    fn the_preferred_type_comes_first() {
        use Answer::{DicomSeg, Html, Json, Picture};
        let cases: [(&str, &[Answer]); 13] = [
            ("*/*", &[Json, Picture, DicomSeg, Html]),
            ("application/*", &[Json, DicomSeg]),
            ("image/*", &[Picture]),
            ("application/json", &[Json]),
            ("text/html, image/png;q=0.9", &[Html, Picture]),
            ("IMAGE/PNG, */*", &[Picture, Json, DicomSeg, Html]),
            ("application/dicom, application/json", &[DicomSeg, Json]),
            ("application/json;q=0.5, image/png", &[Picture, Json]),
            ("application/json; q=0.2, application/dicom; q=0.25", &[DicomSeg, Json]),
            ("application/json;q=much, image/png;q=0.9", &[Json, Picture]),
            ("not a type, image/png", &[Picture]),
            ("text/*", &[Html]),
            ("text/css", &[]),
        ];
        for (accept, expected) in cases {
            assert_eq!(answers(&[accept]), expected, "{accept}");
        }
        assert_eq!(answers(&["text/css", "application/dicom"]), [DicomSeg]);
        assert_eq!(answers(&[]).first(), Some(&Json));
    }

    #[test]
    fn a_weight_of_zero_excludes_a_type() {
        use Answer::{DicomSeg, Html, Picture};
        let cases: [(&str, &[Answer]); 4] = [
            ("application/json;q=0", &[]),
            ("application/json;q=0.000, image/png", &[Picture]),
            ("*/*, application/json;q=0", &[Picture, DicomSeg, Html]),
            ("*/*;q=0, image/png", &[Picture]),
        ];
        for (accept, expected) in cases {
            assert_eq!(answers(&[accept]), expected, "{accept}");
        }
    }
}
