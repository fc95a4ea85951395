//! From a JSON Schema to the grammar that holds an answer to it.
//!
//! llama.cpp does the conversion. It skips keywords that it does not know, takes any string for a
//! pattern that it cannot express, and of keywords that stand beside each other it often reads the
//! first and forgets the rest. All of that is refused here first: a schema is enforced in full or not
//! accepted.

use serde_json::{Map, Value};

use crate::PrepareError;

/// The converter recurses in C++, where a deep schema would overflow the stack.
const MOST_DEPTH: usize = 32;
const MOST_BYTES: usize = 64 * 1024;
/// llama.cpp refuses grammars that repeat more often.
const MOST_REPETITIONS: u64 = 2000;

/// Whole numbers up to this are exact as doubles, and far from the end of the converter's.
const MOST_BOUND: f64 = 999_999_999_999_999.0;

/// Keywords that the grammar enforces.
const ENFORCED: [&str; 20] = [
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "prefixItems",
    "properties",
    "required",
];
/// Keywords that say nothing about which answers are valid by themselves.
const SILENT: [&str; 10] = [
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "default",
    "definitions",
    "description",
    "examples",
    "title",
    "type",
];
/// Keywords that the converter reads alone, whatever stands beside them.
const ALONE: [&str; 5] = ["$ref", "anyOf", "oneOf", "const", "enum"];
const FORMATS: [&str; 4] = ["date", "date-time", "time", "uuid"];

/// Returns the grammar (GBNF) of a schema.
pub(super) fn grammar_of(schema: &Value) -> Result<String, PrepareError> {
    check(schema, "", MOST_DEPTH)?;
    let text = schema.to_string();
    if text.len() > MOST_BYTES {
        return Err(refuse("", "it is larger than 64 KiB"));
    }
    llama_cpp_2::json_schema_to_grammar(&text)
        .map_err(|_| refuse("", "llama.cpp cannot turn it into a grammar"))
}

fn refuse(path: &str, why: &str) -> PrepareError {
    let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
    PrepareError {
        message: format!("the embedded model cannot enforce the output schema{place}: {why}"),
        hint: Some(
            "simplify the schema, or ask for free text and check the answer with a JSON Schema \
             check"
                .to_owned(),
        ),
    }
}

fn check(schema: &Value, path: &str, depth: usize) -> Result<(), PrepareError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(refuse(path, "it is nested too deeply"));
    };
    let Value::Object(keywords) = schema else {
        // `additionalProperties: false` and the like.
        return match schema {
            Value::Bool(_) => Ok(()),
            _ => Err(refuse(path, "expected an object")),
        };
    };
    for (keyword, value) in keywords {
        let here = format!("{path}/{keyword}");
        if !ENFORCED.contains(&keyword.as_str()) && !SILENT.contains(&keyword.as_str()) {
            return Err(refuse(&here, "this keyword cannot be enforced"));
        }
        check_alone(keyword, keywords, &here)?;
        check_keyword(keyword, value, keywords, &here, depth)?;
    }
    Ok(())
}

/// Refuses what stands beside a keyword that the converter reads alone. A `type` may stand beside
/// values that are all of it, where it says nothing more.
fn check_alone(
    keyword: &str,
    keywords: &Map<String, Value>,
    here: &str,
) -> Result<(), PrepareError> {
    if !ALONE.contains(&keyword) {
        return Ok(());
    }
    let values = match keyword {
        "enum" => keywords["enum"].as_array().map(Vec::as_slice),
        "const" => Some(std::slice::from_ref(&keywords["const"])),
        _ => None,
    };
    let forgotten = keywords.iter().find(|(other, value)| match other.as_str() {
        other if other == keyword => false,
        "type" => !values.is_some_and(|values| values.iter().all(|one| is_of_type(one, value))),
        other => ENFORCED.contains(&other),
    });
    match forgotten {
        Some((other, _)) => {
            Err(refuse(here, &format!("`{keyword}` and `{other}` cannot be enforced together")))
        }
        None => Ok(()),
    }
}

