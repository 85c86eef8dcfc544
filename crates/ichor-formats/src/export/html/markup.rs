//! HTML that is built from fixed markup and escaped texts only.

use base64::Engine as _;

/// A document in the making. Markup must be known when the program is compiled; every other text is escaped, so that no
/// value of an input can become markup.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Adds fixed markup.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a text, escaped for content and for quoted attributes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(' '),
                other if is_unprintable(other) => self.0.push('\u{fffd}'),
                other => self.0.push(other),
            }
        }
        self
    }

    /// Adds at most `max_chars` characters of a text; three dots where more follow.
    pub(super) fn text_up_to(&mut self, text: &str, max_chars: usize) -> &mut Self {
        match text.char_indices().nth(max_chars) {
            Some((end, _)) => self.text(&text[..end]).text("…"),
            None => self.text(text),
        }
    }

    /// Adds an element of fixed markup around a text.
    pub(super) fn element(
        &mut self,
        open: &'static str,
        text: &str,
        close: &'static str,
    ) -> &mut Self {
        self.raw(open).text(text).raw(close)
    }

    /// Adds a PNG as the value of an attribute.
    pub(super) fn png(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.push_str("data:image/png;base64,");
        base64::engine::general_purpose::STANDARD.encode_string(bytes, &mut self.0);
        self
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Control characters, and those that change the direction of the text around them (Unicode Standard Annex 9).
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut markup = Markup::default();
        markup.raw("<p title=\"").text("\"><script>alert('&')</script>\u{0}\u{202e}\n").raw("\">");
        let expected = "<p title=\"&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;\u{fffd}\u{fffd} \">";
        assert_eq!(markup.into_string(), expected);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut markup = Markup::default();
        markup.text_up_to("äöü", 2).text_up_to("äöü", 3);
        assert_eq!(markup.into_string(), "äö…äöü");
    }
}
