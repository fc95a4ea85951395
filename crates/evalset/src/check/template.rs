//! `{{expected}}` and inputs inside a check's values: small, strict, and resolved once.
//!
//! What a placeholder brings in is never read for placeholders again, so an input that contains
//! `{{expected}}` stays that text.

use serde_json::{Map, Value};

/// What a case binds: its inputs, and what it expects if it says so.
#[derive(Debug, Clone, Copy)]
pub struct Bindings<'a> {
    /// The case's inputs by name.
    pub inputs: &'a Map<String, Value>,
    /// What the case expects.
    pub expected: Option<&'a Value>,
}

/// Why a template does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("`{{{{` is never closed; write `\\{{{{` for two literal braces")]
    Unclosed,
    /// The braces do not hold a name.
    #[error("`{{{{{0}}}}}` is not a name: expected `expected`, `input.NAME` or `NAME`")]
    NotAName(String),
}

/// Why a template has no value for a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The case has no `expected`.
    #[error("the check uses `{{{{{0}}}}}`, but the case has no `expected`")]
    NoExpected(String),
    /// The case does not bind the input.
    #[error(
        "the check uses `{{{{{name}}}}}`, but the case binds no input `{input}` (it has {known})"
    )]
    UnknownInput {
        /// The placeholder.
        name: String,
        /// The input that it names.
        input: String,
        /// The inputs that there are, for the message.
        known: String,
    },
    /// The value has no such part.
    #[error("the check uses `{{{{{name}}}}}`, but there is no `{key}` in it")]
    NoSuchPart {
        /// The placeholder.
        name: String,
        /// The step that leads nowhere.
        key: String,
    },
    /// A text is needed and the value is none.
    #[error("the check needs text, but `{{{{{name}}}}}` is {kind} in this case")]
    NotText {
        /// The placeholder.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// A list of texts is needed and the value is none.
    #[error("the check needs a list of texts, but `{{{{{name}}}}}` is {kind} in this case")]
    NotAList {
        /// The placeholder.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// A number is needed and the text is none.
    #[error("the check needs a number, but its value is `{0}` in this case")]
    NotANumber(String),
    /// A text that every output contains.
    #[error("`{{{{{0}}}}}` is empty in this case, and every output contains empty text")]
    Empty(String),
    /// A pattern that is valid with other values is not with these.
    #[error("the pattern does not compile with this case's values: {0}")]
    Pattern(String),
}

/// A reference to a value of the case: `expected`, `input.x` or `x`, each with further `.key` steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    source: String,
    input: Option<String>,
    steps: Vec<String>,
}

impl Placeholder {
    fn parse(inner: &str) -> Result<Self, TemplateError> {
        let bad = || TemplateError::NotAName(inner.chars().take(80).collect());
        let source = inner.trim();
        let is_word = |word: &str| {
            let more = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            !word.is_empty() && word.chars().all(more)
        };
        let mut words: Vec<String> = source.split('.').map(str::to_owned).collect();
        if !words.iter().all(|word| is_word(word)) {
            return Err(bad());
        }
        let first = words.remove(0);
        let input = match first.as_str() {
            "expected" => None,
            "input" if words.is_empty() => return Err(bad()),
            "input" => Some(words.remove(0)),
            _ => Some(first),
        };
        Ok(Self { source: source.to_owned(), input, steps: words })
    }

    /// Returns the placeholder as it was written, without its braces.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the input's name, or `None` if this refers to `expected`.
    pub fn input(&self) -> Option<&str> {
        self.input.as_deref()
    }

