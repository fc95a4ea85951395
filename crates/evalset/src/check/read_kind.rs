use chat::FinishReason;
use document::yaml::Node;
use document::{Diagnostics, Fields};
use serde_json::Value;

use super::compiled::Schema;
use super::read::{read_json, read_member, read_path, read_pattern, read_text};
use super::spec::{Combination, Equality, Kind, LengthUnit, Measure, Range};
use super::template::{TextList, TextTemplate};
use crate::read::{unknown_word, word_of};
use crate::set::dollars;

const KINDS: [&str; 24] = [
    "equals",
    "contains",
    "not_contains",
    "starts_with",
    "regex",
    "one_of",
    "number",
    "json_valid",
    "json_schema",
    "json_path_equals",
    "json_equals",
    "similarity",
    "rouge_l",
    "levenshtein",
    "word_count",
    "length",
    "refusal",
    "finish_reason",
    "latency",
    "cost",
    "tool_call",
    "program",
    "all_of",
    "any_of",
];

/// Returns the kind's name if there is such a kind.
pub(super) fn known_kind(node: &Node, diagnostics: &mut Diagnostics) -> Option<&'static str> {
    let Some(word) = node.as_str() else {
        let message = format!("`kind` of a check must be text, found {}", node.kind());
        diagnostics.error("wrong-kind", node.span, message);
        return None;
    };
    let found = KINDS.into_iter().find(|kind| *kind == word);
    if found.is_none() {
        let message = format!("there is no kind of check `{word}`");
        unknown_word("unknown-check-kind", message, word, &KINDS, node.span, diagnostics);
    }
    found
}

/// Tells whether a check measures a number, which a threshold turns into pass or fail.
pub(super) fn is_measured(name: &str, kind: Option<&Kind>) -> bool {
    match kind {
        Some(Kind::Levenshtein { max, .. }) => max.is_none(),
        _ => matches!(name, "similarity" | "rouge_l" | "levenshtein" | "program"),
    }
}

/// Tells whether a check asks about the text of the output, of which there can be a part.
pub(super) fn looks_at_text(name: &str) -> bool {
    !matches!(name, "finish_reason" | "latency" | "cost" | "tool_call")
}

/// Reads what a check of this kind asks.
pub(super) fn read(
    name: &'static str,
    fields: &mut Fields<'_>,
    depth: usize,
    diagnostics: &mut Diagnostics,
) -> Option<Kind> {
    match name {
        "equals" | "contains" | "not_contains" | "starts_with" | "regex" | "one_of" => {
            read_text_kind(name, fields, diagnostics)
        }
        "number" => read_number(fields, diagnostics),
        "json_valid" => Some(Kind::JsonValid),
        "json_schema" => read_schema(fields, diagnostics),
        "json_path_equals" => {
            let path = fields.required("path", diagnostics);
            let path = path.and_then(|node| read_path(node, diagnostics));
            let value = fields.required("value", diagnostics);
            let value = value.and_then(|node| read_json(node, "value", diagnostics));
            Some(Kind::JsonPathEquals { path: path?, value: value? })
        }
        "json_equals" => {
            let value = fields.required("value", diagnostics);
            let value = value.and_then(|node| read_json(node, "value", diagnostics));
            let ignore_order = switch("ignore_order", fields, diagnostics);
            Some(Kind::JsonEquals { value: value?, ignore_order: ignore_order? })
        }
        "similarity" | "rouge_l" => {
            let measure = if name == "similarity" { Measure::Similarity } else { Measure::RougeL };
            Some(Kind::Likeness { measure, value: required_text("value", fields, diagnostics)? })
        }
        "levenshtein" => {
            let value = required_text("value", fields, diagnostics);
            let max = optional_count("max", fields, diagnostics);
            Some(Kind::Levenshtein { value: value?, max: max.ok()? })
        }
        "word_count" => {
            read_range(name, fields, diagnostics).map(|range| Kind::WordCount { range })
        }
        "length" => {
            let range = read_range(name, fields, diagnostics);
            let unit = read_unit(fields, diagnostics);
            Some(Kind::Length { range: range?, unit: unit? })
        }
        "refusal" => read_refusal(fields, diagnostics),
        "finish_reason" => read_finish_reason(fields, diagnostics),
        "latency" => {
            fields.required("max_ms", diagnostics)?;
            Some(Kind::Latency { max_ms: fields.count("max_ms", diagnostics)? })
        }
        "cost" => read_cost(fields, diagnostics),
        "tool_call" => read_tool_call(fields, diagnostics),
        "program" => read_program(fields, diagnostics),
        "all_of" => read_group(Combination::All, fields, depth, diagnostics),
        "any_of" => read_group(Combination::Any, fields, depth, diagnostics),
        _ => None, // `known_kind` lets no other through.
    }
}

