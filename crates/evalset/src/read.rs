//! Readers that every part of an eval set uses, so that one kind of value has one rule.

use std::num::{NonZeroU32, NonZeroU64};

use chat::ModelRef;
use document::yaml::{Node, Yaml};
use document::{Diagnostics, Fields, Span, nearest};

use crate::Named;

/// Reads a name with its place.
pub(crate) fn named(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<Named> {
    let span = fields.get(key)?.span;
    Some(Named { name: fields.text(key, diagnostics)?.to_owned(), span })
}

/// Reads an item of a list of names, with its place.
pub(crate) fn name_of(node: &Node, key: &str, diagnostics: &mut Diagnostics) -> Option<Named> {
    let Some(name) = node.as_str() else {
        let message = format!("`{key}` must hold names, found {}", node.kind());
        diagnostics.error("wrong-kind", node.span, message);
        return None;
    };
    Some(Named { name: name.to_owned(), span: node.span })
}

/// Reads one of a few words.
pub(crate) fn word<'w>(
    fields: &mut Fields<'_>,
    key: &'static str,
    words: &[&'w str],
    diagnostics: &mut Diagnostics,
) -> Option<&'w str> {
    fields.get(key).and_then(|node| word_of(node, key, words, diagnostics))
}

/// Reads a node as one of a few words.
pub(crate) fn word_of<'w>(
    node: &Node,
    key: &str,
    words: &[&'w str],
    diagnostics: &mut Diagnostics,
) -> Option<&'w str> {
    let found = node.as_str().unwrap_or(node.kind());
    let known = words.iter().copied().find(|word| *word == found);
    if known.is_none() {
        let message = format!("`{key}` cannot be `{found}`");
        unknown_word("unknown-word", message, found, words, node.span, diagnostics);
    }
    known
}

/// Reports a word that is none of a few, with what may have been meant.
pub(crate) fn unknown_word(
    code: &str,
    message: String,
    word: &str,
    words: &[&str],
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    let hint = match nearest(&word.replace('-', "_").to_lowercase(), words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", words.join(", ")),
    };
    diagnostics.error_with_hint(code, span, message, hint);
}

/// Reads a list of texts; one text is a list of one.
pub(crate) fn texts(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    if let Some(text) = node.as_str() {
        return vec![text.to_owned()];
    }
    let mut found = Vec::new();
    for item in fields.list(key, diagnostics).unwrap_or_default() {
        let Some(text) = item.as_str() else {
            let message = format!("`{key}` must hold text, found {}", item.kind());
            diagnostics.error("wrong-kind", item.span, message);
            continue;
        };
        found.push(text.to_owned());
    }
    found
}

/// Reads the reference of a model.
pub(crate) fn model(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<ModelRef> {
    let found = named(fields, "model", diagnostics)?;
    match found.name.parse() {
        Ok(model) => Some(model),
        Err(error) => {
            diagnostics.error("model", found.span, error.to_string());
            None
        }
    }
}

/// Reads a share in 0..=1.
pub(crate) fn share(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<f64> {
    fields.get(key).and_then(|node| share_of(node, key, diagnostics))
}

/// Reads a node as a share in 0..=1.
pub(crate) fn share_of(node: &Node, key: &str, diagnostics: &mut Diagnostics) -> Option<f64> {
    let number = if let Yaml::Number(number) = &node.value { number.as_f64() } else { None };
    let share = number.filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        let message = format!("`{key}` must be a number from 0 to 1");
        diagnostics.error("out-of-range", node.span, message);
    }
    share
}

/// Reads a whole number of 1 or more.
pub(crate) fn positive(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<NonZeroU64> {
    let span = fields.get(key)?.span;
    let number = NonZeroU64::new(fields.count(key, diagnostics)?);
    if number.is_none() {
        diagnostics.error("out-of-range", span, format!("`{key}` must be 1 or more"));
    }
    number
}

/// Reads a whole number of 1 or more that fits 32 bits.
pub(crate) fn positive32(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<NonZeroU32> {
    let span = fields.get(key)?.span;
    let number = positive(fields, key, diagnostics)?;
    let small = NonZeroU32::try_from(number).ok();
    if small.is_none() {
        diagnostics.error("out-of-range", span, format!("`{key}` is too large: {number}"));
    }
    small
}

/// Reads the weight of a check or judge, a number above 0; 1 if there is none.
pub(crate) fn weight(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<f64> {
    let Some(node) = fields.get("weight") else { return Some(1.0) };
    let weight = if let Yaml::Number(number) = &node.value { number.as_f64() } else { None };
    let weight = weight.filter(|weight| *weight > 0.0);
    if weight.is_none() {
        let found = match &node.value {
            Yaml::Number(number) => number.to_string(),
            _ => node.kind().to_owned(),
        };
        let message = format!("`weight` must be a number above 0, found {found}");
        diagnostics.error("out-of-range", node.span, message);
    }
    weight
}

/// The most bytes of a name.
const MAX_NAME_BYTES: usize = 100;

/// Reports a name that reports, commands and files could not carry; tells whether it is fine.
pub(crate) fn check_name(
    name: &str,
    span: Span,
    what: &str,
    diagnostics: &mut Diagnostics,
) -> bool {
    let fine = |symbol: char| symbol.is_alphanumeric() || "._- ".contains(symbol);
    let bounded = !name.is_empty() && name.len() <= MAX_NAME_BYTES;
    if bounded && name.trim() == name && name.chars().all(fine) {
        return true;
    }
    let message = format!("`{name}` cannot name a {what}");
    let hint = "use letters, digits, `.`, `_`, `-` and inner spaces, up to 100 bytes";
    diagnostics.error_with_hint("name", span, message, hint);
    false
}
