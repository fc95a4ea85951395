use std::collections::BTreeMap;

use chat::{OutputFormat, Sampling, Tool};
use document::yaml::{Entry, Node, Yaml};
use document::{Diagnostics, Fields, Span, nearest};
use serde_json::{Map, Value};

use crate::picoschema::{self, Schemas};

/// The front matter of a prompt: as it stands, and as what it means.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrontMatter {
    /// Everything as parsed, unknown keys too, in the order of the file.
    pub raw: Map<String, Value>,
    /// The prompt's name, where it differs from that of the file.
    pub name: Option<String>,
    /// The prompt variant's name, where it differs from that of the file.
    pub variant: Option<String>,
    /// What the prompt is for.
    pub description: Option<String>,
    /// The model to ask, usually `provider/model`.
    pub model: Option<String>,
    /// Where the model stands in the file, if one is named.
    pub model_span: Option<Span>,
    /// The model's configuration, as it stands.
    pub config: Map<String, Value>,
    /// The configuration as parameters of sampling; what they do not know is in their `extra`.
    pub sampling: Sampling,
    /// What the prompt takes.
    pub input: Input,
    /// What the prompt asks for.
    pub output: Output,
    /// The tools that the model may call.
    pub tools: Vec<NamedTool>,
    /// The tools that the file itself describes.
    pub tool_definitions: Vec<Tool>,
    /// Free data about the prompt.
    pub metadata: Map<String, Value>,
    /// The namespaced keys: `a.b.c: v` is `ext["a.b"]["c"] = v`.
    pub ext: BTreeMap<String, Map<String, Value>>,
}

/// A tool that a prompt names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTool {
    /// Its name.
    pub name: String,
    /// Where the name stands in the file.
    pub span: Span,
}

/// What a prompt takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Input {
    /// The values of variables that are not given.
    pub default: Map<String, Value>,
    /// The JSON Schema of the variables.
    pub schema: Option<Value>,
}

/// What a prompt asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Output {
    /// The form of the answer, as written (`json`, `text`).
    pub format: Option<String>,
    /// The JSON Schema of the answer.
    pub schema: Option<Value>,
}

impl Output {
    /// Returns the form to ask the model for.
    ///
    /// A schema without a format asks for JSON. A format that is neither `text` nor `json` asks for
    /// text (parsing warns of it).
    pub fn to_format(&self) -> OutputFormat {
        match (self.format.as_deref(), &self.schema) {
            (Some("json"), schema) => OutputFormat::Json { schema: schema.clone() },
            (None, Some(schema)) => OutputFormat::Json { schema: Some(schema.clone()) },
            _ => OutputFormat::Text,
        }
    }
}

/// Keys of ours that only concern display, and so do not count for a prompt's version.
pub const DISPLAY_KEYS: [&str; 3] = ["trysquare.title", "trysquare.color", "trysquare.notes"];

/// The namespace of our own keys.
const OWN_NAMESPACE: &str = "trysquare.";

/// Keys that the format defines.
const KEYS: [&str; 11] = [
    "config",
    "description",
    "input",
    "metadata",
    "model",
    "name",
    "output",
    "toolDefs",
    "tools",
    "variant",
    "version",
];

impl FrontMatter {
    /// Reads a front matter; what is wrong or unknown is added to the diagnostics.
    pub(crate) fn read(node: &Node, schemas: &Schemas, diagnostics: &mut Diagnostics) -> Self {
        let Some(mut fields) = Fields::open(node, "the front matter", diagnostics) else {
            return Self::default();
        };
        let mut text = |key| fields.text(key, diagnostics).map(str::to_owned);
        let (name, variant) = (text("name"), text("variant"));
        let (description, model) = (text("description"), text("model"));
        let model_span = fields.get("model").filter(|_| model.is_some()).map(|node| node.span);
        let config = fields.get("config");
        let entries = node.entries().unwrap_or_default();
        warn_unknown(entries, diagnostics);
        Self {
            raw: to_map(node),
            name,
            variant,
            description,
            model,
            model_span,
            config: config.map(to_map).unwrap_or_default(),
            sampling: config.map(|node| read_sampling(node, diagnostics)).unwrap_or_default(),
            input: read_input(fields.get("input"), schemas, diagnostics),
            output: read_output(fields.get("output"), schemas, diagnostics),
            tools: read_tools(fields.list("tools", diagnostics), diagnostics),
            tool_definitions: read_tool_definitions(
                fields.list("toolDefs", diagnostics),
                schemas,
                diagnostics,
            ),
            metadata: fields.get("metadata").map(to_map).unwrap_or_default(),
            ext: read_ext(entries),
        }
    }

