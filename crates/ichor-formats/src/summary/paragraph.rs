//! The report paragraph: a few sentences to copy into another document.

use super::words::{disclaimer, doubt, lesion_type, place, size, slice_range, verdict};
use super::{Language, LesionSummary, Summary};
use crate::model_spec::Verdict;
use crate::slice::Doubt;

/// Lesions that are described one by one; the number of the others is given.
const MAX_DESCRIBED: usize = 5;

/// The finding as a paragraph of plain text in one line.
///
/// It never contradicts the report: "no hemorrhage is outlined" is written only where `detected` is `false`, and where it
/// is unknown, the reason is given.
///
/// ```
/// use ichor_formats::summary::{Language, Summary, report_text};
///
/// let summary = Summary {
///     model: ["unet", "0.3.0"],
///     series_slices: None,
///     detected: Some(false),
///     probability: Some(0.02),
///     verdict: None,
///     total_volume_ml: None,
///     total_volume_interval_ml: None,
///     lesions: Vec::new(),
///     warnings: &[],
/// };
/// assert!(report_text(&summary, Language::English).starts_with("No hemorrhage is outlined"));
/// ```
pub fn report_text(summary: &Summary<'_>, language: Language) -> String {
    let mut sentences = vec![headline(summary, language)];
    sentences.extend(count(summary, language));
    let described = summary.lesions.iter().take(MAX_DESCRIBED);
    sentences.extend(described.map(|lesion| describe(summary, lesion, language)));
    let rest = summary.lesions.len().saturating_sub(MAX_DESCRIBED);
    if rest > 0 {
        sentences.push(
            language.of(format!("Smaller lesions: {rest}."), format!("Kleinere Bereiche: {rest}.")),
        );
    }
    sentences.extend(limits(summary, language));
    let [model, version] = summary.model;
    sentences.push(language.of(
        format!("Outlined by Ichor with the model {model} {version}."),
        format!("Umrandet von Ichor mit dem Modell {model} {version}."),
    ));
    sentences.push(disclaimer(language).into());
    sentences.join(" ")
}

/// Verdict, probability, and whether something is outlined.
pub(crate) fn headline(summary: &Summary<'_>, language: Language) -> String {
    let percent = summary.probability.map(|probability| {
        let percent = language.percent(probability);
        match summary.series_slices {
            Some(_) => language.of(
                format!(" (highest probability of a slice: {percent})"),
                format!(" (höchste Wahrscheinlichkeit einer Schicht: {percent})"),
            ),
            None => language.of(
                format!(" (probability {percent})"),
                format!(" (Wahrscheinlichkeit {percent})"),
            ),
        }
    });
    let percent = percent.unwrap_or_default();
    let stated = summary.verdict.map(|stated| verdict(stated, language));
    match (summary.detected, stated) {
        (Some(true), Some(stated)) => format!("{stated}{percent}."),
        (Some(true), None) => language.of(
            format!("Hemorrhage is outlined{percent}."),
            format!("Es ist eine Blutung umrandet{percent}."),
        ),
        (Some(false), Some(stated)) => {
            let outlined = match summary.verdict {
                Some(Verdict::Likely) => language.of(
                    "Nevertheless no hemorrhage is outlined.",
                    "Dennoch ist keine Blutung umrandet.",
                ),
                _ => language.of("No hemorrhage is outlined.", "Es ist keine Blutung umrandet."),
            };
            format!("{stated}{percent}. {outlined}")
        }
        (Some(false), None) => language.of(
            format!("No hemorrhage is outlined{percent}."),
            format!("Es ist keine Blutung umrandet{percent}."),
        ),
        (None, stated) => {
            let reason = unknown_reason(summary, language);
            match stated {
                Some(stated) => language.of(
                    format!("{stated}{percent}. An outline neither confirms nor excludes it: {reason}."),
                    format!("{stated}{percent}. Eine Umrandung bestätigt sie nicht und schließt sie nicht aus: {reason}."),
                ),
                None => language.of(
                    format!("Whether there is a hemorrhage is unknown: {reason}."),
                    format!("Ob eine Blutung vorliegt, ist unbekannt: {reason}."),
                ),
            }
        }
    }
}

/// Why `detected` is unknown.
fn unknown_reason(summary: &Summary<'_>, language: Language) -> String {
    let doubts = [Doubt::Unreadable, Doubt::Incomplete, Doubt::Undecided];
    let reasons: Vec<&str> = doubts
        .into_iter()
        .filter(|&each| has_doubt(summary, each))
        .map(|each| doubt(each, language))
        .collect();
    match reasons.is_empty() {
        true => {
            language.of("the warnings give the reason", "die Warnungen nennen den Grund").into()
        }
        false => reasons.join(language.of("; and ", "; und ")),
    }
}

