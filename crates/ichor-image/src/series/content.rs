//! Removes slices that are not image content of a head: localisers, pages, other modalities, pictures.

use super::{Member, counted};
use crate::slice::{CtSlice, Intensity, Warning};

/// Minimum number of slices beside which pages and pictures are removed.
const MIN_SLICES: usize = 3;

/// Removes everything that is not a slice of a head, with a warning for each kind.
pub(super) fn head_content<'a>(
    members: &[Member<'a>],
    notes: &mut Vec<Warning>,
) -> Vec<Member<'a>> {
    let axial = without_localizers(members, notes);
    let images = without_pages(axial, notes);
    let images = without_other_modalities(images, notes);
    without_pictures(images, notes)
}

/// Removes localisers, by value 3 of Image Type (0008,0008) (DICOM PS3.3 C.8.2.1.1.1).
fn without_localizers<'a>(members: &[Member<'a>], notes: &mut Vec<Warning>) -> Vec<Member<'a>> {
    let is_axial = |member: &&Member<'_>| !is_localizer(member.slice);
    let axial: Vec<Member<'a>> = members.iter().filter(is_axial).copied().collect();
    if axial.len() < members.len() {
        let message =
            format!("{} left out: localiser (scout).", counted(members.len() - axial.len()));
        notes.push(Warning::new("localizers_left_out", message));
    }
    axial
}

/// Whether Image Type declares a localiser.
pub(super) fn is_localizer(slice: &CtSlice) -> bool {
    has_type(slice, &["LOCALIZER", "SCOUT", "TOPOGRAM"])
}

fn has_type(slice: &CtSlice, names: &[&str]) -> bool {
    let types = slice.reference.iter().flat_map(|r| &r.image_type);
    types.map(|value| value.trim()).any(|value| names.iter().any(|n| value.eq_ignore_ascii_case(n)))
}

/// Whether the file declares that it was made from other images: a dose report, a screenshot, a reformat; some archives
/// also declare converted slices so.
pub(super) fn is_secondary(slice: &CtSlice) -> bool {
    is_capture(slice) || has_type(slice, &["SECONDARY"])
}

/// Whether the file declares a screenshot or a page of text.
pub(super) fn is_capture(slice: &CtSlice) -> bool {
    // Secondary Capture Image Storage and its multi-frame forms.
    const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
    let class = slice.reference.as_ref().map_or("", |r| r.sop_class_uid.as_str());
    class == SECONDARY_CAPTURE
        || class.strip_prefix(SECONDARY_CAPTURE).is_some_and(|rest| rest.starts_with('.'))
        || has_type(slice, &["SCREEN SAVE", "SCREENSAVE", "DOSE_REPORT", "DOSE REPORT"])
}

/// Removes pages beside slices: images that were made from others and have no position among them. If there are hardly
/// any others, they are kept as the slices.
fn without_pages<'a>(members: Vec<Member<'a>>, notes: &mut Vec<Warning>) -> Vec<Member<'a>> {
    let is_page =
        |slice: &CtSlice| is_capture(slice) || (is_secondary(slice) && slice.placement.is_none());
    let (pages, slices): (Vec<_>, Vec<_>) =
        members.iter().copied().partition(|member| is_page(member.slice));
    if pages.is_empty() || (slices.len() < MIN_SLICES && slices.len() <= pages.len()) {
        return members;
    }
    notes.push(pages_left_out(pages.len()));
    slices
}

/// The warning about pages beside the slices.
pub(super) fn pages_left_out(count: usize) -> Warning {
    let message = format!(
        "{} left out: a page or screenshot beside the slices, such as a dose report.",
        counted(count)
    );
    Warning::new("pages_left_out", message)
}

/// Removes other modalities if there are CT images.
fn without_other_modalities<'a>(
    members: Vec<Member<'a>>,
    notes: &mut Vec<Warning>,
) -> Vec<Member<'a>> {
    let is = |member: &Member<'_>, wanted: &str| member.slice.modality.as_deref() == Some(wanted);
    if !members.iter().any(|member| is(member, "CT")) {
        return members;
    }
    let is_ct = |m: &Member<'_>| m.slice.modality.is_none() || is(m, "CT");
    let (ct, others): (Vec<_>, Vec<_>) = members.into_iter().partition(is_ct);
    if !others.is_empty() {
        let message = format!("{} left out: of another modality than CT.", counted(others.len()));
        notes.push(Warning::new("other_modality_left_out", message));
    }
    ct
}

/// Removes pictures beside slices in Hounsfield units, which are masks, overlays or screenshots of them, unless there
/// are many pictures and few slices.
fn without_pictures<'a>(members: Vec<Member<'a>>, notes: &mut Vec<Warning>) -> Vec<Member<'a>> {
    let is_picture = |member: &Member<'_>| {
        member.slice.intensity == Intensity::Display && member.slice.reference.is_none()
    };
    let (pictures, slices): (Vec<_>, Vec<_>) = members.iter().copied().partition(is_picture);
    if pictures.is_empty() || slices.len() < MIN_SLICES.min(pictures.len()) {
        return members;
    }
    let message = format!(
        "{} left out: pictures or masks beside slices in Hounsfield units.",
        counted(pictures.len())
    );
    notes.push(Warning::new("pictures_left_out", message));
    slices
}
