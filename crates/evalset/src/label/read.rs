use std::fmt::Display;
use std::str::FromStr;

use serde_json::{Map, Value};
use values::{ContentHash, Id, Timestamp};

use super::category::{Category, Sorting};
use super::dealing::{Dealing, Dealt};
use super::event::{
    Act, Drawn, ExternalOutput, LabelEvent, LabelSubject, LabelValue, LabelledOutput, Preference,
};
use super::quick;
use super::row::{LabelRow, LaterRow, Purge};
use crate::{Split, SplitPolicy, SplitShares, json};

/// The format of a row of labels.
pub const LABEL_FORMAT: u32 = 1;

/// A line of `labels.jsonl` that is no label. The other lines are used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct BadLabel {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line at which the problem stands, from 1.
    pub column: usize,
    /// What was found and what was expected.
    pub problem: String,
}

/// Reads a file of labels, in any order and with duplicates. Empty lines are skipped.
///
/// Returns the rows in file order, and every line that is none.
pub fn read_labels(file: &str) -> (Vec<LabelRow>, Vec<BadLabel>) {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let file = file.trim_start_matches('\u{feff}');
    for (line, text) in (1..).zip(file.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        match read(text) {
            Ok(row) => rows.push(row),
            Err((at, problem)) => {
                let column = text[..at].chars().count() + 1;
                bad.push(BadLabel { line, column, problem });
            }
        }
    }
    (rows, bad)
}

/// Reads one row, or tells the byte and what is wrong there.
fn read(text: &str) -> Result<LabelRow, (usize, String)> {
    if let Some(event) = quick::event(text) {
        return Ok(LabelRow::Event(Box::new(event)));
    }
    thorough(text)
}

/// Reads a row of any kind, and says what is wrong with it.
pub(super) fn thorough(text: &str) -> Result<LabelRow, (usize, String)> {
    let fields = json::row(text, "a label")?;
    row(Fields(fields), text).map_err(|problem| (0, problem))
}

fn row(mut fields: Fields, text: &str) -> Result<LabelRow, String> {
    let format: u32 = fields.number("format")?.ok_or_else(|| missing("format"))?;
    if format != LABEL_FORMAT {
        return Err(format!("the row has format {format}, and this program reads {LABEL_FORMAT}"));
    }
    let act: String = fields.text("act")?.ok_or_else(|| missing("act"))?;
    let (id, time) = (fields.needed::<Id>("id")?, fields.needed::<Timestamp>("time")?);
    let labeller = fields.needed("labeller")?;
    match act.as_str() {
        "purge" => {
            let purges = fields.list("purges")?;
            Ok(LabelRow::Purge(Purge { id, time, labeller, purges, other: fields.0 }))
        }
        "category" => {
            let (name, sentence) = (fields.needed("name")?, fields.text("sentence")?);
            let (sentence, replaces) = (sentence.unwrap_or_default(), fields.list("replaces")?);
            let other = fields.0;
            Ok(LabelRow::Category(Category { id, time, labeller, name, sentence, replaces, other }))
        }
        "sort" => {
            let (sorts, categories) = (fields.needed("sorts")?, fields.list("categories")?);
            let (replaces, other) = (fields.list("replaces")?, fields.0);
            let sorting = Sorting { id, time, labeller, sorts, categories, replaces, other };
            Ok(LabelRow::Sorting(sorting))
        }
        "split" => {
            let policy = policy(&mut fields)?;
            let (replaces, other) = (fields.list("replaces")?, fields.0);
            Ok(LabelRow::Split(Dealing { id, time, labeller, policy, replaces, other }))
        }
        "label" | "defer" | "note" | "flag" | "retract" | "adjudicate" => {
            event(&act, id, time, labeller, fields)
        }
        _ => {
            let (replaces, text) = (fields.list("replaces")?, text.trim().to_owned());
            Ok(LabelRow::Later(LaterRow { id, time, labeller, replaces, act, text }))
        }
    }
}

fn event(
    act: &str,
    id: Id,
    time: Timestamp,
    labeller: String,
    mut fields: Fields,
) -> Result<LabelRow, String> {
    let subject = LabelSubject {
        case: fields.needed("case")?,
        case_hash: fields.needed("case_hash")?,
        output: output(&mut fields)?,
        criterion: fields.needed("criterion")?,
    };
    let act = read_act(act, &mut fields)?;
    let external = external(&mut fields, &subject)?;
    Ok(LabelRow::Event(Box::new(LabelEvent {
        id,
        time,
        labeller,
        act,
        note: fields.text("note")?,
        replaces: fields.list("replaces")?,
        rubric: fields.parsed("rubric")?,
        drawn: drawn(&mut fields)?,
        dealt: dealt(&mut fields)?,
        blind: fields.boolean("blind")?,
        seconds: fields.number("seconds")?,
        external,
        subject,
        other: fields.0,
    })))
}

fn output(fields: &mut Fields) -> Result<LabelledOutput, String> {
    let pair: Vec<ContentHash> = fields.list("pair")?;
    match (fields.parsed("output")?, pair.as_slice()) {
        (Some(output), []) => Ok(LabelledOutput::One(output)),
        (None, [a, b]) => Ok(LabelledOutput::Pair(*a, *b)),
        _ => Err("expected `output`, one hash, or `pair`, a list of two".to_owned()),
    }
}

