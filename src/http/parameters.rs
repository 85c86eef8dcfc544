//! The parameters of a segmentation: the same in the query, in JSON and as fields of a form.

use super::problem::Problem;
use crate::error::Error;
use crate::report::Include;
use crate::segmenter::{self, MaskGate};
use crate::summary::Language;
use crate::window::WindowLevel;
use axum::extract::Query;
use axum::http::Uri;
use std::str::FromStr;

/// The names of all parameters, in the order in which errors list them.
pub(super) const PARAMETERS: [&str; 8] =
    ["model", "threshold", "window", "include", "as_series", "series", "patterns", "language"];

/// The part of a request that holds parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// After the `?` of the URL.
    Query,
    /// The header that SageMaker passes on.
    CustomAttributes,
    /// The fields of a form.
    Form,
    /// The fields of a JSON object.
    Json,
}

impl Source {
    fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::CustomAttributes => "header of custom attributes",
            Self::Form => "form",
            Self::Json => "JSON",
        }
    }
}

/// The parameters in one part of a request; `None` for those that it does not have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SegmentParams {
    model: Option<String>,
    threshold: Option<f32>,
    window: Option<WindowLevel>,
    include: Option<IncludeList>,
    as_series: Option<bool>,
    series: Option<u32>,
    patterns: Option<bool>,
    language: Option<Language>,
}

/// The values of `include`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct IncludeList {
    contours: bool,
    pictures: Include,
}

impl Default for IncludeList {
    fn default() -> Self {
        Self { contours: true, pictures: Include::default() }
    }
}

/// The parameters of a whole request, checked.
#[derive(Debug, Clone)]
pub(super) struct RequestParams {
    pub(super) model: Option<String>,
    pub(super) segment: segmenter::SegmentRequest,
    pub(super) include: Include,
    /// Language of an answer as HTML.
    pub(super) language: Language,
}

impl SegmentParams {
    /// Parses the query of a URL.
    pub(super) fn from_query(uri: &Uri) -> Result<Self, Problem> {
        Self::from_uri(uri, Source::Query)
    }

    /// Parses a header whose value has the form of a query.
    pub(super) fn from_custom_attributes(text: &str) -> Result<Self, Problem> {
        let source = Source::CustomAttributes;
        // Any path will do: only the query is parsed.
        let uri = format!("/?{text}").parse().map_err(|_| unreadable(source))?;
        Self::from_uri(&uri, source)
    }

