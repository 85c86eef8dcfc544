//! The page of the printed report.

use super::markup::Markup;
use super::pictures::{ReportPicture, Sides};
use super::tables::{Fact, lesion_columns};
use crate::slice::Warning;
use crate::summary::words::disclaimer;
use crate::summary::{Language, Pattern, Patterns, Summary, headline, report_text};
use chrono::{DateTime, Utc};
use std::time::SystemTime;

/// Rows of the table of lesions.
const MAX_LESIONS: usize = 8;
/// Warnings that are printed.
const MAX_WARNINGS: usize = 32;
/// Characters of a warning.
const MAX_WARNING_CHARS: usize = 1000;

/// Everything that is printed.
pub(super) struct Page<'a> {
    pub(super) summary: Summary<'a>,
    pub(super) pictures: Vec<ReportPicture>,
    pub(super) sides: Sides,
    pub(super) facts: Vec<Fact>,
    pub(super) patterns: Patterns,
    pub(super) language: Language,
    pub(super) created_at: SystemTime,
}

/// Colours are dark on white, so that the report reads the same on paper. A table or a picture is not divided between
/// pages.
const STYLE: &str = "<style>\
@page{size:A4;margin:11mm 12mm}\
*{box-sizing:border-box}\
body{margin:0 auto;padding:4mm;max-width:194mm;color:#111;background:#fff;font-family:Arial,Helvetica,sans-serif;line-height:1.3}\
@media print{body{padding:0;max-width:none}}\
.wide{font-size:9.5pt}.wide img{height:58mm}\
.dense{font-size:8pt}.dense img{height:46mm}\
.denser{font-size:6.5pt}.denser img{height:36mm}\
.wide .one img{height:100mm}\
h1{font-size:1.5em;margin:0}h2{font-size:1.1em;margin:.7em 0 .2em}p{margin:.3em 0}\
.caution{border:1.5pt solid #8a1c1c;padding:.3em .6em;font-weight:bold;color:#8a1c1c}\
.finding{font-size:1.2em;font-weight:bold}\
.pictures{display:flex;gap:3mm;margin:.5em 0;break-inside:avoid}\
figure{margin:0;flex:1 1 0;min-width:0}img{display:block;width:100%;object-fit:contain;background:#000}\
table{border-collapse:collapse;width:100%;break-inside:avoid}\
th,td{text-align:left;vertical-align:top;padding:.12em .5em .12em 0;border-bottom:.5pt solid #bbb}\
dl{columns:2;margin:.2em 0}dl div{break-inside:avoid}dt{display:inline;color:#444}dd{display:inline;margin:0}\
ul{margin:.2em 0;padding-left:1.3em}li,p,dd,td{overflow-wrap:anywhere}\
.source,.given{color:#444}\
</style>";

