/// Tells whether a character could change how the rest of a line is shown: a control character, or
/// one that turns the direction of reading, ends the line, cannot be seen, or can hide a text (tags).
pub fn is_deceptive(symbol: char) -> bool {
    symbol.is_control()
        || matches!(
            symbol,
            '\u{AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
                | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}'
        )
}

/// Adds a character to a text that is shown on one line; one that [`is_deceptive`] is escaped, as in
/// `\n` and `\u{202e}`.
pub fn escape_into(text: &mut String, symbol: char) {
    match symbol {
        '\n' => text.push_str("\\n"),
        '\t' => text.push_str("\\t"),
        '\r' => text.push_str("\\r"),
        other if is_deceptive(other) => text.extend(other.escape_unicode()),
        other => text.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_made_visible_and_nothing_else_is_touched() {
        let mut shown = String::new();
        "é\n\u{202E}\u{2066}\u{200F}\u{feff}\u{7}\u{9b}\u{ad}\u{e0041}🙂"
            .chars()
            .for_each(|symbol| escape_into(&mut shown, symbol));
        assert_eq!(
            shown,
            "é\\n\\u{202e}\\u{2066}\\u{200f}\\u{feff}\\u{7}\\u{9b}\\u{ad}\\u{e0041}🙂"
        );
    }
}
