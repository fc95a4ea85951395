//! What front matter means, and what is said about one that is wrong.

use chat::{OutputFormat, Sampling};
use document::{Severity, SourceText};
use prompt::{FrontMatter, Schemas};
use serde_json::{Value, json};

use crate::support::{linked, parse};

fn read(front_matter: &str) -> FrontMatter {
    let (prompt, found) = parse(&format!("---\n{front_matter}\n---\n"));
    assert!(found.is_empty(), "{found:?}");
    prompt.unwrap_or_else(|| panic!("it parses: {front_matter}")).front_matter
}

/// Returns `line:column code message (hint)` of each finding, marked if it is an error.
fn findings(front_matter: &str) -> String {
    let (_, found) = parse(&format!("---\n{front_matter}\n---\nx"));
    let show = |found: &document::Diagnostic| {
        let position = found.position.expect("a finding about a text has a place");
        let hint = found.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let sign = if found.severity == Severity::Error { "error" } else { "warning" };
        let (line, column, code) = (position.line, position.column, &found.code);
        format!("{line}:{column} {sign} {code}: {}{hint}", found.message)
    };
    found.iter().map(show).collect::<Vec<_>>().join("\n")
}

#[test]
fn config_becomes_parameters_of_sampling() {
    let text = "config:\n  temperature: 0.5\n  topP: 1\n  topK: 40\n  maxOutputTokens: 9\n  stopSequences: [END]\n  seed: 7\n  logprobs: 3\n  frequency_penalty: 0.1";
    let expected = Sampling {
        temperature: Some(0.5),
        top_p: Some(1.0),
        top_k: Some(40),
        max_output_tokens: Some(9),
        stop: vec!["END".to_owned()],
        seed: Some(7),
        logprobs: Some(3),
        extra: serde_json::Map::from_iter([("frequency_penalty".to_owned(), json!(0.1))]),
    };
    assert_eq!(read(text).sampling, expected);
    assert_eq!(read("config: {logprobs: true}").sampling.logprobs, Some(0));
    assert_eq!(read("config:").sampling, Sampling::default());
}

#[test]
fn output_names_a_form() {
    let form = |text: &str| read(text).output.to_format();
    let schema = || Some(json!({ "type": "string" }));
    assert_eq!(form("model: m"), OutputFormat::Text);
    assert_eq!(form("output: {format: text}"), OutputFormat::Text);
    assert_eq!(form("output: {format: json}"), OutputFormat::Json { schema: None });
    assert_eq!(form("output: {schema: string}"), OutputFormat::Json { schema: schema() });
    assert_eq!(
        form("output: {format: json, schema: string}"),
        OutputFormat::Json { schema: schema() }
    );
}

#[test]
fn picoschema_becomes_json_schema() {
    let schema = |text: &str| read(&format!("input:\n  schema:\n{text}")).input.schema.unwrap();
    assert_eq!(
        schema("    kind?(enum, the kind): [a, 1]\n    (*): any\n    n: 'null'"),
        json!({
            "type": "object",
            "properties": {
                "kind": { "enum": ["a", 1, null], "description": "the kind" },
                "n": { "type": "null" },
            },
            "required": ["n"],
            "additionalProperties": {},
        })
    );
    assert_eq!(
        schema(
            "    a?(array, many):\n      b: integer, one, two\n    o?:\n      x?(object): {y: any}"
        ),
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "a": {
                    "type": ["array", "null"],
                    "description": "many",
                    "items": {
                        "type": "object",
                        "properties": { "b": { "type": "integer", "description": "one, two" } },
                        "required": ["b"],
                        "additionalProperties": false,
                    },
                },
                "o": {
                    "type": ["object", "null"],
                    "properties": { "x": {
                        "type": ["object", "null"],
                        "properties": { "y": {} },
                        "required": ["y"],
                        "additionalProperties": false,
                    } },
                    "additionalProperties": false,
                },
            },
        })
    );
    let json_schema = json!({ "type": "array", "items": { "type": "number", "minimum": 0 } });
    assert_eq!(schema(&format!("    {json_schema}")), json_schema);
}

#[test]
fn schemas_are_found_by_name() {
    let schemas =
        Schemas::from_iter([("Order".to_owned(), json!({ "type": "object", "title": "O" }))]);
    let text =
        "---\noutput:\n  schema:\n    order?: Order, the order\n    all(array): Order\n---\n";
    let (prompt, found) = prompt::parse(&SourceText::new("p.prompt", text), &schemas);
    assert!(found.is_empty(), "{found:?}");
    let schema = prompt.unwrap().front_matter.output.schema.unwrap();
    assert_eq!(
        schema["properties"],
        json!({
            "order": { "type": ["object", "null"], "title": "O", "description": "the order" },
            "all": { "type": "array", "items": { "type": "object", "title": "O" } },
        })
    );
}

#[test]
fn namespaced_keys_go_to_ext() {
    let ext = read("team.owner: me\nteam.sub.x: 1").ext;
    assert_eq!(
        serde_json::to_value(ext).unwrap(),
        json!({ "team": { "owner": "me" }, "team.sub": { "x": 1 } })
    );
}

