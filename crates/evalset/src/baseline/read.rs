use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;
use std::str::FromStr;

use document::yaml::{self, Node, Yaml};
use document::{Diagnostic, Diagnostics, Fields, SourceText, Span};
use serde_json::{Map, Value};
use values::NanoDollars;

use super::{
    BASELINE_FORMAT, Baseline, BaselineCase, BaselineCriterion, BaselineLooks, BaselineSample,
    BaselineSource, BaselineValue, BaselineVariant, NotDecided, Override,
};
use crate::{ScoreSource, json};

impl Baseline {
    /// Reads a `baseline.json`. `name` is the path that diagnostics show.
    ///
    /// Everything that is wrong is reported at once; a baseline with an error is not returned, since
    /// a gate that compares with a part of what was approved would be no gate.
    pub fn read(name: &str, text: impl Into<String>) -> (Option<Self>, Vec<Diagnostic>) {
        let mut diagnostics = Diagnostics::new(SourceText::new(name, text));
        let baseline = json::tree(&mut diagnostics)
            .and_then(|node| read_document(&node, &mut diagnostics))
            .filter(|_| !diagnostics.has_errors());
        (baseline, diagnostics.into_vec())
    }
}

fn read_document(node: &Node, found: &mut Diagnostics) -> Option<Baseline> {
    let mut fields = Fields::open(node, "a baseline", found)?;
    check_format(&mut fields, found)?;
    let accepted = parsed(&mut fields, "accepted", found);
    let run = parsed(&mut fields, "run", found);
    let run_created = parsed(&mut fields, "run_created", found);
    let eval_set_hash = parsed(&mut fields, "eval_set_hash", found);
    let samples =
        fields.required("samples", found).and_then(|node| count32(node, "samples", found));
    fields.required("replayed", found);
    let replayed = fields.bool("replayed", found);
    let recorded_at = fields.get("recorded_at").and_then(|node| parse(node, "recorded_at", found));
    let variant = fields.required("variant", found).and_then(|node| variant(node, found));
    let criteria = criteria(&mut fields, found);
    let primary = primary(&mut fields, &criteria, found);
    let gate = fields.required("gate", found).and_then(|node| object(node, "gate", found));
    let looks = fields.mapping("looks", found).unwrap_or_default();
    let looks = looks.iter().filter_map(|entry| looks_of(entry, found)).collect();
    let overridden = fields.get("override").and_then(|node| override_of(node, found));
    let cases = cases(&mut fields, &criteria, found);
    Some(Baseline {
        accepted: accepted?,
        run: run?,
        run_created: run_created?,
        eval_set_hash: eval_set_hash?,
        samples: samples?,
        replayed: replayed?,
        recorded_at,
        variant: variant?,
        criteria,
        primary,
        gate: gate?,
        looks,
        overridden,
        cases,
        other: rest(fields),
    })
}

/// A newer format is refused before anything else is said about it.
fn check_format(fields: &mut Fields<'_>, found: &mut Diagnostics) -> Option<()> {
    let node = fields.required("format", found)?;
    match count32(node, "format", found)? {
        BASELINE_FORMAT => Some(()),
        other => {
            let message = format!("found format {other}, expected {BASELINE_FORMAT}");
            let hint = "a newer Trysquare wrote this file; update yours";
            found.error_with_hint("format", node.span, message, hint);
            None
        }
    }
}

fn primary(
    fields: &mut Fields<'_>,
    criteria: &BTreeMap<String, BaselineCriterion>,
    found: &mut Diagnostics,
) -> Option<String> {
    let name = fields.text("primary", found)?;
    if criteria.contains_key(name) {
        return Some(name.to_owned());
    }
    let span = fields.get("primary")?.span;
    error(found, span, format!("`primary` names `{name}`, which is not among the criteria"));
    None
}

fn variant(node: &Node, found: &mut Diagnostics) -> Option<BaselineVariant> {
    let mut fields = Fields::open(node, "`variant`", found)?;
    let name = text(&mut fields, "name", found);
    let hash = parsed(&mut fields, "hash", found);
    let source = match text(&mut fields, "kind", found)?.as_str() {
        "prompt" => {
            let prompt = text(&mut fields, "prompt", found);
            let version = parsed(&mut fields, "version", found);
            let model = parsed(&mut fields, "model", found);
            let config = fields.required("config", found).map(Node::to_json);
            BaselineSource::Prompt {
                prompt: prompt?,
                version: version?,
                model: model?,
                config: config?,
            }
        }
        "target" => BaselineSource::Target { target: text(&mut fields, "target", found)? },
        "outputs" => BaselineSource::Outputs { outputs: text(&mut fields, "outputs", found)? },
        other => {
            let span = fields.get("kind")?.span;
            error(found, span, format!("found `{other}`, expected prompt, target or outputs"));
            return None;
        }
    };
    Some(BaselineVariant { name: name?, source, hash: hash?, other: rest(fields) })
}

