//! The form of a judge's answer, read from its output schema.

use document::{Diagnostics, Span};
use serde_json::{Map, Value};

use super::JudgeAnswer;

pub(super) const FORMS: &str = "give it an output schema of `reason: string` and then \
     `verdict(enum): [pass, fail]`, `score` in a range, `category(enum): [...]` or `probability: number`; \
     or of `criteria(object)` with one of these under each criterion's name";

pub(super) const PAIR_FORM: &str =
    "give it an output schema of `reason: string` and then `preference(enum): [a, b, tie]`";

const KEYS: [&str; 6] = ["verdict", "score", "category", "probability", "preference", "criteria"];

pub(super) fn read_answer(
    schema: &Value,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Option<JudgeAnswer> {
    let answer = read_one(schema, "this judge", span, diagnostics)?;
    let JudgeAnswer::Criteria { .. } = answer else { return Some(answer) };
    let criteria = schema.pointer("/properties/criteria/properties").and_then(Value::as_object);
    let Some(criteria) = criteria.filter(|criteria| !criteria.is_empty()) else {
        let message = "`criteria` of this judge names no criterion";
        let hint = "under `criteria(object)`, give each criterion's name and `(object)` its own \
                    `reason: string` and answer";
        diagnostics.error_with_hint("judge-output", span, message, hint);
        return None;
    };
    let mut answers = Vec::new();
    for (name, criterion) in criteria {
        let whose = format!("the criterion `{name}` of this judge");
        match read_one(criterion, &whose, span, diagnostics) {
            Some(JudgeAnswer::Preference { .. } | JudgeAnswer::Criteria { .. }) => {
                let message = format!("{whose} is neither passed nor failed by what it asks for");
                diagnostics.error_with_hint("judge-output", span, message, FORMS);
            }
            Some(answer) => answers.push((name.clone(), answer)),
            None => {}
        }
    }
    Some(JudgeAnswer::Criteria { criteria: answers })
}

/// Reads one form of answer, `whose` of a message.
fn read_one(
    schema: &Value,
    whose: &str,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Option<JudgeAnswer> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let named: Vec<_> =
        KEYS.into_iter().filter_map(|name| Some((name, properties.get(name)?))).collect();
    let [(name, property)] = named.as_slice() else {
        let message = if named.is_empty() {
            format!("the output schema of {whose} has no form of answer")
        } else {
            format!("the output schema of {whose} has more than one form of answer")
        };
        diagnostics.error_with_hint("judge-output", span, message, FORMS);
        return None;
    };
    let place = |wanted: &str| properties.keys().position(|key| key == wanted);
    match place("reason") {
        // Each criterion has its own, and decision models give none.
        None if !["probability", "criteria"].contains(name) => {
            let message = format!("{whose} gives no `reason` for its `{name}`");
            diagnostics.error_with_hint("judge-output", span, message, "add `reason: string`");
        }
        Some(at) if Some(at) > place(name) => {
            let message = format!("`reason` stands after `{name}`");
            let hint = "put it first: what a model says after its answer does not inform it";
            diagnostics.error_with_hint("judge-output", span, message, hint);
        }
        _ => {}
    }
    let answer = answer_of(name, property);
    if answer.is_none() {
        let (message, hint) = match *name {
            "verdict" => ("`verdict` is not `pass` or `fail`", "`verdict(enum): [pass, fail]`"),
            "score" => (
                "`score` has no range",
                "`score(enum): [1, 2, 3, 4, 5]`, or a JSON Schema with `minimum` and `maximum`",
            ),
            "preference" => {
                ("`preference` is not `a`, `b` or `tie`", "`preference(enum): [a, b, tie]`")
            }
            _ => ("`category` needs at least two texts", "`category(enum): [late, wrong]`"),
        };
        diagnostics.error_with_hint("judge-output", span, message, hint);
    }
    answer
}

fn answer_of(name: &str, property: &Value) -> Option<JudgeAnswer> {
    let listed = property.get("enum").and_then(Value::as_array);
    let texts = || -> Option<Vec<String>> {
        listed?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let sorted = || {
        let mut texts = texts()?;
        texts.sort_unstable();
        Some(texts)
    };
    match name {
        "verdict" => (sorted()? == ["fail", "pass"]).then_some(JudgeAnswer::Verdict),
        "preference" => {
            let texts = sorted()?;
            let ties = texts == ["a", "b", "tie"];
            (ties || texts == ["a", "b"]).then_some(JudgeAnswer::Preference { ties })
        }
        "score" => {
            let bound = |key: &str| property.get(key).and_then(Value::as_f64);
            let numbers: Vec<f64> =
                listed.into_iter().flatten().filter_map(Value::as_f64).collect();
            let low = bound("minimum").or_else(|| numbers.iter().copied().reduce(f64::min))?;
            let high = bound("maximum").or_else(|| numbers.iter().copied().reduce(f64::max))?;
            (low < high).then_some(JudgeAnswer::Score { low, high })
        }
        "category" => {
            let categories = texts()?;
            (categories.len() > 1).then_some(JudgeAnswer::Category { categories })
        }
        "criteria" => Some(JudgeAnswer::Criteria { criteria: Vec::new() }),
        _ => Some(JudgeAnswer::Probability),
    }
}
