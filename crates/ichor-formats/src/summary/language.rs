//! The languages of texts for readers.

use serde::{Deserialize, Serialize};

/// A language of the printed report and of its paragraph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
}

impl Language {
    /// Its code (ISO 639-1), such as `en`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of a code; `None` for another one.
    ///
    /// ```
    /// use ichor_formats::summary::Language;
    ///
    /// assert_eq!(Language::from_code("de"), Some(Language::German));
    /// assert_eq!(Language::from_code("fr"), None);
    /// ```
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::English, Self::German].into_iter().find(|language| language.code() == code)
    }

    /// The one of two texts that is in this language.
    pub(crate) fn of<T>(self, english: T, german: T) -> T {
        match self {
            Self::English => english,
            Self::German => german,
        }
    }

    /// A number with this many decimals, and the decimal mark of the language.
    pub(crate) fn number(self, value: f32, decimals: usize) -> String {
        let text = format!("{value:.decimals$}");
        self.of(text.clone(), text.replace('.', ","))
    }

    /// Millilitres: two decimals below one, so that small volumes differ from zero; one above.
    pub(crate) fn millilitres(self, value: f32) -> String {
        let decimals = if value > 0.0 && value < 1.0 { 2 } else { 1 };
        format!("{}\u{a0}mL", self.number(value, decimals))
    }

    /// A probability of 0 to 1 in percent; never 0 % or 100 %, which would claim certainty.
    pub(crate) fn percent(self, probability: f32) -> String {
        if probability < 0.01 {
            "<\u{a0}1\u{a0}%".into()
        } else if probability > 0.99 {
            ">\u{a0}99\u{a0}%".into()
        } else {
            format!("{:.0}\u{a0}%", probability * 100.0)
        }
    }
}

/// A text in each language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Translated<T> {
    /// English.
    pub en: T,
    /// German.
    pub de: T,
}

impl<T: Copy> Translated<T> {
    /// The text in `language`.
    pub fn in_language(&self, language: Language) -> T {
        language.of(self.en, self.de)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_decimal_mark_of_the_language() {
        assert_eq!(Language::English.millilitres(12.44), "12.4\u{a0}mL");
        assert_eq!(Language::German.millilitres(0.456), "0,46\u{a0}mL");
        assert_eq!(Language::German.number(3.0, 0), "3");
    }

    #[test]
    fn no_probability_is_written_as_certain() {
        let texts = [0.0, 0.004, 0.5, 0.996, 1.0].map(|p| Language::English.percent(p));
        let plain = texts.map(|text| text.replace('\u{a0}', ""));
        assert_eq!(plain, ["<1%", "<1%", "50%", ">99%", ">99%"]);
    }
}
