//! The tables of the printed report.

use crate::model_spec::ModelSpec;
use crate::segmenter::Analysis;
use crate::slice::CtSlice;
use crate::stack::Stack;
use crate::summary::words::{lesion_type, place, size};
use crate::summary::{Language, LesionSummary, Summary};
use crate::window::WindowLevel;

/// One line of the facts: a name and its value.
pub(super) type Fact = (&'static str, String);

/// Properties of the input and the model.
pub(super) fn facts(spec: &ModelSpec, analysis: &Analysis, language: Language) -> Vec<Fact> {
    let series = &analysis.series;
    let Some(first) = series.slices.first() else { return Vec::new() };
    let unknown = || language.of("unknown", "unbekannt").to_owned();
    let mm = |value: f32, decimals| format!("{}\u{a0}mm", language.number(value, decimals));
    let spacing = first
        .spacing_mm
        .map(|[row, column]| format!("{} × {}", language.number(row, 2), mm(column, 2)));
    let mut facts = vec![(
        language.of("Image", "Bild"),
        format!(
            "{} × {}\u{a0}px, {}",
            first.plane.width,
            first.plane.height,
            modality(first, language)
        ),
    )];
    facts.push((language.of("Pixel spacing", "Pixelabstand"), spacing.unwrap_or_else(unknown)));
    if !analysis.is_single_slice {
        let even = Stack::from_series(series).filter(|stack| stack.even && series.slices.len() > 1);
        let distance = even.map(|stack| mm(stack.slice_spacing_mm() as f32, 2));
        let distance = distance.unwrap_or_else(|| {
            language.of("unknown or uneven distance", "Abstand unbekannt oder ungleich").into()
        });
        facts.push((
            language.of("Slices", "Schichten"),
            format!("{}, {distance}", series.slices.len()),
        ));
        facts.extend(series.tilt_degrees.map(|degrees| {
            (
                language.of("Gantry tilt", "Neigung der Gantry"),
                format!("{}°", language.number(degrees, 1)),
            )
        }));
    }
    facts.push((language.of("Grey values", "Grauwerte"), gray_scale(analysis, language)));
    facts.extend(analysis.window_of(first).map(|window| {
        (language.of("Window of the pictures", "Fenster der Bilder"), in_words(window, language))
    }));
    facts.push((
        language.of("Threshold of the mask", "Schwellenwert der Maske"),
        language.number(analysis.threshold, 2),
    ));
    // Twelve digits identify the file; all 64 do not fit the line.
    let digest = spec.sha256.get(..12).unwrap_or(&spec.sha256);
    facts.push((
        language.of("Model", "Modell"),
        format!("{} {}, SHA-256 {digest}…", spec.name, spec.version),
    ));
    facts.push((
        language.of("Program", "Programm"),
        concat!("Ichor ", env!("CARGO_PKG_VERSION")).into(),
    ));
    facts
}

fn modality(slice: &CtSlice, language: Language) -> String {
    // A code of DICOM has 16 characters at most (PS3.5 6.2, CS).
    const MAX_CHARS: usize = 16;
    let unknown = || language.of("modality unknown", "Modalität unbekannt").to_owned();
    slice.modality.as_ref().map_or_else(unknown, |code| code.chars().take(MAX_CHARS).collect())
}

fn in_words(window: WindowLevel, language: Language) -> String {
    let [center, width] = [window.center_hu, window.width_hu].map(|hu| language.number(hu, 0));
    language.of(
        format!("center {center}, width {width}\u{a0}HU"),
        format!("Mitte {center}, Breite {width}\u{a0}HU"),
    )
}

fn gray_scale(analysis: &Analysis, language: Language) -> String {
    if let Some(window) = analysis.gray_scale.estimated_window() {
        let window = in_words(window, language);
        return language
            .of(format!("estimated window, {window}"), format!("geschätztes Fenster, {window}"));
    }
    let text = match analysis.gray_scale.name() {
        "hounsfield" => language.of("Hounsfield units", "Hounsfield-Einheiten"),
        "window_known" => language.of("brain window", "Hirnfenster"),
        _ => language.of("cannot be interpreted", "nicht auswertbar"),
    };
    text.into()
}

/// One column of the table of lesions: its heading, and the value of each lesion.
pub(super) struct Column {
    /// The heading.
    pub(super) heading: &'static str,
    /// The values.
    pub(super) values: Vec<String>,
}

/// The value of a lesion in one column; `None` where it is unknown.
type Value<'a> = dyn Fn(&LesionSummary) -> Option<String> + 'a;

/// The columns of the table of lesions. A column without any value is left out.
pub(super) fn lesion_columns(
    summary: &Summary<'_>,
    lesions: &[LesionSummary],
    language: Language,
) -> Vec<Column> {
    let mm = |value: Option<f32>| value.map(|mm| format!("{}\u{a0}mm", language.number(mm, 0)));
    let is_series = summary.series_slices.is_some();
    let size_heading = match is_series {
        true => language.of("Volume", "Volumen"),
        false => language.of("Area", "Fläche"),
    };
    let columns: [(&str, &Value<'_>); 10] = [
        (language.of("Lesion", "Bereich"), &|lesion| Some(lesion.id.to_string())),
        (language.of("Type", "Art"), &|lesion| lesion_type(lesion, language)),
        (language.of("Place", "Ort"), &|lesion| place(lesion, language)),
        (size_heading, &|lesion| Some(size(lesion, language))),
        ("ABC/2", &|lesion| lesion.abc2_ml.map(|ml| language.millilitres(ml))),
        (language.of("Largest diameter", "Größter Durchmesser"), &|lesion| {
            mm(lesion.largest_diameter_mm)
        }),
        (language.of("Thickness", "Dicke"), &|lesion| mm(lesion.thickness_mm)),
        (language.of("Mean ± SD", "Mittel ± SD"), &|lesion| {
            let density = lesion.density?;
            let [mean, sd] = [density.mean_hu, density.sd_hu].map(|hu| language.number(hu, 0));
            Some(format!("{mean} ± {sd}\u{a0}HU"))
        }),
        (language.of("Above 60 HU", "Über 60 HU"), &|lesion| {
            Some(format!("{}\u{a0}%", language.number(lesion.density?.above_60_hu * 100.0, 0)))
        }),
        (language.of("Slices", "Schichten"), &|lesion| {
            let [first, last] = lesion.slices.map(|slice| slice + 1);
            let range = if first == last { first.to_string() } else { format!("{first}–{last}") };
            is_series.then_some(range)
        }),
    ];
    let mut shown = Vec::new();
    for (heading, value) in columns {
        let values: Vec<Option<String>> = lesions.iter().map(value).collect();
        if values.iter().any(Option::is_some) {
            let unknown = || "–".to_owned();
            let values = values.into_iter().map(|value| value.unwrap_or_else(unknown)).collect();
            shown.push(Column { heading, values });
        }
    }
    shown
}
