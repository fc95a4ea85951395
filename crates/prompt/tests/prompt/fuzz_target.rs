//! The function that fuzzing calls: anything at all is parsed, linked, rendered and compared.
//!
//! Shared with the folder `fuzz/`, which gives it to a coverage-guided fuzzer.

use std::sync::Arc;

use document::SourceText;
use prompt::{Partials, RenderInput, Schemas};
use serde_json::Value;

/// Separates the prompt, the partials `p` and `q`, the variables and the context.
const SEPARATOR: &str = "\n=====\n";

/// Renders the template that the bytes are, and checks what must hold of anything.
pub(crate) fn render_anything(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split(SEPARATOR);
    let source = SourceText::new("p.prompt", parts.next().unwrap_or_default());
    let (prompt, found) = prompt::parse(&source, &Schemas::new());
    assert!(prompt.is_some() || !found.is_empty(), "a refusal has a reason");
    for finding in &found {
        let span = finding.span.expect("a finding about a text has a place");
        assert!(span.start <= span.end && span.end <= source.text().len(), "{finding:?}");
    }
    let mut partials = Partials::new();
    for name in ["p", "q"] {
        let text = parts.next().unwrap_or_default();
        let (partial, _) = prompt::parse_partial(&SourceText::new(format!("_{name}.prompt"), text));
        partials.extend(partial.map(|partial| (name.to_owned(), Arc::new(partial))));
    }
    let mut object = || match parts.next().map(serde_json::from_str) {
        Some(Ok(Value::Object(map))) => map,
        _ => serde_json::Map::new(),
    };
    let (variables, context) = (object(), object());
    let Some(prompt) = prompt else { return };
    let (linked, found) = prompt::link(prompt, &partials);
    let Some(linked) = linked else {
        assert!(!found.is_empty(), "a refusal has a reason");
        return;
    };
    for missed in linked.variables().unbound(&variables) {
        assert!(!missed.variable.is_empty());
    }
    if let Ok(Some(schema)) = linked.input_schema() {
        schema.problems(&variables);
    }
    assert!(prompt::diff(&linked, &linked).is_empty(), "nothing differs from itself");
    let history = vec![chat_message("a question")];
    let input = RenderInput { variables, context, history, docs: Vec::new() };
    if let Ok(rendered) = linked.render(&input) {
        let bytes: usize =
            rendered.to_messages().iter().map(|message| message.joined_text().len()).sum();
        assert!(bytes <= prompt::MAX_OUTPUT_BYTES + 64, "{bytes}");
        assert_eq!(linked.render(&input).as_ref(), Ok(&rendered), "rendering is a function");
    }
}

fn chat_message(text: &str) -> prompt::RenderedMessage {
    let message = serde_json::json!({
        "role": "user",
        "parts": [{ "is": "said", "part": { "kind": "text", "text": text } }],
    });
    serde_json::from_value(message).expect("this is a message")
}
