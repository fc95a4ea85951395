//! Text that came from a model, a case or a person: made visible, and bounded.
//!
//! What a renderer escapes for its format (`<`, `|`, `"`) is its own business; what no format can
//! show honestly is replaced here, once for all of them.

use document::is_deceptive;

use crate::number::counted;

/// The beginning of a text, and how much of it is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// What is shown, free of control characters but for line ends and tabs.
    pub(crate) text: String,
    /// The characters that are not.
    pub(crate) left_out: usize,
}

impl Excerpt {
    /// Returns what is to be said about what is not shown, if anything is not.
    pub(crate) fn remark(&self) -> Option<String> {
        (self.left_out > 0).then(|| format!("… {}", counted(self.left_out, "more character")))
    }
}

/// Returns at most `characters` of a text, made visible; lines are kept.
pub(crate) fn excerpt(text: &str, characters: usize) -> Excerpt {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let shown = text[..end].replace("\r\n", "\n");
    Excerpt { text: visible(&shown), left_out: text[end..].chars().count() }
}

/// Returns a text as one line of at most `characters`, made visible; what is cut ends in `…`.
pub(crate) fn one_line(text: &str, characters: usize) -> String {
    let mut line = String::new();
    let mut shown = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() {
            gap = !line.is_empty();
            continue;
        }
        if shown + usize::from(gap) >= characters {
            line.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            line.push(' ');
            shown += 1;
        }
        push_visible(&mut line, character);
        shown += 1;
    }
    line
}

/// Returns a text in which characters that cannot be seen, or that change how others are seen, are
/// written as `\u{…}`. Line ends and tabs stay.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    shown
}

fn push_visible(shown: &mut String, character: char) {
    if is_hidden(character) {
        shown.extend(character.escape_unicode());
    } else {
        shown.push(character);
    }
}

/// Tells of what could deceive, or what XML cannot hold. Line ends and tabs are laid out here, and the
/// joiners hold emoji and several scripts together.
fn is_hidden(character: char) -> bool {
    !matches!(character, '\n' | '\t' | '\u{200c}' | '\u{200d}') && is_deceptive(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(visible("a\u{1b}[31m\0\tb\n"), "a\\u{1b}[31m\\u{0}\tb\n");
        assert_eq!(visible("\u{202e}gnp\u{2066}.exe"), "\\u{202e}gnp\\u{2066}.exe");
        assert_eq!(visible("\u{e0041}\u{fffe}"), "\\u{e0041}\\u{fffe}");
        assert_eq!(visible("👩\u{200d}🔬 é ‡ 日本"), "👩\u{200d}🔬 é ‡ 日本");
    }

    #[test]
    fn an_excerpt_says_how_much_is_missing() {
        let long = "é".repeat(1_000_000);
        let cut = excerpt(&long, 10);
        assert_eq!(cut.text, "é".repeat(10));
        assert_eq!(cut.remark().unwrap(), "… 999,990 more characters");
        assert_eq!(excerpt("a\r\nb", 9), Excerpt { text: "a\nb".to_owned(), left_out: 0 });
    }

    #[test]
    fn one_line_has_single_spaces_and_an_end() {
        assert_eq!(one_line("  a\n\n b\tc  ", 9), "a b c");
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(one_line("ab cd", 3), "ab…");
    }
}
