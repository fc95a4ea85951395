use std::collections::BTreeMap;

use chat::{FinishReason, Reply, ToolCall, Usage};
use serde_json::{Map, Value, json};
use serde_json_path::JsonPath;

/// Where an answer's parts stand in the document that a target returns (RFC 9535 JSON paths).
#[derive(Debug, Clone)]
pub struct Reading {
    answer: Path,
    usage: Vec<(&'static str, Path)>,
    documents: Option<Path>,
    tool_calls: Option<Path>,
}

/// The names under which the buckets of [`Usage`] are declared.
const BUCKETS: [&str; 6] = [
    "input_uncached",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output_visible",
    "output_reasoning",
];

/// A text is not a usable JSON path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path of `{part}`, `{text}`, cannot be used: {reason}")]
pub struct BadReading {
    /// Which part it was meant for.
    pub part: &'static str,
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Debug, Clone)]
struct Path {
    text: String,
    path: JsonPath,
}

impl Path {
    fn new(part: &'static str, text: &str) -> Result<Self, BadReading> {
        let path = JsonPath::parse(text).map_err(|error| BadReading {
            part,
            text: text.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self { text: text.to_owned(), path })
    }

    /// Returns what is found; an array that is found alone stands for its items.
    fn items<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        match self.path.query(document).all().as_slice() {
            [Value::Array(items)] => items.iter().collect(),
            found => found.to_vec(),
        }
    }
}

impl Reading {
    /// Makes the reading of an answer that stands at one path. A string there is the answer; any
    /// other value is answered as its JSON text.
    ///
    /// # Errors
    /// [`BadReading`] if the text is not a JSON path.
    pub fn new(answer: &str) -> Result<Self, BadReading> {
        let answer = Path::new("answer", answer)?;
        Ok(Self { answer, usage: Vec::new(), documents: None, tool_calls: None })
    }

    /// Adds where usage stands: a path for each bucket of [`Usage`] that the target reports, by the
    /// bucket's name. The buckets are disjoint.
    ///
    /// # Errors
    /// [`BadReading`] if a text is not a JSON path, or a name is no bucket's.
    pub fn usage(mut self, paths: &BTreeMap<String, String>) -> Result<Self, BadReading> {
        for (name, text) in paths {
            let bucket = BUCKETS.into_iter().find(|bucket| bucket == name);
            let bucket = bucket.ok_or_else(|| BadReading {
                part: "usage",
                text: text.clone(),
                reason: format!("`{name}` is no bucket: expected {}", BUCKETS.join(", ")),
            })?;
            self.usage.push((bucket, Path::new(bucket, text)?));
        }
        Ok(self)
    }

    /// Adds where retrieved documents stand: they are kept as `documents` of [`Reply::extra`].
    ///
    /// # Errors
    /// [`BadReading`] if the text is not a JSON path.
    pub fn documents(mut self, text: &str) -> Result<Self, BadReading> {
        self.documents = Some(Path::new("documents", text)?);
        Ok(self)
    }

    /// Adds where tool calls stand: objects with `name` and `arguments`, or such as OpenAI's, in
    /// which these lie under `function`.
    ///
    /// # Errors
    /// [`BadReading`] if the text is not a JSON path.
    pub fn tool_calls(mut self, text: &str) -> Result<Self, BadReading> {
        self.tool_calls = Some(Path::new("tool_calls", text)?);
        Ok(self)
    }

    /// Returns this reading as JSON, which is part of a call: another reading of the same response
    /// is another answer.
    pub fn to_json(&self) -> Value {
        let mut document = Map::new();
        document.insert("answer".to_owned(), json!(self.answer.text));
        let paths = self.usage.iter().map(|(bucket, path)| (*bucket, path));
        let others = [("documents", &self.documents), ("tool_calls", &self.tool_calls)];
        let others = others.into_iter().filter_map(|(part, path)| Some((part, path.as_ref()?)));
        for (part, path) in paths.chain(others) {
            document.insert(part.to_owned(), json!(path.text));
        }
        Value::Object(document)
    }

    /// Reads a response.
    ///
    /// # Errors
    /// What is wrong with it, if the answer does not stand where it should.
    pub fn read(&self, document: &Value) -> Result<Reply, String> {
        let text = match self.answer.path.query(document).all().as_slice() {
            [Value::String(text)] => text.clone(),
            [Value::Null] | [] => return Err(self.no_answer(document)),
            [value] => value.to_string(),
            several => {
                let (path, n) = (&self.answer.text, several.len());
                return Err(format!("the answer's path `{path}` finds {n} values, not one"));
            }
        };
        let (usage, raw_usage) = self.read_usage(document);
        let calls = self.tool_calls.iter().flat_map(|path| path.items(document));
        let tool_calls: Vec<ToolCall> = calls.map(tool_call).collect::<Result<_, _>>()?;
        let documents = self.documents.as_ref().map(|path| path.items(document));
        Ok(Reply {
            text,
            refusal: None,
            finish: FinishReason::Complete,
            tool_calls,
            usage,
            raw_usage,
            served_model: None,
            request_id: None,
            logprobs: Vec::new(),
            extra: documents.map_or(Value::Null, |found| json!({ "documents": found })),
        })
    }