/// Tells whether a value is of a schema's `type`, a name or a list of names.
fn is_of_type(value: &Value, types: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    types.as_array().map_or_else(|| is(types), |names| names.iter().any(is))
}

fn check_keyword(
    keyword: &str,
    value: &Value,
    keywords: &Map<String, Value>,
    here: &str,
    depth: usize,
) -> Result<(), PrepareError> {
    match keyword {
        "properties" | "$defs" | "definitions" => named(value, here, depth),
        "oneOf" if !value.as_array().is_some_and(|schemas| are_apart(schemas)) => {
            Err(refuse(here, "only alternatives of different types can be told apart: use `anyOf`"))
        }
        "anyOf" | "oneOf" | "prefixItems" => listed(value, here, depth),
        "items" if value.is_array() => listed(value, here, depth),
        "items" => {
            unless_both(keywords, "items", &["prefixItems"], here)?;
            check(value, here, depth)
        }
        "additionalProperties" => check(value, here, depth),
        "required" => check_required(value, keywords, here),
        "$ref" if !value.as_str().is_some_and(is_to_definition) => {
            Err(refuse(here, "only references to `#/$defs/NAME` can be enforced"))
        }
        "pattern" => match value.as_str().map(check_pattern) {
            Some(Ok(())) => {
                unless_both(keywords, "pattern", &["minLength", "maxLength", "format"], here)
            }
            Some(Err(why)) => Err(refuse(here, why)),
            None => Err(refuse(here, "expected a string")),
        },
        "format" if !value.as_str().is_some_and(|format| FORMATS.contains(&format)) => {
            Err(refuse(here, "only date, time, date-time and uuid can be enforced"))
        }
        "format" => unless_both(keywords, "format", &["minLength", "maxLength"], here),
        "minItems" | "maxItems" | "minLength" | "maxLength"
            if value.as_u64().is_none_or(|count| count > MOST_REPETITIONS) =>
        {
            Err(refuse(here, "expected a whole number up to 2000"))
        }
        "minItems" | "maxItems" => check_length(keyword, value, keywords, here),
        "minLength" | "maxLength" if !is_typed(keywords, "string") => {
            Err(refuse(here, "it needs `type: string` beside it"))
        }
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
            if keywords.get("type").and_then(Value::as_str) != Some("integer") =>
        {
            Err(refuse(here, "bounds can be enforced for integers only"))
        }
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
            if value.as_f64().is_none_or(|bound| bound.abs() > MOST_BOUND) =>
        {
            Err(refuse(here, "expected a number of at most fifteen digits"))
        }
        "minimum" => unless_both(keywords, "minimum", &["exclusiveMinimum"], here),
        "maximum" => unless_both(keywords, "maximum", &["exclusiveMaximum"], here),
        _ => Ok(()),
    }
}

/// Tells whether a schema says outright that a value is of a type, or may be.
fn is_typed(keywords: &Map<String, Value>, name: &str) -> bool {
    match keywords.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(names)) => names.iter().any(|one| one.as_str() == Some(name)),
        _ => false,
    }
}

/// Tells whether no value can match two of these schemas, by their types alone.
fn are_apart(schemas: &[Value]) -> bool {
    let types: Option<Vec<_>> = schemas
        .iter()
        .map(|schema| Some(schema.get("type")?.as_str()?.replace("integer", "number")))
        .collect();
    types.is_some_and(|types| {
        types.iter().collect::<std::collections::BTreeSet<_>>().len() == types.len()
    })
}

/// A reference leads to a definition, because only those are checked like the schema itself.
fn is_to_definition(reference: &str) -> bool {
    ["#/$defs/", "#/definitions/"]
        .iter()
        .filter_map(|start| reference.strip_prefix(start))
        .any(|name| !name.is_empty() && !name.contains('/'))
}

