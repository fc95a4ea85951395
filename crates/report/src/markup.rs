//! Writing XML, and HTML that is also XML: tags close in their order and every text is escaped.

use crate::safe::visible;

/// A document that is being written.
#[derive(Default)]
pub(crate) struct Markup {
    out: String,
    open: Vec<&'static str>,
}

/// An attribute's name and value.
pub(crate) type Attribute<'a> = (&'a str, &'a str);

impl Markup {
    /// Begins a document with its first line.
    pub(crate) fn new(first: &str) -> Self {
        Self { out: format!("{first}\n"), open: Vec::new() }
    }

    /// Opens an element.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.tag(tag, attributes);
        self.out.push('>');
        self.open.push(tag);
    }

    /// Closes the element that was opened last.
    pub(crate) fn close(&mut self) {
        let tag = self.open.pop().expect("each close has its open");
        self.out.push_str(&format!("</{tag}>"));
        if !INLINE.contains(&tag) {
            self.out.push('\n');
        }
    }

    /// Writes an element that is empty.
    pub(crate) fn void(&mut self, tag: &'static str, attributes: &[Attribute<'_>]) {
        self.tag(tag, attributes);
        self.out.push_str(" />\n");
    }

    /// Writes an element that holds a text.
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.open(tag, attributes);
        self.text(text);
        self.close();
    }

    /// Writes a text, made visible and escaped.
    pub(crate) fn text(&mut self, text: &str) {
        self.out.push_str(&escaped(text));
    }

    /// Writes what is markup already: a style sheet or a plot of this crate.
    pub(crate) fn markup(&mut self, ready: &str) {
        self.out.push_str(ready);
    }

    /// Ends the document.
    pub(crate) fn finish(self) -> String {
        assert!(self.open.is_empty(), "every element is closed");
        self.out
    }

    fn tag(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.out.push_str(&format!("<{tag}"));
        for (name, value) in attributes {
            let value = escaped(value).replace('\n', "&#10;").replace('\t', "&#9;");
            self.out.push_str(&format!(" {name}=\"{value}\""));
        }
    }
}

/// Elements that stand within a line.
const INLINE: [&str; 11] =
    ["a", "b", "bdi", "code", "del", "ins", "span", "strong", "small", "summary", "title"];

/// Returns a text in which nothing is markup and everything can be seen.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