    /// Returns the value that the case binds.
    ///
    /// # Errors
    /// The case binds nothing of this name.
    pub fn resolve<'a>(&self, bindings: Bindings<'a>) -> Result<&'a Value, ResolveError> {
        let name = || self.source.clone();
        let mut value = match &self.input {
            None => bindings.expected.ok_or_else(|| ResolveError::NoExpected(name()))?,
            Some(input) => {
                bindings.inputs.get(input).ok_or_else(|| ResolveError::UnknownInput {
                    name: name(),
                    input: input.clone(),
                    known: known(bindings.inputs),
                })?
            }
        };
        for step in &self.steps {
            let next = match value {
                Value::Object(map) => map.get(step),
                Value::Array(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
                _ => None,
            };
            value =
                next.ok_or_else(|| ResolveError::NoSuchPart { name: name(), key: step.clone() })?;
        }
        Ok(value)
    }

    fn resolve_text(&self, bindings: Bindings<'_>) -> Result<String, ResolveError> {
        let value = self.resolve(bindings)?;
        scalar_text(value).ok_or_else(|| ResolveError::NotText {
            name: self.source.clone(),
            kind: json_kind(value),
        })
    }
}

fn known(inputs: &Map<String, Value>) -> String {
    const SHOWN: usize = 8;
    if inputs.is_empty() {
        return "none".to_owned();
    }
    let mut names: Vec<String> =
        inputs.keys().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if inputs.len() > SHOWN {
        names.push(format!("{} more", inputs.len() - SHOWN));
    }
    names.join(", ")
}

/// Returns what kind of JSON value this is, for a message ("found an object").
pub fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Returns the text of a value that has one: text as it is, a number or a truth value as JSON.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Placeholder(Placeholder),
}

/// A text with placeholders. `\{{` stands for two literal braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplate {
    source: String,
    pieces: Vec<Piece>,
}

impl TextTemplate {
    /// Parses a text.
    ///
    /// # Errors
    /// A placeholder is not closed or is not a name.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(at) = rest.find("{{") {
            if let Some(before) = rest[..at].strip_suffix('\\') {
                literal.push_str(before);
                literal.push_str("{{");
                rest = &rest[at + 2..];
                continue;
            }
            literal.push_str(&rest[..at]);
            let inner = &rest[at + 2..];
            let end = inner.find("}}").ok_or(TemplateError::Unclosed)?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Placeholder(Placeholder::parse(&inner[..end])?));
            rest = &inner[end + 2..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { source: source.to_owned(), pieces })
    }

    /// Returns the template as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the text if it is the same for every case.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the placeholder that is the whole template, if it is one.
    fn whole(&self) -> Option<&Placeholder> {
        match self.pieces.as_slice() {
            [Piece::Placeholder(placeholder)] => Some(placeholder),
            _ => None,
        }
    }

    /// Returns the placeholders in the order of the text.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder(placeholder) => Some(placeholder),
            Piece::Literal(_) => None,
        })
    }

    /// Returns the text for a case.
    ///
    /// # Errors
    /// A placeholder has no value, or one that is not text, a number or a truth value.
    pub fn resolve(&self, bindings: Bindings<'_>) -> Result<String, ResolveError> {
        self.resolve_with(bindings, str::to_owned)
    }

    /// As [`Self::resolve`]; an empty text is an error, for checks that it would make meaningless.
    ///
    /// # Errors
    /// As [`Self::resolve`], and for empty text.
    pub fn resolve_filled(&self, bindings: Bindings<'_>) -> Result<String, ResolveError> {
        let text = self.resolve(bindings)?;
        if text.is_empty() {
            let name = self.placeholders().next().map_or("", |first| &first.source);
            return Err(ResolveError::Empty(name.to_owned()));
        }
        Ok(text)
    }

    pub(super) fn resolve_with(
        &self,
        bindings: Bindings<'_>,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, ResolveError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Placeholder(name) => text.push_str(&escape(&name.resolve_text(bindings)?)),
            }
        }
        Ok(text)
    }

    /// Returns the text with `stand_in` for every placeholder, to see whether its form can be right.
    pub(super) fn with_stand_in(&self, stand_in: &str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(literal) => literal.clone(),
            Piece::Placeholder(_) => stand_in.to_owned(),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// Returns the value for a case: a template that is one placeholder keeps the value's type.
    fn resolve_value(&self, bindings: Bindings<'_>) -> Result<Value, ResolveError> {
        match self.whole() {
            Some(placeholder) => placeholder.resolve(bindings).cloned(),
            None => self.resolve(bindings).map(Value::String),
        }
    }
}

