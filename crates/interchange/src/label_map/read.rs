use std::collections::BTreeMap;

use document::yaml::{self, Node, Yaml};
use document::{Diagnostics, Fields, Span, nearest};
use evalset::{Drawn, LabelValue, Preference, Split};
use values::Timestamp;

use super::{
    CaseMap, JudgeColumn, LabelColumn, LabelMap, Labeller, OutputMap, RowFormat, ValueKind,
    ValueMap, Verdicts,
};
use crate::place::Place;

pub(super) fn map(text: &str, diagnostics: &mut Diagnostics) -> Option<LabelMap> {
    let node = yaml::parse(Span::new(0, text.len()), diagnostics)?;
    let mut fields = Fields::open(&node, "the mapping", diagnostics)?;
    let source = needed_text(&mut fields, "source", diagnostics);
    let format = word(&mut fields, "format", &RowFormat::ALL.map(RowFormat::name), diagnostics);
    let delimiter = delimiter(&mut fields, diagnostics);
    let time = time(&mut fields, diagnostics);
    let case = case(&mut fields, diagnostics);
    let outputs = outputs(&mut fields, diagnostics);
    let is_pair = outputs.len() == 2;
    let labels = columns(&mut fields, "labels", diagnostics)
        .iter()
        .filter_map(|node| label(node, is_pair, diagnostics))
        .collect::<Vec<_>>();
    let judges = columns(&mut fields, "judges", diagnostics)
        .iter()
        .filter_map(|node| judge(node, is_pair, diagnostics))
        .collect::<Vec<_>>();
    if labels.is_empty() && judges.is_empty() && !diagnostics.has_errors() {
        let message = "the mapping names neither `labels` nor `judges`";
        diagnostics.error("missing-key", node.span, message);
    }
    fields.warn_unknown(diagnostics);
    Some(LabelMap {
        source: source?,
        format: format.and_then(|word| RowFormat::ALL.into_iter().find(|f| f.name() == word)),
        delimiter,
        time,
        case: case?,
        outputs,
        labels,
        judges,
    })
}

