//! The cases of the format's own specification.
#![expect(clippy::disallowed_methods, reason = "the cases are shared files, named by a variable")]
#![expect(clippy::unwrap_used, reason = "a case that is not of the expected shape fails the test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chat::{Part, ToolCall};
use document::yaml::Node;
use document::{Diagnostics, Severity, SourceText, Span, yaml};
use prompt::{Partials, Prompt, RenderInput, RenderedMessage, RenderedPart, Schemas};
use serde_json::{Map, Value, json};

#[test]
fn dotprompt_conformance() {
    let folder = std::env::var_os("TRYSQUARE_DOTPROMPT_FIXTURES").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/fixtures/dotprompt"
            ))
        },
        PathBuf::from,
    );
    if !folder.is_dir() {
        let required = std::env::var_os("TRYSQUARE_REQUIRE_SHARED").is_some_and(|on| on == "1");
        assert!(!required, "the conformance cases are not in {}", folder.display());
        println!("did nothing: the conformance cases are not in {}", folder.display());
        return;
    }
    let mut files = Vec::new();
    collect(&folder, &mut files);
    assert!(!files.is_empty(), "no conformance cases in {}", folder.display());
    let mut report = Report::default();
    for file in files {
        run_file(&file, &mut report);
    }
    println!("{} cases", report.run);
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n\n"));
}

#[derive(Default)]
struct Report {
    run: usize,
    failures: Vec<String>,
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
}

fn run_file(path: &Path, report: &mut Report) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut diagnostics = Diagnostics::new(SourceText::new(path.display().to_string(), &*text));
    let groups = yaml::parse(Span::new(0, text.len()), &mut diagnostics);
    let groups = groups.as_ref().map(Node::to_json).unwrap_or_default();
    assert!(!diagnostics.has_errors(), "{:?}", diagnostics.into_vec());
    for group in groups.as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            report.run += 1;
            if let Err(reason) = run_test(group, test) {
                let stem = path.file_stem().unwrap().display();
                report
                    .failures
                    .push(format!("{stem}/{}: {}: {reason}", group["name"], test["desc"]));
            }
        }
    }
}

fn run_test(group: &Value, test: &Value) -> Result<(), String> {
    let schemas: Schemas = map(&group["schemas"]).into_iter().collect();
    let (prompt, found) = prompt::parse(
        &SourceText::new("case.prompt", group["template"].as_str().unwrap()),
        &schemas,
    );
    if let Some(error) = found.iter().find(|found| found.severity == Severity::Error) {
        return Err(format!("{error:?}"));
    }
    let (prompt, found) = prompt.unwrap().with_options(&map(&test["options"]), &schemas);
    if let Some(error) = found.iter().find(|found| found.severity == Severity::Error) {
        return Err(format!("{error:?}"));
    }
    let (linked, found) = prompt::link(prompt, &partials(group)?);
    let linked = linked.ok_or_else(|| format!("{found:?}"))?;
    let mut data = map(&group["data"]);
    data.extend(map(&test["data"]));
    let data = Value::Object(data);
    let input = RenderInput {
        variables: map(&data["input"]),
        context: map(&data["context"]),
        history: data["messages"].as_array().into_iter().flatten().map(read_message).collect(),
        docs: data["docs"].as_array().cloned().unwrap_or_default(),
    };
    let rendered = linked.render(&input).map_err(|error| error.to_string())?;
    for (key, expected) in map(&test["expect"]) {
        let found = observe(&key, linked.prompt(), &rendered.messages)?;
        if values::canonical_json(&expected) != values::canonical_json(&found) {
            return Err(format!("{key}: expected {expected:#}, found {found:#}"));
        }
    }
    Ok(())
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn partials(group: &Value) -> Result<Partials, String> {
    let mut partials = Partials::new();
    for (name, source) in map(&group["partials"]).into_iter().chain(map(&group["resolverPartials"]))
    {
        let source = SourceText::new(format!("_{name}.prompt"), source.as_str().unwrap());
        let (partial, found) = prompt::parse_partial(&source);
        let partial = partial.ok_or_else(|| format!("{found:?}"))?;
        partials.insert(name, Arc::new(partial));
    }
    Ok(partials)
}

/// Returns what we have for a key of `expect`.
fn observe(key: &str, prompt: &Prompt, messages: &[RenderedMessage]) -> Result<Value, String> {
    let front_matter = &prompt.front_matter;
    let present = |pairs: &[(&str, Option<Value>)]| {
        let pairs =
            pairs.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?)));
        Value::Object(pairs.collect())
    };
    Ok(match key {
        "messages" => messages.iter().map(write_message).collect(),
        "config" => Value::Object(front_matter.config.clone()),
        "input" => {
            let default = &front_matter.input.default;
            let default = (!default.is_empty()).then(|| Value::Object(default.clone()));
            present(&[("default", default), ("schema", front_matter.input.schema.clone())])
        }
        "output" => {
            let format = front_matter.output.format.clone().map(Value::from);
            present(&[("format", format), ("schema", front_matter.output.schema.clone())])
        }
        "ext" => serde_json::to_value(&front_matter.ext).unwrap(),
        "raw" => Value::Object(front_matter.raw.clone()),
        "metadata" => Value::Object(front_matter.metadata.clone()),
        "model" => json!(front_matter.model),
        "name" => json!(front_matter.name),
        "variant" => json!(front_matter.variant),
        "description" => json!(front_matter.description),
        "tools" => front_matter.tools.iter().map(|tool| tool.name.as_str()).collect(),
        _ => return Err(format!("a case expects `{key}`, which this test does not know")),
    })
}