fn has_doubt(summary: &Summary<'_>, doubt: Doubt) -> bool {
    summary.warnings.iter().any(|warning| warning.doubt == Some(doubt))
}

/// How many lesions there are, and their volume in total.
fn count(summary: &Summary<'_>, language: Language) -> Option<String> {
    let lesions = summary.lesions.len();
    let outlined = match lesions {
        0 => return None,
        1 => language.of("1 lesion is outlined".to_owned(), "1 Bereich ist umrandet".to_owned()),
        _ => language.of(
            format!("{lesions} lesions are outlined"),
            format!("{lesions} Bereiche sind umrandet"),
        ),
    };
    let total = match (summary.series_slices, summary.total_volume_ml) {
        (None, _) => String::new(),
        (Some(_), Some(ml)) => {
            let ml = language.millilitres(ml);
            let others = summary.total_volume_interval_ml.map(|interval| {
                let [least, most] = interval.map(|ml| language.millilitres(ml));
                language.of(
                    format!(" ({least} to {most} at other thresholds)"),
                    format!(" ({least} bis {most} bei anderen Schwellenwerten)"),
                )
            });
            let others = others.unwrap_or_default();
            language
                .of(format!(", total volume {ml}{others}"), format!(", Gesamtvolumen {ml}{others}"))
        }
        (Some(_), None) => {
            language.of(", total volume unknown", ", Gesamtvolumen unbekannt").into()
        }
    };
    Some(format!("{outlined}{total}."))
}

fn describe(summary: &Summary<'_>, lesion: &LesionSummary, language: Language) -> String {
    let mut parts: Vec<String> =
        place(lesion, language).into_iter().chain(lesion_type(lesion, language)).collect();
    parts.push(size(lesion, language));
    parts.extend(lesion.thickness_mm.map(|mm| {
        let mm = language.number(mm, 0);
        language.of(format!("{mm}\u{a0}mm thick"), format!("{mm}\u{a0}mm dick"))
    }));
    parts.extend(lesion.largest_diameter_mm.map(|mm| {
        let mm = language.number(mm, 0);
        language.of(
            format!("largest diameter {mm}\u{a0}mm"),
            format!("größter Durchmesser {mm}\u{a0}mm"),
        )
    }));
    parts.extend(summary.series_slices.map(|_| slice_range(lesion, language)));
    let name = language.of("Lesion", "Bereich");
    format!("{name} {}: {}.", lesion.id, parts.join(", "))
}

