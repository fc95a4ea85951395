//! Short ways to parse, link and render in a test.

use std::sync::Arc;

use document::{Diagnostic, Severity, SourceText};
use prompt::{LinkedPrompt, Partials, Prompt, RenderInput, Schemas};
use serde_json::Value;

/// Parses a prompt and returns what was found about it.
pub(crate) fn parse(text: &str) -> (Option<Prompt>, Vec<Diagnostic>) {
    prompt::parse(&SourceText::new("prompts/p.prompt", text), &Schemas::new())
}

/// Parses partials that must be right.
pub(crate) fn partials(sources: &[(&str, &str)]) -> Partials {
    let parse = |(name, text): &(&str, &str)| {
        let source = SourceText::new(format!("prompts/_{name}.prompt"), *text);
        let (partial, found) = prompt::parse_partial(&source);
        let partial = partial.unwrap_or_else(|| panic!("{name}: {found:?}"));
        ((*name).to_owned(), Arc::new(partial))
    };
    sources.iter().map(parse).collect()
}

/// Parses and links a prompt that must be right.
pub(crate) fn linked(text: &str, sources: &[(&str, &str)]) -> LinkedPrompt {
    let (prompt, found) = parse(text);
    assert!(found.iter().all(|found| found.severity != Severity::Error), "{text}: {found:?}");
    let (linked, found) = prompt::link(prompt.expect("no errors"), &partials(sources));
    linked.unwrap_or_else(|| panic!("{text}: {found:?}"))
}

/// Makes an input of variables.
pub(crate) fn input(variables: Value) -> RenderInput {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    RenderInput { variables, ..RenderInput::default() }
}

/// Renders a prompt and returns the text of all its messages.
pub(crate) fn render(text: &str, sources: &[(&str, &str)], variables: Value) -> String {
    let rendered = linked(text, sources).render(&input(variables));
    let rendered = rendered.unwrap_or_else(|error| panic!("{error}"));
    rendered.to_messages().iter().map(chat::Message::joined_text).collect()
}