    fn no_answer(&self, document: &Value) -> String {
        let keys: Vec<&str> = match document {
            Value::Object(fields) => fields.keys().take(12).map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let found = if keys.is_empty() {
            "the response is no object with keys".to_owned()
        } else {
            format!("the response has the keys {}", keys.join(", "))
        };
        format!("there is no answer at `{}`: {found}", self.answer.text)
    }

    /// Returns the usage if every bucket that was named is a whole number, and what stands there in
    /// any case.
    fn read_usage(&self, document: &Value) -> (Option<Usage>, Value) {
        if self.usage.is_empty() {
            return (None, Value::Null);
        }
        let mut usage = Usage::default();
        let (mut raw, mut whole) = (Map::new(), true);
        for (bucket, path) in &self.usage {
            let found = path.path.query(document).all();
            let count = match found.as_slice() {
                [value] => {
                    raw.insert((*bucket).to_owned(), (*value).clone());
                    value.as_u64()
                }
                _ => None,
            };
            whole &= count.is_some();
            *bucket_of(&mut usage, bucket) = count.unwrap_or(0);
        }
        (whole.then_some(usage), Value::Object(raw))
    }
}

fn bucket_of<'a>(usage: &'a mut Usage, bucket: &str) -> &'a mut u64 {
    match bucket {
        "cache_read" => &mut usage.cache_read,
        "cache_write_5m" => &mut usage.cache_write_5m,
        "cache_write_1h" => &mut usage.cache_write_1h,
        "output_visible" => &mut usage.output_visible,
        "output_reasoning" => &mut usage.output_reasoning,
        _ => &mut usage.input_uncached,
    }
}

fn tool_call(value: &Value) -> Result<ToolCall, String> {
    let function = value.get("function").unwrap_or(value);
    let name = function.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| format!("a tool call has no `name`: {}", clipped(value)))?;
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        other => other.cloned().unwrap_or(Value::Null),
    };
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
    Ok(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments })
}

fn clipped(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs.map(|(bucket, path)| ((*bucket).to_owned(), (*path).to_owned())).collect()
    }

    #[test]
    fn a_name_that_is_no_bucket_is_refused() {
        let reading = Reading::new("$").unwrap();
        let error = reading.usage(&paths(&[("tokens", "$.a")])).unwrap_err().to_string();
        assert!(error.contains("`tokens` is no bucket: expected input_uncached,"), "{error}");
    }

    #[test]
    fn every_part_is_read_where_it_stands() {
        let reading = Reading::new("$.result.text")
            .unwrap()
            .usage(&paths(&[("input_uncached", "$.usage.in"), ("output_visible", "$.usage.out")]))
            .unwrap()
            .documents("$.sources[*].body")
            .unwrap()
            .tool_calls("$.calls")
            .unwrap();
        let document = json!({
            "result": {"text": "hi"},
            "usage": {"in": 7, "out": 2},
            "sources": [{"body": "a"}, {"body": "b"}],
            "calls": [
                {"name": "look", "arguments": {"q": 1}},
                {"id": "c", "function": {"name": "find", "arguments": "{\"q\":2}"}},
            ],
        });
        let reply = reading.read(&document).unwrap();
        assert_eq!(reply.text, "hi");
        let usage = Usage { input_uncached: 7, output_visible: 2, ..Usage::default() };
        assert_eq!(reply.usage, Some(usage));
        assert_eq!(reply.extra, json!({"documents": ["a", "b"]}));
        assert_eq!(reply.tool_calls[0].arguments, json!({"q": 1}));
        assert_eq!((reply.tool_calls[1].name.as_str(), &reply.tool_calls[1].id[..]), ("find", "c"));
        assert_eq!(reply.tool_calls[1].arguments, json!({"q": 2}));
    }

    #[test]
    fn an_answer_that_is_not_text_is_answered_as_json() {
        let reading = Reading::new("$").unwrap();
        assert_eq!(reading.read(&json!({"a": [1, true]})).unwrap().text, "{\"a\":[1,true]}");
    }

    #[test]
    fn a_missing_or_ambiguous_answer_is_an_error_that_says_what_was_there() {
        let reading = Reading::new("$.answer").unwrap();
        let error = reading.read(&json!({"anwser": "x", "id": 1})).unwrap_err();
        assert_eq!(error, "there is no answer at `$.answer`: the response has the keys anwser, id");
        assert!(reading.read(&json!({"answer": null})).is_err());
        let many = Reading::new("$[*]").unwrap().read(&json!([1, 2])).unwrap_err();
        assert_eq!(many, "the answer's path `$[*]` finds 2 values, not one");
        assert!(Reading::new("answer").is_err());
    }

    #[test]
    fn usage_that_is_not_whole_is_unknown_not_zero() {
        let reading = Reading::new("$.a").unwrap();
        let reading = reading.usage(&paths(&[("output_visible", "$.out")])).unwrap();
        for (out, known) in [(json!(3), true), (json!("3"), false), (json!(-3), false)] {
            let reply = reading.read(&json!({"a": "", "out": out})).unwrap();
            assert_eq!(reply.usage.is_some(), known);
            assert_eq!(reply.raw_usage, json!({ "output_visible": out }));
        }
        assert_eq!(reading.read(&json!({"a": ""})).unwrap().usage, None);
    }
}
