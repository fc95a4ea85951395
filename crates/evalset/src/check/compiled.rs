//! Patterns, JSON Schemas and JSON paths: compiled when the check is read, so that a bad one is an
//! error with a position and not a surprise in the middle of a run.

use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use serde_json_path::JsonPath as RfcPath;

use super::template::{Bindings, ResolveError, TextTemplate};

/// The most bytes that a compiled regular expression may take.
pub const MAX_REGEX_BYTES: usize = 1 << 20;
/// The most bytes of a JSON Schema, as compact JSON.
pub const MAX_SCHEMA_BYTES: usize = 256 * 1024;
/// The most characters of a JSON path.
pub const MAX_PATH_CHARS: usize = 500;
/// How deep brackets and parentheses of a JSON path may nest.
pub const MAX_PATH_DEPTH: usize = 6;
/// How many descendant steps (`..`) a JSON path may have; each can visit the whole document again.
pub const MAX_PATH_DESCENTS: usize = 1;
/// How many commas a JSON path may have; each selects again what the others selected.
pub const MAX_PATH_COMMAS: usize = 8;

/// A regular expression whose placeholders are replaced by their escaped text.
#[derive(Debug, Clone)]
pub struct Pattern {
    template: TextTemplate,
    ignore_case: bool,
    fixed: Option<Regex>,
}

impl Pattern {
    /// Compiles a pattern; one with placeholders is tried with a stand-in.
    ///
    /// # Errors
    /// The reason that the engine gives.
    pub fn compile(template: TextTemplate, ignore_case: bool) -> Result<Self, String> {
        let tried = build(&template.with_stand_in("x"), ignore_case)?;
        let fixed = template.literal().is_some().then_some(tried);
        Ok(Self { template, ignore_case, fixed })
    }

    /// Returns the pattern as it was written.
    pub fn source(&self) -> &str {
        self.template.source()
    }

    /// Tells whether case is ignored.
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Returns the template of the pattern.
    pub fn template(&self) -> &TextTemplate {
        &self.template
    }

    /// Returns the expression for a case.
    ///
    /// # Errors
    /// A placeholder has no text, or the expression grows too large with it.
    pub fn resolve(&self, bindings: Bindings<'_>) -> Result<Regex, ResolveError> {
        if let Some(fixed) = &self.fixed {
            return Ok(fixed.clone());
        }
        let source = self.template.resolve_with(bindings, regex::escape)?;
        build(&source, self.ignore_case).map_err(ResolveError::Pattern)
    }

    /// Returns how many groups the expression has, the whole match being group 0.
    pub fn groups(&self) -> usize {
        let count = |regex: &Regex| regex.captures_len();
        match &self.fixed {
            Some(regex) => count(regex),
            // What replaces a placeholder is escaped and so adds no group.
            None => {
                build(&self.template.with_stand_in("x"), false).map_or(1, |regex| count(&regex))
            }
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.template == other.template && self.ignore_case == other.ignore_case
    }
}

fn build(source: &str, ignore_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(source)
        .case_insensitive(ignore_case)
        .size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => {
                format!("it is larger than {limit} bytes when compiled")
            }
            // The engine draws a picture over several lines; its last line says what is wrong.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.trim().trim_start_matches("error: ").to_owned()
            }
        })
}

/// A compiled JSON Schema.
#[derive(Clone)]
pub struct Schema {
    source: Value,
    validator: Arc<Validator>,
}

/// Why a JSON Schema cannot be used, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SchemaError {
    /// What is wrong.
    pub message: String,
    /// The place inside the schema, as a JSON pointer.
    pub pointer: String,
}

impl Schema {
    /// Compiles a schema (draft 2020-12 unless its `$schema` says otherwise).
    ///
    /// References reach only inside the schema; patterns run in linear time; `format` is checked
    /// where the draft's validators check it.
    ///
    /// # Errors
    /// The schema is too large, is none, or refers to a document or a file.
    pub fn compile(source: Value) -> Result<Self, SchemaError> {
        let bytes = source.to_string().len();
        if bytes > MAX_SCHEMA_BYTES {
            let message = format!("it has {bytes} bytes; at most {MAX_SCHEMA_BYTES} are read");
            return Err(SchemaError { message, pointer: String::new() });
        }
        let validator = jsonschema::options()
            .offline()
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_REGEX_BYTES))
            .build(&source)
            .map_err(|error| SchemaError {
                message: error.to_string().chars().take(400).collect(),
                pointer: error.instance_path().as_str().to_owned(),
            })?;
        Ok(Self { source, validator: Arc::new(validator) })
    }

    /// Returns the schema as it was written.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Returns the validator.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.source).finish()
    }
}

/// A JSON path (RFC 9535, without its `match` and `search` functions).
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    source: String,
    path: RfcPath,
}

