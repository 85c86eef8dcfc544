//! What a request asks for: the same parameters in the query, in JSON and as fields of a form.

use super::problem::Problem;
use crate::error::Error;
use crate::report::Include;
use crate::segmenter::SegmentOptions;
use crate::window::WindowLevel;
use axum::extract::Query;
use axum::http::Uri;
use std::str::FromStr;

/// Every parameter, as errors list them.
pub(super) const PARAMETERS: [&str; 6] =
    ["model", "threshold", "window", "include", "as_series", "series"];

/// Where parameters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the `?` of the address.
    Query,
    /// In the header that SageMaker hands on.
    CustomAttributes,
    /// In the fields of a form.
    Form,
    /// In the fields of a JSON object.
    Json,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::CustomAttributes => "header of custom attributes",
            Self::Form => "form",
            Self::Json => "JSON",
        }
    }
}

/// What one part of a request asks for; a parameter that it does not name is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SegmentParams {
    model: Option<String>,
    threshold: Option<f32>,
    window: Option<WindowLevel>,
    include: Option<Include>,
    as_series: Option<bool>,
    series: Option<u32>,
}

/// What a whole request asks for.
#[derive(Debug, Clone)]
pub(super) struct SegmentRequest {
    pub(super) model: Option<String>,
    pub(super) options: SegmentOptions,
    pub(super) include: Include,
}

impl SegmentParams {
    /// Reads the query of an address.
    pub(super) fn from_query(uri: &Uri) -> Result<Self, Problem> {
        Self::from_uri(uri, Place::Query)
    }

    /// Reads a text in the form of a query that came in a header.
    pub(super) fn from_custom_attributes(text: &str) -> Result<Self, Problem> {
        let place = Place::CustomAttributes;
        // The path plays no part.
        let uri = format!("/?{text}").parse().map_err(|_| unreadable(place))?;
        Self::from_uri(&uri, place)
    }

    fn from_uri(uri: &Uri, place: Place) -> Result<Self, Problem> {
        let Query(pairs) =
            Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| unreadable(place))?;
        let mut params = Self::default();
        for (name, text) in pairs {
            if !params.set(place, &name, &text)? {
                return Err(Error::InvalidParameter(unknown(place, &name, &PARAMETERS)).into());
            }
        }
        Ok(params)
    }

    /// Takes one parameter over; false for a name that is not known.
    pub(super) fn set(&mut self, place: Place, name: &str, text: &str) -> Result<bool, Problem> {
        let mut other = Self::default();
        match name {
            "model" => other.model = Some(text.to_owned()),
            "threshold" => other.threshold = Some(number(text, place)?),
            "window" => other.window = Some(WindowLevel::from_str(text)?),
            "include" => other.include = Some(include(text)?),
            "as_series" => other.as_series = Some(flag(text, name, place)?),
            "series" => other.series = Some(series_number(text, place)?),
            _ => return Ok(false),
        }
        let twice = |name: &str| twice(name, &format!("in the {}", place.name()));
        *self = std::mem::take(self).merged(other, &twice)?;
        Ok(true)
    }

    /// These parameters and those of the body. The same one may stand in both with the same value.
    pub(super) fn with_body(self, body: Self) -> Result<Self, Problem> {
        self.merged(body, &|name| twice(name, "in the address or a header and in the body"))
    }

    fn merged(self, other: Self, twice: &dyn Fn(&str) -> Problem) -> Result<Self, Problem> {
        Ok(Self {
            model: one(self.model, other.model, || twice("model"))?,
            threshold: one(self.threshold, other.threshold, || twice("threshold"))?,
            window: one(self.window, other.window, || twice("window"))?,
            include: one(self.include, other.include, || twice("include"))?,
            as_series: one(self.as_series, other.as_series, || twice("as_series"))?,
            series: one(self.series, other.series, || twice("series"))?,
        })
    }

    /// The request, once everything that belongs to it has been read.
    pub(super) fn into_request(self) -> Result<SegmentRequest, Problem> {
        let include = self.include.unwrap_or_default();
        let options = SegmentOptions {
            threshold: self.threshold,
            contours: include.contours,
            window: self.window,
            as_series: self.as_series.unwrap_or_default(),
            series: self.series,
        };
        options.check()?;
        Ok(SegmentRequest { model: self.model, options, include })
    }
}