fn criteria(
    fields: &mut Fields<'_>,
    found: &mut Diagnostics,
) -> BTreeMap<String, BaselineCriterion> {
    fields.required("criteria", found);
    let entries = fields.mapping("criteria", found).unwrap_or_default();
    let read = |entry: &yaml::Entry| Some((entry.key.clone(), criterion(entry, found)?));
    entries.iter().filter_map(read).collect()
}

fn criterion(entry: &yaml::Entry, found: &mut Diagnostics) -> Option<BaselineCriterion> {
    let place = format!("the criterion `{}`", entry.key);
    let mut fields = Fields::open(&entry.value, &place, found)?;
    let hash = parsed(&mut fields, "hash", found);
    let source = fields.required("source", found).and_then(|node| {
        let source =
            ScoreSource::ALL.into_iter().find(|source| Some(source.name()) == node.as_str());
        if source.is_none() {
            error(found, node.span, "expected `source` to be code, judge or human");
        }
        source
    });
    fields.required("scorers", found);
    let scorers = fields.mapping("scorers", found).unwrap_or_default();
    let scorers = scorers
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), parse(&entry.value, &entry.key, found)?)))
        .collect();
    Some(BaselineCriterion { hash: hash?, source: source?, scorers, other: rest(fields) })
}

fn looks_of(entry: &yaml::Entry, found: &mut Diagnostics) -> Option<(String, BaselineLooks)> {
    let mut fields = Fields::open(&entry.value, "the looks at a criterion", found)?;
    fields.required("count", found);
    fields.required("candidates", found);
    let count = fields.count("count", found);
    let candidates = fields.count("candidates", found);
    let (count, candidates) = (count?, candidates?);
    Some((entry.key.clone(), BaselineLooks { count, candidates, other: rest(fields) }))
}

fn override_of(node: &Node, found: &mut Diagnostics) -> Option<Override> {
    let mut fields = Fields::open(node, "`override`", found)?;
    let at = parsed(&mut fields, "at", found);
    let reason = text(&mut fields, "reason", found);
    fields.required("overrode", found);
    let mut overrode = Vec::new();
    for item in fields.list("overrode", found).unwrap_or_default() {
        match item.as_str() {
            Some(text) => overrode.push(text.to_owned()),
            None => wrong(found, item, "overrode", "text"),
        }
    }
    Some(Override { at: at?, reason: reason?, overrode, other: rest(fields) })
}

fn cases(
    fields: &mut Fields<'_>,
    criteria: &BTreeMap<String, BaselineCriterion>,
    found: &mut Diagnostics,
) -> BTreeMap<String, BaselineCase> {
    fields.required("cases", found);
    let mut cases = BTreeMap::new();
    for node in fields.list("cases", found).unwrap_or_default() {
        let Some((id, span, case)) = case(node, criteria, found) else { continue };
        match cases.entry(id) {
            Entry::Vacant(place) => {
                place.insert(case);
            }
            Entry::Occupied(first) => {
                let message = format!("the case id `{}` stands twice", first.key());
                found.error("duplicate-case", span, message);
            }
        }
    }
    cases
}

fn case(
    node: &Node,
    criteria: &BTreeMap<String, BaselineCriterion>,
    found: &mut Diagnostics,
) -> Option<(String, Span, BaselineCase)> {
    let mut fields = Fields::open(node, "a case", found)?;
    let id = fields.required("id", found)?;
    let (span, id) = (id.span, text(&mut fields, "id", found));
    let hash = parsed(&mut fields, "hash", found);
    let cluster = fields.text("cluster", found).map(str::to_owned);
    fields.required("outputs", found);
    let outputs = fields.list("outputs", found)?;
    let mut samples: Vec<BaselineSample> = Vec::with_capacity(outputs.len());
    for output in outputs {
        let output = match output.value {
            Yaml::Null => None,
            _ => Some(parse(output, "outputs", found)?),
        };
        samples.push(BaselineSample { output, ..BaselineSample::default() });
    }
    values(&mut fields, criteria, &mut samples, found);
    let mut column = |key, set: fn(&mut BaselineSample, u64)| {
        let Some(list) = fields.get(key) else { return };
        for (sample, node) in samples.iter_mut().zip(column_of(list, key, outputs.len(), found)) {
            match &node.value {
                Yaml::Null => {}
                Yaml::Number(number) if number.is_u64() => {
                    set(sample, number.as_u64().unwrap_or_default());
                }
                _ => wrong(found, node, key, "whole numbers, or null"),
            }
        }
    };
    column("latency_ms", |sample, ms| sample.latency_ms = Some(ms));
    column("input_tokens", |sample, tokens| sample.input_tokens = Some(tokens));
    column("output_tokens", |sample, tokens| sample.output_tokens = Some(tokens));
    costs(&mut fields, &mut samples, found);
    cached(&mut fields, &mut samples, found);
    Some((id?, span, BaselineCase { hash: hash?, cluster, samples, other: rest(fields) }))
}