/// A list of texts: each a template, or one placeholder that is a list in the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextList {
    /// One template an item.
    Each(Vec<TextTemplate>),
    /// One template for all; if it is one placeholder whose value is a list, that list.
    All(TextTemplate),
}

impl TextList {
    /// Returns the texts for a case.
    ///
    /// # Errors
    /// As [`TextTemplate::resolve`]; a list that is empty or holds anything but texts.
    pub fn resolve(&self, bindings: Bindings<'_>) -> Result<Vec<String>, ResolveError> {
        let template = match self {
            Self::Each(items) => return items.iter().map(|item| item.resolve(bindings)).collect(),
            Self::All(template) => template,
        };
        if let Some(placeholder) = template.whole()
            && let Value::Array(items) = placeholder.resolve(bindings)?
        {
            let texts: Option<Vec<String>> = items.iter().map(scalar_text).collect();
            let not_a_list =
                |kind| ResolveError::NotAList { name: placeholder.source.clone(), kind };
            return match texts {
                Some(texts) if texts.is_empty() => Err(not_a_list("an empty list")),
                Some(texts) => Ok(texts),
                None => Err(not_a_list("a list of other things")),
            };
        }
        Ok(vec![template.resolve(bindings)?])
    }

    /// Returns every placeholder.
    pub fn placeholders(&self) -> Vec<&Placeholder> {
        match self {
            Self::Each(items) => items.iter().flat_map(TextTemplate::placeholders).collect(),
            Self::All(template) => template.placeholders().collect(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Each(items) => items.iter().map(|item| Value::from(item.source())).collect(),
            Self::All(template) => Value::from(template.source()),
        }
    }
}

/// A JSON value whose texts may hold placeholders.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonTemplate {
    source: Value,
    tree: Tree,
}

#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Fixed(Value),
    Text(TextTemplate),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl JsonTemplate {
    /// Parses every text of a value; keys are taken as they are.
    ///
    /// # Errors
    /// As [`TextTemplate::parse`].
    pub fn parse(source: Value) -> Result<Self, TemplateError> {
        let tree = Tree::parse(&source)?;
        Ok(Self { source, tree })
    }

    /// Returns the value as it was written.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Returns the value for a case.
    ///
    /// # Errors
    /// As [`TextTemplate::resolve`].
    pub fn resolve(&self, bindings: Bindings<'_>) -> Result<Value, ResolveError> {
        self.tree.resolve(bindings)
    }

    /// Returns every placeholder.
    pub fn placeholders(&self) -> Vec<&Placeholder> {
        let mut found = Vec::new();
        self.tree.collect(&mut found);
        found
    }
}