impl Page<'_> {
    /// The whole document.
    pub(super) fn write(&self) -> String {
        let language = self.language;
        let mut page = Markup::default();
        page.raw("<!doctype html>\n<html lang=\"")
            .text(language.code())
            .raw("\">\n<head>\n<meta charset=\"utf-8\">\n");
        // Nothing is loaded and nothing runs, whatever an input holds.
        page.raw(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
             style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n",
        );
        let title = language.of(
            "Report of Ichor: intracranial hemorrhage on CT",
            "Bericht von Ichor: intrakranielle Blutung im CT",
        );
        page.element("<title>", title, "</title>\n").raw(STYLE).raw("\n</head>\n");
        page.raw(self.density()).raw("<main>\n").element("<h1>", title, "</h1>\n");
        page.element("<p class=\"caution\">", disclaimer(language), "</p>\n");
        page.element("<p class=\"finding\">", &headline(&self.summary, language), "</p>\n");
        page.element("<p>", &self.paragraph(), "</p>\n");
        self.write_pictures(&mut page);
        self.write_lesions(&mut page);
        self.write_patterns(&mut page);
        self.write_facts(&mut page);
        self.write_warnings(&mut page);
        page.element("<p class=\"given\">", &self.given(), "</p>\n")
            .raw("</main>\n</body>\n</html>\n");
        page.into_string()
    }

    /// The paragraph without its first and last sentences, which stand above it.
    fn paragraph(&self) -> String {
        let text = report_text(&self.summary, self.language);
        let rest = text.strip_prefix(&headline(&self.summary, self.language)).unwrap_or(&text);
        rest.strip_suffix(disclaimer(self.language)).unwrap_or(rest).trim().to_owned()
    }

    fn write_pictures(&self, page: &mut Markup) {
        let language = self.language;
        let is_only = self.pictures.len() == 1;
        page.raw(if is_only {
            "<div class=\"pictures one\">\n"
        } else {
            "<div class=\"pictures\">\n"
        });
        for picture in &self.pictures {
            let caption = self.caption(picture);
            page.raw("<figure><img alt=\"").text(&caption).raw("\" width=\"");
            page.text(&picture.size[0].to_string())
                .raw("\" height=\"")
                .text(&picture.size[1].to_string());
            page.raw("\" src=\"").png(&picture.png).raw("\">");
            page.element("<figcaption>", &caption, "</figcaption></figure>\n");
        }
        let sides = match self.sides {
            Sides::Radiological => language.of(
                "The patient's left is at the right of the pictures.",
                "Links des Patienten ist rechts in den Bildern.",
            ),
            Sides::Mirrored => language.of(
                "The patient's left is at the left of the pictures.",
                "Links des Patienten ist links in den Bildern.",
            ),
            Sides::Unknown => language.of(
                "The file does not give the sides of the patient; they are named as if the patient's left were at the right \
                 of the pictures.",
                "Die Datei enthält die Seiten des Patienten nicht; sie sind benannt, als wäre links des Patienten rechts in \
                 den Bildern.",
            ),
        };
        page.raw("</div>\n").element("<p class=\"given\">", sides, "</p>\n");
    }

    fn caption(&self, picture: &ReportPicture) -> String {
        let language = self.language;
        let slice = self.summary.series_slices.map(|count| {
            let number = picture.slice + 1;
            language
                .of(format!("Slice {number} of {count}"), format!("Schicht {number} von {count}"))
        });
        let ids: Vec<String> =
            picture.lesions.iter().take(MAX_LESIONS).map(usize::to_string).collect();
        let lesions = match ids.len() {
            0 => language.of("nothing outlined", "nichts umrandet").to_owned(),
            1 => language.of(format!("lesion {}", ids[0]), format!("Bereich {}", ids[0])),
            _ => language
                .of(format!("lesions {}", ids.join(", ")), format!("Bereiche {}", ids.join(", "))),
        };
        let parts: Vec<String> = slice.into_iter().chain([lesions]).collect();
        parts.join(", ")
    }

    fn write_lesions(&self, page: &mut Markup) {
        let (language, all) = (self.language, &self.summary.lesions);
        if all.is_empty() {
            return;
        }
        page.element(
            "<h2>",
            language.of("Outlined lesions", "Umrandete Bereiche"),
            "</h2>\n<table>\n<thead><tr>",
        );
        let shown = &all[..all.len().min(MAX_LESIONS)];
        let columns = lesion_columns(&self.summary, shown, language);
        for column in &columns {
            page.element("<th scope=\"col\">", column.heading, "</th>");
        }
        page.raw("</tr></thead>\n<tbody>\n");
        for row in 0..shown.len() {
            page.raw("<tr>");
            for value in columns.iter().filter_map(|column| column.values.get(row)) {
                page.element("<td>", value, "</td>");
            }
            page.raw("</tr>\n");
        }
        page.raw("</tbody>\n</table>\n");
        let rest = all.len() - shown.len();
        if rest > 0 {
            let more = language
                .of(format!("Smaller lesions: {rest}."), format!("Kleinere Bereiche: {rest}."));
            page.element("<p>", &more, "</p>\n");
        }
    }

    fn write_patterns(&self, page: &mut Markup) {
        let language = self.language;
        if self.patterns.is_empty() {
            return;
        }
        let heading = language.of(
            "Consider (from the literature, not predicted from the image)",
            "Zu bedenken (aus der Literatur, nicht aus dem Bild vorhergesagt)",
        );
        page.element("<h2>", heading, "</h2>\n<ul>\n");
        for pattern in self.patterns.iter() {
            let sources: Vec<String> =
                pattern.sources.iter().map(|source| source.in_words()).collect();
            page.element("<li>", &pattern.in_words(language), " ");
            page.element("<span class=\"source\">", &sources.join("; "), "</span></li>\n");
        }
        page.raw("</ul>\n");
    }

    fn write_facts(&self, page: &mut Markup) {
        page.element(
            "<h2>",
            self.language.of("Image and model", "Bild und Modell"),
            "</h2>\n<dl>\n",
        );
        for (name, value) in &self.facts {
            page.element("<div><dt>", name, ": </dt>").element("<dd>", value, "</dd></div>\n");
        }
        page.raw("</dl>\n");
    }

    fn write_warnings(&self, page: &mut Markup) {
        let (language, all) = (self.language, self.summary.warnings);
        if all.is_empty() {
            return;
        }
        page.element(
            "<h2>",
            language.of("Warnings", "Warnungen (englisch)"),
            "</h2>\n<ul lang=\"en\">\n",
        );
        for Warning { message, .. } in all.iter().take(MAX_WARNINGS) {
            page.raw("<li>").text_up_to(message, MAX_WARNING_CHARS).raw("</li>\n");
        }
        page.raw("</ul>\n");
        let rest = all.len().saturating_sub(MAX_WARNINGS);
        if rest > 0 {
            let more = language.of(
                format!("More warnings in the JSON report: {rest}."),
                format!("Weitere Warnungen im JSON-Bericht: {rest}."),
            );
            page.element("<p>", &more, "</p>\n");
        }
    }

    /// What the report holds and leaves out.
    fn given(&self) -> String {
        let time = DateTime::<Utc>::from(self.created_at).format("%Y-%m-%d %H:%M UTC");
        self.language.of(
            format!(
                "Written {time}. Slices are counted from 1. This report holds no name, identifier or file name; the pictures \
                 show the pixels of the input as they are."
            ),
            format!(
                "Geschrieben {time}. Schichten sind ab 1 gezählt. Dieser Bericht enthält keinen Namen, keine Kennung und keinen \
                 Dateinamen; die Bilder zeigen die Pixel der Eingabe, wie sie sind."
            ),
        )
    }

    /// The size of letters and pictures with which the report fits one page of A4, by an estimate of its lines.
    fn density(&self) -> &'static str {
        // Characters per line over the width of 186 mm, and lines that the height of 275 mm leaves beside headings and
        // pictures; measured in Chromium with the style above.
        const WIDE: [usize; 2] = [105, 30];
        const DENSE: [usize; 2] = [125, 46];
        // A single picture is 42 mm higher, ten lines.
        let higher = if self.pictures.len() == 1 { 10 } else { 0 };
        if self.lines(WIDE[0]) + higher <= WIDE[1] {
            "<body class=\"wide\">\n"
        } else if self.lines(DENSE[0]) <= DENSE[1] {
            "<body class=\"dense\">\n"
        } else {
            "<body class=\"denser\">\n"
        }
    }

    /// Lines of the texts and tables, with `width` characters per line.
    fn lines(&self, width: usize) -> usize {
        let of = |characters: usize| characters.div_ceil(width).max(1);
        let paragraph = of(self.paragraph().chars().count());
        // A row takes two lines where the words of its type are broken.
        let lesions = 2 * self.summary.lesions.len().min(MAX_LESIONS + 1);
        let source =
            |pattern: &Pattern| pattern.sources.iter().map(|s| s.in_words().len()).sum::<usize>();
        let patterns = self
            .patterns
            .iter()
            .map(|pattern| of(pattern.in_words(self.language).chars().count() + source(&pattern)));
        let warnings = self.summary.warnings.iter().take(MAX_WARNINGS);
        let warnings =
            warnings.map(|warning| of(warning.message.chars().count().min(MAX_WARNING_CHARS)));
        let facts = self.facts.len().div_ceil(2);
        paragraph + lesions + patterns.sum::<usize>() + warnings.sum::<usize>() + facts
    }
}
