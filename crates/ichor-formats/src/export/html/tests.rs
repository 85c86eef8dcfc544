//! The page as a whole, compared with snapshots; `tests/frontend/report.test.mjs` prints them in Chromium.
//!
//! `ICHOR_SNAPSHOTS=write cargo test -p ichor-formats html` writes them again.

use super::page::Page;
use super::pictures::{ReportPicture, Sides};
use crate::model_spec::Verdict;
use crate::png::encode_png;
use crate::slice::Warning;
use crate::summary::{Language, LesionSummary, Patterns, Summary, sample, sample_lesion};
use ichor_core::lesion::{Density, Depth, Region, Side};
use image::{DynamicImage, Rgb, RgbImage};
use std::time::{Duration, SystemTime};

/// Noise, which compresses worst.
fn noise(side: u32) -> DynamicImage {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    RgbImage::from_fn(side, side, |_, _| Rgb([next(), next(), next()])).into()
}

/// A disk, as a phantom of a head.
fn disk(side: u32) -> DynamicImage {
    let middle = f64::from(side) / 2.0;
    let grey = |x: u32, y: u32| match (f64::from(x) - middle).hypot(f64::from(y) - middle) / middle
    {
        r if r < 0.75 => 120,
        r if r < 0.85 => 255,
        _ => 0,
    };
    RgbImage::from_fn(side, side, |x, y| Rgb([grey(x, y); 3])).into()
}

fn page<'a>(summary: Summary<'a>, picture: &DynamicImage, language: Language) -> Page<'a> {
    let slices = [3, 11, 20];
    let picture = |&slice: &usize| ReportPicture {
        png: encode_png(picture).unwrap(),
        size: [picture.width(), picture.height()],
        slice,
        lesions: summary.lesions.iter().map(|lesion| lesion.id).collect(),
    };
    Page {
        pictures: slices.iter().map(picture).collect(),
        sides: Sides::Radiological,
        facts: vec![("Image", "512 × 512 px, CT".into()), ("Model", "unet 0.3.0".into())],
        patterns: Patterns::find(summary.lesions.iter().cloned()),
        language,
        created_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        summary,
    }
}

/// A lesion with every value.
fn lesion(id: usize, code: &'static str, region: Region) -> LesionSummary {
    LesionSummary {
        side: Some(Side::Left),
        depth: Some(Depth::Superficial),
        region: Some(region),
        volume_ml: Some(12.44),
        area_mm2: Some(300.0),
        largest_diameter_mm: Some(61.6),
        thickness_mm: Some(9.2),
        abc2_ml: Some(13.1),
        density: Some(Density { mean_hu: 64.2, sd_hu: 9.8, above_60_hu: 0.554 }),
        slices: [11, 19],
        key_slice: 14,
        ..sample_lesion(id, code, 0.87)
    }
}

fn series(lesions: Vec<LesionSummary>, warnings: &[Warning]) -> Summary<'_> {
    Summary {
        series_slices: Some(30),
        total_volume_ml: Some(12.44),
        total_volume_interval_ml: Some([10.1, 15.0]),
        lesions,
        warnings,
        ..sample(Some(true), Some(0.97), Some(Verdict::Likely))
    }
}

const HOSTILE: &str = "</ul><script>document.title='broken'</script><img src=x onerror=\"alert(1)\">{{7*7}} & \u{202e}\u{0}";

/// One warning that an input wrote itself, one that is usual.
fn usual_warnings() -> Vec<Warning> {
    vec![
        Warning::new(
            "series_chosen",
            format!("Of 3 series, number 2 was segmented: kernel {HOSTILE}."),
        ),
        Warning::incomplete(
            "slices_left_out",
            "2 slices were left out, as their samples are missing.",
        ),
    ]
}

/// As many lesions, patterns and warnings as a report is expected to have at most.
fn full_warnings() -> Vec<Warning> {
    let text = "The slices are not evenly spaced along their normal, so that volumes are computed from the position of each.";
    (0..8).map(|_| Warning::new("uneven_spacing", text)).collect()
}

