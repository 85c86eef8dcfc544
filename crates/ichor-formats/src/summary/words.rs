//! Words for the values of a report, in each language.

use super::{Depth, Language, LesionSummary, Region, Side};
use crate::model_spec::Verdict;
use crate::slice::Doubt;

/// The research-only line, in the words of [`crate::report::DISCLAIMER`].
pub(crate) fn disclaimer(language: Language) -> &'static str {
    language.of(
        crate::report::DISCLAIMER,
        "Nur für Forschung und Lehre. Kein Medizinprodukt; niemals zur Diagnose oder Behandlung verwenden.",
    )
}

/// Name of a type, in lower case; the code itself where it is unknown.
pub(crate) fn type_name(code: &'static str, language: Language) -> &'static str {
    match code {
        "EDH" => "epidural",
        "SDH" => "subdural",
        "SAH" => language.of("subarachnoid", "subarachnoidal"),
        "IPH" => language.of("intraparenchymal", "intraparenchymal"),
        "IVH" => language.of("intraventricular", "intraventrikulär"),
        other => other,
    }
}

/// Type of a lesion in words, with its probability; `None` where the model does not distinguish types of lesions.
pub(crate) fn lesion_type(lesion: &LesionSummary, language: Language) -> Option<String> {
    let summary = lesion.lesion_type.as_ref()?;
    if let Some((code, probability)) = summary.best {
        let (name, percent) = (type_name(code, language), language.percent(probability));
        return Some(language.of(
            format!("most likely {name} ({percent})"),
            format!("am ehesten {name} ({percent})"),
        ));
    }
    let Some(outside) = summary.extra_axial else {
        return Some(language.of("type not assessed", "Art nicht bewertet").into());
    };
    let percent = language.percent(outside);
    Some(language.of(
        format!("type not assessed, outside the brain with a probability of {percent}"),
        format!(
            "Art nicht bewertet, mit einer Wahrscheinlichkeit von {percent} außerhalb des Gehirns"
        ),
    ))
}

/// Side and region in words, as `left temporal`; side and depth where the region is unknown. `None` where all are. Without an
/// orientation the side is that of the image, where the patient's left counts as displayed on the right.
pub(crate) fn place(lesion: &LesionSummary, language: Language) -> Option<String> {
    let side = lesion.side.map(|side| match (side, lesion.has_unknown_sides) {
        (Side::Left, false) => language.of("left", "links"),
        (Side::Right, false) => language.of("right", "rechts"),
        (Side::Left, true) => language.of("on the right of the image,", "rechts im Bild,"),
        (Side::Right, true) => language.of("on the left of the image,", "links im Bild,"),
        (Side::Midline, _) => language.of("midline", "mittig"),
    });
    let region = lesion.region.map(|region| match region {
        Region::Frontal => "frontal",
        Region::Parietal => "parietal",
        Region::Temporal => "temporal",
        Region::Occipital => language.of("occipital", "okzipital"),
        Region::BasalGanglia => {
            language.of("basal ganglia or thalamus", "Basalganglien oder Thalamus")
        }
        Region::Brainstem => language.of("brainstem", "Hirnstamm"),
        Region::Cerebellum => language.of("cerebellum", "Kleinhirn"),
    });
    let depth = lesion.depth.map(|depth| match depth {
        Depth::Superficial => language.of("superficial", "oberflächlich"),
        Depth::Deep => language.of("deep", "tief"),
    });
    let parts: Vec<&str> = side.into_iter().chain(region.or(depth)).collect();
    (!parts.is_empty()).then(|| parts.join(" ").trim_end_matches(',').to_owned())
}

/// The size of a lesion: its volume, else its area, else its pixels.
pub(crate) fn size(lesion: &LesionSummary, language: Language) -> String {
    match (lesion.volume_ml, lesion.area_mm2) {
        (Some(ml), _) => language.millilitres(ml),
        (None, Some(mm2)) => format!("{}\u{a0}mm²", language.number(mm2, 0)),
        (None, None) => format!("{}\u{a0}px", lesion.pixels),
    }
}

/// First and last slice, from 1.
pub(crate) fn slice_range(lesion: &LesionSummary, language: Language) -> String {
    let [first, last] = lesion.slices.map(|slice| slice + 1);
    match first == last {
        true => language.of(format!("slice {first}"), format!("Schicht {first}")),
        false => language
            .of(format!("slices {first} to {last}"), format!("Schichten {first} bis {last}")),
    }
}

/// The verdict as a sentence without its full stop.
pub(crate) fn verdict(verdict: Verdict, language: Language) -> &'static str {
    match verdict {
        Verdict::Likely => language.of(
            "Intracranial hemorrhage is likely",
            "Eine intrakranielle Blutung ist wahrscheinlich",
        ),
        Verdict::Uncertain => language.of(
            "It is uncertain whether there is an intracranial hemorrhage",
            "Ob eine intrakranielle Blutung vorliegt, ist unsicher",
        ),
        Verdict::Unlikely => language.of(
            "Intracranial hemorrhage is unlikely",
            "Eine intrakranielle Blutung ist unwahrscheinlich",
        ),
    }
}

/// The reason for a value that is unknown, as a clause.
pub(crate) fn doubt(doubt: Doubt, language: Language) -> &'static str {
    match doubt {
        Doubt::Unreadable => language.of(
            "the image, or a part of it, cannot be interpreted",
            "das Bild oder ein Teil davon ist nicht auswertbar",
        ),
        Doubt::Incomplete => {
            language.of("a part of the head was not segmented", "ein Teil des Kopfes wurde nicht ausgewertet")
        }
        Doubt::Undecided => language.of(
            "the probability is above the cut-off, and no pixel reaches the threshold",
            "die Wahrscheinlichkeit liegt über dem Grenzwert, und kein Pixel erreicht den Schwellenwert",
        ),
        Doubt::Unmeasurable => language.of(
            "the pixel size or the slice spacing is not plausible",
            "die Pixelgröße oder der Schichtabstand ist unplausibel",
        ),
    }
}
