//! What among the slices is not image content of a head.

use super::{Member, counted};
use crate::slice::{CtSlice, Intensity, Warning};

/// Fewer slices than this are no series that pages could lie beside.
const FEWEST_SLICES: usize = 3;

/// Drops localisers, pages and other modalities; what is left may be slices of heads.
pub(super) fn head_content<'a>(
    members: &[Member<'a>],
    notes: &mut Vec<Warning>,
) -> Vec<Member<'a>> {
    let axial = without_localizers(members, notes);
    let images = without_pages(axial, notes);
    let images = without_other_modalities(images, notes);
    without_pictures(images, notes)
}

/// Drops the slices that their Image Type (0008,0008), value 3, calls localisers
/// (DICOM PS3.3 C.8.2.1.1.1).
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

/// Whether the file calls it a localiser.
pub(super) fn is_localizer(slice: &CtSlice) -> bool {
    has_type(slice, &["LOCALIZER", "SCOUT", "TOPOGRAM"])
}

fn has_type(slice: &CtSlice, names: &[&str]) -> bool {
    let types = slice.reference.iter().flat_map(|r| &r.image_type);
    types.map(|value| value.trim()).any(|value| names.iter().any(|n| value.eq_ignore_ascii_case(n)))
}

/// Whether the file says that it was made from other images: a dose report, a screenshot, a
/// reformat; sometimes slices that an archive converted.
pub(super) fn is_secondary(slice: &CtSlice) -> bool {
    is_capture(slice) || has_type(slice, &["SECONDARY"])
}

/// Whether it is a picture of a screen or a page of text.
pub(super) fn is_capture(slice: &CtSlice) -> bool {
    // Secondary Capture Image Storage and its multi-frame forms.
    const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";
    let class = slice.reference.as_ref().map_or("", |r| r.sop_class_uid.as_str());
    class == SECONDARY_CAPTURE
        || class.strip_prefix(SECONDARY_CAPTURE).is_some_and(|rest| rest.starts_with('.'))
        || has_type(slice, &["SCREEN SAVE", "SCREENSAVE", "DOSE_REPORT", "DOSE REPORT"])
}

/// Drops pages beside slices: whatever is made from other images and has no place among them. Where
/// there is nothing else, or nearly so, they are the slices.
fn without_pages<'a>(members: Vec<Member<'a>>, notes: &mut Vec<Warning>) -> Vec<Member<'a>> {
    let is_page =
        |slice: &CtSlice| is_capture(slice) || (is_secondary(slice) && slice.placement.is_none());
    let (pages, slices): (Vec<_>, Vec<_>) =
        members.iter().copied().partition(|member| is_page(member.slice));
    if pages.is_empty() || (slices.len() < FEWEST_SLICES && slices.len() <= pages.len()) {
        return members;
    }
    notes.push(pages_left_out(pages.len()));
    slices
}

/// The note on pages beside the slices.
pub(super) fn pages_left_out(count: usize) -> Warning {
    let message = format!(
        "{} left out: a page or screenshot beside the slices, such as a dose report.",
        counted(count)
    );
    Warning::new("pages_left_out", message)
}

/// Beside CT, other modalities are other examinations.
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

/// Beside Hounsfield units, pictures are masks, overlays or screenshots of them; but not where the
/// pictures are many and the others few.
fn without_pictures<'a>(members: Vec<Member<'a>>, notes: &mut Vec<Warning>) -> Vec<Member<'a>> {
    let is_picture = |member: &Member<'_>| {
        member.slice.intensity == Intensity::Display && member.slice.reference.is_none()
    };
    let (pictures, slices): (Vec<_>, Vec<_>) = members.iter().copied().partition(is_picture);
    if pictures.is_empty() || slices.len() < FEWEST_SLICES.min(pictures.len()) {
        return members;
    }
    let message = format!(
        "{} left out: pictures or masks beside slices in Hounsfield units.",
        counted(pictures.len())
    );
    notes.push(Warning::new("pictures_left_out", message));
    slices
}
