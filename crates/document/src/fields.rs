use crate::yaml::{Entry, Node, Yaml};
use crate::{Diagnostics, Severity, Span};

/// Reads a mapping key by key, remembers which keys exist, and reports the rest.
///
/// Each getter adds its own diagnostic and returns `None` when the value is of another kind, so a
/// reader goes on and finds everything that is wrong.
#[derive(Debug)]
pub struct Fields<'n> {
    span: Span,
    place: String,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens a mapping. `place` says what it is in messages ("a check", "`models`").
    ///
    /// Nothing (`key:` with no value) counts as an empty mapping; any other kind is an error.
    pub fn open(node: &'n Node, place: &str, diagnostics: &mut Diagnostics) -> Option<Self> {
        let entries: &[Entry] = match &node.value {
            Yaml::Mapping(entries) => entries,
            Yaml::Null => &[],
            _ => {
                let message = format!("{place} must be a mapping, found {}", node.kind());
                diagnostics.error("wrong-kind", node.span, message);
                return None;
            }
        };
        Some(Self { span: node.span, place: place.to_owned(), entries, known: Vec::new() })
    }

    /// Returns the span of the whole mapping.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Returns the value of a key as it stands.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Returns the value of a key; its absence is an error.
    pub fn required(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} needs the key `{key}`", self.place);
            diagnostics.error("missing-key", self.span, message);
        }
        found
    }

    /// Returns the text of a key.
    pub fn text(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<&'n str> {
        let node = self.get(key)?;
        let text = node.as_str();
        self.expect(text, key, "text", node, diagnostics)
    }

    /// Returns the truth value of a key.
    pub fn bool(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<bool> {
        let node = self.get(key)?;
        let found = if let Yaml::Bool(bool) = node.value { Some(bool) } else { None };
        self.expect(found, key, "true or false", node, diagnostics)
    }

    /// Returns the number of a key.
    pub fn number(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<f64> {
        let node = self.get(key)?;
        let found = if let Yaml::Number(number) = &node.value { number.as_f64() } else { None };
        self.expect(found, key, "a number", node, diagnostics)
    }

    /// Returns the whole, non-negative number of a key.
    pub fn count(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<u64> {
        let node = self.get(key)?;
        let found = if let Yaml::Number(number) = &node.value { number.as_u64() } else { None };
        self.expect(found, key, "a whole number, 0 or more", node, diagnostics)
    }

    /// Returns the items of a key that holds a list.
    pub fn list(&mut self, key: &'static str, diagnostics: &mut Diagnostics) -> Option<&'n [Node]> {
        let node = self.get(key)?;
        let found = node.items();
        self.expect(found, key, "a list", node, diagnostics)
    }

    /// Returns the entries of a key that holds a mapping.
    pub fn mapping(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'n [Entry]> {
        let node = self.get(key)?;
        let found = node.entries();
        self.expect(found, key, "a mapping", node, diagnostics)
    }

    fn expect<T>(
        &self,
        found: Option<T>,
        key: &str,
        expected: &str,
        node: &Node,
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        if found.is_none() {
            let message =
                format!("`{key}` of {} must be {expected}, found {}", self.place, node.kind());
            diagnostics.error("wrong-kind", node.span, message);
        }
        found
    }

    /// Returns the entries that were not asked for, where unknown keys are kept.
    pub fn rest(self) -> impl Iterator<Item = &'n Entry> {
        let known = self.known;
        self.entries.iter().filter(move |entry| !known.contains(&entry.key.as_str()))
    }

    /// Warns of every key that was not asked for, with the nearest one that was.
    pub fn warn_unknown(self, diagnostics: &mut Diagnostics) {
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let message = format!("unknown key `{}` in {}", entry.key, self.place);
            match nearest(&entry.key, &self.known) {
                Some(near) => diagnostics.warning_with_hint(
                    "unknown-key",
                    entry.key_span,
                    message,
                    format!("did you mean `{near}`?"),
                ),
                None => diagnostics.warning("unknown-key", entry.key_span, message),
            }
        }
    }
}

/// More names than this are not listed in a hint.
const MAX_LISTED: usize = 12;

/// Reports a name that refers to nothing, with what may have been meant; tells whether it refers to
/// something. `what` is the kind of thing ("criterion"), also in the finding's code
/// (`unknown-criterion`).
pub fn refer<'n>(
    what: &str,
    name: &str,
    span: Span,
    known: impl IntoIterator<Item = &'n str>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let known: Vec<_> = known.into_iter().collect();
    if known.contains(&name) {
        return true;
    }
    let (code, message) = (format!("unknown-{what}"), format!("there is no {what} `{name}`"));
    let hint = match nearest(name, &known) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if known.is_empty() || known.len() > MAX_LISTED => None,
        None => Some(format!("there are {}", known.join(", "))),
    };
    diagnostics.add(Severity::Error, &code, span, message, hint);
    false
}

/// Returns the candidate that a slip of the fingers may have meant.
pub fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceText, yaml};

    #[test]
    fn every_problem_is_found_in_one_pass() {
        let text = "nmae: x\nweight: heavy\n";
        let mut diagnostics = Diagnostics::new(SourceText::new("e.yaml", text));
        let node = yaml::parse(Span::new(0, text.len()), &mut diagnostics).unwrap();
        let mut fields = Fields::open(&node, "a check", &mut diagnostics).unwrap();
        assert!(fields.required("name", &mut diagnostics).is_none());
        assert!(fields.number("weight", &mut diagnostics).is_none());
        fields.warn_unknown(&mut diagnostics);
        let found = diagnostics.into_vec();
        let codes: Vec<_> = found.iter().map(|found| found.code.as_str()).collect();
        assert_eq!(codes, ["missing-key", "unknown-key", "wrong-kind"]);
        assert_eq!(found[1].hint.as_deref(), Some("did you mean `name`?"));
        assert_eq!(found[2].position.unwrap().line, 2);
    }

    #[test]
    fn a_name_that_refers_to_nothing_comes_with_what_there_is() {
        let hint = |name: &str, known: &[&str]| {
            let mut diagnostics = Diagnostics::new(SourceText::new("e.yaml", ""));
            let known = known.iter().copied();
            let refers = refer("judge", name, Span::new(0, 0), known, &mut diagnostics);
            let found = diagnostics.into_vec();
            assert_eq!(found.is_empty(), refers);
            found.into_iter().next().and_then(|one| one.hint)
        };
        assert_eq!(hint("a", &["a"]), None);
        assert_eq!(hint("tune", &["tone"]).unwrap(), "did you mean `tone`?");
        assert_eq!(hint("x", &["tone", "facts"]).unwrap(), "there are tone, facts");
        assert_eq!(hint("x", &[]), None);
        assert_eq!(hint("x", &["many"; 13]), None);
    }
}