impl JsonPath {
    /// Parses a path.
    ///
    /// # Errors
    /// The path is not one, or is longer, deeper or wider than the limits of this module.
    pub fn parse(source: &str) -> Result<Self, String> {
        check_limits(source)?;
        let path = RfcPath::parse(source).map_err(|error| {
            // The parser's own message names its rules and not the mistake.
            format!("it cannot be read from character {} on", error.position() + 1)
        })?;
        Ok(Self { source: source.to_owned(), path })
    }

    /// Returns the path as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the values that the path selects, in the order of the document.
    pub fn select<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        self.path.query(value).all()
    }
}

/// Refuses what the parser, which recurses and backtracks, would take too long or too deep for.
fn check_limits(source: &str) -> Result<(), String> {
    let chars = source.chars().count();
    if chars > MAX_PATH_CHARS {
        return Err(format!("it has {chars} characters; at most {MAX_PATH_CHARS} are read"));
    }
    if source.matches("..").count() > MAX_PATH_DESCENTS {
        return Err(format!("it has more than {MAX_PATH_DESCENTS} step `..`"));
    }
    if source.matches(',').count() > MAX_PATH_COMMAS {
        return Err(format!("it has more than {MAX_PATH_COMMAS} commas"));
    }
    let mut depth = 0usize;
    for symbol in source.chars() {
        match symbol {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_PATH_DEPTH {
            return Err(format!("its brackets nest deeper than {MAX_PATH_DEPTH}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pattern(source: &str) -> Result<Pattern, String> {
        Pattern::compile(TextTemplate::parse(source).unwrap(), false)
    }

    #[test]
    fn a_placeholder_in_a_pattern_is_text_and_not_pattern() {
        let inputs = json!({"x": "a.c"});
        let bindings = Bindings { inputs: inputs.as_object().unwrap(), expected: None };
        let regex = pattern("^{{x}}$").unwrap().resolve(bindings).unwrap();
        assert!(regex.is_match("a.c") && !regex.is_match("abc"));
        assert_eq!(pattern("({{x}})(b)").unwrap().groups(), 3);
    }

    #[test]
    fn bad_and_huge_patterns_are_refused() {
        insta::assert_snapshot!(pattern("a(").unwrap_err(), @"unclosed group");
        insta::assert_snapshot!(pattern(r"(\w{1000}){1000}").unwrap_err(), @"it is larger than 1048576 bytes when compiled");
        insta::assert_snapshot!(pattern("(?=a)").unwrap_err(), @"look-around, including look-ahead and look-behind, is not supported");
    }

    #[test]
    fn schemas_reach_nothing_outside_themselves() {
        for reference in ["https://example.com/a.json", "file:///etc/passwd", "other.json"] {
            let error = Schema::compile(json!({"$ref": reference})).unwrap_err();
            assert!(error.message.contains(reference), "{}", error.message);
        }
        assert!(Schema::compile(json!({"$defs": {"a": true}, "$ref": "#/$defs/a"})).is_ok());
    }

    #[test]
    fn a_bad_schema_names_its_place() {
        let error = Schema::compile(json!({"properties": {"a": {"type": "strin"}}})).unwrap_err();
        assert_eq!(error.pointer, "/properties/a/type");
        let error = Schema::compile(json!({"pattern": "(?=a)"})).unwrap_err();
        insta::assert_snapshot!(error.message, @r#""(?=a)" is not a "regex""#);
        let error = Schema::compile(json!({"enum": ["x".repeat(300_000)]})).unwrap_err();
        assert!(error.message.contains("at most 262144"), "{}", error.message);
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = Schema::compile(json!({"$ref": "#"})).unwrap();
        assert!(schema.validator().is_valid(&json!({"a": [1, 2]})));
    }

    #[test]
    fn paths_select_in_the_order_of_the_document() {
        let value = json!({"items": [{"id": 1}, {"id": 2}]});
        assert_eq!(
            JsonPath::parse("$.items[*].id").unwrap().select(&value),
            [&json!(1), &json!(2)]
        );
        assert!(JsonPath::parse("$.none").unwrap().select(&value).is_empty());
    }

    #[test]
    fn the_deepest_filter_parses() {
        let (open, close) = ("(".repeat(MAX_PATH_DEPTH - 1), ")".repeat(MAX_PATH_DEPTH - 1));
        let path = JsonPath::parse(&format!("$[?{open}@.a == 1{close}]")).unwrap();
        assert_eq!(path.select(&json!([{"a": 1}, {"a": 2}])), [&json!({"a": 1})]);
    }

    #[test]
    fn bad_and_greedy_paths_are_refused() {
        let error = |source: &str| JsonPath::parse(source).unwrap_err();
        insta::assert_snapshot!(error("items"), @"it cannot be read from character 1 on");
        insta::assert_snapshot!(error("$.items[0"), @"it cannot be read from character 10 on");
        insta::assert_snapshot!(error("$..a..b"), @"it has more than 1 step `..`");
        insta::assert_snapshot!(error("$[0,0,0,0,0,0,0,0,0,0]"), @"it has more than 8 commas");
        insta::assert_snapshot!(error(&format!("$[?{}@.a{}]", "(".repeat(40), ")".repeat(40))), @"its brackets nest deeper than 6");
    }
}