    /// Returns what counts for the prompt's version.
    pub(crate) fn identity(&self) -> Value {
        let counts = |key: &String| !DISPLAY_KEYS.contains(&key.as_str());
        let kept = self.raw.iter().filter(|(key, _)| counts(key));
        Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// Returns the front matter with `options` laid over it: `config`, `input` and `output` are
    /// merged key by key, other keys replaced.
    pub(crate) fn overlaid(&self, options: &Map<String, Value>) -> Map<String, Value> {
        let mut raw = self.raw.clone();
        for (key, value) in options {
            let merged = ["config", "input", "output"].contains(&key.as_str());
            match (raw.get_mut(key), value) {
                (Some(Value::Object(old)), Value::Object(new)) if merged => {
                    old.extend(new.clone());
                }
                _ => {
                    raw.insert(key.clone(), value.clone());
                }
            }
        }
        raw
    }
}

/// Returns JSON as a tree whose values all stand at `span`.
pub(crate) fn node_of(value: &Value, span: Span) -> Node {
    let value = match value {
        Value::Null => Yaml::Null,
        Value::Bool(bool) => Yaml::Bool(*bool),
        Value::Number(number) => Yaml::Number(number.clone()),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Array(items) => {
            Yaml::Sequence(items.iter().map(|item| node_of(item, span)).collect())
        }
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| Entry {
                key: key.clone(),
                key_span: span,
                value: node_of(value, span),
            };
            Yaml::Mapping(map.iter().map(entry).collect())
        }
    };
    Node { span, value }
}

fn to_map(node: &Node) -> Map<String, Value> {
    match node.to_json() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn warn_unknown(entries: &[Entry], diagnostics: &mut Diagnostics) {
    for entry in entries {
        let key = entry.key.as_str();
        let candidates: &[&str] = match key.strip_prefix(OWN_NAMESPACE) {
            Some(_) => &DISPLAY_KEYS,
            None if key.contains('.') => continue,
            None => &KEYS,
        };
        if candidates.contains(&key) {
            continue;
        }
        let message = format!("unknown key `{key}` in the front matter");
        let hint = match nearest(key, candidates) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "keys of your own stand under `metadata`, or have a namespace (`team.key`)"
                .to_owned(),
        };
        diagnostics.warning_with_hint("unknown-key", entry.key_span, message, hint);
    }
}

fn read_ext(entries: &[Entry]) -> BTreeMap<String, Map<String, Value>> {
    let mut ext = BTreeMap::<String, Map<String, Value>>::new();
    for entry in entries.iter().filter(|entry| !KEYS.contains(&entry.key.as_str())) {
        if let Some((namespace, key)) = entry.key.rsplit_once('.') {
            let values = ext.entry(namespace.to_owned()).or_default();
            values.insert(key.to_owned(), entry.value.to_json());
        }
    }
    ext
}

fn read_input(node: Option<&Node>, schemas: &Schemas, diagnostics: &mut Diagnostics) -> Input {
    let Some(node) = node else { return Input::default() };
    let Some(mut fields) = Fields::open(node, "`input`", diagnostics) else {
        return Input::default();
    };
    let default = fields.get("default").filter(|node| node.value != Yaml::Null);
    if let Some(node) = default.filter(|node| node.entries().is_none()) {
        let message = format!("`default` of `input` must be a mapping, found {}", node.kind());
        diagnostics.error("wrong-kind", node.span, message);
    }
    let schema = fields.get("schema").filter(|node| node.value != Yaml::Null);
    let schema = schema.and_then(|node| picoschema::resolve(node, schemas, diagnostics));
    fields.warn_unknown(diagnostics);
    Input { default: default.map(to_map).unwrap_or_default(), schema }
}

fn read_output(node: Option<&Node>, schemas: &Schemas, diagnostics: &mut Diagnostics) -> Output {
    let Some(node) = node else { return Output::default() };
    let Some(mut fields) = Fields::open(node, "`output`", diagnostics) else {
        return Output::default();
    };
    let format = fields.text("format", diagnostics);
    let schema = fields.get("schema").filter(|node| node.value != Yaml::Null);
    if let Some(found) = format.filter(|format| !["json", "text"].contains(format)) {
        let message = format!("the output format `{found}` is not known; text is asked for");
        diagnostics.warning_with_hint("output-format", node.span, message, "use json or text");
    }
    if let (Some("text"), Some(schema)) = (format, schema) {
        let message = "a schema has no effect on the output format `text`";
        diagnostics.warning("output-format", schema.span, message);
    }
    let schema = schema.and_then(|node| picoschema::resolve(node, schemas, diagnostics));
    fields.warn_unknown(diagnostics);
    Output { format: format.map(str::to_owned), schema }
}

fn read_tools(nodes: Option<&[Node]>, diagnostics: &mut Diagnostics) -> Vec<NamedTool> {
    let mut names = Vec::new();
    for node in nodes.unwrap_or_default() {
        match node.as_str() {
            Some(name) => names.push(NamedTool { name: name.to_owned(), span: node.span }),
            None => diagnostics.error_with_hint(
                "wrong-kind",
                node.span,
                format!("a tool is named, found {}", node.kind()),
                "describe it under `toolDefs`, and name it here",
            ),
        }
    }
    names
}