fn read_act(act: &str, fields: &mut Fields) -> Result<Act, String> {
    match act {
        "label" => Ok(Act::Label(label_value(fields)?)),
        "defer" => Ok(Act::Defer),
        "note" => Ok(Act::Note),
        "flag" => Ok(Act::Flag),
        "retract" => Ok(Act::Retract),
        "adjudicate" => Ok(Act::Adjudicate {
            value: label_value(fields)?,
            adjudicates: fields.list("adjudicates")?,
        }),
        other => Err(format!("`act` is `{other}`, which is nothing about an output")),
    }
}

fn label_value(fields: &mut Fields) -> Result<LabelValue, String> {
    let (value, category) = (fields.take("value"), fields.text("category")?);
    let prefers = fields.text("prefers")?;
    match (value, category, prefers) {
        (Some(Value::String(word)), None, None) if word == "pass" => Ok(LabelValue::Pass),
        (Some(Value::String(word)), None, None) if word == "fail" => Ok(LabelValue::Fail),
        (Some(Value::Number(number)), None, None) => number
            .as_f64()
            .filter(|share| (0.0..=1.0).contains(share))
            .map(LabelValue::Number)
            .ok_or_else(|| format!("`value` is {number}; expected a share from 0 to 1")),
        (Some(other), None, None) => {
            Err(format!("`value` is {other}; expected \"pass\", \"fail\" or a share from 0 to 1"))
        }
        (None, Some(name), None) => Ok(LabelValue::Category(name)),
        (None, None, Some(word)) => Preference::ALL
            .into_iter()
            .find(|known| known.name() == word)
            .map(LabelValue::Prefers)
            .ok_or_else(|| format!("`prefers` is `{word}`; expected a, b or tie")),
        _ => Err("expected one of `value`, `category`, `prefers`".to_owned()),
    }
}

fn drawn(fields: &mut Fields) -> Result<Option<Drawn>, String> {
    let Some(value) = fields.take("drawn") else { return Ok(None) };
    let Value::Object(inner) = value else { return Err("`drawn` must be an object".to_owned()) };
    let mut inner = Fields(inner);
    let how: String = inner.needed("how")?;
    if how == "hunt" {
        return Ok(Some(Drawn::Hunt));
    }
    let probability = inner
        .take("probability")
        .and_then(|value| value.as_f64())
        .filter(|probability| *probability > 0.0 && *probability <= 1.0)
        .ok_or("`probability` must be above 0 and at most 1")?;
    match how.as_str() {
        "random" => Ok(Some(Drawn::Random { probability })),
        "stratum" => Ok(Some(Drawn::Stratum { name: inner.needed("stratum")?, probability })),
        other => Err(format!("`how` is `{other}`; expected random, stratum or hunt")),
    }
}

fn policy(fields: &mut Fields) -> Result<SplitPolicy, String> {
    let seed = fields.number("seed")?.ok_or_else(|| missing("seed"))?;
    let mut percent = |key| fields.number(key)?.ok_or_else(|| missing(key));
    let shares = SplitShares::new(percent("train")?, percent("dev")?)
        .ok_or("`train` and `dev` are percents, together at most 100")?;
    Ok(SplitPolicy { seed, shares })
}

fn dealt(fields: &mut Fields) -> Result<Option<Dealt>, String> {
    let Some(name) = fields.text("split")? else { return Ok(None) };
    let split = Split::from_name(&name)
        .ok_or_else(|| format!("`split` is `{name}`; expected train, dev or test"))?;
    Ok(Some(Dealt { split, cluster: fields.text("cluster")? }))
}

fn external(fields: &mut Fields, subject: &LabelSubject) -> Result<Vec<ExternalOutput>, String> {
    let Some(value) = fields.take("external") else { return Ok(Vec::new()) };
    let Value::Array(items) = value else { return Err("`external` must be a list".to_owned()) };
    items
        .into_iter()
        .map(|item| {
            let Value::Object(inner) = item else {
                return Err("`external` must be a list of objects".to_owned());
            };
            let mut inner = Fields(inner);
            let (source, id) = (inner.needed("source")?, inner.needed("id")?);
            let output = ExternalOutput { source, id, length: inner.number("length")? };
            if subject.output.hashes().any(|hash| hash == output.hash()) {
                return Ok(output);
            }
            Err(format!("`external` names `{}`, whose hash is none of the row", output.id))
        })
        .collect()
}

fn missing(key: &str) -> String {
    format!("the key `{key}` is missing")
}

/// The keys of a row that are not read yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("`{key}` must be a text, found {other}")),
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Result<Option<T>, String> {
        let text = self.text(key)?;
        text.map(|text| text.parse().map_err(|error| format!("`{key}`: {error}"))).transpose()
    }

    fn needed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Result<T, String> {
        self.parsed(key)?.ok_or_else(|| missing(key))
    }

    fn number<T: TryFrom<u64>>(&mut self, key: &str) -> Result<Option<T>, String> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| T::try_from(number).ok());
        number.map(Some).ok_or_else(|| format!("`{key}` must be a whole number, found {value}"))
    }

    fn boolean(&mut self, key: &str) -> Result<Option<bool>, String> {
        let Some(value) = self.take(key) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| format!("`{key}` must be true or false"))
    }

    fn list<T: FromStr<Err: Display>>(&mut self, key: &str) -> Result<Vec<T>, String> {
        let Some(value) = self.take(key) else { return Ok(Vec::new()) };
        let Value::Array(items) = value else { return Err(format!("`{key}` must be a list")) };
        items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => text.parse().map_err(|error| format!("`{key}`: {error}")),
                other => Err(format!("`{key}` must be a list of texts, found {other}")),
            })
            .collect()
    }
}
