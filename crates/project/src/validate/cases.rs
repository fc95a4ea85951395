//! Cases that a prompt, its input schema or a check cannot be used with.
//!
//! A mistake in a template shows in every case, so what is the same mistake is one finding that names
//! the first case and counts the others.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use document::{Diagnostic, Diagnostics, SourceText};
use evalset::check::Bindings;
use evalset::{AttachmentPlace, CaseFile, EvalSet};
use prompt::{LinkedPrompt, SchemaError, Unbound};
use serde_json::{Map, Value};

use crate::{PromptFile, resolve_inside};

/// Checks what the settings of a set say about its cases.
pub(super) fn check_set(set: &EvalSet, cases: &CaseFile, diagnostics: &mut Diagnostics) {
    let mut tags = HashSet::new();
    let mut failing: BTreeMap<(usize, String), Others> = BTreeMap::new();
    for case in cases.iter() {
        let variables = case.variables();
        let bindings = Bindings { inputs: &variables, expected: case.expected.as_ref() };
        for (at, check) in set.checks.iter().enumerate() {
            for placeholder in check.test.placeholders() {
                if let Err(reason) = placeholder.resolve(bindings) {
                    let key = (at, placeholder.source().to_owned());
                    Others::count(&mut failing, key, &case.id, || reason.to_string());
                }
            }
        }
        tags.extend(case.tags);
    }
    for ((at, _), others) in failing {
        let check = &set.checks[at];
        let message = format!("the check `{}` cannot be used: {}", check.name, others.reason());
        diagnostics.error("check-value", check.name_span, message);
    }
    let Some(required) = &set.gate.required_cases else { return };
    let place = set.candidate.as_ref().map(|candidate| candidate.span).unwrap_or_default();
    for id in required.ids.iter().filter(|id| cases.span(id).is_none()) {
        let message = format!("the gate requires the case `{id}`, which does not exist");
        diagnostics.error("unknown-case", place, message);
    }
    for tag in required.tags.iter().filter(|tag| !tags.contains(*tag)) {
        let message = format!("the gate requires cases with the tag `{tag}`, which none has");
        diagnostics.warning("unknown-tag", place, message);
    }
}

/// One mistake, the first case that shows it, and how many others do.
struct Others {
    problem: String,
    first: String,
    more: usize,
}

impl Others {
    fn count<K: Ord>(
        found: &mut BTreeMap<K, Self>,
        key: K,
        case: &str,
        problem: impl FnOnce() -> String,
    ) {
        found.entry(key).and_modify(|others| others.more += 1).or_insert_with(|| Self {
            problem: problem(),
            first: case.to_owned(),
            more: 0,
        });
    }

    fn reason(&self) -> String {
        let Self { problem, first, more } = self;
        match more {
            0 => format!("{problem} (case `{first}`)"),
            more => format!("{problem} (case `{first}` and {more} more)"),
        }
    }
}

/// Checks that every case binds what a prompt uses, and that its inputs fit the prompt's schema.
pub(super) fn check_prompt(file: &PromptFile, set: &str, cases: &CaseFile) -> Vec<Diagnostic> {
    let Some(linked) = &file.linked else { return Vec::new() };
    let mut found = Vec::new();
    let schema = match linked.input_schema() {
        Ok(schema) => schema,
        Err(error) => {
            found.push(bad_schema(file, linked, &error));
            None
        }
    };
    let variables = linked.variables();
    let mut unbound: BTreeMap<String, (Unbound, Others)> = BTreeMap::new();
    let mut misfits: BTreeMap<(String, String), Others> = BTreeMap::new();
    for case in cases.iter() {
        let given = case.variables();
        for one in variables.unbound(&given) {
            let variable = without_indices(&one.variable);
            unbound.entry(variable).and_modify(|(_, others)| others.more += 1).or_insert_with(
                || {
                    let problem = format!("the variable `{}` is not bound", one.variable);
                    (one, Others { problem, first: case.id.clone(), more: 0 })
                },
            );
        }
        let given = declared_only(linked, given);
        for problem in schema.iter().flat_map(|schema| schema.problems(&given)) {
            let key = (without_indices(&problem.path), without_values(&problem.message));
            Others::count(&mut misfits, key, &case.id, || problem.to_string());
        }
    }
    found.extend(
        unbound
            .into_values()
            .map(|(one, others)| missing_variable(file, linked, set, &one, &others)),
    );
    let mut diagnostics = Diagnostics::new(cases.source().clone());
    for others in misfits.into_values() {
        let span = cases.span(&others.first).unwrap_or_default();
        let name = &file.name;
        let message = format!("the inputs do not fit the prompt `{name}`: {}", others.reason());
        diagnostics.error("case-input", span, message);
    }
    found.extend(diagnostics.into_vec());
    found
}

