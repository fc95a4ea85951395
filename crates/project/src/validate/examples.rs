//! Examples in a judge's prompt that come from cases on which it is tried or measured.
//!
//! An example is known by its text: what a case is given, or an output that people labelled, standing in
//! the prompt or in a partial of it. Texts below [`LEAST`] bytes are too common to tell, and so is one that
//! a case of the train split has as well.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use document::{Diagnostic, Diagnostics, SourceText, Span};
use evalset::{Case, EvalSet, LabelledOutput, Split};
use serde_json::Value;

use crate::{EvalSetFolder, Project};

/// Texts that are shorter are not looked for.
const LEAST: usize = 20;

/// So many cases are named of which examples may be taken.
const NAMED: usize = 3;

/// Returns where the judges of a set show what they are measured on.
pub(super) fn check(project: &Project, folder: &EvalSetFolder) -> Vec<Diagnostic> {
    let Some(set) = &folder.set else { return Vec::new() };
    let shown = shown(project, set);
    if shown.is_empty() {
        return Vec::new();
    }
    let outputs = labelled_outputs(project, &folder.name);
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for case in folder.cases.iter() {
        let mut texts = texts_of(&case);
        texts.extend(outputs.get(&case.id).into_iter().flatten().cloned());
        match set.split.split_of(&case) {
            Split::Train => train.push((case.id, texts)),
            split => held_out.push((case.id, split, texts)),
        }
    }
    let allowed: HashSet<&str> =
        train.iter().flat_map(|(_, texts)| texts).map(String::as_str).collect();
    let names: Vec<String> = train.iter().take(NAMED).map(|(id, _)| format!("`{id}`")).collect();
    let hint = match names.as_slice() {
        [] => "examples may come only from the train split, in which no case is".to_owned(),
        names => {
            format!("examples may come only from the train split, as from {}", names.join(", "))
        }
    };
    let mut found = Vec::new();
    for prompt in shown {
        let mut diagnostics = Diagnostics::new(prompt.source.clone());
        for (id, split, texts) in &held_out {
            let own = texts.iter().filter(|text| !allowed.contains(text.as_str()));
            let Some(span) = own.filter_map(|text| prompt.find(text)).min_by_key(|span| span.start)
            else {
                continue;
            };
            let message = format!(
                "this shows the case `{id}` of the eval set `{}`, which is in {}",
                folder.name,
                split.name()
            );
            diagnostics.error_with_hint("example-split", span, message, hint.as_str());
        }
        found.extend(diagnostics.into_vec());
    }
    found
}

/// Returns the prompts and partials that the judges of a set consist of, each once.
fn shown(project: &Project, set: &EvalSet) -> Vec<Shown> {
    let mut sources: BTreeMap<String, SourceText> = BTreeMap::new();
    for spec in &set.judges {
        let Some(linked) = project.judges.get(&spec.judge.name).and_then(|one| one.linked.as_ref())
        else {
            continue;
        };
        let partials = linked.partials().values().map(|partial| partial.source());
        for source in partials.chain([linked.prompt().source()]) {
            sources.insert(source.name().to_owned(), source.clone());
        }
    }
    sources.into_values().map(Shown::of).collect()
}

/// The texts of what people labelled, by case, as far as they are in `outputs.jsonl`.
///
/// What is wrong with these files is found where they are checked themselves.
fn labelled_outputs(project: &Project, set: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (Ok((labels, _)), Ok((outputs, _))) = (project.labels(set), project.outputs(set)) else {
        return found;
    };
    let outputs = outputs.content.unwrap_or_default();
    for row in labels.content.unwrap_or_default() {
        let Some(subject) = row.subject() else { continue };
        let hashes = LabelledOutput::hashes(&subject.output);
        let texts = hashes.filter_map(|hash| outputs.text(&hash)).filter_map(wanted);
        found.entry(subject.case.clone()).or_default().extend(texts);
    }
    found
}

/// Returns the texts of a case's inputs by which it could be told.
fn texts_of(case: &Case) -> Vec<String> {
    let mut found = Vec::new();
    let mut left: Vec<&Value> = case.inputs.values().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => found.extend(wanted(text)),
            Value::Array(items) => left.extend(items),
            Value::Object(fields) => left.extend(fields.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

fn wanted(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (text.len() >= LEAST).then_some(text)
}

/// A prompt's text, in which all white space is one blank.
struct Shown {
    source: SourceText,
    text: String,
    /// Of each byte of the text, where it stands in the source.
    places: Vec<usize>,
    /// The first bytes of everything that could be found.
    beginnings: HashSet<[u8; LEAST]>,
}

impl Shown {
    fn of(source: SourceText) -> Self {
        let (mut text, mut places) = (String::new(), Vec::new());
        for (at, char) in source.text().char_indices() {
            let char = if char.is_whitespace() { ' ' } else { char };
            if char == ' ' && text.ends_with(' ') {
                continue;
            }
            text.push(char);
            places.extend((0..char.len_utf8()).map(|byte| at + byte));
        }
        let windows = text.as_bytes().windows(LEAST);
        let beginnings = windows.filter_map(|window| window.try_into().ok()).collect();
        Self { source, text, places, beginnings }
    }

    fn find(&self, text: &str) -> Option<Span> {
        let beginning: [u8; LEAST] = text.as_bytes().get(..LEAST)?.try_into().ok()?;
        if !self.beginnings.contains(&beginning) {
            return None;
        }
        let at = self.text.find(text)?;
        let end = self.places.get(at + text.len()).copied().unwrap_or(self.source.text().len());
        Some(Span::new(*self.places.get(at)?, end))
    }
}