fn read_message(message: &Value) -> RenderedMessage {
    let parts = message["content"].as_array().unwrap().iter().map(read_part).collect();
    let role = serde_json::from_value(message["role"].clone()).unwrap();
    RenderedMessage { role, parts, metadata: map(&message["metadata"]) }
}

fn read_part(part: &Value) -> RenderedPart {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let part = if let Some(said) = part["text"].as_str() {
        Part::Text { text: said.to_owned() }
    } else if let Some(media) = part.get("media") {
        let content_type = media["contentType"].as_str().map(str::to_owned);
        Part::Media { url: text(&media["url"]), content_type }
    } else if let Some(call) = part.get("toolRequest") {
        let (id, name) = (text(&call["ref"]), text(&call["name"]));
        Part::ToolCall(ToolCall { id, name, arguments: call["input"].clone() })
    } else if let Some(answer) = part.get("toolResponse") {
        let (id, name) = (text(&answer["ref"]), text(&answer["name"]));
        Part::ToolResult { id, name, output: answer["output"].clone() }
    } else {
        panic!("a case has a part that this test does not know: {part}")
    };
    RenderedPart::Said { part }
}

fn write_message(message: &RenderedMessage) -> Value {
    let content: Vec<Value> = message.parts.iter().map(write_part).collect();
    let mut written = json!({ "role": message.role, "content": content });
    if !message.metadata.is_empty() {
        written["metadata"] = Value::Object(message.metadata.clone());
    }
    written
}

fn write_part(part: &RenderedPart) -> Value {
    let mut written = match part {
        RenderedPart::Section { purpose } => {
            json!({ "metadata": { "purpose": purpose, "pending": true } })
        }
        RenderedPart::Said { part: Part::Text { text } } => json!({ "text": text }),
        RenderedPart::Said { part: Part::Media { url, content_type } } => {
            json!({ "media": { "url": url, "contentType": content_type } })
        }
        RenderedPart::Said { part: Part::ToolCall(call) } => {
            json!({ "toolRequest": { "ref": call.id, "name": call.name, "input": call.arguments } })
        }
        RenderedPart::Said { part: Part::ToolResult { id, name, output } } => {
            json!({ "toolResponse": { "ref": id, "name": name, "output": output } })
        }
    };
    for kind in ["media", "toolRequest", "toolResponse"] {
        if let Some(Value::Object(inner)) = written.get_mut(kind) {
            inner.retain(|_, value| !value.is_null() && value != "");
        }
    }
    written
}
