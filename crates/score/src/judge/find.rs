use document::{Diagnostic, Diagnostics, Span};
use prompt::{LinkedPrompt, PathStep, VariableRoot};

use super::answer::{FORMS, PAIR_FORM, read_answer};
use super::{Judge, JudgeAnswer, Sees};

/// What a judge may see.
const SEEN: [&str; 6] = ["input", "output", "output_a", "output_b", "expected", RENDERED];

/// What was sent for the output.
const RENDERED: &str = "rendered";

/// Tells whether a judge looks at what was sent for the output, so that it has to be rendered again.
pub fn sees_rendered(linked: &LinkedPrompt) -> bool {
    let variables = linked.variables();
    let is_rendered =
        |step: Option<&PathStep>| matches!(step, Some(PathStep::Key(root)) if root == RENDERED);
    let mut distinct = variables.distinct().into_iter();
    distinct
        .any(|used| used.path.root == VariableRoot::Input && is_rendered(used.path.steps.first()))
}

/// Reads what a judge sees and answers from its prompt.
///
/// Returns `None`, and every reason, if the prompt is no judge: it does not look at the output or at
/// both outputs of a pair, uses a variable that nothing binds, or its output schema has no form of
/// answer that is known. The reason must come before the answer, so that the model thinks first.
pub fn read_judge(linked: &LinkedPrompt) -> (Option<Judge>, Vec<Diagnostic>) {
    let prompt = linked.prompt();
    let mut diagnostics = Diagnostics::new(prompt.source().clone());
    let span = prompt.front_matter_span().unwrap_or_else(|| prompt.template_span());
    let sees = check_variables(linked, span, &mut diagnostics);
    let schema = prompt.front_matter.output.schema.as_ref();
    if schema.is_none() {
        let message = "a judge needs an output schema";
        let hint = if sees == Sees::Pair { PAIR_FORM } else { FORMS };
        diagnostics.error_with_hint("judge-output", span, message, hint);
    }
    let answer = schema.and_then(|schema| read_answer(schema, span, &mut diagnostics));
    if let Some(answer) = &answer {
        check_kind(sees, answer, span, &mut diagnostics);
    }
    let asks_logprobs = prompt.front_matter.sampling.logprobs.is_some();
    let judge = answer.filter(|_| !diagnostics.has_errors());
    (judge.map(|answer| Judge { sees, answer, asks_logprobs }), diagnostics.into_vec())
}

fn check_variables(linked: &LinkedPrompt, span: Span, diagnostics: &mut Diagnostics) -> Sees {
    let main = linked.prompt().source().name();
    let defaults = &linked.prompt().front_matter.input.default;
    let variables = linked.variables();
    let mut seen = Vec::new();
    for used in variables.distinct() {
        if used.path.root != VariableRoot::Input {
            continue;
        }
        let Some(PathStep::Key(root)) = used.path.steps.first() else { continue };
        seen.push(root.as_str());
        if SEEN.contains(&root.as_str()) || used.optional || defaults.contains_key(root) {
            continue;
        }
        // Spans of partials lie in other files.
        let span = if used.file == main { used.span } else { span };
        let message = format!("a judge sees no variable `{root}`");
        let hint = "it sees `input` (`input.name`), `output`, `expected` and `rendered`; one that \
                    compares sees `output_a` and `output_b` in place of `output` and `rendered`";
        diagnostics.error_with_hint("judge-variable", span, message, hint);
    }
    let looks_at = |name: &str| seen.contains(&name);
    if looks_at(RENDERED) && (looks_at("output_a") || looks_at("output_b")) {
        let message = "a judge that compares sees no `rendered`";
        let hint = "the outputs of a pair may come from different prompts; show it `input`";
        diagnostics.error_with_hint("judge-variable", span, message, hint);
    }
    match (looks_at("output"), looks_at("output_a"), looks_at("output_b")) {
        (true, false, false) => Sees::One,
        (false, true, true) => Sees::Pair,
        (false, false, false) => {
            let message = "this judge does not look at the output";
            let hint = "use `{{output}}`, or `{{output_a}}` and `{{output_b}}` to compare two";
            diagnostics.error_with_hint("judge-variable", span, message, hint);
            Sees::One
        }
        (true, ..) => {
            let message = "this judge looks at one output and at a pair of them";
            let hint = "use either `{{output}}`, or `{{output_a}}` and `{{output_b}}`";
            diagnostics.error_with_hint("judge-variable", span, message, hint);
            Sees::Pair
        }
        (false, has_a, _) => {
            let (seen, missing) = if has_a { ("a", "b") } else { ("b", "a") };
            let message =
                format!("this judge looks at `output_{seen}` and not at `output_{missing}`");
            let hint = "a judge that compares two outputs must see both";
            diagnostics.error_with_hint("judge-variable", span, message, hint);
            Sees::Pair
        }
    }
}

/// Whoever sees a pair says which it prefers, and nobody else does.
fn check_kind(sees: Sees, answer: &JudgeAnswer, span: Span, diagnostics: &mut Diagnostics) {
    let prefers = matches!(answer, JudgeAnswer::Preference { .. });
    match sees {
        Sees::Pair if !prefers => {
            let message = format!("this judge sees two outputs and answers `{}`", answer.key());
            diagnostics.error_with_hint("judge-output", span, message, PAIR_FORM);
        }
        Sees::One if prefers => {
            let message = "this judge answers `preference` and sees one output";
            let hint = "use `{{output_a}}` and `{{output_b}}` in place of `{{output}}`";
            diagnostics.error_with_hint("judge-variable", span, message, hint);
        }
        _ => {}
    }
}
