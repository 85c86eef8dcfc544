//! The query of a segment request.

use super::problem::Problem;
use crate::error::Error;
use crate::report::Include;
use crate::segmenter::SegmentOptions;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;

/// The query as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentQuery {
    pub(super) model: Option<String>,
    pub(super) threshold: Option<f32>,
    pub(super) window: Option<String>,
    pub(super) include: Option<String>,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) model: Option<String>,
    pub(super) options: SegmentOptions,
    pub(super) include: Include,
}

pub(super) fn read_query(
    query: Result<Query<SegmentQuery>, QueryRejection>,
) -> Result<Asked, Problem> {
    let Query(query) = query.map_err(|_| unreadable("The query"))?;
    read_words(query)
}

/// Understands words in the form of a query that came another way; `place` names it at the start of
/// a sentence.
pub(super) fn read_text(text: &str, place: &str) -> Result<Asked, Problem> {
    // The path is not looked at.
    let uri = format!("/?{text}").parse().map_err(|_| unreadable(place))?;
    let Query(query) = Query::try_from_uri(&uri).map_err(|_| unreadable(place))?;
    read_words(query)
}

fn unreadable(place: &str) -> Problem {
    let takes = "It takes model, threshold (0 to 1), window and include, as in \
                 model=unet&threshold=0.4&include=mask.";
    Error::InvalidParameter(format!("{place} cannot be read. {takes}")).into()
}

/// Understands the words, whichever way they came.
pub(super) fn read_words(query: SegmentQuery) -> Result<Asked, Problem> {
    let window = query.window.as_deref().map(str::parse).transpose()?;
    let include = parse_include(query.include.as_deref())?;
    let options = SegmentOptions {
        threshold: query.threshold,
        contours: include.contours,
        window,
        ..SegmentOptions::default()
    };
    options.check()?;
    Ok(Asked { model: query.model, options, include })
}

fn parse_include(list: Option<&str>) -> Result<Include, Problem> {
    let Some(list) = list else { return Ok(Include::default()) };
    let mut include = Include::NOTHING;
    for name in list.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        match name {
            "mask" => include.mask = true,
            "overlay" => include.overlay = true,
            "probabilities" => include.probabilities = true,
            "contours" => include.contours = true,
            "samples" => include.samples = true,
            "every_slice" => include.every_slice = true,
            _ => {
                let detail = "include takes mask, overlay, probabilities, contours, samples \
                              and every_slice, with commas between them.";
                return Err(Error::InvalidParameter(detail.into()).into());
            }
        }
    }
    Ok(include)
}