impl Tree {
    // Recursion here is bounded: the value comes from a YAML tree of limited depth.
    fn parse(value: &Value) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::String(text) => {
                let template = TextTemplate::parse(text)?;
                match template.literal() {
                    Some(text) => Self::Fixed(Value::from(text)),
                    None => Self::Text(template),
                }
            }
            Value::Array(items) => {
                Self::List(items.iter().map(Self::parse).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| {
                    Self::parse(value).map(|tree| (key.clone(), tree))
                };
                Self::Object(map.iter().map(entry).collect::<Result<_, _>>()?)
            }
            other => Self::Fixed(other.clone()),
        })
    }

    fn resolve(&self, bindings: Bindings<'_>) -> Result<Value, ResolveError> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Text(template) => template.resolve_value(bindings),
            Self::List(items) => items.iter().map(|item| item.resolve(bindings)).collect(),
            Self::Object(entries) => {
                let entry = |(key, tree): &(String, Self)| {
                    tree.resolve(bindings).map(|value| (key.clone(), value))
                };
                let map: Result<Map<String, Value>, _> = entries.iter().map(entry).collect();
                map.map(Value::Object)
            }
        }
    }

    fn collect<'t>(&'t self, found: &mut Vec<&'t Placeholder>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => found.extend(template.placeholders()),
            Self::List(items) => items.iter().for_each(|item| item.collect(found)),
            Self::Object(entries) => entries.iter().for_each(|(_, tree)| tree.collect(found)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(template: &str, inputs: &Value, expected: Option<&Value>) -> Result<String, String> {
        let inputs = inputs.as_object().unwrap();
        TextTemplate::parse(template)
            .map_err(|error| error.to_string())?
            .resolve(Bindings { inputs, expected })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_replaced_once() {
        let inputs = json!({"x": "{{expected}}", "expected": "mine", "deep": {"list": ["a", 7]}});
        let expected = json!("A-12");
        let text = |template| resolve(template, &inputs, Some(&expected)).unwrap();
        assert_eq!(text("[{{x}}]"), "[{{expected}}]");
        assert_eq!(text("{{ expected }}/{{input.expected}}"), "A-12/mine");
        assert_eq!(text("{{input.deep.list.1}}{{deep.list.0}}"), "7a");
        assert_eq!(text(r"\{{x}} is literal"), "{{x}} is literal");
    }

    #[test]
    fn what_cannot_be_resolved_says_why() {
        let inputs = json!({"x": [1], "y": null});
        let error = |template| resolve(template, &inputs, None).unwrap_err();
        insta::assert_snapshot!(
            ["{{expected}}", "{{z}}", "{{x.3}}", "{{x}}", "{{y}}", "{{x", "{{#if x}}", "{{input}}", "{{}}"]
                .map(error)
                .join("\n"),
            @r#"
            the check uses `{{expected}}`, but the case has no `expected`
            the check uses `{{z}}`, but the case binds no input `z` (it has `x`, `y`)
            the check uses `{{x.3}}`, but there is no `3` in it
            the check needs text, but `{{x}}` is a list in this case
            the check needs text, but `{{y}}` is null in this case
            `{{` is never closed; write `\{{` for two literal braces
            `{{#if x}}` is not a name: expected `expected`, `input.NAME` or `NAME`
            `{{input}}` is not a name: expected `expected`, `input.NAME` or `NAME`
            `{{}}` is not a name: expected `expected`, `input.NAME` or `NAME`
            "#
        );
    }

    #[test]
    fn a_whole_placeholder_keeps_its_type() {
        let inputs = json!({"n": 3, "o": {"a": "{{n}}"}});
        let bindings = Bindings { inputs: inputs.as_object().unwrap(), expected: None };
        let template =
            JsonTemplate::parse(json!({"a": ["{{n}}", "n={{n}}"], "b": "{{o}}", "c": null}));
        assert_eq!(
            template.unwrap().resolve(bindings).unwrap(),
            json!({"a": [3, "n=3"], "b": {"a": "{{n}}"}, "c": null})
        );
    }

    #[test]
    fn a_list_may_come_from_the_case() {
        let inputs = json!({"words": ["a", 2], "one": "b", "none": [], "odd": [{}]});
        let bindings = Bindings { inputs: inputs.as_object().unwrap(), expected: None };
        let resolve = |text| TextList::All(TextTemplate::parse(text).unwrap()).resolve(bindings);
        assert_eq!(resolve("{{words}}").unwrap(), ["a", "2"]);
        assert_eq!(resolve("{{one}}").unwrap(), ["b"]);
        assert!(matches!(resolve("{{none}}"), Err(ResolveError::NotAList { .. })));
        assert!(matches!(resolve("{{odd}}"), Err(ResolveError::NotAList { .. })));
    }
}
