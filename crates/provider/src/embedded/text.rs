/// The text of an answer as it grows token by token, with the strings that end it.
///
/// A token may end in the middle of a character or of a stop string; both are looked for in the
/// joined bytes.
#[derive(Debug, Default)]
pub(super) struct GrowingText {
    bytes: Vec<u8>,
    /// Where each token starts.
    starts: Vec<usize>,
    stops: Vec<Vec<u8>>,
    cut: Option<usize>,
}

impl GrowingText {
    pub(super) fn new(stops: &[String]) -> Self {
        let stops = stops.iter().map(|stop| stop.as_bytes().to_vec()).collect();
        Self { stops, ..Self::default() }
    }

    /// Appends a token's bytes; tells whether a stop string is now complete.
    pub(super) fn push(&mut self, piece: &[u8]) -> bool {
        let longest = self.stops.iter().map(Vec::len).max().unwrap_or(0);
        let from = (self.bytes.len() + 1).saturating_sub(longest);
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(piece);
        let tail = &self.bytes[from.min(self.bytes.len())..];
        self.cut = self.stops.iter().filter_map(|stop| find(tail, stop)).min().map(|at| from + at);
        self.cut.is_some()
    }

    /// Returns the number of tokens that contribute to the text before a stop string.
    pub(super) fn visible_tokens(&self) -> usize {
        let end = self.cut.unwrap_or(usize::MAX);
        self.starts.iter().take_while(|start| **start < end).count()
    }

    /// Returns the text before any stop string. A character that a limit cut in two is left out;
    /// bytes that are no UTF-8 at all become U+FFFD.
    pub(super) fn into_text(mut self) -> String {
        if let Some(cut) = self.cut {
            self.bytes.truncate(cut);
        }
        if let Err(error) = std::str::from_utf8(&self.bytes)
            && error.error_len().is_none()
        {
            self.bytes.truncate(error.valid_up_to());
        }
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grow(stops: &[&str], pieces: &[&[u8]]) -> (bool, usize, String) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut text = GrowingText::new(&stops);
        let stopped = pieces.iter().any(|piece| text.push(piece));
        (stopped, text.visible_tokens(), text.into_text())
    }

    #[test]
    fn a_stop_string_over_three_tokens_is_found_and_left_out() {
        let found = grow(&["###"], &[b"yes #", b"#", b"# no"]);
        assert_eq!(found, (true, 1, "yes ".to_owned()));
    }

    #[test]
    fn the_earliest_of_several_stop_strings_cuts() {
        assert_eq!(grow(&["world", "lo w"], &[b"hello world"]), (true, 1, "hel".to_owned()));
    }

    #[test]
    fn half_a_character_at_the_end_is_left_out_and_whole_ones_survive_the_join() {
        assert_eq!(grow(&[], &[b"a\xc3", b"\xa9\xe2\x82"]).2, "aé");
        assert_eq!(grow(&[], &[b"a\xffb"]).2, "a\u{fffd}b");
    }

    proptest! {
        #[test]
        fn cutting_does_not_depend_on_where_tokens_end(
            text in "[ab#]{0,24}",
            stop in "[ab#]{1,3}",
            size in 1usize..6,
        ) {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let expected = text.split(&stop).next().unwrap_or_default();
            prop_assert_eq!(grow(&[&stop], &pieces).2, expected);
        }
    }
}
