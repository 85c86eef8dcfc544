//! Content items of a structured report, PS3.3 C.17.3.

use crate::export::dicom::elements::{code, put_sequence, put_text, put_u16};
use crate::export::dicom::identity::referenced_instance;
use dicom_core::VR;
use dicom_core::header::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// Scheme, value and meaning.
pub(super) type Code = [&'static str; 3];

/// Relationship of an item to the item that contains it.
#[derive(Clone, Copy)]
pub(super) enum Relation {
    Contains,
    HasConceptMod,
    HasObsContext,
    HasAcqContext,
}

impl Relation {
    fn term(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasConceptMod => "HAS CONCEPT MOD",
            Self::HasObsContext => "HAS OBS CONTEXT",
            Self::HasAcqContext => "HAS ACQ CONTEXT",
        }
    }
}

fn put_code(item: &mut InMemDicomObject, tag: Tag, [scheme, value, meaning]: Code) {
    put_sequence(item, tag, vec![code(scheme, value, meaning)]);
}

/// An item without its value.
fn item(relation: Relation, value_type: &str, concept: Option<Code>) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put_text(&mut item, tags::RELATIONSHIP_TYPE, VR::CS, relation.term());
    put_text(&mut item, tags::VALUE_TYPE, VR::CS, value_type);
    if let Some(concept) = concept {
        put_code(&mut item, tags::CONCEPT_NAME_CODE_SEQUENCE, concept);
    }
    item
}

/// Makes `object` a container of `children` by a template of PS3.16.
pub(super) fn fill_container(
    object: &mut InMemDicomObject,
    template: Option<&str>,
    children: Vec<InMemDicomObject>,
) {
    put_text(object, tags::CONTINUITY_OF_CONTENT, VR::CS, "SEPARATE");
    if let Some(template) = template {
        let mut item = InMemDicomObject::new_empty();
        put_text(&mut item, tags::MAPPING_RESOURCE, VR::CS, "DCMR");
        put_text(&mut item, tags::TEMPLATE_IDENTIFIER, VR::CS, template);
        put_sequence(object, tags::CONTENT_TEMPLATE_SEQUENCE, vec![item]);
    }
    put_sequence(object, tags::CONTENT_SEQUENCE, children);
}

/// Makes `object` the root container of the document.
pub(super) fn fill_root(
    object: &mut InMemDicomObject,
    concept: Code,
    template: &str,
    children: Vec<InMemDicomObject>,
) {
    put_text(object, tags::VALUE_TYPE, VR::CS, "CONTAINER");
    put_code(object, tags::CONCEPT_NAME_CODE_SEQUENCE, concept);
    fill_container(object, Some(template), children);
}

pub(super) fn container(
    concept: Code,
    template: Option<&str>,
    children: Vec<InMemDicomObject>,
) -> InMemDicomObject {
    let mut item = item(Relation::Contains, "CONTAINER", Some(concept));
    fill_container(&mut item, template, children);
    item
}

pub(super) fn coded(relation: Relation, concept: Code, value: Code) -> InMemDicomObject {
    let mut item = item(relation, "CODE", Some(concept));
    put_code(&mut item, tags::CONCEPT_CODE_SEQUENCE, value);
    item
}

/// Adds items that modify `item`.
pub(super) fn with_modifiers(
    mut item: InMemDicomObject,
    modifiers: Vec<InMemDicomObject>,
) -> InMemDicomObject {
    put_sequence(&mut item, tags::CONTENT_SEQUENCE, modifiers);
    item
}

pub(super) fn text(relation: Relation, concept: Code, value: &str) -> InMemDicomObject {
    let mut item = item(relation, "TEXT", Some(concept));
    put_text(&mut item, tags::TEXT_VALUE, VR::UT, value);
    item
}

pub(super) fn uid(relation: Relation, concept: Code, value: &str) -> InMemDicomObject {
    let mut item = item(relation, "UIDREF", Some(concept));
    put_text(&mut item, tags::UID, VR::UI, value);
    item
}

/// An image, or one segment of a segmentation object.
pub(super) fn image(
    concept: Option<Code>,
    (class, instance): (&str, &str),
    segment: Option<u16>,
) -> InMemDicomObject {
    let mut item = item(Relation::Contains, "IMAGE", concept);
    let mut reference = referenced_instance(class, instance);
    if let Some(number) = segment {
        put_u16(&mut reference, tags::REFERENCED_SEGMENT_NUMBER, number);
    }
    put_sequence(&mut item, tags::REFERENCED_SOP_SEQUENCE, vec![reference]);
    item
}

/// A number with its unit; without a value, the item has the qualifier "Measurement failure".
pub(super) fn number(concept: Code, value: Option<f32>, unit: Code) -> InMemDicomObject {
    let mut item = item(Relation::Contains, "NUM", Some(concept));
    let measured = value.map(|value| {
        let mut measured = InMemDicomObject::new_empty();
        // Decimal strings have at most 16 characters; 0.001 mL is about one voxel.
        put_text(&mut measured, tags::NUMERIC_VALUE, VR::DS, &format!("{value:.3}"));
        put_code(&mut measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, unit);
        measured
    });
    if measured.is_none() {
        // PS3.16 CID 42.
        let failed = ["DCM", "114006", "Measurement failure"];
        put_code(&mut item, tags::NUMERIC_VALUE_QUALIFIER_CODE_SEQUENCE, failed);
    }
    put_sequence(&mut item, tags::MEASURED_VALUE_SEQUENCE, measured.into_iter().collect());
    item
}