fn case(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<CaseMap> {
    fields.required("case", diagnostics);
    let id = place(fields, "case", diagnostics);
    let cluster = place(fields, "cluster", diagnostics);
    let split = word(fields, "split", &Split::ALL.map(Split::name), diagnostics);
    let tags = fields.list("tags", diagnostics).unwrap_or_default();
    let tags = tags.iter().filter_map(|node| place_of(node, "tags", diagnostics)).collect();
    let inputs = fields.mapping("inputs", diagnostics).unwrap_or_default();
    let inputs = inputs
        .iter()
        .filter_map(|entry| {
            Some((entry.key.clone(), place_of(&entry.value, &entry.key, diagnostics)?))
        })
        .collect();
    let expected = place(fields, "expected", diagnostics);
    Some(CaseMap {
        id: id?,
        cluster,
        split: split.and_then(Split::from_name),
        tags,
        inputs,
        expected,
    })
}

fn outputs(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<OutputMap> {
    let one = fields.get("output");
    let pair = fields.list("outputs", diagnostics);
    let nodes: Vec<&Node> = one.into_iter().chain(pair.unwrap_or_default()).collect();
    if one.is_some() && pair.is_some() || nodes.len() > 2 || pair.is_some_and(|p| p.len() != 2) {
        let message = "expected `output`, or `outputs` with two items, the outputs a and b";
        diagnostics.error("outputs", fields.span(), message);
    }
    if nodes.is_empty() {
        return vec![OutputMap::External { id: None, length: None }];
    }
    nodes.into_iter().filter_map(|node| output(node, diagnostics)).collect()
}

fn output(node: &Node, diagnostics: &mut Diagnostics) -> Option<OutputMap> {
    if node.as_str().is_some() {
        return place_of(node, "output", diagnostics).map(OutputMap::Text);
    }
    let mut fields = Fields::open(node, "an output", diagnostics)?;
    let text = place(&mut fields, "text", diagnostics);
    let id = place(&mut fields, "id", diagnostics);
    let length = place(&mut fields, "length", diagnostics);
    if text.is_some() && (id.is_some() || length.is_some()) {
        let message = "an output has its `text`, or `id` and `length` if its text is not there";
        diagnostics.error("outputs", node.span, message);
    }
    fields.warn_unknown(diagnostics);
    Some(text.map_or(OutputMap::External { id, length }, OutputMap::Text))
}

fn label(node: &Node, is_pair: bool, diagnostics: &mut Diagnostics) -> Option<LabelColumn> {
    let mut fields = Fields::open(node, "an item of `labels`", diagnostics)?;
    let criterion = needed_text(&mut fields, "criterion", diagnostics);
    let span = fields.get("criterion").map_or(node.span, |node| node.span);
    fields.required("value", diagnostics);
    let value = place(&mut fields, "value", diagnostics);
    let each = word(&mut fields, "each", &["item", "character"], diagnostics);
    let map = value_map(&mut fields, is_pair, diagnostics);
    let named = fields.text("labeller", diagnostics).map(str::to_owned);
    let from = place(&mut fields, "labeller_from", diagnostics);
    let labeller = match (named, from) {
        (Some(name), None) if !name.trim().is_empty() => Some(Labeller::Named(name)),
        (None, Some(place)) => Some(Labeller::From(place)),
        _ => {
            let message = "expected `labeller`, a name, or `labeller_from`, where it stands";
            diagnostics.error("labeller", node.span, message);
            None
        }
    };
    let note = place(&mut fields, "note", diagnostics);
    let time = place(&mut fields, "time", diagnostics);
    let drawn = drawn(&mut fields, diagnostics);
    fields.warn_unknown(diagnostics);
    Some(LabelColumn {
        criterion: criterion?,
        span,
        value: value?,
        characters: each == Some("character"),
        map: map?,
        labeller: labeller?,
        note,
        time,
        drawn,
    })
}

fn judge(node: &Node, is_pair: bool, diagnostics: &mut Diagnostics) -> Option<JudgeColumn> {
    let mut fields = Fields::open(node, "an item of `judges`", diagnostics)?;
    let name = needed_text(&mut fields, "name", diagnostics);
    let version = fields.text("version", diagnostics).map(str::to_owned);
    let criterion = needed_text(&mut fields, "criterion", diagnostics);
    let span = fields.get("criterion").map_or(node.span, |node| node.span);
    let one = place(&mut fields, "value", diagnostics);
    let orders = fields.get("orders").and_then(|node| both_orders(node, is_pair, diagnostics));
    let verdicts = match (one, orders) {
        (Some(place), None) => Some(Verdicts::One(place)),
        (None, Some(orders)) => Some(orders),
        _ => {
            let message = "expected `value`, or `orders` with `ab` and `ba`";
            diagnostics.error("verdicts", node.span, message);
            None
        }
    };
    let map = value_map(&mut fields, is_pair, diagnostics);
    let probability = place(&mut fields, "probability", diagnostics);
    let reason = place(&mut fields, "reason", diagnostics);
    let missing = word(&mut fields, "missing", &["unreadable", "skip"], diagnostics);
    fields.warn_unknown(diagnostics);
    Some(JudgeColumn {
        name: name?,
        version,
        criterion: criterion?,
        span,
        verdicts: verdicts?,
        map: map?,
        probability,
        reason,
        skips_missing: missing == Some("skip"),
    })
}

fn both_orders(node: &Node, is_pair: bool, diagnostics: &mut Diagnostics) -> Option<Verdicts> {
    let mut fields = Fields::open(node, "`orders`", diagnostics)?;
    fields.required("ab", diagnostics);
    fields.required("ba", diagnostics);
    let ab = place(&mut fields, "ab", diagnostics);
    let ba = place(&mut fields, "ba", diagnostics);
    if !is_pair {
        let message = "only a pair has `orders`; name the two `outputs`";
        diagnostics.error("verdicts", node.span, message);
    }
    fields.warn_unknown(diagnostics);
    Some(Verdicts::BothOrders { ab: ab?, ba: ba? })
}

fn value_map(
    fields: &mut Fields<'_>,
    is_pair: bool,
    diagnostics: &mut Diagnostics,
) -> Option<ValueMap> {
    let kinds = ["binary", "number", "category", "preference"];
    let kind = word(fields, "as", &kinds, diagnostics);
    let scale = fields.get("scale");
    let kind = match (kind, scale) {
        (Some("number") | None, Some(node)) => scale_of(node, diagnostics)?,
        (Some("number"), None) => ValueKind::Number { low: 0.0, high: 1.0 },
        (_, Some(node)) => {
            diagnostics.error("scale", node.span, "only `as: number` has a `scale`");
            return None;
        }
        (Some("category"), None) => ValueKind::Category,
        (Some("binary"), None) => ValueKind::Binary,
        (Some("preference"), None) => ValueKind::Preference,
        (_, None) if is_pair => ValueKind::Preference,
        (_, None) => ValueKind::Binary,
    };
    if kind == ValueKind::Preference && !is_pair {
        let message = "`as: preference` needs the two `outputs`";
        diagnostics.error("value", fields.span(), message);
    }
    let mut words = BTreeMap::new();
    for entry in fields.mapping("map", diagnostics).unwrap_or_default() {
        if entry.value.value == Yaml::Null {
            words.insert(entry.key.clone(), None);
            continue;
        }
        match kind.read(&entry.value.to_json()) {
            Ok(value) => {
                words.insert(entry.key.clone(), Some(value));
            }
            Err(problem) => diagnostics.error("value", entry.value.span, problem),
        }
    }
    Some(ValueMap { kind, words })
}

fn scale_of(node: &Node, diagnostics: &mut Diagnostics) -> Option<ValueKind> {
    let bounds: Vec<f64> =
        node.items().unwrap_or_default().iter().filter_map(|n| n.to_json().as_f64()).collect();
    match bounds.as_slice() {
        [low, high] if low < high => Some(ValueKind::Number { low: *low, high: *high }),
        _ => {
            let message = "expected the least and the greatest value, as `scale: [1, 6]`";
            diagnostics.error("scale", node.span, message);
            None
        }
    }
}

fn drawn(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Drawn> {
    let node = fields.get("drawn")?;
    if node.as_str() == Some("hunt") {
        return Some(Drawn::Hunt);
    }
    let probability = node.get("probability").and_then(|node| node.to_json().as_f64());
    let probability = probability.filter(|share| *share > 0.0 && *share <= 1.0);
    if probability.is_none() {
        let message = "expected `hunt`, or `probability` above 0 and at most 1";
        diagnostics.error("drawn", node.span, message);
    }
    Some(Drawn::Random { probability: probability? })
}

fn time(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Timestamp {
    let unknown = Timestamp::from_unix_ms(0);
    let Some(span) = fields.get("time").map(|node| node.span) else { return unknown };
    let Some(text) = fields.text("time", diagnostics) else { return unknown };
    text.parse().unwrap_or_else(|error| {
        diagnostics.error("time", span, format!("{error}"));
        unknown
    })
}

fn delimiter(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> u8 {
    let Some(span) = fields.get("delimiter").map(|node| node.span) else { return b',' };
    match fields.text("delimiter", diagnostics).map(str::as_bytes) {
        Some([byte]) if byte.is_ascii() && !byte.is_ascii_alphanumeric() => *byte,
        _ => {
            diagnostics.error("delimiter", span, "expected one character, such as \";\"");
            b','
        }
    }
}

fn columns<'n>(
    fields: &mut Fields<'n>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> &'n [Node] {
    fields.list(key, diagnostics).unwrap_or_default()
}

fn needed_text(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let span = fields.required(key, diagnostics)?.span;
    let text = fields.text(key, diagnostics)?;
    if text.trim().is_empty() {
        diagnostics.error("empty", span, format!("`{key}` is empty"));
    }
    Some(text.to_owned())
}

fn place(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<Place> {
    place_of(fields.get(key)?, key, diagnostics)
}

fn place_of(node: &Node, key: &str, diagnostics: &mut Diagnostics) -> Option<Place> {
    let found = match node.as_str() {
        Some(text) => Place::parse(text),
        None => Err(format!("found {}, expected a name or a JSONPath", node.kind())),
    };
    match found {
        Ok(place) => Some(place),
        Err(problem) => {
            diagnostics.error("place", node.span, format!("`{key}`: {problem}"));
            None
        }
    }
}

fn word<'w>(
    fields: &mut Fields<'_>,
    key: &'static str,
    words: &[&'w str],
    diagnostics: &mut Diagnostics,
) -> Option<&'w str> {
    let node = fields.get(key)?;
    let found = node.as_str().unwrap_or(node.kind());
    let known = words.iter().copied().find(|word| *word == found);
    if known.is_none() {
        let hint = match nearest(found, words) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {}", words.join(", ")),
        };
        let message = format!("`{key}` cannot be `{found}`");
        diagnostics.error_with_hint("unknown-word", node.span, message, hint);
    }
    known
}

impl ValueMap {
    /// Returns what a value of a row says: a decision, or nothing.
    pub(crate) fn value(&self, found: &serde_json::Value) -> Result<Option<LabelValue>, String> {
        let text = match found {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let Some(value) = self.words.get(&text) {
            return Ok(value.clone());
        }
        if !self.words.is_empty() {
            let words: Vec<_> = self.words.keys().map(String::as_str).collect();
            return Err(format!("found `{text}`, expected one of {}", words.join(", ")));
        }
        self.kind.read(found).map(Some)
    }
}

impl ValueKind {
    /// Reads a value in the words of the kind.
    fn read(self, value: &serde_json::Value) -> Result<LabelValue, String> {
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match (self, text.as_str()) {
            (Self::Binary, "pass" | "true") => Ok(LabelValue::Pass),
            (Self::Binary, "fail" | "false") => Ok(LabelValue::Fail),
            (Self::Binary, _) => Err(format!("found `{text}`, expected pass or fail")),
            (Self::Number { low, high }, _) => text
                .parse::<f64>()
                .ok()
                .filter(|number| (low..=high).contains(number))
                .map(|number| LabelValue::Number((number - low) / (high - low)))
                .ok_or_else(|| format!("found `{text}`, expected a number from {low} to {high}")),
            (Self::Category, "") => Err("found nothing, expected a category".to_owned()),
            (Self::Category, _) => Ok(LabelValue::Category(text)),
            (Self::Preference, _) => Preference::ALL
                .into_iter()
                .find(|known| known.name() == text)
                .map(LabelValue::Prefers)
                .ok_or_else(|| format!("found `{text}`, expected a, b or tie")),
        }
    }
}