/// The converter looks for required names among the declared properties only.
fn check_required(
    value: &Value,
    keywords: &Map<String, Value>,
    here: &str,
) -> Result<(), PrepareError> {
    let declared = |name: &str| keywords.get("properties").and_then(|all| all.get(name)).is_some();
    let Value::Array(names) = value else { return Err(refuse(here, "expected a list")) };
    match names.iter().find(|name| !name.as_str().is_some_and(declared)) {
        Some(name) => Err(refuse(here, &format!("{name} is not among the `properties`"))),
        None => Ok(()),
    }
}

/// The converter forgets how long a list must be where each place has its own schema, and where
/// nothing else says that it is a list.
fn check_length(
    keyword: &str,
    value: &Value,
    keywords: &Map<String, Value>,
    here: &str,
) -> Result<(), PrepareError> {
    let places = keywords.get("prefixItems").or_else(|| keywords.get("items"));
    let count = value.as_u64().unwrap_or_default();
    let fits = |places: &Vec<Value>| match keyword {
        "minItems" => count <= places.len() as u64,
        _ => count >= places.len() as u64,
    };
    match places.and_then(Value::as_array) {
        Some(places) if !fits(places) => {
            Err(refuse(here, "a list whose places have their own schemas has as many items"))
        }
        None if places.is_none() && !is_typed(keywords, "array") => {
            Err(refuse(here, "it needs `type: array` beside it"))
        }
        _ => Ok(()),
    }
}

fn named(value: &Value, here: &str, depth: usize) -> Result<(), PrepareError> {
    let Value::Object(schemas) = value else { return Err(refuse(here, "expected an object")) };
    schemas.iter().try_for_each(|(name, schema)| check(schema, &format!("{here}/{name}"), depth))
}

fn listed(value: &Value, here: &str, depth: usize) -> Result<(), PrepareError> {
    let Value::Array(schemas) = value else { return Err(refuse(here, "expected a list")) };
    (0..)
        .zip(schemas)
        .try_for_each(|(n, schema): (usize, _)| check(schema, &format!("{here}/{n}"), depth))
}

/// The converter looks at one of such keywords and forgets the other.
fn unless_both(
    keywords: &Map<String, Value>,
    one: &str,
    others: &[&str],
    here: &str,
) -> Result<(), PrepareError> {
    match others.iter().find(|other| keywords.contains_key(**other)) {
        Some(other) => {
            Err(refuse(here, &format!("`{one}` and `{other}` cannot be enforced together")))
        }
        None => Ok(()),
    }
}

/// Accepts the patterns that the grammar can express and that keep a JSON string a JSON string.
fn check_pattern(pattern: &str) -> Result<(), &'static str> {
    let inside = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'))
        .filter(|inside| !inside.ends_with('\\'))
        .ok_or("a pattern must begin with `^` and end with `$`")?;
    let mut scan = Scan { rest: inside, repeatable: false };
    let mut open = 0usize;
    while let Some(next) = scan.take() {
        scan.repeatable = match next {
            '(' => {
                open += 1;
                scan.skip_group_start()?;
                false
            }
            ')' => {
                open = open.checked_sub(1).ok_or("a pattern's parentheses must match")?;
                true
            }
            '|' => false,
            '*' | '+' | '?' if scan.repeatable => false,
            '{' if scan.repeatable => {
                scan.skip_bounds()?;
                false
            }
            '*' | '+' | '?' | '{' => return Err("a pattern repeats nothing, or twice"),
            '[' => {
                scan.skip_class()?;
                true
            }
            '\\' => {
                scan.skip_escape()?;
                true
            }
            '.' => return Err("`.` in a pattern would match quotation marks; name the characters"),
            '^' | '$' | ']' | '}' => return Err("a pattern may have anchors at its ends only"),
            '"' => return Err("a quotation mark in a pattern would end the string"),
            c if c.is_control() => return Err("a pattern may not hold control characters"),
            _ => true,
        };
        if open > MOST_DEPTH {
            return Err("a pattern's groups are nested too deeply");
        }
    }
    if open == 0 { Ok(()) } else { Err("a pattern's parentheses must match") }
}