    fn from_uri(uri: &Uri, source: Source) -> Result<Self, Problem> {
        let Query(pairs) =
            Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| unreadable(source))?;
        let mut params = Self::default();
        for (name, text) in pairs {
            if !params.set(source, &name, &text)? {
                return Err(
                    Error::InvalidParameter(unknown_parameter(source, &name, &PARAMETERS)).into()
                );
            }
        }
        Ok(params)
    }

    /// Sets one parameter; false for an unknown name.
    ///
    /// # Errors
    /// A problem for a value that cannot be parsed, or that differs from an earlier one.
    pub(super) fn set(&mut self, source: Source, name: &str, text: &str) -> Result<bool, Problem> {
        let mut other = Self::default();
        match name {
            "model" => other.model = Some(text.to_owned()),
            "threshold" => other.threshold = Some(parse_threshold(text, source)?),
            "window" => other.window = Some(WindowLevel::from_str(text)?),
            "include" => other.include = Some(parse_include(text)?),
            "as_series" => other.as_series = Some(parse_bool(text, name, source)?),
            "series" => other.series = Some(parse_series_number(text, source)?),
            "patterns" => other.patterns = Some(parse_bool(text, name, source)?),
            "language" => other.language = Some(parse_language(text, source)?),
            _ => return Ok(false),
        }
        let conflict = |name: &str| conflict(name, &format!("in the {}", source.name()));
        *self = std::mem::take(self).merge(other, &conflict)?;
        Ok(true)
    }

    /// These parameters and those of the body. A parameter may be in both with the same value.
    pub(super) fn with_body(self, body: Self) -> Result<Self, Problem> {
        self.merge(body, &|name| conflict(name, "in the URL or a header, and in the body"))
    }

    fn merge(self, other: Self, conflict: &dyn Fn(&str) -> Problem) -> Result<Self, Problem> {
        Ok(Self {
            model: merge_value(self.model, other.model, || conflict("model"))?,
            threshold: merge_value(self.threshold, other.threshold, || conflict("threshold"))?,
            window: merge_value(self.window, other.window, || conflict("window"))?,
            include: merge_value(self.include, other.include, || conflict("include"))?,
            as_series: merge_value(self.as_series, other.as_series, || conflict("as_series"))?,
            series: merge_value(self.series, other.series, || conflict("series"))?,
            patterns: merge_value(self.patterns, other.patterns, || conflict("patterns"))?,
            language: merge_value(self.language, other.language, || conflict("language"))?,
        })
    }

    /// The request, once all its parts are merged.
    pub(super) fn into_request(self) -> Result<RequestParams, Problem> {
        let include = self.include.unwrap_or_default();
        let segment = segmenter::SegmentRequest {
            threshold: self.threshold,
            contours: include.contours,
            probabilities: include.pictures.probabilities,
            window: self.window,
            as_series: self.as_series.unwrap_or_default(),
            series: self.series,
            gate: MaskGate::PerSlice,
        };
        segment.check()?;
        let include = Include { patterns: self.patterns.unwrap_or(true), ..include.pictures };
        let language = self.language.unwrap_or_default();
        Ok(RequestParams { model: self.model, segment, include, language })
    }
}

fn merge_value<T: PartialEq>(
    one: Option<T>,
    other: Option<T>,
    conflict: impl FnOnce() -> Problem,
) -> Result<Option<T>, Problem> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Err(conflict()),
        (one, other) => Ok(one.or(other)),
    }
}

fn conflict(name: &str, places: &str) -> Problem {
    let detail = format!("'{name}' has two different values, {places}. Give it once.");
    Error::InvalidParameter(detail).into()
}

fn unreadable(source: Source) -> Problem {
    let detail = format!(
        "The {} cannot be parsed. It takes {}, for example model=unet&threshold=0.4&include=mask.",
        source.name(),
        PARAMETERS.join(", ")
    );
    Error::InvalidParameter(detail).into()
}

/// The error for an unknown name, with the names that are known.
pub(super) fn unknown_parameter(source: Source, name: &str, known: &[&str]) -> String {
    const MAX_SHOWN: usize = 40;
    let shown: String = name.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    format!("The {} has the unknown name '{shown}'. It takes {}.", source.name(), known.join(", "))
}

fn parse_threshold(text: &str, source: Source) -> Result<f32, Problem> {
    text.trim().parse().map_err(|_| {
        let source = source.name();
        let detail = format!(
            "'threshold' in the {source} is not a number. Give a number between 0 and 1, for example 0.4."
        );
        Error::InvalidParameter(detail).into()
    })
}

fn parse_series_number(text: &str, source: Source) -> Result<u32, Problem> {
    text.trim().parse().ok().filter(|&number| number > 0).ok_or_else(|| {
        let detail = format!(
            "'series' in the {} is not a whole number above 0. Take a number from the warning that lists several series.",
            source.name()
        );
        Error::InvalidParameter(detail).into()
    })
}

fn parse_bool(text: &str, name: &str, source: Source) -> Result<bool, Problem> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => {
            let detail =
                format!("'{name}' in the {} is not a boolean. Give true or false.", source.name());
            Err(Error::InvalidParameter(detail).into())
        }
    }
}

