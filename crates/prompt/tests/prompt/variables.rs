//! Which variables a prompt uses, and which a case leaves open.

use prompt::VariableUse;
use serde_json::{Value, json};

use crate::support::linked;

fn listed(prompt: &str, partials: &[(&str, &str)]) -> String {
    let show = |found: &VariableUse| {
        let optional = if found.optional { " optional" } else { "" };
        let guarded = if found.guarded { " guarded" } else { "" };
        let at = found.position;
        format!("{} {}:{}:{}{optional}{guarded}", found.path, found.file, at.line, at.column)
    };
    linked(prompt, partials).variables().uses.iter().map(show).collect::<Vec<_>>().join("\n")
}

fn unbound(prompt: &str, partials: &[(&str, &str)], variables: Value) -> Vec<String> {
    let Value::Object(variables) = variables else { panic!("variables are an object") };
    let variables_of = linked(prompt, partials).variables();
    variables_of.unbound(&variables).iter().map(ToString::to_string).collect()
}

#[test]
fn every_use_has_its_path_and_place() {
    let prompt = "\
---
input:
  schema:
    name: string
    nick?: string
    items(array):
      price: number
      note?: string
---
Hi {{name}} {{#if nick}}({{nick}}){{/if}}
{{#each items as |item at|}}
  {{at}} {{item.price}} {{note}} {{../name}} {{@root.extra.deep}} {{@state.lang}}
{{/each}}
{{> bye who=name}}{{json (lookup items at)}}{{[odd key].x}}
";
    insta::assert_snapshot!(listed(prompt, &[("bye", "Bye {{who}}, {{name}}{{literal}}.")]), @r#"
    name prompts/p.prompt:10:6
    nick prompts/p.prompt:10:19 optional guarded
    nick prompts/p.prompt:10:28 optional guarded
    items prompts/p.prompt:11:9 guarded
    items[].price prompts/p.prompt:12:12 guarded
    items[].note prompts/p.prompt:12:27 optional guarded
    name prompts/p.prompt:12:36
    extra.deep prompts/p.prompt:12:48
    @state.lang prompts/p.prompt:12:69
    name prompts/_bye.prompt:1:7
    name prompts/_bye.prompt:1:16
    literal prompts/_bye.prompt:1:24
    items prompts/p.prompt:14:34
    at prompts/p.prompt:14:40
    ["odd key"].x prompts/p.prompt:14:47
    "#);
}

#[test]
fn a_variable_that_is_not_bound_is_named_with_its_line() {
    let prompt = "---\nmodel: m\n---\nHi\n{{name}} {{name}} {{> p}}";
    let partials = [("p", "\n{{city}}")];
    assert_eq!(
        unbound(prompt, &partials, json!({})),
        [
            "prompts/p.prompt:5:3: the variable `name` is not bound",
            "prompts/_p.prompt:2:3: the variable `city` is not bound",
        ]
    );
    assert!(unbound(prompt, &partials, json!({ "name": null, "city": "" })).is_empty());
}

#[test]
fn optional_and_default_variables_are_not_missed() {
    let prompt = "---\ninput:\n  default: {a: 1}\n  schema:\n    a: integer\n    b?: string\n    c: string\n---\n{{a}}{{b}}{{c}}{{d}}";
    assert_eq!(
        unbound(prompt, &[], json!({})),
        [
            "prompts/p.prompt:9:13: the variable `c` is not bound",
            "prompts/p.prompt:9:18: the variable `d` is not bound",
        ]
    );
}

#[test]
fn a_conditional_on_itself_excuses_only_while_it_is_not_met() {
    for guard in [
        "{{#if u}}{{u.name}}{{/if}}",
        "{{#unless u}}-{{else}}{{u.name}}{{/unless}}",
        "{{#with u}}{{name}}{{/with}}",
        "{{#u}}{{name}}{{/u}}",
        "{{#if a}}{{else if u}}{{u.name}}{{/if}}",
    ] {
        assert!(unbound(guard, &[], json!({})).is_empty(), "{guard}");
        let missed = unbound(guard, &[], json!({ "u": { "x": 1 } }));
        assert!(missed.len() == 1 && missed[0].contains("`u.name`"), "{guard}: {missed:?}");
    }
    assert_eq!(unbound("{{#if a}}{{b}}{{/if}}", &[], json!({})).len(), 1);
    assert_eq!(unbound("{{#if a}}{{else}}{{a}}{{/if}}", &[], json!({})).len(), 1);
    assert_eq!(unbound("{{#ifEquals a 1}}{{/ifEquals}}", &[], json!({})).len(), 1);
}

#[test]
fn items_of_lists_are_checked_one_by_one() {
    let prompt = "{{#each l}}{{price}}{{#if note}}{{note}}{{/if}}{{/each}}";
    assert!(unbound(prompt, &[], json!({})).is_empty());
    assert!(unbound(prompt, &[], json!({ "l": [] })).is_empty());
    let missed = unbound(prompt, &[], json!({ "l": [{ "price": 1 }, { "note": "x" }] }));
    assert_eq!(missed, ["prompts/p.prompt:1:14: the variable `l[1].price` is not bound"]);
    let nested = "{{#each o}}{{#each .}}{{x}}{{/each}}{{/each}}";
    let missed = unbound(nested, &[], json!({ "o": { "a b": [{}] } }));
    assert_eq!(missed, ["prompts/p.prompt:1:25: the variable `o[\"a b\"][0].x` is not bound"]);
}

#[test]
fn inline_partials_and_blocks_are_followed() {
    let partials = [("layout", "{{> nav x=1}}{{> @partial-block}}{{> @partial-block y=2}}")];
    let prompt = "{{#> layout}}{{#*inline \"nav\"}}{{x}}{{who}}{{/inline}}{{y}}{{/layout}}";
    let names = |missed: Vec<String>| {
        missed
            .iter()
            .filter_map(|line| line.split('`').nth(1).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(unbound(prompt, &partials, json!({}))), ["who", "y"]);
}

#[test]
fn the_input_is_checked_against_its_schema() {
    let prompt = "---\ninput:\n  default: {lang: de}\n  schema:\n    lang(enum): [de, en]\n    user:\n      tags(array): string\n---\n";
    let schema = linked(prompt, &[]).input_schema().unwrap().unwrap();
    let problems = |variables: Value| {
        let variables = variables.as_object().unwrap().clone();
        schema.problems(&variables).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(problems(json!({ "user": { "tags": ["a"] } })).is_empty());
    insta::assert_snapshot!(
        problems(json!({ "lang": "fr", "user": { "tags": ["a", 1] }, "extra": 1 })).join("\n"),
        @r#"
    lang: "fr" is not one of "de" or "en"
    user.tags[1]: 1 is not of type "string"
    the whole value: Additional properties are not allowed ('extra' was unexpected)
    "#
    );
}

#[test]
fn unsafe_schemas_are_refused() {
    let refuse = |schema: Value| prompt::Schema::compile(&schema).unwrap_err().to_string();
    for reference in ["http://127.0.0.1:9/x.json", "file:///etc/hostname"] {
        assert!(refuse(json!({ "$ref": reference })).contains(reference));
    }
    assert!(refuse(json!({ "pattern": "(a)\\1" })).contains("pattern"));
    let deep = (0..100).fold(json!({}), |inner, _| json!({ "not": inner }));
    assert!(refuse(deep).contains("deep"));
    let slow = json!({ "pattern": "^(a+)+$" });
    assert!(!prompt::Schema::compile(&slow).unwrap().is_valid(&json!("a".repeat(5000) + "b")));
}
