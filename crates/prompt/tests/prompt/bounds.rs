//! Rendering ends, and what would not end is refused.
#![expect(clippy::disallowed_methods, reason = "the corpus of the fuzzer is a folder of files")]

use prompt::{RenderFailure, link};
use serde_json::{Value, json};

use crate::fuzz_target::render_anything;
use crate::support::{input, linked, parse, partials};

#[test]
fn the_corpus_of_the_fuzzer_does_no_harm() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/render");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is a part of the repository") {
        let path = entry.expect("the corpus can be listed").path();
        render_anything(&std::fs::read(path).expect("a file of the corpus can be read"));
        count += 1;
    }
    assert!(count >= 12, "found {count} files");
}

/// Links a prompt that must be refused, and returns why.
fn refusal(prompt: &str, sources: &[(&str, &str)]) -> String {
    let (prompt, found) = parse(prompt);
    let (linked, found) = link(prompt.unwrap_or_else(|| panic!("{found:?}")), &partials(sources));
    assert!(linked.is_none());
    let show = |found: &document::Diagnostic| {
        let position = found.position.expect("it has a place");
        let hint = found.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{}:{} {}{hint}", found.file, position.line, position.column, found.message)
    };
    found.iter().map(show).collect::<Vec<_>>().join("\n")
}

#[test]
fn partials_that_include_themselves_are_refused() {
    assert_eq!(
        refusal("{{> a}}", &[("a", "{{> a}}")]),
        "prompts/_a.prompt:1:5 the partial `a` includes itself (the circle is a → a)"
    );
    assert_eq!(
        refusal(
            "{{> a}}",
            &[("a", "x\n{{#if b}}{{> b}}{{/if}}"), ("b", "{{> c}}"), ("c", "{{> a}}")]
        ),
        "prompts/_c.prompt:1:5 the partial `a` includes itself (the circle is a → b → c → a)"
    );
    assert_eq!(
        refusal(
            "{{#*inline \"a\"}}{{> b}}{{/inline}}{{#*inline \"b\"}}{{#if x}}{{> a}}{{/if}}{{/inline}}",
            &[]
        ),
        "prompts/p.prompt:1:21 the inline partial `a` includes itself\n\
         prompts/p.prompt:1:64 the inline partial `b` includes itself"
    );
}

#[test]
fn missing_partials_are_named_with_the_nearest() {
    assert_eq!(
        refusal("x\n{{> tonne}}", &[("tone", "")]),
        "prompts/p.prompt:2:5 no partial is called `tonne` (did you mean `tone`?)"
    );
}

#[test]
fn prompts_that_grow_without_bound_are_refused() {
    let names: Vec<String> = (0..40).map(|at| format!("p{at}")).collect();
    let doubling: Vec<String> =
        (0..40).map(|at| format!("{{{{> p{0}}}}}{{{{> p{0}}}}}", at + 1)).collect();
    let mut sources: Vec<(&str, &str)> =
        names.iter().zip(&doubling).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    sources.push(("p40", "x"));
    assert!(refusal("{{> p0}}", &sources).contains("statements"));
    let chain: Vec<(String, String)> =
        (0..100).map(|at| (format!("p{at}"), format!("{{{{> p{}}}}}", at + 1))).collect();
    let mut sources: Vec<(&str, &str)> =
        chain.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    sources.push(("p100", "x"));
    assert!(refusal("{{> p0}}", &sources).contains("levels deep"));
}

#[test]
fn deep_templates_are_refused_with_their_place() {
    let deep = |open: &str, close: &str| {
        let (prompt, found) = parse(&format!("{}{}", open.repeat(5000), close.repeat(5000)));
        assert!(prompt.is_none());
        found[0].message.clone()
    };
    assert_eq!(deep("{{#if a}}", "{{/if}}"), "nested more than 64 levels deep");
    let arguments = format!("{{{{json {}1{}}}}}", "(json ".repeat(5000), ")".repeat(5000));
    assert_eq!(parse(&arguments).1[0].message, "nested more than 64 levels deep");
    let chain = format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(5000));
    assert_eq!(parse(&chain).1[0].message, "nested more than 64 levels deep");
}

fn failure(prompt: &str, sources: &[(&str, &str)], variables: Value) -> RenderFailure {
    let rendered = linked(prompt, sources).render(&input(variables));
    rendered.expect_err("it must not be rendered").failure
}

#[test]
fn renderings_that_are_too_large_end() {
    let variables = json!({ "v": "x".repeat(1 << 20), "l": vec![0; 20] });
    assert_eq!(failure("{{#each l}}{{../v}}{{/each}}", &[], variables), RenderFailure::TooLarge);
    // Each call copies the context, and 64 bytes of text count as one value.
    let copies = "{{#each l}}{{> p .. x=1}}{{/each}}";
    let variables = json!({ "v": "x".repeat(64 * 250_000), "l": vec![0; 50] });
    assert_eq!(failure(copies, &[("p", "")], variables), RenderFailure::TooManySteps);
    let mutual = "{{#*inline \"a\"}}{{> b}}{{/inline}}{{> b}}";
    assert_eq!(failure(mutual, &[("b", "{{> a}}")], json!({})), RenderFailure::TooDeep);
}

#[test]
fn failures_of_rendering_have_their_place() {
    let error = linked("a\n{{role r}}", &[]).render(&input(json!({ "r": "chef" }))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "prompts/p.prompt:2:1: `chef` is not a role: expected system, user, model or tool"
    );
    assert_eq!(failure("{{media url=u}}", &[], json!({ "u": 1 })), RenderFailure::MediaUrl);
    let hidden = "{{#if a}}{{#*inline \"x\"}}{{/inline}}{{/if}}{{> x}}";
    assert_eq!(failure(hidden, &[], json!({})), RenderFailure::NoPartial("x".to_owned()));
}