fn costs(fields: &mut Fields<'_>, samples: &mut [BaselineSample], found: &mut Diagnostics) {
    let Some(list) = fields.get("cost_nano_usd") else { return };
    let nodes = column_of(list, "cost_nano_usd", samples.len(), found);
    for (sample, node) in samples.iter_mut().zip(nodes) {
        match &node.value {
            Yaml::Null => {}
            Yaml::Number(number) if number.is_i64() => {
                sample.cost = number.as_i64().map(NanoDollars::new);
            }
            _ => wrong(found, node, "cost_nano_usd", "whole numbers, or null"),
        }
    }
}

fn cached(fields: &mut Fields<'_>, samples: &mut [BaselineSample], found: &mut Diagnostics) {
    for node in fields.list("cached", found).unwrap_or_default() {
        let place = match &node.value {
            Yaml::Number(number) => number.as_u64().and_then(|place| usize::try_from(place).ok()),
            _ => None,
        };
        match place.and_then(|place| samples.get_mut(place)) {
            Some(sample) => sample.cached = true,
            None => wrong(found, node, "cached", "the numbers of samples, from 0"),
        }
    }
}

/// Puts the value of each criterion into each sample, in the order of the criteria.
fn values(
    fields: &mut Fields<'_>,
    criteria: &BTreeMap<String, BaselineCriterion>,
    samples: &mut [BaselineSample],
    found: &mut Diagnostics,
) {
    let Some(node) = fields.required("values", found) else { return };
    let Some(entries) = fields.mapping("values", found) else { return };
    for entry in entries.iter().filter(|entry| !criteria.contains_key(&entry.key)) {
        let message = format!("found values of `{}`, which is not among the criteria", entry.key);
        error(found, entry.key_span, message);
    }
    for name in criteria.keys() {
        let Some(list) = node.get(name) else {
            error(found, node.span, format!("the values of the criterion `{name}` are missing"));
            continue;
        };
        let nodes = column_of(list, name, samples.len(), found);
        for (sample, node) in samples.iter_mut().zip(nodes) {
            if let Some(value) = value(node, found) {
                sample.values.push(value);
            }
        }
    }
}

fn value(node: &Node, found: &mut Diagnostics) -> Option<BaselineValue> {
    let value = match &node.value {
        Yaml::Number(number) => {
            let number = number.as_f64().filter(|number| (0.0..=1.0).contains(number));
            number.map(BaselineValue::Number)
        }
        Yaml::String(word) => {
            let not = NotDecided::ALL.into_iter().find(|not| not.word() == word);
            not.map(BaselineValue::Not)
        }
        _ => None,
    };
    if value.is_none() {
        let words = NotDecided::ALL.map(NotDecided::word).join(", ");
        error(found, node.span, format!("expected a value from 0 to 1, or one of {words}"));
    }
    value
}

/// Returns the items of a list that has one for each sample.
fn column_of<'n>(node: &'n Node, key: &str, samples: usize, found: &mut Diagnostics) -> &'n [Node] {
    match node.items() {
        Some(items) if items.len() == samples => return items,
        Some(items) => {
            let message = format!("`{key}` has {} items, and `outputs` {samples}", items.len());
            error(found, node.span, message);
        }
        None => wrong(found, node, key, "a list"),
    }
    &[]
}

/// Returns what was not asked for, which is kept.
fn rest(fields: Fields<'_>) -> Map<String, Value> {
    fields.rest().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
}

fn object(node: &Node, key: &str, found: &mut Diagnostics) -> Option<Map<String, Value>> {
    if let Value::Object(object) = node.to_json() {
        return Some(object);
    }
    wrong(found, node, key, "an object");
    None
}

fn text(fields: &mut Fields<'_>, key: &'static str, found: &mut Diagnostics) -> Option<String> {
    fields.required(key, found)?;
    fields.text(key, found).map(str::to_owned)
}

fn count32(node: &Node, key: &str, found: &mut Diagnostics) -> Option<u32> {
    let count = match &node.value {
        Yaml::Number(number) => number.as_u64().and_then(|count| u32::try_from(count).ok()),
        _ => None,
    };
    if count.is_none() {
        error(found, node.span, format!("`{key}` must be a whole number up to {}", u32::MAX));
    }
    count
}

fn parsed<T: FromStr<Err: Display>>(
    fields: &mut Fields<'_>,
    key: &'static str,
    found: &mut Diagnostics,
) -> Option<T> {
    let node = fields.required(key, found)?;
    parse(node, key, found)
}

fn parse<T: FromStr<Err: Display>>(node: &Node, key: &str, found: &mut Diagnostics) -> Option<T> {
    let Some(text) = node.as_str() else {
        wrong(found, node, key, "text");
        return None;
    };
    match text.parse() {
        Ok(value) => Some(value),
        Err(problem) => {
            error(found, node.span, format!("`{key}`: {problem}"));
            None
        }
    }
}

fn wrong(found: &mut Diagnostics, node: &Node, key: &str, expected: &str) {
    error(found, node.span, format!("`{key}` must be {expected}, found {}", node.kind()));
}

fn error(found: &mut Diagnostics, span: Span, message: impl Into<String>) {
    found.error("baseline", span, message);
}