struct Scan<'a> {
    rest: &'a str,
    repeatable: bool,
}

impl Scan<'_> {
    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn skip_group_start(&mut self) -> Result<(), &'static str> {
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest.strip_prefix(':').ok_or("a pattern may not look around")?;
        }
        Ok(())
    }

    fn skip_bounds(&mut self) -> Result<(), &'static str> {
        let (bounds, rest) = self.rest.split_once('}').ok_or("a pattern's `{` has no `}`")?;
        self.rest = rest;
        let number = |text: &str| text.parse::<u64>().is_ok_and(|n| n <= MOST_REPETITIONS);
        let fine = match bounds.split_once(',') {
            None => number(bounds),
            Some((least, most)) => number(least) && (most.is_empty() || number(most)),
        };
        if fine { Ok(()) } else { Err("a pattern repeats at most 2000 times") }
    }

    fn skip_class(&mut self) -> Result<(), &'static str> {
        if self.rest.starts_with('^') {
            return Err("`[^…]` in a pattern would match quotation marks; name the characters");
        }
        loop {
            match self.take().ok_or("a pattern's `[` has no `]`")? {
                ']' => return Ok(()),
                '\\' => return Err("name the characters of a class in a pattern without `\\`"),
                '"' => return Err("a quotation mark in a pattern would end the string"),
                _ => {}
            }
        }
    }

    fn skip_escape(&mut self) -> Result<(), &'static str> {
        match self.take() {
            Some('^' | '$' | '.' | '[' | ']' | '(' | ')' | '|' | '{' | '}' | '*' | '+' | '?') => {
                Ok(())
            }
            _ => Err("a pattern may escape punctuation only: write `[0-9]` for `\\d`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(schema: &Value) -> String {
        grammar_of(schema).unwrap_err().message
    }

    #[test]
    fn patterns_enums_and_alternatives_become_grammars() {
        let schema = json!({
            "type": "object",
            "properties": {
                "order_number": {"type": "string", "pattern": "^(A-[0-9]{5}|none)$"},
                "tone": {"enum": ["calm", "angry"]},
                "count": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}
            },
            "required": ["order_number", "tone", "count"],
            "additionalProperties": false
        });
        let grammar = grammar_of(&schema).unwrap();
        assert!(grammar.contains("root ::="), "{grammar}");
        assert!(grammar.contains("order-number"), "{grammar}");
        assert!(grammar.contains("[0-9]"), "{grammar}");
        assert!(grammar.contains("angry"), "{grammar}");
    }

    #[test]
    fn what_would_be_ignored_is_refused_with_its_place() {
        let schema = json!({"type": "object", "properties": {"a": {"not": {"type": "null"}}}});
        assert!(refused(&schema).contains("`/properties/a/not`"));
        assert!(refused(&json!({"type": "number", "minimum": 0})).contains("integers only"));
        assert!(refused(&json!({"type": "string", "format": "email"})).contains("uuid"));
        assert!(refused(&json!({"type": "array", "maxItems": 1_000_000})).contains("2000"));
    }

    #[test]
    fn keywords_of_which_only_one_would_be_enforced_are_refused_together() {
        let tuple = json!([{"type": "string"}, {"type": "integer"}]);
        for schema in [
            json!({"$ref": "#/$defs/a", "required": ["b"], "$defs": {"a": {"type": "object"}}}),
            json!({"$ref": "#/$defs/a", "type": "object", "$defs": {"a": {"type": "string"}}}),
            json!({"anyOf": [{"type": "string"}], "maxLength": 3}),
            json!({"anyOf": [{"type": "string"}], "oneOf": [{"type": "null"}]}),
            json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}),
            json!({"oneOf": [{"const": 1}, {"type": "string"}]}),
            json!({"properties": {"a": {}}, "allOf": [{"required": ["a"]}]}),
            json!({"type": "string", "allOf": [{"minLength": 3}]}),
            json!({"type": "string", "enum": ["a", 1]}),
            json!({"type": "string", "enum": ["a", "bcd"], "minLength": 2}),
            json!({"const": "a", "enum": ["b"]}),
            json!({"type": "array", "prefixItems": tuple, "items": {"type": "string"}}),
            json!({"type": "array", "prefixItems": tuple, "minItems": 3}),
            json!({"type": "array", "items": tuple, "maxItems": 1}),
            json!({"minItems": 2}),
            json!({"maxLength": 2}),
            json!({"type": "object", "required": ["a"]}),
            json!({"properties": {"a": {}}, "required": ["b"]}),
            json!({"type": "string", "format": "date", "minLength": 2}),
            json!({"type": "string", "format": "date", "pattern": "^a$"}),
            json!({"type": "integer", "minimum": 1, "exclusiveMinimum": 5}),
            json!({"type": "integer", "maximum": 1e300}),
        ] {
            let message = refused(&schema);
            assert!(!message.contains("grammar"), "{schema}: {message}");
        }
    }

    #[test]
    fn what_says_nothing_more_may_stand_beside() {
        let tuple = json!([{"type": "string"}, {"type": "integer"}]);
        for schema in [
            json!({"type": "string", "enum": ["a", "b"], "description": "d"}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
            json!({"type": ["string", "null"], "maxLength": 3}),
            json!({"type": "integer", "const": 3}),
            json!({"oneOf": [{"type": "integer"}, {"type": "string"}]}),
            json!({"$ref": "#/$defs/a", "title": "t", "$defs": {"a": {"type": "string"}}}),
            json!({"type": "array", "prefixItems": tuple, "minItems": 2, "maxItems": 2}),
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
            json!({"type": "integer", "minimum": 1, "exclusiveMaximum": 5}),
        ] {
            assert!(grammar_of(&schema).is_ok(), "{schema}: {:?}", grammar_of(&schema));
        }
    }

    #[test]
    fn references_outside_the_document_and_to_nowhere_are_refused() {
        assert!(refused(&json!({"$ref": "https://a.example/s.json"})).contains("#/$defs/NAME"));
        // What stands in an example is no schema that was checked.
        let hidden =
            json!({"examples": [{"not": {}}], "properties": {"a": {"$ref": "#/examples/0"}}});
        assert!(refused(&hidden).contains("#/$defs/NAME"));
        assert!(refused(&json!({"$ref": "#/$defs/a"})).contains("grammar"));
        assert!(refused(&json!({"type": "spaceship"})).contains("grammar"));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = (0..40).fold(json!({}), |inner, _| json!({"items": inner}));
        assert!(refused(&deep).contains("too deeply"));
        let long = json!({"const": "a".repeat(70_000)});
        assert!(refused(&long).contains("64 KiB"));
    }

    #[test]
    fn only_patterns_that_llama_cpp_takes_whole_are_accepted() {
        for good in ["^a$", "^(A-[0-9]{5}|none)$", "^(?:a|b)+c?$", "^a{1,3}\\.b{2,}$", "^$"] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        for bad in [
            "a",
            "^a",
            "^\\d+$",
            "^.*$",
            "^[^a]$",
            "^(a$",
            "^a)$",
            "^*a$",
            "^a**$",
            "^(?=a)b$",
            "^a{9999}$",
            "^a$b$",
            "^[a$",
            "^a\\$",
            "^a]$",
            "^a\"b$",
        ] {
            assert!(check_pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_accepted_pattern_falls_back_to_any_string() {
        for pattern in ["^a$", "^(A-[0-9]{5}|none)$", "^(?:a|b)+c?$", "^a{1,3}\\.b{2,}$", "^$"] {
            let grammar = grammar_of(&json!({"type": "string", "pattern": pattern})).unwrap();
            assert!(!grammar.contains("char ::="), "{pattern}: {grammar}");
        }
    }
}
