use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{Attachment, Case, Place};
use crate::{Split, json};

/// What is wrong with a row, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowProblem {
    /// A stable name of the kind of problem.
    pub(crate) code: &'static str,
    /// The byte of the row.
    pub(crate) at: usize,
    /// What was found and what was expected.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<&'static str>,
}

impl RowProblem {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { code: "case-row", at, message: message.into(), hint: None }
    }
}

/// Reads one row, or says everything that is wrong with it.
pub(crate) fn read_row(row: &str) -> Result<Case, Vec<RowProblem>> {
    let RawRow(fields) = serde_json::from_str(row).map_err(|error| vec![syntax(row, 0, &error)])?;
    let mut reader = Reader { row, case: Case::new("", Map::new()), problems: Vec::new() };
    let (mut has_id, mut has_inputs) = (false, false);
    for (index, (key, raw)) in fields.iter().enumerate() {
        if fields[..index].iter().any(|(earlier, _)| earlier == key) {
            reader.problem(raw, format!("the key `{key}` stands twice"));
            continue;
        }
        has_id |= key == "id";
        has_inputs |= key == "inputs";
        reader.field(key, raw);
    }
    if !has_id {
        reader.problems.push(RowProblem::new(0, "found a case without `id`, expected one"));
    }
    if !has_inputs {
        reader.problems.push(RowProblem {
            hint: Some("put the variables of the template under `inputs`"),
            ..RowProblem::new(0, "found a case without `inputs`, expected an object")
        });
    }
    reader.attachment_names();
    if reader.problems.is_empty() { Ok(reader.case) } else { Err(reader.problems) }
}

struct Reader<'r> {
    row: &'r str,
    case: Case,
    problems: Vec<RowProblem>,
}

impl Reader<'_> {
    fn problem(&mut self, raw: &RawValue, message: String) {
        self.problems.push(RowProblem::new(offset(self.row, raw), message));
    }

    fn field(&mut self, key: &str, raw: &RawValue) {
        let value = match json::parse(raw.get()) {
            Ok(value) => value,
            Err(error) => {
                self.problems.push(syntax(self.row, offset(self.row, raw), &error));
                return;
            }
        };
        if let Some((at, digits)) = json::inexact_integer(raw.get(), &value) {
            let at = offset(self.row, raw) + at;
            let message =
                format!("found a whole number of {digits} digits, expected one that is exact");
            let hint = Some("put it in quotes: numbers are exact up to 18446744073709551615");
            self.problems.push(RowProblem { hint, ..RowProblem::new(at, message) });
            return;
        }
        match (key, value) {
            ("id", Value::String(id)) => self.id(raw, id),
            ("inputs", Value::Object(inputs)) => self.case.inputs = inputs,
            ("expected", value) => self.case.expected = Some(value),
            ("attachments" | "tags" | "cluster" | "source" | "split", Value::Null) => {}
            ("attachments", Value::Array(items)) => self.attachments(raw, &items),
            ("tags", Value::Array(items)) => self.tags(raw, items),
            ("cluster", Value::String(cluster)) if !cluster.is_empty() => {
                self.case.cluster = Some(cluster);
            }
            ("source", value @ (Value::String(_) | Value::Object(_))) => {
                self.case.source = Some(value);
            }
            ("split", Value::String(split)) => self.split(raw, &split),
            ("id" | "cluster" | "split", found) => self.wrong_kind(key, raw, &found, "text"),
            ("inputs", found) => self.wrong_kind(key, raw, &found, "an object"),
            ("attachments" | "tags", found) => self.wrong_kind(key, raw, &found, "a list"),
            ("source", found) => self.wrong_kind(key, raw, &found, "text or an object"),
            (_, value) => {
                self.case.other.insert(key.to_owned(), value);
            }
        }
    }

    fn wrong_kind(&mut self, key: &str, raw: &RawValue, found: &Value, expected: &str) {
        let found = kind(found);
        self.problem(raw, format!("found {found} as `{key}`, expected {expected}"));
    }

    fn id(&mut self, raw: &RawValue, id: String) {
        if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
            let message = "found an `id` that is empty, longer than 200 bytes or has control \
                           characters, expected a short name";
            self.problem(raw, message.to_owned());
        } else {
            self.case.id = id;
        }
    }

    fn split(&mut self, raw: &RawValue, name: &str) {
        self.case.split = Split::from_name(name);
        if self.case.split.is_none() {
            let names = Split::ALL.map(Split::name).join(", ");
            self.problem(raw, format!("found the split `{name}`, expected {names}"));
        }
    }

    fn tags(&mut self, raw: &RawValue, items: Vec<Value>) {
        for item in items {
            match item {
                Value::String(tag) => self.case.tags.push(tag),
                other => {
                    let found = kind(&other);
                    self.problem(raw, format!("found {found} in `tags`, expected text"));
                }
            }
        }
    }

    fn attachments(&mut self, raw: &RawValue, items: &[Value]) {
        for item in items {
            match attachment(item) {
                Ok(attachment) => self.case.attachments.push(attachment),
                Err(message) => self.problem(raw, message),
            }
        }
    }

    fn attachment_names(&mut self) {
        let attachments = &self.case.attachments;
        for (index, attachment) in attachments.iter().enumerate() {
            let name = &attachment.name;
            let taken = self.case.inputs.contains_key(name)
                || attachments[..index].iter().any(|earlier| earlier.name == *name);
            if taken {
                let message = format!("the attachment `{name}` has the name of another variable");
                self.problems.push(RowProblem::new(0, message));
            }
        }
    }
}

