use document::Span;

/// A place in the template's text, from which the parser reads.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    /// The byte of the whole file at which `text` starts.
    base: usize,
    at: usize,
}

/// Characters that end a name; the rest of Unicode may stand in one.
const NOT_IN_NAMES: &str = "!\"#%&'()*+,./;<=>@[\\]^`{|}~";

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, base: usize) -> Self {
        Self { text, base, at: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Returns the byte of the whole file.
    pub(super) fn offset(&self) -> usize {
        self.base + self.at
    }

    pub(super) fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.offset())
    }

    /// Returns the character here, or an empty span at the end.
    pub(super) fn span_here(&self) -> Span {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Span::new(self.offset(), self.offset() + length)
    }

    /// Goes on by `bytes`, which must end on a character.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Takes `wanted` if it stands here.
    pub(super) fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    pub(super) fn starts_with(&self, wanted: &str) -> bool {
        self.rest().starts_with(wanted)
    }

    pub(super) fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes everything before `end`, and `end`; takes nothing if `end` does not come.
    pub(super) fn take_until(&mut self, end: &str) -> Option<&'t str> {
        let rest = self.rest();
        let length = rest.find(end)?;
        self.at += length + end.len();
        Some(&rest[..length])
    }

    /// Returns the name that stands here, empty if there is none.
    pub(super) fn peek_name(&self) -> &'t str {
        let rest = self.rest();
        let ends = |character: char| character.is_whitespace() || NOT_IN_NAMES.contains(character);
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    /// Tells whether the word `wanted` stands here, and is not the start of a longer one.
    pub(super) fn is_at_word(&self, wanted: &str) -> bool {
        self.peek_name() == wanted
    }
}