#[test]
fn every_mistake_is_found_at_once() {
    let text = "modle: m
trysquare.colour: red
description: [x]
config:
  temprature: 1
  max_output_tokens: 5
  topP: 2
  maxOutputTokens: 0
  apiKey: sk-1
  stopSequences: [1]
input:
  defaults: {a: 1}
  schema:
    a: strnig
    b(list): string
    c: 5
    d:
output:
  format: yaml
tools: [{name: x}]
toolDefs:
  - description: nameless
variant: 1";
    insta::assert_snapshot!(findings(text), @r#"
    2:1 warning unknown-key: unknown key `modle` in the front matter (did you mean `model`?)
    3:1 warning unknown-key: unknown key `trysquare.colour` in the front matter (did you mean `trysquare.color`?)
    4:14 error wrong-kind: `description` of the front matter must be text, found a list
    6:3 warning unknown-parameter: `temprature` is sent to the model as it is (did you mean `temperature`?)
    7:3 warning unknown-parameter: `max_output_tokens` is sent to the model as it is (did you mean `maxOutputTokens`?)
    8:9 error out-of-range: `topP` must be in 0 to 1
    9:20 error out-of-range: `maxOutputTokens` must be 1 or more
    10:3 error secret-in-file: a key for a provider stands in a prompt (remove it here and at the provider; keys are kept by `trysquare key set`)
    11:19 error wrong-kind: a stop sequence is text of some length, found a number
    13:3 warning unknown-key: unknown key `defaults` in `input` (did you mean `default`?)
    15:8 error schema: no schema is called `strnig` (did you mean `string`?)
    16:5 error schema: no kind of property is called `list` (in parentheses stands array, object or enum)
    17:8 error schema: a schema is text or a mapping, found a number
    18:6 error schema: a schema is text or a mapping, found nothing
    20:3 warning output-format: the output format `yaml` is not known; text is asked for (use json or text)
    21:9 error wrong-kind: a tool is named, found a mapping (describe it under `toolDefs`, and name it here)
    23:5 error missing-key: a tool needs the key `name`
    24:10 error wrong-kind: `variant` of the front matter must be text, found a number
    "#);
}

#[test]
fn broken_yaml_and_unclosed_front_matter_have_a_place() {
    insta::assert_snapshot!(findings("a: [1"), @r#"
    3:1 error yaml-syntax: this is not YAML: while parsing a flow sequence, expected ',' or ']'
    "#);
    let (prompt, found) = parse("\n---\nmodel: m\n\nHello");
    assert_eq!(prompt.unwrap().template_text(), "\n---\nmodel: m\n\nHello");
    assert_eq!(
        (found[0].code.as_str(), found[0].position.unwrap().line),
        ("unclosed-front-matter", 2)
    );
}

#[test]
fn options_lie_over_the_front_matter() {
    let prompt = linked("---\nmodel: a/b\nconfig: {temperature: 1, seed: 2}\n---\nx", &[]);
    let options = json!({ "config": { "temperature": 0 }, "model": "c/d" });
    let (changed, found) =
        prompt.prompt().with_options(options.as_object().unwrap(), &Schemas::new());
    assert!(found.is_empty());
    assert_eq!(changed.front_matter.model.as_deref(), Some("c/d"));
    let sampling = &changed.front_matter.sampling;
    assert_eq!((sampling.temperature, sampling.seed), (Some(0.0), Some(2)));
    let written = linked("---\nmodel: c/d\nconfig: {seed: 2, temperature: 0}\n---\nx", &[]);
    let (relinked, _) = prompt::link(changed, prompt.partials());
    assert_eq!(relinked.unwrap().version(), written.version());
}

#[test]
fn display_keys_and_unreached_partials_do_not_count_for_the_version() {
    let plain = linked("---\nmodel: m\n---\n{{> a}}", &[("a", "x")]).version();
    let shown =
        "---\nmodel: m\ntrysquare.title: T\ntrysquare.color: red\ntrysquare.notes: n\n---\n{{> a}}";
    assert_eq!(linked(shown, &[("a", "x"), ("b", "y")]).version(), plain);
    assert_ne!(linked(shown, &[("a", "y")]).version(), plain);
    assert_ne!(linked("---\nmodel: m\nteam.x: 1\n---\n{{> a}}", &[("a", "x")]).version(), plain);
}

#[test]
fn a_tool_that_is_not_described_is_an_error_where_it_is_named() {
    let prompt = linked(
        "---\nmodel: x/research\ntools: [clock, search]\ntoolDefs:\n  - name: clock\n    inputSchema: {zone: string}\n---\n",
        &[],
    );
    let (tools, found) = prompt.tools();
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["clock"]);
    assert_eq!(tools[0].input_schema["properties"]["zone"]["type"], "string");
    assert_eq!(found[0].message, "the tool `search` is not described");
    let at = found[0].position.unwrap();
    assert_eq!((at.line, at.column), (3, 16));
    let options = json!({ "config": { "temperature": 0 } });
    let (changed, _) = prompt.prompt().with_options(options.as_object().unwrap(), &Schemas::new());
    assert_eq!(changed.front_matter.tools, prompt.prompt().front_matter.tools);
}

#[test]
fn options_are_not_blamed_for_what_the_prompt_says_itself() {
    let prompt = linked("---\nmodel: a/b\ntitel: x\nconfig: {tempereture: 1}\n---\nx", &[]);
    let findings = |options: Value| {
        let (_, found) =
            prompt.prompt().with_options(options.as_object().unwrap(), &Schemas::new());
        found.into_iter().map(|one| (one.severity, one.code)).collect::<Vec<_>>()
    };
    assert_eq!(findings(json!({ "config": { "temperature": 0 } })), []);
    let slip = findings(json!({ "config": { "maxOutputToken": 9, "temperature": "hot" } }));
    assert_eq!(
        slip,
        [
            (Severity::Error, "wrong-kind".to_owned()),
            (Severity::Warning, "unknown-parameter".to_owned())
        ]
    );
}