fn attachment(item: &Value) -> Result<Attachment, String> {
    let Value::Object(object) = item else {
        return Err(format!("found {} in `attachments`, expected an object", kind(item)));
    };
    let text = |key: &str| match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => {
            Err(format!("found {} as `{key}` of an attachment, expected text", kind(other)))
        }
    };
    if let Some(key) =
        object.keys().find(|key| !["name", "path", "url", "type", "sha256"].contains(&key.as_str()))
    {
        return Err(format!(
            "found the key `{key}` in an attachment, expected name, path or url, type, sha256"
        ));
    }
    let name = text("name")?.ok_or("found an attachment without `name`, expected text")?;
    let place = match (text("path")?, text("url")?) {
        (Some(path), None) => Place::Path(path),
        (None, Some(url)) if url.starts_with("https:") || url.starts_with("data:") => {
            Place::Url(url)
        }
        (None, Some(_)) => {
            return Err(format!("the URL of `{name}` must begin with `https:` or `data:`"));
        }
        _ => return Err(format!("the attachment `{name}` needs either `path` or `url`")),
    };
    let sha256 = match text("sha256")? {
        None => None,
        Some(text) => Some(text.parse().map_err(|error| format!("{error}"))?),
    };
    Ok(Attachment { name, place, content_type: text("type")?, sha256 })
}

fn syntax(row: &str, base: usize, error: &serde_json::Error) -> RowProblem {
    let mut at = (base + error.column().saturating_sub(1)).min(row.len());
    while !row.is_char_boundary(at) {
        at -= 1;
    }
    let what = json::message(error).replace("EOF while", "the line ends while");
    let found = row[at..].chars().next();
    let message = match (error.classify(), found) {
        (serde_json::error::Category::Syntax, Some(found)) => {
            format!("this is not JSON: {what}, found `{}`", shown(found))
        }
        (serde_json::error::Category::Data, _) => what,
        _ => format!("this is not JSON: {what}"),
    };
    RowProblem::new(at, message)
}

/// Control characters are shown as escapes.
fn shown(found: char) -> String {
    if found.is_control() { found.escape_default().to_string() } else { found.to_string() }
}

fn offset(row: &str, raw: &RawValue) -> usize {
    raw.get().as_ptr().addr().saturating_sub(row.as_ptr().addr()).min(row.len())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The keys of a row with the text of their values, which tells where each stands.
struct RawRow<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawRow<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawRowVisitor)
    }
}

struct RawRowVisitor;

impl<'de> Visitor<'de> for RawRowVisitor {
    type Value = RawRow<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a case as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::with_capacity(8);
        while let Some(Key(key)) = entries.next_key()? {
            found.push((key, entries.next_value()?));
        }
        Ok(RawRow(found))
    }
}

/// A key, borrowed unless it holds escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}
