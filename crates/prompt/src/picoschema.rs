//! Picoschema, the format's short way to write a JSON Schema.

use std::collections::BTreeMap;

use document::yaml::{Entry, Node, Yaml};
use document::{Diagnostics, Span};
use serde_json::{Map, Value, json};

/// JSON Schemas that a Picoschema may name.
///
/// The format leaves it to the application to register some, and its conformance cases do. A project
/// has no file that would hold them, so the programs hand in none.
pub type Schemas = BTreeMap<String, Value>;

const SCALARS: [&str; 6] = ["any", "boolean", "integer", "null", "number", "string"];

/// Turns a schema as written into a JSON Schema.
///
/// What is already a JSON Schema (it has a `type` or `properties`) is returned as it is. Returns
/// `None` if something in it was wrong; the reasons are added to the diagnostics.
pub(crate) fn resolve(
    node: &Node,
    schemas: &Schemas,
    diagnostics: &mut Diagnostics,
) -> Option<Value> {
    let before = diagnostics.len();
    let mut resolver = Resolver { schemas, diagnostics };
    let schema = resolver.top(node);
    (resolver.diagnostics.len() == before).then_some(schema)
}

struct Resolver<'s, 'd> {
    schemas: &'s Schemas,
    diagnostics: &'d mut Diagnostics,
}

impl Resolver<'_, '_> {
    fn top(&mut self, node: &Node) -> Value {
        if let Some(entries) = node.entries() {
            let has = |key| node.get(key);
            let json_type =
                |name: &str| SCALARS.contains(&name) || ["object", "array"].contains(&name);
            if has("type").and_then(Node::as_str).is_some_and(json_type) {
                return node.to_json();
            }
            // Picoschema writes types as text, so a mapping here is a JSON Schema without its type.
            if has("properties").is_some_and(|node| node.entries().is_some()) {
                let mut schema = node.to_json();
                schema["type"] = json!("object");
                return schema;
            }
            return self.object(entries);
        }
        self.pico(node)
    }

    fn pico(&mut self, node: &Node) -> Value {
        match &node.value {
            Yaml::String(text) => self.scalar(text, node.span),
            Yaml::Mapping(entries) => self.object(entries),
            // `null` written plainly is the type of that name; nothing at all is a slip.
            Yaml::Null if node.span.start < node.span.end => json!({ "type": "null" }),
            _ => {
                let message = format!("a schema is text or a mapping, found {}", node.kind());
                self.diagnostics.error("schema", node.span, message);
                Value::Null
            }
        }
    }

    fn scalar(&mut self, text: &str, span: Span) -> Value {
        let (name, description) = split_description(text);
        let mut schema = match name {
            "any" => Map::new(),
            _ if SCALARS.contains(&name) => Map::from_iter([("type".to_owned(), json!(name))]),
            _ => {
                let named = self.schemas.get(name).and_then(Value::as_object).cloned();
                if named.is_none() {
                    self.unknown_type(name, span);
                }
                named.unwrap_or_default()
            }
        };
        if let Some(description) = description {
            schema.insert("description".to_owned(), json!(description));
        }
        Value::Object(schema)
    }

    fn unknown_type(&mut self, name: &str, span: Span) {
        let known: Vec<&str> =
            SCALARS.into_iter().chain(self.schemas.keys().map(String::as_str)).collect();
        let message = format!("no schema is called `{name}`");
        let hint = match document::nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the types are {}", known.join(", ")),
        };
        self.diagnostics.error_with_hint("schema", span, message, hint);
    }

    fn object(&mut self, entries: &[Entry]) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        let mut additional = Value::Bool(false);
        for entry in entries {
            if entry.key == "(*)" {
                additional = self.pico(&entry.value);
                continue;
            }
            let key = Key::read(&entry.key);
            if properties.contains_key(key.name) {
                let message = format!("the property `{}` stands twice in this schema", key.name);
                self.diagnostics.error("schema", entry.key_span, message);
            }
            if !key.optional {
                required.push(json!(key.name));
            }
            let property = self.property(&key, entry);
            properties.insert(key.name.to_owned(), property);
        }
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(required));
        }
        schema.insert("additionalProperties".to_owned(), additional);
        Value::Object(schema)
    }

    fn property(&mut self, key: &Key<'_>, entry: &Entry) -> Value {
        let mut schema = match key.kind {
            None | Some("object") => self.pico(&entry.value),
            Some("array") => json!({ "type": "array", "items": self.pico(&entry.value) }),
            Some("enum") => return self.enumeration(key, entry),
            Some(kind) => {
                let message = format!("no kind of property is called `{kind}`");
                let hint = "in parentheses stands array, object or enum";
                self.diagnostics.error_with_hint("schema", entry.key_span, message, hint);
                return Value::Null;
            }
        };
        if key.optional && schema.get("type").is_some_and(Value::is_string) {
            schema["type"] = json!([schema["type"], "null"]);
        }
        describe(&mut schema, key);
        schema
    }

    fn enumeration(&mut self, key: &Key<'_>, entry: &Entry) -> Value {
        let Some(items) = entry.value.items() else {
            let message = format!("an enum is a list of values, found {}", entry.value.kind());
            self.diagnostics.error("schema", entry.value.span, message);
            return Value::Null;
        };
        let mut values: Vec<Value> = items.iter().map(Node::to_json).collect();
        if key.optional && !values.contains(&Value::Null) {
            values.push(Value::Null);
        }
        let mut schema = json!({ "enum": values });
        describe(&mut schema, key);
        schema
    }
}

fn describe(schema: &mut Value, key: &Key<'_>) {
    if let (Some(description), Value::Object(schema)) = (key.description, schema) {
        schema.insert("description".to_owned(), json!(description));
    }
}

/// A property's key, `name?(kind, description)`.
struct Key<'k> {
    name: &'k str,
    optional: bool,
    kind: Option<&'k str>,
    description: Option<&'k str>,
}

impl<'k> Key<'k> {
    fn read(key: &'k str) -> Self {
        let (name, rest) = match key.split_once('(') {
            Some((name, rest)) => (name, Some(rest)),
            None => (key, None),
        };
        let name = name.trim_end();
        let (name, optional) = match name.strip_suffix('?') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let inside = rest.map(|rest| rest.strip_suffix(')').unwrap_or(rest));
        let (kind, description) = match inside.filter(|inside| !inside.is_empty()) {
            Some(inside) => {
                let (kind, description) = split_description(inside);
                (Some(kind), description)
            }
            None => (None, None),
        };
        Self { name, optional, kind, description }
    }
}

/// Splits `type, description` at the first comma.
fn split_description(text: &str) -> (&str, Option<&str>) {
    match text.split_once(',') {
        Some((name, description)) => {
            let description = description.trim_start_matches(' ');
            (name.trim(), Some(description).filter(|text| !text.is_empty()))
        }
        None => (text.trim(), None),
    }
}