fn parse_language(text: &str, source: Source) -> Result<Language, Problem> {
    Language::from_code(&text.trim().to_ascii_lowercase()).ok_or_else(|| {
        let source = source.name();
        let detail = format!("'language' in the {source} is not known. Give en or de.");
        Error::InvalidParameter(detail).into()
    })
}

fn parse_include(list: &str) -> Result<IncludeList, Problem> {
    let (mut contours, mut pictures) = (false, Include::NOTHING);
    for name in list.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        match name {
            "mask" => pictures.mask = true,
            "overlay" => pictures.overlay = true,
            "probabilities" => pictures.probabilities = true,
            "contours" => contours = true,
            "samples" => pictures.samples = true,
            "every_slice" => pictures.every_slice = true,
            "text" => pictures.text = true,
            _ => {
                let detail = "include takes mask, overlay, probabilities, contours, samples, \
                              every_slice and text, separated by commas.";
                return Err(Error::InvalidParameter(detail.into()).into());
            }
        }
    }
    Ok(IncludeList { contours, pictures })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<SegmentParams, Problem> {
        SegmentParams::from_query(&format!("/v1/segment?{text}").parse().unwrap())
    }

    fn form(fields: &[(&str, &str)]) -> SegmentParams {
        let mut params = SegmentParams::default();
        for (name, text) in fields {
            assert!(params.set(Source::Form, name, text).unwrap(), "{name}");
        }
        params
    }

    #[test]
    fn a_query_and_a_form_give_the_same_parameters() {
        let all = "model=unet&threshold=0.4&window=40%2C80&include=mask,overlay,text&as_series=true&series=2\
                   &patterns=false&language=de";
        let fields = [
            ("language", " DE"),
            ("patterns", "0"),
            ("series", "2"),
            ("as_series", "1"),
            ("include", "text, overlay, mask"),
            ("window", "brain"),
            ("threshold", " 0.40"),
            ("model", "unet"),
        ];
        assert_eq!(query(all).unwrap(), form(&fields));
        // The test covers every parameter.
        assert!(PARAMETERS.iter().all(|name| fields.iter().any(|(field, _)| field == name)));
        let both = query(all).unwrap().with_body(form(&fields)).unwrap();
        assert_eq!(both, form(&fields));
    }

    #[test]
    fn conflicting_values_are_named() {
        let cases = [("model=a", "model", "b"), ("threshold=0.4", "threshold", "0.5")];
        for (text, name, other) in cases {
            let problem = query(text).unwrap().with_body(form(&[(name, other)])).unwrap_err();
            assert_eq!(problem.code, "invalid_parameter");
            assert!(problem.detail.contains(name), "{}", problem.detail);
        }
        assert!(query("model=a&model=b").unwrap_err().detail.contains("in the query"));
        let joined = query("model=a").unwrap().with_body(form(&[("series", "1")])).unwrap();
        assert_eq!((joined.model.as_deref(), joined.series), (Some("a"), Some(1)));
    }

    #[test]
    fn errors_list_the_known_names_and_values() {
        for (text, word) in [
            ("treshold=0.5", "'treshold'"),
            ("a%0Ab=1", "'a\\nb'"),
            ("threshold=much", "between 0 and 1"),
            ("as_series=maybe", "true"),
            ("series=0", "above 0"),
            ("patterns=some", "true or false"),
            ("language=fr", "en or de"),
            ("include=everything", "every_slice"),
            ("window=sideways", "CENTER,WIDTH"),
        ] {
            let problem = query(text).unwrap_err();
            assert_eq!(problem.code, "invalid_parameter");
            assert!(problem.detail.contains(word), "{text}: {}", problem.detail);
        }
        assert!(query("x=1").unwrap_err().detail.contains("model, threshold, window"));
        let long = query(&format!("{}=1", "x".repeat(500))).unwrap_err();
        assert!(long.detail.len() < 200, "{}", long.detail);
        let problem = query("threshold=2").unwrap().into_request().unwrap_err();
        assert_eq!(problem.code, "invalid_parameter");
    }
}
