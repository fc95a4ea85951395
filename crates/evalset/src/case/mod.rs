//! Cases and the file that holds them, one JSON object a line.

mod file;
mod read;
mod write;

use serde_json::{Map, Value, json};
use values::ContentHash;

use crate::Split;

pub use file::{CaseFile, CaseRow, EditCaseError, MAX_LINE_BYTES};
pub(crate) use read::{RowProblem, read_row};

/// One input of an eval set, with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name, stable and unique within its set.
    pub id: String,
    /// The variables that a template sees, in the order of the file.
    pub inputs: Map<String, Value>,
    /// Files and URLs that belong to the case; a template sees each as a variable of its name.
    pub attachments: Vec<Attachment>,
    /// What a right output is, where it is known. `null` is a value: it differs from absence.
    pub expected: Option<Value>,
    /// Words to filter and slice by.
    pub tags: Vec<String>,
    /// The incident, person or document that this case shares with others, which makes them one
    /// draw for statistics.
    pub cluster: Option<String>,
    /// Where it came from: text, or an object that an importer wrote.
    pub source: Option<Value>,
    /// The split that a person fixed; else the set's policy derives it.
    pub split: Option<Split>,
    /// Keys that Trysquare does not know, kept as they are.
    pub other: Map<String, Value>,
}

/// A file or URL of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// The variable that a template uses for it.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Its MIME type, where it is given.
    pub content_type: Option<String>,
    /// The SHA-256 that the file must have, where it is given.
    pub sha256: Option<ContentHash>,
}

/// Where an attachment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, as a path inside the project with forward slashes.
    Path(String),
    /// An `https:` or `data:` URL.
    Url(String),
}

impl Case {
    /// Makes a case of inputs alone.
    pub fn new(id: impl Into<String>, inputs: Map<String, Value>) -> Self {
        Self {
            id: id.into(),
            inputs,
            attachments: Vec::new(),
            expected: None,
            tags: Vec::new(),
            cluster: None,
            source: None,
            split: None,
            other: Map::new(),
        }
    }

    /// Returns the identity of what the case asks: its inputs, attachments and `expected`.
    ///
    /// Id, tags, cluster, source, split and unknown keys do not count; nor does the order of keys.
    pub fn content_hash(&self) -> ContentHash {
        let mut content = Map::new();
        content.insert("inputs".to_owned(), Value::Object(self.inputs.clone()));
        if !self.attachments.is_empty() {
            let attachments = self.attachments.iter().map(Attachment::to_json).collect();
            content.insert("attachments".to_owned(), attachments);
        }
        if let Some(expected) = &self.expected {
            content.insert("expected".to_owned(), expected.clone());
        }
        ContentHash::of_document("trysquare-case-v1", &Value::Object(content))
    }

    /// Returns the case as its canonical row: one JSON object, no line end.
    ///
    /// Keys stand in the order of [`Case`]'s fields, unknown ones last; what is empty is left out
    /// (`inputs` excepted); the keys inside values keep their order.
    pub fn to_row(&self) -> String {
        write::row(self)
    }

    /// Returns the variables that a template sees: the inputs, and each attachment's location.
    pub fn variables(&self) -> Map<String, Value> {
        let mut variables = self.inputs.clone();
        for attachment in &self.attachments {
            let (Place::Path(location) | Place::Url(location)) = &attachment.place;
            variables.insert(attachment.name.clone(), json!(location));
        }
        variables
    }
}

impl Attachment {
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(self.name));
        match &self.place {
            Place::Path(path) => object.insert("path".to_owned(), json!(path)),
            Place::Url(url) => object.insert("url".to_owned(), json!(url)),
        };
        if let Some(content_type) = &self.content_type {
            object.insert("type".to_owned(), json!(content_type));
        }
        if let Some(sha256) = &self.sha256 {
            object.insert("sha256".to_owned(), json!(sha256.to_string()));
        }
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(row: &str) -> Case {
        read_row(row).unwrap()
    }

    const PAGE: &str = include_str!("../../../../docs/formats/cases.md");

    #[test]
    fn the_documentation_shows_what_is_read_and_its_hashes() {
        let rows = PAGE.split("```json\n").nth(1).and_then(|block| block.split("```").next());
        let (file, found) = CaseFile::read("cases.jsonl", rows.unwrap());
        assert_eq!((file.len(), found), (2, Vec::new()));
        assert_eq!(file.canonical(), file.text(), "the examples are canonical");
        for row in [
            r#"{"id":"a","inputs":{"message":"Where is order 4711?"}}"#,
            r#"{"id":"b","inputs":{"n":1.0,"message":"Hi"},"attachments":[{"name":"photo","path":"media/a.png"}],"expected":null,"tags":["x"]}"#,
        ] {
            let hash = case(row).content_hash();
            assert!(PAGE.contains(&format!("`{hash}`")), "{hash}");
        }
    }

    #[test]
    fn only_inputs_attachments_and_expected_count() {
        let a = case(
            r#"{"id":"a","inputs":{"x":1,"y":2},"tags":["t"],"cluster":"c","split":"dev","z":0}"#,
        );
        let b = case(r#"{"inputs":{"y":2,"x":1.0},"id":"b","source":"web"}"#);
        assert_eq!(a.content_hash(), b.content_hash());
        let c = case(r#"{"id":"a","inputs":{"x":1,"y":2},"expected":null}"#);
        assert_ne!(a.content_hash(), c.content_hash(), "null is a value");
        let number = |id: u64| case(&format!(r#"{{"id":"a","inputs":{{"id":{id}}}}}"#));
        let [one, next] = [9_007_199_254_740_992, 9_007_199_254_740_993].map(number);
        assert_ne!(one.content_hash(), next.content_hash(), "all digits count");
    }

    #[test]
    fn attachments_are_variables() {
        let case = case(
            r#"{"id":"a","inputs":{"q":"?"},"attachments":[{"name":"photo","url":"https://e.org/a.png"}]}"#,
        );
        assert_eq!(case.variables()["photo"], "https://e.org/a.png");
    }
}