fn one<T: PartialEq>(
    one: Option<T>,
    other: Option<T>,
    twice: impl FnOnce() -> Problem,
) -> Result<Option<T>, Problem> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Err(twice()),
        (one, other) => Ok(one.or(other)),
    }
}

fn twice(name: &str, places: &str) -> Problem {
    let detail = format!("'{name}' has two different values, {places}. Give it once.");
    Error::InvalidParameter(detail).into()
}

fn unreadable(place: Place) -> Problem {
    let detail = format!(
        "The {} cannot be read. It takes {}, as in model=unet&threshold=0.4&include=mask.",
        place.name(),
        PARAMETERS.join(", ")
    );
    Error::InvalidParameter(detail).into()
}

/// Says that a name is not known, and which are.
pub(super) fn unknown(place: Place, name: &str, known: &[&str]) -> String {
    const MAX_SHOWN: usize = 40;
    let shown: String = name.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    format!(
        "The {} holds '{shown}', which is not known. It takes {}.",
        place.name(),
        known.join(", ")
    )
}

fn number(text: &str, place: Place) -> Result<f32, Problem> {
    text.trim().parse().map_err(|_| {
        let place = place.name();
        let detail = format!(
            "'threshold' in the {place} is not a number. Write one between 0 and 1, as in 0.4."
        );
        Error::InvalidParameter(detail).into()
    })
}

fn series_number(text: &str, place: Place) -> Result<u32, Problem> {
    text.trim().parse().ok().filter(|&number| number > 0).ok_or_else(|| {
        let detail = format!(
            "'series' in the {} is not a number from 1. Take one that the warning of several series lists.",
            place.name()
        );
        Error::InvalidParameter(detail).into()
    })
}

fn flag(text: &str, name: &str, place: Place) -> Result<bool, Problem> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => {
            let detail = format!("'{name}' in the {} is neither true nor false.", place.name());
            Err(Error::InvalidParameter(detail).into())
        }
    }
}

fn include(list: &str) -> Result<Include, Problem> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<SegmentParams, Problem> {
        SegmentParams::from_query(&format!("/v1/segment?{text}").parse().unwrap())
    }

    fn form(fields: &[(&str, &str)]) -> SegmentParams {
        let mut params = SegmentParams::default();
        for (name, text) in fields {
            assert!(params.set(Place::Form, name, text).unwrap(), "{name}");
        }
        params
    }

    #[test]
    fn a_query_and_a_form_say_the_same() {
        let all =
            "model=unet&threshold=0.4&window=40%2C80&include=mask,overlay&as_series=true&series=2";
        let fields = [
            ("series", "2"),
            ("as_series", "1"),
            ("include", "overlay, mask"),
            ("window", "brain"),
            ("threshold", " 0.40"),
            ("model", "unet"),
        ];
        assert_eq!(query(all).unwrap(), form(&fields));
        // Every one of them is known.
        assert!(PARAMETERS.iter().all(|name| fields.iter().any(|(field, _)| field == name)));
        let both = query(all).unwrap().with_body(form(&fields)).unwrap();
        assert_eq!(both, form(&fields));
    }

    #[test]
    fn contradictions_are_named() {
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
    fn unknown_names_and_wrong_values_are_refused_with_what_is_known() {
        for (text, word) in [
            ("treshold=0.5", "'treshold'"),
            ("a%0Ab=1", "'a\\nb'"),
            ("threshold=much", "between 0 and 1"),
            ("as_series=maybe", "true"),
            ("series=0", "from 1"),
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
