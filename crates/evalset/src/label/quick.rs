//! Reading the rows that nearly all rows are: whole events of this version without an unknown key.
//!
//! A file of 100,000 labels is read whenever a set is opened, and keys that are looked up one by one in a
//! map of values take most of that time. What is unusual about a row is left to the thorough reader, so
//! that there is one place that says what is wrong with a line.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::Map;
use values::Id;

use super::dealing::Dealt;
use super::event::{
    Act, Drawn, ExternalOutput, LabelEvent, LabelSubject, LabelValue, LabelledOutput, Preference,
};
use super::read::LABEL_FORMAT;
use crate::{MAX_LINE_BYTES, Split};

/// Reads an event; `None` if the thorough reader has to look at the row.
pub(super) fn event(text: &str) -> Option<LabelEvent> {
    // Which of the keys that have no value are kept depends on the act.
    if text.len() > MAX_LINE_BYTES || text.contains("null") {
        return None;
    }
    let row: Row<'_> = serde_json::from_str(text).ok()?;
    row.event()
}

/// Texts without an escape are borrowed from the line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'t> {
    format: u32,
    id: &'t str,
    act: &'t str,
    case: String,
    case_hash: &'t str,
    output: Option<&'t str>,
    #[serde(borrow, default)]
    pair: Vec<&'t str>,
    criterion: String,
    value: Option<Share>,
    category: Option<String>,
    prefers: Option<&'t str>,
    note: Option<String>,
    labeller: String,
    time: &'t str,
    #[serde(borrow, default)]
    replaces: Vec<&'t str>,
    #[serde(borrow)]
    adjudicates: Option<Vec<&'t str>>,
    rubric: Option<&'t str>,
    #[serde(borrow)]
    drawn: Option<DrawnRow<'t>>,
    split: Option<&'t str>,
    cluster: Option<String>,
    blind: Option<bool>,
    seconds: Option<u64>,
    #[serde(default)]
    external: Vec<ExternalRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnRow<'t> {
    how: &'t str,
    probability: Option<f64>,
    stratum: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalRow {
    source: String,
    id: String,
    length: Option<u64>,
}

/// A `value`: pass, fail or a share.
struct Share(LabelValue);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareVisitor)
    }
}

struct ShareVisitor;

impl Visitor<'_> for ShareVisitor {
    type Value = Share;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pass, fail or a share from 0 to 1")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Share, E> {
        match word {
            "pass" => Ok(Share(LabelValue::Pass)),
            "fail" => Ok(Share(LabelValue::Fail)),
            other => Err(E::custom(other)),
        }
    }

    fn visit_f64<E: Error>(self, share: f64) -> Result<Share, E> {
        if (0.0..=1.0).contains(&share) {
            return Ok(Share(LabelValue::Number(share)));
        }
        Err(E::custom(share))
    }

    fn visit_u64<E: Error>(self, share: u64) -> Result<Share, E> {
        match share {
            0 => Ok(Share(LabelValue::Number(0.0))),
            1 => Ok(Share(LabelValue::Number(1.0))),
            other => Err(E::custom(other)),
        }
    }
}

impl Row<'_> {
    fn event(self) -> Option<LabelEvent> {
        if self.format != LABEL_FORMAT {
            return None;
        }
        let output = match (self.output, self.pair.as_slice()) {
            (Some(output), []) => LabelledOutput::One(output.parse().ok()?),
            (None, [a, b]) => LabelledOutput::Pair(a.parse().ok()?, b.parse().ok()?),
            _ => return None,
        };
        let value = match (self.value, self.category, self.prefers) {
            (Some(Share(value)), None, None) => Some(value),
            (None, Some(name), None) => Some(LabelValue::Category(name)),
            (None, None, Some(word)) => Some(LabelValue::Prefers(
                Preference::ALL.into_iter().find(|one| one.name() == word)?,
            )),
            (None, None, None) => None,
            _ => return None,
        };
        let act = match (self.act, value, self.adjudicates) {
            ("label", Some(value), None) => Act::Label(value),
            ("adjudicate", Some(value), adjudicates) => {
                Act::Adjudicate { value, adjudicates: ids(&adjudicates.unwrap_or_default())? }
            }
            ("defer", None, None) => Act::Defer,
            ("note", None, None) => Act::Note,
            ("flag", None, None) => Act::Flag,
            ("retract", None, None) => Act::Retract,
            _ => return None,
        };
        let subject = LabelSubject {
            case: self.case,
            case_hash: self.case_hash.parse().ok()?,
            output,
            criterion: self.criterion,
        };
        let external = external(self.external, &subject)?;
        let drawn = match self.drawn {
            Some(row) => Some(row.drawn()?),
            None => None,
        };
        let dealt = match (self.split, self.cluster) {
            (Some(name), cluster) => Some(Dealt { split: Split::from_name(name)?, cluster }),
            (None, None) => None,
            (None, Some(_)) => return None,
        };
        Some(LabelEvent {
            id: self.id.parse().ok()?,
            time: self.time.parse().ok()?,
            labeller: self.labeller,
            subject,
            act,
            note: self.note,
            replaces: ids(&self.replaces)?,
            rubric: self.rubric.map(str::parse).transpose().ok()?,
            drawn,
            dealt,
            blind: self.blind,
            seconds: self.seconds,
            external,
            other: Map::new(),
        })
    }
}

impl DrawnRow<'_> {
    fn drawn(self) -> Option<Drawn> {
        let is_share = |probability: &f64| *probability > 0.0 && *probability <= 1.0;
        match (self.how, self.probability, self.stratum) {
            ("hunt", None, None) => Some(Drawn::Hunt),
            ("random", Some(probability), None) if is_share(&probability) => {
                Some(Drawn::Random { probability })
            }
            ("stratum", Some(probability), Some(name)) if is_share(&probability) => {
                Some(Drawn::Stratum { name, probability })
            }
            _ => None,
        }
    }
}

fn external(rows: Vec<ExternalRow>, subject: &LabelSubject) -> Option<Vec<ExternalOutput>> {
    let named = rows.into_iter().map(|ExternalRow { source, id, length }| {
        let output = ExternalOutput { source, id, length };
        let hash = output.hash();
        subject.output.hashes().any(|one| one == hash).then_some(output)
    });
    named.collect()
}

fn ids(texts: &[&str]) -> Option<Vec<Id>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}
