//! What differs between two prompts, as data.

use serde::Serialize;
use serde_json::{Map, Value, json};
use values::ContentHash;

use crate::link::LinkedPrompt;
use crate::prompt::Template;
use crate::variables::write_key;

mod lines;
mod text;

pub use lines::{Fragment, Line, LineKind, TextDiff};

/// What differs between two prompts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromptDiff {
    /// The older prompt.
    pub old: Side,
    /// The newer prompt.
    pub new: Side,
    /// The front matter, key by key, as written. Display keys are compared too.
    pub front_matter: Vec<ValueChange>,
    /// The JSON Schemas that `input.schema` and `output.schema` stand for: they also differ when
    /// only a schema that they name does.
    pub schemas: Vec<ValueChange>,
    /// The template.
    pub template: TextDiff,
    /// The partials that either reaches and that differ, by name.
    pub partials: Vec<PartialDiff>,
}

/// One of two prompts that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Its file.
    pub file: String,
    /// Its version.
    pub version: ContentHash,
}

/// A value that was added, removed or changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueChange {
    /// Where it stands (`config.temperature`, `tools[1]`).
    pub path: String,
    /// The older value, absent if it was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// The newer value, absent if it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// A partial that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartialDiff {
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub kind: PartialChange,
    /// Its lines; all of them added or removed if only one prompt reaches it.
    pub text: TextDiff,
}

/// What happened to a partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PartialChange {
    /// Only the newer prompt reaches it.
    Added,
    /// Only the older prompt reaches it.
    Removed,
    /// Both do.
    Changed,
}

/// Compares two prompts.
///
/// Takes time bounded by their size: a stretch of text that is too large for the finest comparison
/// is shown as replaced in whole ([`TextDiff::coarse`]).
pub fn diff(old: &LinkedPrompt, new: &LinkedPrompt) -> PromptDiff {
    let side = |linked: &LinkedPrompt| Side {
        file: linked.prompt().source().name().to_owned(),
        version: linked.version(),
    };
    let raw = |linked: &LinkedPrompt| Value::Object(linked.prompt().front_matter.raw.clone());
    PromptDiff {
        old: side(old),
        new: side(new),
        front_matter: changes(&raw(old), &raw(new)),
        schemas: changes(&schemas(old), &schemas(new)),
        template: lines::compare(
            &Numbered::of(old.prompt().template()),
            &Numbered::of(new.prompt().template()),
        ),
        partials: partials(old, new),
    }
}

impl PromptDiff {
    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.front_matter.is_empty()
            && self.schemas.is_empty()
            && self.template.is_same()
            && self.partials.is_empty()
    }

    /// Writes the difference for a terminal: with `context` unchanged lines around a change, and no
    /// colour. Control characters of the files are escaped.
    pub fn to_text(&self, context: usize) -> String {
        text::write(self, context, &text::PLAIN)
    }

    /// Writes the difference as [`PromptDiff::to_text`] does, with ANSI colours; changed words are
    /// marked.
    pub fn to_ansi(&self, context: usize) -> String {
        text::write(self, context, &text::ANSI)
    }
}

/// A text and the number of its first line in its file.
struct Numbered {
    text: String,
    first: u32,
}

impl Numbered {
    fn of(template: &Template) -> Self {
        let first = template.source.position(template.span.start).line;
        Self { text: template.text(), first }
    }

    fn nothing() -> Self {
        Self { text: String::new(), first: 1 }
    }
}

fn schemas(linked: &LinkedPrompt) -> Value {
    let front_matter = &linked.prompt().front_matter;
    json!({ "input": front_matter.input.schema, "output": front_matter.output.schema })
}

fn partials(old: &LinkedPrompt, new: &LinkedPrompt) -> Vec<PartialDiff> {
    let mut names: Vec<&String> = old.partials().keys().chain(new.partials().keys()).collect();
    names.sort_unstable();
    names.dedup();
    let compare = |name: &String| {
        let numbered = |linked: &LinkedPrompt| {
            linked.partials().get(name).map(|partial| Numbered::of(&partial.template))
        };
        let (old, new) = (numbered(old), numbered(new));
        let kind = match (&old, &new) {
            (None, _) => PartialChange::Added,
            (_, None) => PartialChange::Removed,
            _ => PartialChange::Changed,
        };
        let nothing = Numbered::nothing();
        let text =
            lines::compare(old.as_ref().unwrap_or(&nothing), new.as_ref().unwrap_or(&nothing));
        let differs = kind != PartialChange::Changed || !text.is_same();
        differs.then(|| PartialDiff { name: name.clone(), kind, text })
    };
    names.into_iter().filter_map(compare).collect()
}

fn changes(old: &Value, new: &Value) -> Vec<ValueChange> {
    let mut found = Vec::new();
    compare_values(Some(old), Some(new), "", &mut found);
    found
}

fn compare_values(
    old: Option<&Value>,
    new: Option<&Value>,
    path: &str,
    found: &mut Vec<ValueChange>,
) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            compare_maps(old, new, path, found);
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for at in 0..old.len().max(new.len()) {
                compare_values(old.get(at), new.get(at), &format!("{path}[{at}]"), found);
            }
        }
        _ if is_same(old, new) => {}
        _ => {
            found.push(ValueChange { path: path.to_owned(), old: old.cloned(), new: new.cloned() });
        }
    }
}

fn compare_maps(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &str,
    found: &mut Vec<ValueChange>,
) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let mut inner = path.to_owned();
        write_key(&mut inner, key, path.is_empty()).expect("writing to a string does not fail");
        compare_values(old.get(key), new.get(key), &inner, found);
    }
}

/// Tells whether two values count alike for a version: 1 and 1.0 do.
fn is_same(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            old == new || values::canonical_json(old) == values::canonical_json(new)
        }
        _ => old == new,
    }
}
