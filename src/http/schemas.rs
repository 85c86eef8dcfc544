//! Holds the schemas of `openapi.json` to the Rust types that are written and read.
//!
//! The committed document is the contract, with descriptions and bounds that no type expresses. Schemas generated from
//! the types must agree with it in what both express: names of properties, which are required, JSON types and `null`.

use super::OPENAPI;
use super::types::ModelList;
use super::uploads::{UploadAnswer, UploadOrder};
use crate::engine::EngineFacts;
use crate::jobs::{SliceLink, Status};
use crate::problem::ProblemBody;
use crate::report::{PartialReport, SeriesReport, SliceReport};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a schema says, with references and compositions resolved.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    /// JSON types; empty for any value.
    kinds: BTreeSet<String>,
    /// The texts that are allowed, where only some are.
    texts: BTreeSet<String>,
    /// Properties of an object, and whether each is required.
    properties: BTreeMap<String, (bool, Shape)>,
    /// Items of an array.
    items: Option<Box<Shape>>,
}

impl Shape {
    /// The shape of `schema`, whose references are resolved in `document`.
    fn new(document: &Value, schema: &Value) -> Self {
        let mut shape = Self::default();
        shape.add(document, schema);
        shape
    }

    fn add(&mut self, document: &Value, schema: &Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap();
            self.add(document, document.pointer(pointer).unwrap());
        }
        for composition in ["oneOf", "anyOf", "allOf"] {
            for part in schema[composition].as_array().into_iter().flatten() {
                self.add(document, part);
            }
        }
        let kinds = &schema["type"];
        let kinds = kinds.as_array().map_or(std::slice::from_ref(kinds), Vec::as_slice);
        self.kinds.extend(kinds.iter().filter_map(Value::as_str).map(str::to_owned));
        let values = schema["enum"].as_array().into_iter().flatten().chain(schema.get("const"));
        for value in values {
            let text = value.as_str().map(str::to_owned);
            self.kinds.insert(text.as_ref().map_or("null", |_| "string").to_owned());
            self.texts.extend(text);
        }
        let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.iter().any(|required| *required == name);
            self.properties.insert(name.clone(), (is_required, Self::new(document, property)));
        }
        if let Some(items) = schema.get("items") {
            self.items = Some(Box::new(Self::new(document, items)));
        }
    }

    /// The same shape without the difference between a missing property and one that is `null`: answers leave out
    /// what is optional.
    fn with_omitted_nulls(mut self) -> Self {
        for (name, (is_required, shape)) in std::mem::take(&mut self.properties) {
            let mut shape = shape.with_omitted_nulls();
            if !is_required {
                shape.kinds.remove("null");
            }
            // The command line leaves it out; the API always sets it.
            self.properties.insert(name.clone(), (is_required || name == "request_id", shape));
        }
        self.items = self.items.map(|items| Box::new(items.with_omitted_nulls()));
        self
    }

    /// Where the shape of a type, `self`, does not agree with the committed one.
    fn differences(&self, place: &str, committed: &Self, found: &mut Vec<String>) {
        if self.kinds.is_empty() {
            return;
        }
        if self.kinds != committed.kinds {
            found.push(format!("{place} is {:?}, committed as {:?}", self.kinds, committed.kinds));
        }
        if !self.texts.is_empty() && self.texts != committed.texts {
            found.push(format!("{place} is one of {:?}, not {:?}", self.texts, committed.texts));
        }
        let names: BTreeSet<&String> =
            self.properties.keys().chain(committed.properties.keys()).collect();
        // A map has properties of any name, which a type does not list.
        let is_map = self.properties.is_empty();
        for name in names.into_iter().filter(|_| !is_map) {
            let place = format!("{place}.{name}");
            match (self.properties.get(name), committed.properties.get(name)) {
                (Some((is_required, shape)), Some((is_committed_required, committed))) => {
                    if is_required != is_committed_required {
                        found.push(format!("{place} is required: {is_required}, not as committed"));
                    }
                    shape.differences(&place, committed, found);
                }
                (Some(_), None) => found.push(format!("{place} is not in the document")),
                (None, _) => found.push(format!("{place} is not in the type")),
            }
        }
        if let (Some(items), Some(committed)) = (&self.items, &committed.items) {
            items.differences(&format!("{place}[]"), committed, found);
        }
    }
}

/// The shape of a type as it is read or written.
fn shape<T: JsonSchema>(settings: SchemaSettings) -> Shape {
    let schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    Shape::new(&schema, &schema)
}

/// Where the schema `name` of the document does not agree with a type that is read.
fn request<T: JsonSchema>(name: &str) -> Vec<String> {
    compared(name, shape::<T>(SchemaSettings::draft2020_12()), |shape| shape)
}

/// Where the schema `name` of the document does not agree with a type that is written.
fn answer<T: JsonSchema>(name: &str) -> Vec<String> {
    let written = shape::<T>(SchemaSettings::draft2020_12().for_serialize());
    compared(name, written, Shape::with_omitted_nulls)
}

fn compared(name: &str, shape: Shape, simplified: fn(Shape) -> Shape) -> Vec<String> {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let committed = &document["components"]["schemas"][name];
    assert!(committed.is_object(), "{name}");
    let mut found = Vec::new();
    let committed = simplified(Shape::new(&document, committed));
    simplified(shape).differences(name, &committed, &mut found);
    found
}

#[test]
fn the_document_describes_the_types() {
    let found: Vec<String> = [
        answer::<ProblemBody<'_>>("Problem"),
        answer::<SliceReport>("Report"),
        answer::<SeriesReport>("SeriesReport"),
        answer::<PartialReport>("PartialReport"),
        answer::<ModelList<'_>>("ModelList"),
        answer::<EngineFacts>("Engine"),
        answer::<Status>("Job"),
        answer::<SliceLink>("SliceLink"),
        answer::<UploadAnswer>("Upload"),
        request::<UploadOrder>("UploadOrder"),
    ]
    .concat();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn each_difference_is_reported() {
    #[derive(serde::Serialize, JsonSchema)]
    struct Other {
        index: Option<usize>,
        address: String,
    }
    let found = answer::<Other>("SliceLink");
    assert_eq!(found.len(), 3, "{found:#?}");
}