/// What is left open beside `detected`.
fn limits(summary: &Summary<'_>, language: Language) -> Vec<String> {
    let mut sentences = Vec::new();
    let open =
        [Doubt::Incomplete, Doubt::Unreadable].into_iter().find(|&each| has_doubt(summary, each));
    if let (Some(true), Some(reason)) = (summary.detected, open.map(|open| doubt(open, language))) {
        sentences.push(language.of(
            format!("There may be more hemorrhage than outlined: {reason}."),
            format!("Es kann mehr Blutung vorliegen als umrandet: {reason}."),
        ));
    }
    if has_doubt(summary, Doubt::Unmeasurable) {
        let reason = doubt(Doubt::Unmeasurable, language);
        sentences.push(language.of(
            format!("Lengths, areas and volumes are unknown: {reason}."),
            format!("Längen, Flächen und Volumen sind unbekannt: {reason}."),
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::super::sample::{lesion, summary};
    use super::super::{Region, Side};
    use super::*;
    use crate::slice::Warning;

    fn plain(summary: &Summary<'_>, language: Language) -> String {
        report_text(summary, language).replace('\u{a0}', " ")
    }

    #[test]
    fn a_series_with_lesions_is_described_lesion_by_lesion() {
        let mut left = lesion(1, "SDH", 0.87);
        (left.side, left.region) = (Some(Side::Left), Some(Region::Temporal));
        (left.volume_ml, left.thickness_mm) = (Some(12.44), Some(9.2));
        (left.largest_diameter_mm, left.slices) = (Some(61.6), [11, 19]);
        let mut summary = summary(Some(true), Some(0.97), Some(Verdict::Likely));
        (summary.series_slices, summary.total_volume_ml) = (Some(30), Some(12.44));
        summary.total_volume_interval_ml = Some([10.1, 15.0]);
        summary.lesions = vec![left];
        assert_eq!(
            plain(&summary, Language::English),
            "Intracranial hemorrhage is likely (highest probability of a slice: 97 %). 1 lesion is outlined, total volume \
             12.4 mL (10.1 mL to 15.0 mL at other thresholds). Lesion 1: left temporal, most likely subdural (87 %), 12.4 mL, 9 mm thick, largest diameter 62 mm, \
             slices 12 to 20. Outlined by Ichor with the model unet 0.3.0. For research and teaching only. Not a medical \
             device; never use it for diagnosis or treatment."
        );
        assert_eq!(
            plain(&summary, Language::German),
            "Eine intrakranielle Blutung ist wahrscheinlich (höchste Wahrscheinlichkeit einer Schicht: 97 %). 1 Bereich ist \
             umrandet, Gesamtvolumen 12,4 mL (10,1 mL bis 15,0 mL bei anderen Schwellenwerten). Bereich 1: links temporal, am ehesten subdural (87 %), 12,4 mL, 9 mm dick, \
             größter Durchmesser 62 mm, Schichten 12 bis 20. Umrandet von Ichor mit dem Modell unet 0.3.0. Nur für Forschung \
             und Lehre. Kein Medizinprodukt; niemals zur Diagnose oder Behandlung verwenden."
        );
    }

    #[test]
    fn a_picture_without_an_orientation_names_the_side_of_the_image() {
        let mut lesion = lesion(1, "EDH", 0.9);
        lesion.has_unknown_sides = true;
        for (side, english, german) in [
            (Side::Right, "on the left of the image", "links im Bild"),
            (Side::Left, "on the right of the image", "rechts im Bild"),
            (Side::Midline, "midline", "mittig"),
        ] {
            lesion.side = Some(side);
            assert_eq!(place(&lesion, Language::English).as_deref(), Some(english));
            assert_eq!(place(&lesion, Language::German).as_deref(), Some(german));
        }
        (lesion.side, lesion.region) = (Some(Side::Right), Some(Region::Temporal));
        let words = place(&lesion, Language::English);
        assert_eq!(words.as_deref(), Some("on the left of the image, temporal"));
    }

    #[test]
    fn no_hemorrhage_outlined_is_written_only_where_it_was_not_detected() {
        let verdicts =
            [None, Some(Verdict::Likely), Some(Verdict::Uncertain), Some(Verdict::Unlikely)];
        for detected in [None, Some(false), Some(true)] {
            for verdict in verdicts {
                let summary = summary(detected, Some(0.5), verdict);
                let english = plain(&summary, Language::English).to_lowercase();
                let german = plain(&summary, Language::German).to_lowercase();
                let is_absent = detected == Some(false);
                assert_eq!(english.contains("no hemorrhage is outlined"), is_absent, "{english}");
                assert_eq!(german.contains("keine blutung umrandet"), is_absent, "{german}");
                for (word, german_word, of) in [
                    ("is likely", "ist wahrscheinlich", Verdict::Likely),
                    ("is uncertain", "unsicher", Verdict::Uncertain),
                    ("is unlikely", "unwahrscheinlich", Verdict::Unlikely),
                ] {
                    assert_eq!(english.contains(word), verdict == Some(of), "{english}");
                    assert_eq!(german.contains(german_word), verdict == Some(of), "{german}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_answer_gives_its_reason() {
        let reasons = [
            (Warning::unreadable("a", ""), "cannot be interpreted", "nicht auswertbar"),
            (Warning::incomplete("b", ""), "was not segmented", "nicht ausgewertet"),
            (Warning::undecided("c", ""), "above the cut-off", "über dem Grenzwert"),
            (
                Warning::new("d", ""),
                "the warnings give the reason",
                "die Warnungen nennen den Grund",
            ),
        ];
        for (warning, english, german) in reasons {
            let warnings = [warning];
            for verdict in [None, Some(Verdict::Likely)] {
                let summary = Summary { warnings: &warnings, ..summary(None, None, verdict) };
                assert!(plain(&summary, Language::English).contains(english));
                assert!(plain(&summary, Language::German).contains(german));
            }
        }
    }

    #[test]
    fn what_is_outlined_in_a_part_of_the_head_is_not_all() {
        let warnings = [Warning::incomplete("a", ""), Warning::unmeasurable("b", "")];
        let mut summary = summary(Some(true), Some(0.9), Some(Verdict::Likely));
        (summary.warnings, summary.series_slices) = (&warnings, Some(9));
        summary.lesions = (1..=8).map(|id| lesion(id, "IPH", 0.6)).collect();
        let text = plain(&summary, Language::English);
        assert!(text.contains("There may be more hemorrhage than outlined"), "{text}");
        assert!(text.contains("Lengths, areas and volumes are unknown"), "{text}");
        assert!(text.contains("8 lesions are outlined, total volume unknown."), "{text}");
        assert!(text.contains("Lesion 5: ") && !text.contains("Lesion 6"), "{text}");
        assert!(text.contains("Smaller lesions: 3."), "{text}");
    }
}