/// Leaves out the variables that a prompt's schema does not declare: the variants of a set share its
/// cases, and what one of them does not use does no harm.
fn declared_only(linked: &LinkedPrompt, mut variables: Map<String, Value>) -> Map<String, Value> {
    let schema = linked.prompt().front_matter.input.schema.as_ref();
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    if let Some(properties) = properties {
        variables.retain(|name, _| properties.contains_key(name));
    }
    variables
}

fn missing_variable(
    file: &PromptFile,
    linked: &LinkedPrompt,
    set: &str,
    unbound: &Unbound,
    others: &Others,
) -> Diagnostic {
    let partials = linked.partials().values().map(|partial| partial.source());
    let source: &SourceText = partials
        .filter(|source| source.name() == unbound.file)
        .chain([&file.source])
        .next()
        .unwrap_or(&file.source);
    let mut diagnostics = Diagnostics::new(source.clone());
    let message = format!("{}, in the eval set `{set}`", others.reason());
    let hint = "bind it in the case's `inputs`, give it a default, or make it optional";
    diagnostics.error_with_hint("unbound-variable", unbound.span, message, hint);
    diagnostics.into_vec().remove(0)
}

fn bad_schema(file: &PromptFile, linked: &LinkedPrompt, error: &SchemaError) -> Diagnostic {
    let mut diagnostics = Diagnostics::new(file.source.clone());
    let span = linked.prompt().front_matter_span().unwrap_or_default();
    diagnostics.error("input-schema", span, format!("the input schema cannot be used: {error}"));
    diagnostics.into_vec().remove(0)
}

/// `items[3].price` and `items[4].price` are one mistake.
fn without_indices(variable: &str) -> String {
    let mut out = String::with_capacity(variable.len());
    for part in variable.split_inclusive('[') {
        let digits = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        out.push_str(if digits.starts_with(']') { digits } else { part });
    }
    out
}

/// The words of a schema's message without the value that it quotes, to know the same mistake again.
fn without_values(message: &str) -> String {
    let words = message.split_whitespace().rev().take(4);
    words.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(" ")
}

/// Checks that attachments lie inside the project, exist, and are what the case says.
pub(super) fn check_attachments(root: &Path, cases: &CaseFile) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::new(cases.source().clone());
    for case in cases.iter() {
        for attachment in &case.attachments {
            let AttachmentPlace::Path(path) = &attachment.place else { continue };
            let span = cases.span(&case.id).unwrap_or_default();
            let name = &attachment.name;
            match resolve_inside(root, path) {
                Err(error) => {
                    let message = format!("the attachment `{name}`: {error}");
                    diagnostics.error("attachment", span, message);
                }
                Ok(real) => match (attachment.sha256, files::hash_file(&real)) {
                    (Some(stated), Ok(actual)) if stated != actual => {
                        let message =
                            format!("the attachment `{name}` has changed: it is {actual} now");
                        diagnostics.error("attachment", span, message);
                    }
                    (Some(_), Err(error)) => {
                        let message = format!("the attachment `{name}`: {}", error.problem);
                        diagnostics.error("attachment", span, message);
                    }
                    _ => {}
                },
            }
        }
    }
    diagnostics.into_vec()
}