fn full_lesions() -> Vec<LesionSummary> {
    use Region::{BasalGanglia, Cerebellum, Frontal};
    let places = [
        ("IPH", BasalGanglia),
        ("IPH", Frontal),
        ("IPH", Cerebellum),
        ("SDH", Frontal),
        ("EDH", Frontal),
        ("SAH", Frontal),
        ("SAH", Frontal),
        ("IVH", Frontal),
        ("IPH", BasalGanglia),
        ("IPH", BasalGanglia),
    ];
    (1..).zip(places).map(|(id, (code, region))| lesion(id, code, region)).collect()
}

fn assert_snapshot(name: &str, actual: &str) {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/snapshots").join(name);
    if std::env::var("ICHOR_SNAPSHOTS").is_ok_and(|value| value == "write") {
        return std::fs::write(path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(expected == actual, "{} differs", path.display());
}

#[test]
fn a_series_gives_the_same_page() {
    let warnings = usual_warnings();
    let summary = series(vec![lesion(1, "SDH", Region::Frontal)], &warnings);
    assert_snapshot("report.html", &page(summary, &disk(48), Language::English).write());
}

#[test]
fn a_full_report_gives_the_same_page_in_german() {
    let warnings = full_warnings();
    let summary = series(full_lesions(), &warnings);
    assert_snapshot("report_full.html", &page(summary, &disk(48), Language::German).write());
}

#[test]
fn a_text_of_the_input_cannot_become_markup() {
    let warnings = usual_warnings();
    let html = page(series(Vec::new(), &warnings), &disk(8), Language::English).write();
    assert_eq!(html.matches("<script").count(), 0);
    assert_eq!(html.matches("<img ").count(), 3, "only the three pictures");
    assert_eq!(html.matches("</ul>").count(), 1);
    assert!(html.contains("&lt;script&gt;document.title=&#39;broken&#39;"), "{html}");
    assert!(!html.contains('\u{202e}') && !html.contains('\u{0}'));
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn a_report_is_at_most_two_mebibytes() {
    let long = "&".repeat(5000);
    let warnings: Vec<Warning> = (0..500).map(|_| Warning::new("w", long.clone())).collect();
    let lesions = (1..=5000).map(|id| lesion(id, "IPH", Region::BasalGanglia)).collect();
    let html = page(series(lesions, &warnings), &noise(384), Language::English).write();
    assert!(html.len() < 2 << 20, "{} bytes", html.len());
    assert!(html.contains("More warnings in the JSON report: 468."));
    assert!(html.contains("Smaller lesions: 4992."));
    assert_eq!(html.matches("<tr>").count(), 9);
}

#[test]
fn a_report_without_lesions_has_no_table_and_no_patterns() {
    let summary = Summary { series_slices: Some(30), ..sample(Some(false), Some(0.01), None) };
    let html = page(summary, &disk(8), Language::English).write();
    assert!(html.contains("No hemorrhage is outlined"));
    assert!(!html.contains("<table") && !html.contains("Consider"));
    assert!(html.contains("nothing outlined"));
    let unknown = page(sample(None, None, None), &disk(8), Language::English).write();
    assert!(unknown.contains("is unknown") && !unknown.contains("No hemorrhage"));
}

#[test]
fn every_report_has_the_research_only_line_and_the_model() {
    for (language, line) in [
        (Language::English, "For research and teaching only."),
        (Language::German, "Nur für Forschung und Lehre."),
    ] {
        let html = page(sample(Some(true), None, None), &disk(8), language).write();
        assert_eq!(html.matches(line).count(), 1);
        assert!(html.contains("unet 0.3.0") && html.contains("2027-01-15 08:00 UTC"));
        assert!(html.contains(&format!("<html lang=\"{}\">", language.code())));
    }
}
