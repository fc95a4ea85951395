//! Changing one place of a YAML text and no other byte.
//!
//! Every edit is one splice of the text, and is accepted only if reading the result gives exactly the
//! tree that was asked for; where no way of writing passes that test, the text is left alone and the
//! edit is refused. So comments, order, quoting, anchors and line ends survive.

mod extent;
mod place;
mod render;

use serde_json::Value;

use crate::yaml::{Node, parse};
use crate::{Diagnostics, SourceText, Span};

/// One step from a node to a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'p> {
    /// The value of a key of a mapping.
    Key(&'p str),
    /// An item of a sequence, from 0.
    Index(usize),
}

/// A YAML text could not be edited; it is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text does not parse.
    #[error("the text cannot be edited because it cannot be read: {0}")]
    Unreadable(String),
    /// There is nothing at the path, or a part of it is of another kind.
    #[error("there is nothing at `{0}` to edit")]
    NoSuchPlace(String),
    /// The place cannot be changed without changing something else, such as what an alias repeats.
    #[error("`{0}` cannot be changed without changing another part of the text")]
    NotAlone(String),
}

/// A replacement of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Splice {
    span: Span,
    with: String,
}

/// Returns the text with the value at a path set, its key being added where it does not exist.
///
/// Mappings on the way are made where they are missing; the index after the last item of a sequence
/// adds one. A string keeps the quotes of the one that it replaces where they can hold it. What is
/// already so changes nothing.
///
/// # Errors
/// [`EditError`]
pub fn set(text: &str, path: &[Step<'_>], value: &Value) -> Result<String, EditError> {
    let root = read(text)?;
    let mut wanted = root.to_json();
    if !assign(&mut wanted, path, value) {
        return Err(EditError::NoSuchPlace(shown(path)));
    }
    if wanted == root.to_json() {
        return Ok(text.to_owned());
    }
    let splices = place::to_set(text, &root, path, value);
    first_that_reads_as(text, splices, &wanted).ok_or_else(|| EditError::NotAlone(shown(path)))
}

/// Returns the text with an item added to the sequence at a path, which is made where it is missing.
///
/// # Errors
/// [`EditError`]
pub fn append(text: &str, path: &[Step<'_>], item: &Value) -> Result<String, EditError> {
    let mut at = &read(text)?.to_json();
    for step in path {
        at = match step {
            Step::Key(key) => at.get(key),
            Step::Index(index) => at.get(index),
        }
        .unwrap_or(&Value::Null);
    }
    match at {
        Value::Null => set(text, path, &Value::Array(vec![item.clone()])),
        at => {
            let length = at.as_array().map_or(0, Vec::len);
            set(text, &[path, &[Step::Index(length)]].concat(), item)
        }
    }
}

/// Returns the text without the key or item at a path.
///
/// Comments inside of what is removed, and on its last line, go with it; those before it stay.
///
/// # Errors
/// [`EditError`]
pub fn remove(text: &str, path: &[Step<'_>]) -> Result<String, EditError> {
    let root = read(text)?;
    let mut wanted = root.to_json();
    if !take(&mut wanted, path) {
        return Err(EditError::NoSuchPlace(shown(path)));
    }
    let splices = place::to_remove(text, &root, path);
    first_that_reads_as(text, splices, &wanted).ok_or_else(|| EditError::NotAlone(shown(path)))
}

fn read(text: &str) -> Result<Node, EditError> {
    let mut diagnostics = Diagnostics::new(SourceText::new("", text));
    let node = parse(Span::new(0, text.len()), &mut diagnostics);
    match (node, diagnostics.into_vec().into_iter().next()) {
        (Some(node), None) => Ok(node),
        (_, found) => {
            let reason = found.map_or_else(|| "it is empty".to_owned(), |found| found.message);
            Err(EditError::Unreadable(reason))
        }
    }
}

fn first_that_reads_as(text: &str, splices: Vec<Splice>, wanted: &Value) -> Option<String> {
    splices.into_iter().find_map(|splice| {
        let (before, after) = (text.get(..splice.span.start)?, text.get(splice.span.end..)?);
        let edited = format!("{before}{}{after}", splice.with);
        (read(&edited).ok()?.to_json() == *wanted).then_some(edited)
    })
}

/// Makes the change in the tree that the text is to be read as.
fn assign(tree: &mut Value, path: &[Step<'_>], value: &Value) -> bool {
    let Some((step, rest)) = path.split_first() else {
        tree.clone_from(value);
        return true;
    };
    match (step, tree) {
        (Step::Key(key), tree @ (Value::Null | Value::Object(_))) => {
            if tree.is_null() {
                *tree = Value::Object(serde_json::Map::new());
            }
            let Value::Object(entries) = tree else { return false };
            assign(entries.entry(*key).or_insert(Value::Null), rest, value)
        }
        (Step::Index(index), Value::Array(items)) if *index < items.len() => {
            assign(&mut items[*index], rest, value)
        }
        (Step::Index(index), Value::Array(items)) if *index == items.len() => {
            items.push(Value::Null);
            assign(&mut items[*index], rest, value)
        }
        _ => false,
    }
}

fn take(tree: &mut Value, path: &[Step<'_>]) -> bool {
    match (path, tree) {
        ([Step::Key(key)], Value::Object(entries)) => entries.shift_remove(*key).is_some(),
        ([Step::Index(index)], Value::Array(items)) if *index < items.len() => {
            items.remove(*index);
            true
        }
        ([Step::Key(key), rest @ ..], Value::Object(entries)) => {
            entries.get_mut(*key).is_some_and(|value| take(value, rest))
        }
        ([Step::Index(index), rest @ ..], Value::Array(items)) => {
            items.get_mut(*index).is_some_and(|item| take(item, rest))
        }
        _ => false,
    }
}

fn shown(path: &[Step<'_>]) -> String {
    let steps = path.iter().map(|step| match step {
        Step::Key(key) => (*key).to_owned(),
        Step::Index(index) => index.to_string(),
    });
    steps.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests;
