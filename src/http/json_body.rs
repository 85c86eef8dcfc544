//! A JSON body: images as base64, with the same parameters as the query.
//!
//! Values are taken while the JSON is parsed, without a tree of it, so that texts are the only memory it takes.

use super::base64_text::decode_base64;
use super::parameters::{PARAMETERS, SegmentParams, Source, unknown_parameter};
use super::problem::Problem;
use axum::body::Bytes;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Maximum number of texts in a list.
const MAX_TEXTS: usize = 1024;

/// The files and the parameters of a body.
#[derive(Debug)]
pub(super) struct JsonBody {
    pub(super) images: Vec<Bytes>,
    pub(super) params: SegmentParams,
}

impl JsonBody {
    pub(super) fn from_slice(body: &[u8], max_images: usize) -> Result<Self, Problem> {
        // A byte order mark, which some Windows editors write.
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let fields: Fields<'_> =
            serde_json::from_slice(body).map_err(|e| invalid(&e.to_string()))?;
        if let Some(unknown) = fields.unknown {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_json", unknown));
        }
        let mut params = SegmentParams::default();
        for (name, value) in &fields.parameters {
            params.set(Source::Json, name, value)?;
        }
        if fields.images.len() > max_images {
            return Err(invalid(&format!(
                "'images' holds more than {max_images} images. Send the files as one zip"
            )));
        }
        let images: Vec<Bytes> = fields
            .images
            .iter()
            .map(|text| decode_base64(text).map(Bytes::from))
            .collect::<Result<_, String>>()
            .map_err(|why| invalid(&format!("'image' is not base64: {why}")))?;
        if images.is_empty() {
            return Err(invalid("there is no 'image'"));
        }
        Ok(Self { images, params })
    }
}

fn invalid(reason: &str) -> Problem {
    let detail =
        format!("The JSON cannot be read: {reason}. Send {{\"image\": \"<base64 of the file>\"}}.");
    Problem::new(StatusCode::BAD_REQUEST, "invalid_json", detail)
}

/// The fields of the object, not yet interpreted.
struct Fields<'a> {
    images: Vec<Cow<'a, str>>,
    parameters: Vec<(&'static str, String)>,
    /// The error for the first unknown name.
    unknown: Option<String>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the field 'image'")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields { images: Vec::new(), parameters: Vec::new(), unknown: None };
        while let Some(Text(name)) = map.next_key()? {
            if name == "image" || name == "images" {
                if !fields.images.is_empty() {
                    return Err(A::Error::custom(
                        "it has images twice; give either image or images",
                    ));
                }
                fields.images = match (name == "image", map.next_value()?) {
                    (true, Texts::One(text)) => vec![text],
                    (false, Texts::Several(texts)) => texts,
                    (true, _) => {
                        let text = "'image' must be a text; several go as a list into 'images'";
                        return Err(A::Error::custom(text));
                    }
                    (false, _) => return Err(A::Error::custom("'images' must be a list of texts")),
                };
            } else if let Some(known) = PARAMETERS.into_iter().find(|known| *known == name) {
                if fields.parameters.iter().any(|(name, _)| *name == known) {
                    return Err(A::Error::custom(format!("it has '{known}' twice")));
                }
                if let ParameterValue::Text(value) = map.next_value()? {
                    fields.parameters.push((known, value));
                }
            } else {
                let known: Vec<&str> = ["image", "images"].into_iter().chain(PARAMETERS).collect();
                fields.unknown = Some(unknown_parameter(Source::Json, &name, &known));
                // The rest is only checked for its syntax.
                map.next_value::<IgnoredAny>()?;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                break;
            }
        }
        Ok(fields)
    }
}

/// A text; borrowed from the body where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Texts::deserialize(deserializer)? {
            Texts::One(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a text is expected")),
        }
    }
}

/// A text or a list of texts.
enum Texts<'a> {
    One(Cow<'a, str>),
    Several(Vec<Cow<'a, str>>),
    Neither,
}

impl<'de> Deserialize<'de> for Texts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Texts::One(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Texts::One(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = seq.next_element()? {
            if texts.len() == MAX_TEXTS {
                return Err(A::Error::custom(format!("a list holds more than {MAX_TEXTS} texts")));
            }
            texts.push(text);
        }
        Ok(Texts::Several(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Texts::Neither)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Texts::Neither)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Texts::Neither)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Texts::Neither)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Texts::Neither)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Texts::Neither)
    }
}

/// The value of a parameter: a text, a number, true, false or a list of texts.
#[derive(Debug)]
pub(super) enum ParameterValue {
    /// `null`, which is the same as no parameter.
    Null,
    /// In the form of the query.
    Text(String),
}

impl<'de> Deserialize<'de> for ParameterValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ParameterVisitor)
    }
}

struct ParameterVisitor;

impl<'de> Visitor<'de> for ParameterVisitor {
    type Value = ParameterValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(ParameterValue::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(ParameterValue::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(ParameterValue::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(ParameterValue::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(ParameterValue::Text(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(ParameterValue::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        match TextsVisitor.visit_seq(seq)? {
            Texts::Several(texts) => Ok(ParameterValue::Text(texts.join(","))),
            _ => Ok(ParameterValue::Null),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<JsonBody, Problem> {
        JsonBody::from_slice(body.as_bytes(), 4)
    }

    #[test]
    fn images_and_parameters_are_read() {
        let body = read(
            r#"{"model": "unet", "threshold": 0.5, "include": ["mask", "contours"], "image": "AA\r\n==",
                "as_series": true, "window": null, "series": 2}"#,
        )
        .unwrap();
        assert_eq!(body.images, [&[0_u8][..]]);
        let mut expected = SegmentParams::default();
        for (name, text) in [
            ("model", "unet"),
            ("threshold", "0.5"),
            ("include", "mask,contours"),
            ("as_series", "true"),
            ("series", "2"),
        ] {
            assert!(expected.set(Source::Query, name, text).unwrap());
        }
        assert_eq!(body.params, expected);
        let several = read("\u{feff}{\"images\": [\"AA\", \"AQ\"]}").unwrap();
        assert_eq!(several.images, [&[0_u8][..], &[1]]);
    }

    #[test]
    fn errors_name_what_cannot_be_read() {
        for (body, word) in [
            ("", "EOF"),
            ("null", "an object"),
            ("[]", "an object"),
            ("{}", "no 'image'"),
            (r#"{"images": []}"#, "no 'image'"),
            (r#"{"image": "AA", "image": "AA"}"#, "twice"),
            (r#"{"image": "AA", "images": ["AA"]}"#, "twice"),
            (r#"{"image": ["AA"]}"#, "a list into 'images'"),
            (r#"{"image": {"a": [1]}}"#, "must be a text"),
            (r#"{"images": "AA"}"#, "must be a list"),
            (r#"{"images": ["AA", 1]}"#, "a text"),
            (r#"{"images": ["AA", "AA", "AA", "AA", "AA"]}"#, "more than 4"),
            (r#"{"file": "AA"}"#, "unknown name 'file'. It takes image, images, model"),
            (r#"{"image": "AA", "model": {}}"#, "a text, a number"),
            (r#"{"image": "AA"#, "line 1 column 13"),
            (r#"{"image": "@@"}"#, "character 1"),
        ] {
            let problem = read(body).unwrap_err();
            assert_eq!(problem.code, "invalid_json", "{body}");
            assert!(problem.detail.contains(word), "{body}: {}", problem.detail);
        }
        let problem = read(r#"{"image": "AA", "threshold": "much"}"#).unwrap_err();
        assert_eq!(problem.code, "invalid_parameter");
    }
}
