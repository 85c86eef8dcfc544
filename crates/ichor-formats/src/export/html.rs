//! The report as one HTML file: without scripts, with its pictures inside, on one page of A4.
//!
//! It holds no file names, and nothing of the patient's name or identity. The pictures show the pixels of the input, with
//! whatever is burned into them.

mod markup;
mod page;
mod pictures;
mod tables;
#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::model_spec::ModelSpec;
use crate::segmenter::{Analysis, Segmenter};
use crate::summary::{Language, Patterns, Summary};
use page::Page;
use std::time::SystemTime;

/// What the printed report contains beside the findings.
#[derive(Debug, Clone, Copy)]
pub struct HtmlOptions {
    /// Language of the report. Warnings are in English.
    pub language: Language,
    /// Whether causes to consider are listed ([`Patterns`]).
    pub patterns: bool,
    /// Time of writing.
    pub created_at: SystemTime,
}

/// Indices of the slices that the report shows, ascending. [`encode_html`] needs the samples of no other slice.
pub fn pictured_slices(spec: &ModelSpec, analysis: &Analysis) -> Vec<usize> {
    pictures::choose(&Summary::from_analysis(spec, analysis), analysis.key_slice)
}

/// Writes the report of an analysis as HTML, UTF-8. At most 2 MiB: three pictures, eight lesions, ten patterns, and 32
/// warnings of 1,000 characters; where more are left out, their number is given.
///
/// # Errors
/// As [`crate::png::encode_png`].
pub fn encode_html(
    model: &Segmenter,
    analysis: &Analysis,
    options: &HtmlOptions,
) -> Result<Vec<u8>> {
    let summary = Summary::from_analysis(model.spec(), analysis);
    let pictures = pictures::draw(model, analysis, &summary)?;
    let page = Page {
        facts: tables::facts(model.spec(), analysis, options.language),
        patterns: if options.patterns {
            Patterns::from_analysis(analysis)
        } else {
            Patterns::default()
        },
        sides: pictures::sides(analysis),
        summary,
        pictures,
        language: options.language,
        created_at: options.created_at,
    };
    Ok(page.write().into_bytes())
}