fn read_text_kind(
    name: &str,
    fields: &mut Fields<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Kind> {
    let ignore_case = switch("ignore_case", fields, diagnostics);
    match name {
        "equals" => {
            let value = required_text("value", fields, diagnostics);
            let ignore_space = switch("ignore_space", fields, diagnostics);
            let equality = Equality { ignore_case: ignore_case?, ignore_space: ignore_space? };
            Some(Kind::Equals { value: value?, equality })
        }
        "one_of" => {
            let values = read_texts(name, fields, true, diagnostics);
            let ignore_space = switch("ignore_space", fields, diagnostics);
            let equality = Equality { ignore_case: ignore_case?, ignore_space: ignore_space? };
            Some(Kind::OneOf { values: values?, equality })
        }
        "contains" => {
            let values = read_texts(name, fields, false, diagnostics);
            let combination = match fields.get("match") {
                None => Some(Combination::All),
                Some(node) => {
                    word_of(node, "match", &["all", "any"], diagnostics).map(|word| match word {
                        "any" => Combination::Any,
                        _ => Combination::All,
                    })
                }
            };
            Some(Kind::Contains {
                values: values?,
                combination: combination?,
                ignore_case: ignore_case?,
            })
        }
        "not_contains" => {
            let values = read_texts(name, fields, false, diagnostics);
            Some(Kind::NotContains { values: values?, ignore_case: ignore_case? })
        }
        "starts_with" => {
            let node = fields.required("value", diagnostics)?;
            let value = read_filled(node, "value", diagnostics);
            Some(Kind::StartsWith { value: value?, ignore_case: ignore_case? })
        }
        _ => {
            let node = fields.required("pattern", diagnostics)?;
            let pattern = read_pattern(node, "pattern", ignore_case?, diagnostics);
            Some(Kind::Regex { pattern: pattern? })
        }
    }
}

/// Reads a key that is true or false, false if absent.
pub(super) fn switch(
    key: &'static str,
    fields: &mut Fields<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<bool> {
    match fields.get(key) {
        None => Some(false),
        Some(_) => fields.bool(key, diagnostics),
    }
}

/// A key that is there and cannot be used; the diagnostics say why.
struct Unusable;

fn optional_count(
    key: &'static str,
    fields: &mut Fields<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<Option<u64>, Unusable> {
    match fields.get(key) {
        None => Ok(None),
        Some(_) => fields.count(key, diagnostics).map(Some).ok_or(Unusable),
    }
}

fn required_text(
    key: &'static str,
    fields: &mut Fields<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<TextTemplate> {
    let node = fields.required(key, diagnostics)?;
    read_text(node, key, diagnostics)
}

/// Reads a text that must not be empty, because every output contains empty text.
fn read_filled(node: &Node, key: &str, diagnostics: &mut Diagnostics) -> Option<TextTemplate> {
    let template = read_text(node, key, diagnostics)?;
    if template.literal() == Some("") {
        let message = format!("`{key}` is empty, and every output contains empty text");
        diagnostics.error("empty-text", node.span, message);
        return None;
    }
    Some(template)
}

/// Reads `value` (one text) or `values` (several, or one placeholder for a list).
fn read_texts(
    name: &str,
    fields: &mut Fields<'_>,
    may_be_empty: bool,
    diagnostics: &mut Diagnostics,
) -> Option<TextList> {
    let read_one = if may_be_empty { read_text } else { read_filled };
    let (node, key) = match (fields.get("value"), fields.get("values")) {
        (Some(node), None) => (node, "value"),
        (None, Some(node)) => (node, "values"),
        (found, _) => {
            let span = found.map_or(fields.span(), |node| node.span);
            let message = format!("a check of kind `{name}` needs either `value` or `values`");
            diagnostics.error("missing-key", span, message);
            return None;
        }
    };
    let Some(items) = node.items() else {
        return read_one(node, key, diagnostics).map(TextList::All);
    };
    if key == "value" {
        let message = "`value` must be text, found a list";
        diagnostics.error_with_hint("wrong-kind", node.span, message, "did you mean `values`?");
        return None;
    }
    if items.is_empty() {
        diagnostics.error("empty-list", node.span, "`values` must hold at least one text");
        return None;
    }
    // All are read before one that is wrong ends it, so that every problem is found.
    let texts: Vec<_> = items.iter().map(|item| read_one(item, key, diagnostics)).collect();
    texts.into_iter().collect::<Option<Vec<_>>>().map(TextList::Each)
}

fn read_number(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Kind> {
    let value = fields.required("value", diagnostics);
    let value = value.and_then(|node| {
        let template = read_json(node, "value", diagnostics)?;
        let is_number = match template.source() {
            Value::Number(_) => true,
            Value::String(text) => {
                !template.placeholders().is_empty() || text.trim().parse::<f64>().is_ok()
            }
            _ => false,
        };
        if !is_number {
            let message = "`value` must be a number, or a placeholder such as `{{expected}}`";
            diagnostics.error("wrong-kind", node.span, message);
        }
        is_number.then_some(template)
    });
    let mut tolerance = |key| {
        let Some(node) = fields.get(key) else { return Some(0.0) };
        let number = fields.number(key, diagnostics)?;
        if number < 0.0 {
            diagnostics.error("bad-tolerance", node.span, format!("`{key}` must be 0 or more"));
            return None;
        }
        Some(number)
    };
    let absolute = tolerance("tolerance");
    let relative = tolerance("relative_tolerance");
    Some(Kind::Number { value: value?, tolerance: absolute?, relative_tolerance: relative? })
}

fn read_schema(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Kind> {
    let node = fields.required("schema", diagnostics)?;
    match Schema::compile(node.to_json()) {
        Ok(schema) => Some(Kind::JsonSchema { schema }),
        Err(error) => {
            let span = locate(node, &error.pointer).span;
            let message = format!("this is not a usable JSON Schema: {error}");
            diagnostics.error("bad-json-schema", span, message);
            None
        }
    }
}

/// Returns the node that a JSON pointer leads to, or the last one on the way.
fn locate<'n>(root: &'n Node, pointer: &str) -> &'n Node {
    let mut node = root;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let item = || step.parse().ok().and_then(|at: usize| node.items()?.get(at));
        match node.get(&step).or_else(item) {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

fn read_range(name: &str, fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Range> {
    let min = optional_count("min", fields, diagnostics);
    let max = optional_count("max", fields, diagnostics);
    let range = Range { min: min.ok()?, max: max.ok()? };
    let message = match (range.min, range.max) {
        (None, None) => format!("a check of kind `{name}` needs `min`, `max` or both"),
        (Some(min), Some(max)) if min > max => {
            format!("`min` ({min}) is above `max` ({max}), so nothing can pass")
        }
        _ => return Some(range),
    };
    diagnostics.error("bad-range", fields.span(), message);
    None
}

fn read_unit(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<LengthUnit> {
    let Some(node) = fields.get("unit") else { return Some(LengthUnit::Characters) };
    let unit = word_of(node, "unit", &["characters", "bytes", "lines"], diagnostics)?;
    Some(match unit {
        "bytes" => LengthUnit::Bytes,
        "lines" => LengthUnit::Lines,
        _ => LengthUnit::Characters,
    })
}

fn read_refusal(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Kind> {
    if fields.get("phrases").is_none() {
        return Some(Kind::Refusal { phrases: None });
    }
    let mut phrases = Vec::new();
    for node in fields.list("phrases", diagnostics)? {
        match node.as_str() {
            Some(phrase) if !phrase.trim().is_empty() => phrases.push(phrase.to_owned()),
            _ => {
                let message = "each of `phrases` must be text that is not empty";
                diagnostics.error("wrong-kind", node.span, message);
                return None;
            }
        }
    }
    Some(Kind::Refusal { phrases: Some(phrases) })
}

const FINISH_REASONS: [(&str, FinishReason); 10] = [
    ("complete", FinishReason::Complete),
    ("length", FinishReason::Length),
    ("tool_use", FinishReason::ToolUse),
    ("stop_sequence", FinishReason::StopSequence),
    ("refused", FinishReason::Refused),
    ("filtered", FinishReason::Filtered),
    ("paused", FinishReason::Paused),
    ("context_exceeded", FinishReason::ContextExceeded),
    ("malformed_tool", FinishReason::MalformedTool),
    ("error", FinishReason::Error),
];

fn read_finish_reason(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Kind> {
    let words = FINISH_REASONS.map(|(word, _)| word);
    let (node, key) = match (fields.get("value"), fields.get("values")) {
        (Some(node), None) => (node, "value"),
        (None, Some(node)) => (node, "values"),
        _ => {
            let message = "a check of kind `finish_reason` needs either `value` or `values`";
            diagnostics.error("missing-key", fields.span(), message);
            return None;
        }
    };
    let nodes = node.items().unwrap_or(std::slice::from_ref(node));
    if nodes.is_empty() {
        diagnostics.error("empty-list", node.span, "`values` must hold at least one reason");
        return None;
    }
    let mut values = Vec::new();
    for node in nodes {
        let found = word_of(node, key, &words, diagnostics)?;
        let known = FINISH_REASONS.iter().filter(|(word, _)| *word == found);
        values.extend(known.map(|(_, reason)| *reason));
    }
    Some(Kind::FinishReason { values })
}

fn read_cost(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Kind> {
    let node = fields.required("max_usd", diagnostics)?;
    Some(Kind::Cost { max: dollars(node, "max_usd", diagnostics)? })
}

fn read_tool_call(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Kind> {
    fields.required("tool", diagnostics);
    let tool = fields.text("tool", diagnostics);
    let arguments = match fields.get("arguments") {
        None => Some(None),
        Some(node) => read_json(node, "arguments", diagnostics).map(Some),
    };
    let only = switch("only", fields, diagnostics);
    Some(Kind::ToolCall { tool: tool?.to_owned(), arguments: arguments?, only: only? })
}

fn read_program(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Kind> {
    let node = fields.required("program", diagnostics);
    let program = fields.text("program", diagnostics);
    let options = match fields.get("options") {
        None => Some(None),
        Some(node) => read_json(node, "options", diagnostics).map(Some),
    };
    Some(Kind::Program {
        program: program?.to_owned(),
        program_span: node?.span,
        options: options?,
    })
}

fn read_group(
    combination: Combination,
    fields: &mut Fields<'_>,
    depth: usize,
    diagnostics: &mut Diagnostics,
) -> Option<Kind> {
    let node = fields.required("checks", diagnostics)?;
    let items = fields.list("checks", diagnostics)?;
    if items.is_empty() {
        diagnostics.error("empty-list", node.span, "`checks` must hold at least one check");
        return None;
    }
    let tests: Vec<_> =
        items.iter().map(|item| read_member(item, depth + 1, diagnostics)).collect();
    let tests = tests.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Kind::Group { combination, tests })
}