fn read_tool_definitions(
    nodes: Option<&[Node]>,
    schemas: &Schemas,
    diagnostics: &mut Diagnostics,
) -> Vec<Tool> {
    let mut tools = Vec::new();
    for node in nodes.unwrap_or_default() {
        let Some(mut fields) = Fields::open(node, "a tool", diagnostics) else { continue };
        fields.required("name", diagnostics);
        let name = fields.text("name", diagnostics).map(str::to_owned);
        let description = fields.text("description", diagnostics).map(str::to_owned);
        let schema = fields.get("inputSchema").filter(|node| node.value != Yaml::Null);
        let schema = match schema {
            Some(node) => picoschema::resolve(node, schemas, diagnostics),
            None => Some(serde_json::json!({ "type": "object" })),
        };
        fields.get("outputSchema");
        fields.warn_unknown(diagnostics);
        if let (Some(name), Some(input_schema)) = (name, schema) {
            tools.push(Tool { name, description, input_schema });
        }
    }
    tools
}

/// The parameters that [`Sampling`] knows, as Dotprompt spells them.
const PARAMETERS: [&str; 7] =
    ["temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "logprobs"];

fn read_sampling(node: &Node, diagnostics: &mut Diagnostics) -> Sampling {
    let Some(mut fields) = Fields::open(node, "`config`", diagnostics) else {
        return Sampling::default();
    };
    let mut sampling = Sampling {
        temperature: fields.number("temperature", diagnostics),
        top_p: fields.number("topP", diagnostics),
        max_output_tokens: fields.count("maxOutputTokens", diagnostics),
        seed: fields.count("seed", diagnostics),
        ..Sampling::default()
    };
    let top_k = fields.count("topK", diagnostics);
    sampling.top_k = top_k.and_then(|count| u32::try_from(count).ok());
    let mut out_of_range = |key, bad: bool, wanted: &str| {
        if let (true, Some(node)) = (bad, node.get(key)) {
            let message = format!("`{key}` must be {wanted}");
            diagnostics.error("out-of-range", node.span, message);
        }
    };
    out_of_range("temperature", sampling.temperature.is_some_and(|t| t < 0.0), "0 or more");
    out_of_range("topP", sampling.top_p.is_some_and(|p| !(0.0..=1.0).contains(&p)), "in 0 to 1");
    out_of_range("topK", top_k.is_some() && sampling.top_k.is_none(), "at most 4294967295");
    let zero = sampling.max_output_tokens == Some(0);
    out_of_range("maxOutputTokens", zero, "1 or more");
    sampling.stop = read_stop(fields.list("stopSequences", diagnostics), diagnostics);
    sampling.logprobs = read_logprobs(fields.get("logprobs"), diagnostics);
    for entry in node.entries().unwrap_or_default() {
        if !PARAMETERS.contains(&entry.key.as_str()) && is_parameter(entry, diagnostics) {
            sampling.extra.insert(entry.key.clone(), entry.value.to_json());
        }
    }
    sampling
}

fn read_stop(nodes: Option<&[Node]>, diagnostics: &mut Diagnostics) -> Vec<String> {
    let mut stop = Vec::new();
    for node in nodes.unwrap_or_default() {
        if let Some(text) = node.as_str().filter(|text| !text.is_empty()) {
            stop.push(text.to_owned());
        } else {
            let message = format!("a stop sequence is text of some length, found {}", node.kind());
            diagnostics.error("wrong-kind", node.span, message);
        }
    }
    stop
}

fn read_logprobs(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Option<u8> {
    let node = node?;
    let count = match &node.value {
        Yaml::Null | Yaml::Bool(false) => return None,
        Yaml::Bool(true) => Some(0),
        Yaml::Number(number) => number.as_u64().and_then(|count| u8::try_from(count).ok()),
        _ => None,
    };
    if count.is_none() {
        let message = "`logprobs` must be true, false, or how many alternatives to return";
        diagnostics.error("wrong-kind", node.span, message);
    }
    count
}

/// Tells whether a key of `config` that we do not know is a parameter to send; warns of one that
/// looks like a slip, and refuses a secret.
fn is_parameter(entry: &Entry, diagnostics: &mut Diagnostics) -> bool {
    let bare =
        |key: &str| key.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let key = bare(&entry.key);
    if key == "apikey" {
        diagnostics.error_with_hint(
            "secret-in-file",
            entry.key_span,
            "a key for a provider stands in a prompt",
            "remove it here and at the provider; keys are kept by `trysquare key set`",
        );
        return false;
    }
    let same = PARAMETERS.into_iter().find(|known| bare(known) == key);
    let near = same.or_else(|| nearest(&entry.key, &PARAMETERS).filter(|known| known.len() > 5));
    if let Some(near) = near {
        let message = format!("`{}` is sent to the model as it is", entry.key);
        let hint = format!("did you mean `{near}`?");
        diagnostics.warning_with_hint("unknown-parameter", entry.key_span, message, hint);
    }
    true
}
