use document::{Diagnostic, Diagnostics, Span};
use prompt::{LinkedPrompt, PathStep, VariableRoot};
use serde_json::{Map, Value};

use super::{Judge, JudgeAnswer};

/// What a judge may see.
const SEEN: [&str; 3] = ["input", "output", "expected"];

const FORMS: &str = "give it an output schema of `reason: string` and then `verdict(enum): [pass, fail]`, \
     `score` in a range, `category(enum): [...]` or `probability: number`";

/// Reads what a judge sees and answers from its prompt.
///
/// Returns `None`, and every reason, if the prompt is no judge: it does not look at the output, uses
/// a variable that no judged output binds, or its output schema has no form of answer that is known.
/// The reason must come before the answer, so that the model thinks first.
pub fn read_judge(linked: &LinkedPrompt) -> (Option<Judge>, Vec<Diagnostic>) {
    let prompt = linked.prompt();
    let mut diagnostics = Diagnostics::new(prompt.source().clone());
    let span = prompt.front_matter_span().unwrap_or_else(|| prompt.template_span());
    check_variables(linked, span, &mut diagnostics);
    let schema = prompt.front_matter.output.schema.as_ref();
    if schema.is_none() {
        let message = "a judge needs an output schema";
        diagnostics.error_with_hint("judge-output", span, message, FORMS);
    }
    let answer = schema.and_then(|schema| read_answer(schema, span, &mut diagnostics));
    let judge = answer.filter(|_| !diagnostics.has_errors()).map(|answer| Judge { answer });
    (judge, diagnostics.into_vec())
}

fn check_variables(linked: &LinkedPrompt, span: Span, diagnostics: &mut Diagnostics) {
    let main = linked.prompt().source().name();
    let defaults = &linked.prompt().front_matter.input.default;
    let variables = linked.variables();
    let mut sees_output = false;
    for used in variables.distinct() {
        if used.path.root != VariableRoot::Input {
            continue;
        }
        let Some(PathStep::Key(root)) = used.path.steps.first() else { continue };
        sees_output |= root == "output";
        if SEEN.contains(&root.as_str()) || used.optional || defaults.contains_key(root) {
            continue;
        }
        // Spans of partials lie in other files.
        let span = if used.file == main { used.span } else { span };
        let message = format!("a judge sees no variable `{root}`");
        let hint = "it sees `input` (`input.name`), `output` and `expected`";
        diagnostics.error_with_hint("judge-variable", span, message, hint);
    }
    if !sees_output {
        let message = "this judge does not look at the output";
        diagnostics.error_with_hint("judge-variable", span, message, "use `{{output}}`");
    }
}

fn read_answer(schema: &Value, span: Span, diagnostics: &mut Diagnostics) -> Option<JudgeAnswer> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let named: Vec<_> = ["verdict", "score", "category", "probability"]
        .into_iter()
        .filter_map(|name| Some((name, properties.get(name)?)))
        .collect();
    let [(name, property)] = named.as_slice() else {
        let message = if named.is_empty() {
            "the output schema of this judge has no form of answer".to_owned()
        } else {
            "the output schema of this judge has more than one form of answer".to_owned()
        };
        diagnostics.error_with_hint("judge-output", span, message, FORMS);
        return None;
    };
    let place = |wanted: &str| properties.keys().position(|key| key == wanted);
    match place("reason") {
        None if *name != "probability" => {
            let message = format!("this judge gives no `reason` for its `{name}`");
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
    match name {
        "verdict" => {
            let mut texts = texts()?;
            texts.sort_unstable();
            (texts == ["fail", "pass"]).then_some(JudgeAnswer::Verdict)
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
        _ => Some(JudgeAnswer::Probability),
    }
}
