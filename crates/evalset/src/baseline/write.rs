use serde_json::{Map, Value, json};
use values::row_json;

use super::{
    BASELINE_FORMAT, Baseline, BaselineCase, BaselineCriterion, BaselineSample, BaselineSource,
    BaselineValue, BaselineVariant, Override,
};

impl Baseline {
    /// Returns the canonical text of `baseline.json`.
    ///
    /// Each entry of the document, and each entry of an object or list in it, has its own line; what
    /// lies deeper is compact. Keys stand in the documented order, names and cases in byte order.
    pub fn to_text(&self) -> String {
        let mut document = Map::new();
        let mut put = |key: &str, value: Value| {
            document.insert(key.to_owned(), value);
        };
        put("format", BASELINE_FORMAT.into());
        put("accepted", text(&self.accepted));
        put("run", text(&self.run));
        put("run_created", text(&self.run_created));
        put("eval_set_hash", text(&self.eval_set_hash));
        put("samples", self.samples.into());
        put("replayed", self.replayed.into());
        if let Some(recorded_at) = &self.recorded_at {
            put("recorded_at", text(recorded_at));
        }
        put("variant", variant(&self.variant));
        let criteria = self.criteria.iter().map(|(name, one)| (name.clone(), criterion(one)));
        put("criteria", Value::Object(criteria.collect()));
        if let Some(primary) = &self.primary {
            put("primary", json!(primary));
        }
        put("gate", Value::Object(self.gate.clone()));
        if !self.looks.is_empty() {
            let looks = self.looks.iter().map(|(name, looks)| {
                (
                    name.clone(),
                    with(
                        json!({"count": looks.count, "candidates": looks.candidates}),
                        &looks.other,
                    ),
                )
            });
            put("looks", Value::Object(looks.collect()));
        }
        if let Some(overridden) = &self.overridden {
            put("override", override_json(overridden));
        }
        let names: Vec<&String> = self.criteria.keys().collect();
        put("cases", self.cases.iter().map(|(id, one)| case(id, one, &names)).collect());
        for (key, value) in &self.other {
            put(key, value.clone());
        }
        pretty(&document)
    }
}

fn text(value: &impl ToString) -> Value {
    Value::String(value.to_string())
}

fn variant(variant: &BaselineVariant) -> Value {
    let (name, hash) = (&variant.name, text(&variant.hash));
    let document = match &variant.source {
        BaselineSource::Prompt { prompt, version, model, config } => json!({
            "name": name,
            "kind": "prompt",
            "prompt": prompt,
            "version": text(version),
            "model": text(model),
            "config": config,
            "hash": hash,
        }),
        BaselineSource::Target { target } => {
            json!({"name": name, "kind": "target", "target": target, "hash": hash})
        }
        BaselineSource::Outputs { outputs } => {
            json!({"name": name, "kind": "outputs", "outputs": outputs, "hash": hash})
        }
    };
    with(document, &variant.other)
}

/// Adds the unknown keys behind the known ones.
fn with(document: Value, other: &Map<String, Value>) -> Value {
    let Value::Object(mut entries) = document else { return document };
    for (key, value) in other {
        entries.insert(key.clone(), value.clone());
    }
    Value::Object(entries)
}

fn criterion(criterion: &BaselineCriterion) -> Value {
    let scorers: Map<_, _> =
        criterion.scorers.iter().map(|(name, hash)| (name.clone(), text(hash))).collect();
    let document = json!({
        "hash": text(&criterion.hash),
        "source": criterion.source.name(),
        "scorers": scorers,
    });
    with(document, &criterion.other)
}

fn override_json(overridden: &Override) -> Value {
    let document = json!({
        "at": text(&overridden.at),
        "reason": overridden.reason,
        "overrode": overridden.overrode,
    });
    with(document, &overridden.other)
}

fn case(id: &str, case: &BaselineCase, criteria: &[&String]) -> Value {
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(id));
    row.insert("hash".to_owned(), text(&case.hash));
    if let Some(cluster) = &case.cluster {
        row.insert("cluster".to_owned(), json!(cluster));
    }
    let samples = &case.samples;
    let outputs = samples.iter().map(|sample| sample.output.as_ref().map_or(Value::Null, text));
    row.insert("outputs".to_owned(), outputs.collect());
    let values = criteria.iter().enumerate().map(|(place, name)| {
        let list = samples.iter().map(|sample| sample.values.get(place).map_or(Value::Null, value));
        ((*name).clone(), list.collect())
    });
    row.insert("values".to_owned(), Value::Object(values.collect()));
    let mut column = |key: &str, of: fn(&BaselineSample) -> Value| {
        let list: Vec<Value> = samples.iter().map(of).collect();
        if list.iter().any(|value| !value.is_null()) {
            row.insert(key.to_owned(), Value::Array(list));
        }
    };
    column("cost_nano_usd", |sample| json!(sample.cost));
    column("latency_ms", |sample| json!(sample.latency_ms));
    column("input_tokens", |sample| json!(sample.input_tokens));
    column("output_tokens", |sample| json!(sample.output_tokens));
    let cached = samples.iter().enumerate().filter(|(_, sample)| sample.cached);
    let cached: Vec<usize> = cached.map(|(place, _)| place).collect();
    if !cached.is_empty() {
        row.insert("cached".to_owned(), json!(cached));
    }
    with(Value::Object(row), &case.other)
}

fn value(value: &BaselineValue) -> Value {
    match value {
        BaselineValue::Number(number) => json!(number),
        BaselineValue::Not(why) => json!(why.word()),
    }
}

fn pretty(document: &Map<String, Value>) -> String {
    let entries = document
        .iter()
        .map(|(key, value)| format!("  {}: {}", row_json(&json!(key)), block(value)));
    format!("{{\n{}\n}}\n", entries.collect::<Vec<_>>().join(",\n"))
}

fn block(value: &Value) -> String {
    let (open, lines, close): (_, Vec<String>, _) = match value {
        Value::Object(entries) if !entries.is_empty() => {
            let line = |(key, value)| format!("    {}: {}", row_json(&json!(key)), row_json(value));
            ('{', entries.iter().map(line).collect(), '}')
        }
        Value::Array(items) if !items.is_empty() => {
            ('[', items.iter().map(|item| format!("    {}", row_json(item))).collect(), ']')
        }
        _ => return row_json(value),
    };
    format!("{open}\n{}\n  {close}", lines.join(",\n"))
}
