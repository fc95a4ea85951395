//! Hostile text inside a reason: shortened, on one line, with nothing that moves a cursor or turns
//! the direction of reading.

use document::escape_into;

/// The most characters of a text that a reason shows.
const SHOWN: usize = 80;
/// How many characters before the place of interest are shown.
const BEFORE: usize = 24;

/// Returns the start of a text in quotes.
pub(crate) fn quote(text: &str) -> String {
    quote_at(text, 0)
}

/// Returns the surroundings of the character `at` in quotes.
pub(crate) fn quote_at(text: &str, at: usize) -> String {
    let start = if at + BEFORE < SHOWN { 0 } else { at - BEFORE };
    let mut chars = text.chars().skip(start);
    let mut quoted = String::from(if start > 0 { "\"…" } else { "\"" });
    for symbol in chars.by_ref().take(SHOWN) {
        match symbol {
            '"' => quoted.push_str("\\\""),
            other => escape_into(&mut quoted, other),
        }
    }
    let more = chars.count();
    if more == 0 {
        quoted.push('"');
    } else {
        quoted.push_str(&format!("…\" and {more} more characters"));
    }
    quoted
}

/// Returns a text on one line, with at most `most` characters.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let mut short = String::new();
    let mut room = most.saturating_sub(1);
    for symbol in text.chars() {
        let before = short.len();
        escape_into(&mut short, symbol);
        let used = short[before..].chars().count();
        if used > room {
            short.truncate(before);
            short.push('…');
            return short;
        }
        room -= used;
    }
    short
}

/// Where a byte of a text is, as a person reads it: `line 2, column 5`.
pub(crate) fn place(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use document::is_deceptive;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_deceive_is_escaped() {
        assert_eq!(quote("a\u{202E}b\u{1b}[31m\n\"c\""), r#""a\u{202e}b\u{1b}[31m\n\"c\"""#);
    }

    #[test]
    fn a_long_text_is_shown_around_the_place() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let shown = quote_at(&text, 500);
        assert!(shown.starts_with("\"…aaa") && shown.contains("aXb"), "{shown}");
        assert!(shown.ends_with("…\" and 445 more characters"), "{shown}");
    }

    #[test]
    fn places_count_lines_and_characters() {
        assert_eq!(place("ä\nöx", 5), "line 2, column 2");
    }

    proptest! {
        #[test]
        fn a_shortened_text_is_one_line_and_bounded(text in "\\PC{0,40}|[\u{0}-\u{20}\u{202e}]{0,40}", most in 1usize..50) {
            let short = shorten(&text, most);
            prop_assert!(short.chars().count() <= most);
            prop_assert!(!short.chars().any(is_deceptive));
        }
    }
}
