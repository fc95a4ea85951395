//! `baseline.json`: the approved results that a gate compares with.

mod read;
mod write;

use std::collections::BTreeMap;

use chat::ModelRef;
use serde_json::{Map, Value};
use values::{ContentHash, Id, NanoDollars, Timestamp};

use crate::ScoreSource;

/// The format of `baseline.json`.
pub const BASELINE_FORMAT: u32 = 1;

/// The approved results of one variant on the cases of an eval set.
///
/// Written as canonical text with one case a line, so that a review shows which cases changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The run that was accepted.
    pub run: Id,
    /// When that run was planned.
    pub run_created: Timestamp,
    /// The eval set as it was run.
    pub eval_set_hash: ContentHash,
    /// How often each case was asked for.
    pub samples: u32,
    /// Whether recordings gave the answers, not the model itself.
    pub replayed: bool,
    /// When the newest of the recordings was made, where recordings gave the answers.
    pub recorded_at: Option<Timestamp>,
    /// What was approved.
    pub variant: BaselineVariant,
    /// The criteria by name; [`BaselineSample::values`] follows their order.
    pub criteria: BTreeMap<String, BaselineCriterion>,
    /// The criterion that decides the gate.
    pub primary: Option<String>,
    /// The gate's rule as it stood: [`crate::EvalSet::gate_rule`].
    pub gate: Map<String, Value>,
    /// What had been looked at before, by criterion.
    pub looks: BTreeMap<String, BaselineLooks>,
    /// Why it was accepted against the rules, if it was.
    pub overridden: Option<Override>,
    /// The cases by id.
    pub cases: BTreeMap<String, BaselineCase>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// The variant that was approved.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineVariant {
    /// Its name in the eval set.
    pub name: String,
    /// What made its outputs.
    pub source: BaselineSource,
    /// The hash of prompt version, model and config together.
    pub hash: ContentHash,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// What made the outputs that were approved.
#[derive(Debug, Clone, PartialEq)]
pub enum BaselineSource {
    /// A prompt sent to a model.
    Prompt {
        /// The prompt's name.
        prompt: String,
        /// Its version.
        version: ContentHash,
        /// The model.
        model: ModelRef,
        /// The sampling configuration.
        config: Value,
    },
    /// The user's own application.
    Target {
        /// The target's name in `trysquare.yaml`.
        target: String,
    },
    /// Outputs that were made elsewhere.
    Outputs {
        /// Where they came from, as the person named it.
        outputs: String,
    },
}

/// A criterion, and by what its scores were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineCriterion {
    /// The identity of what is decided and how.
    pub hash: ContentHash,
    /// Whose scores count.
    pub source: ScoreSource,
    /// The hashes of the checks or judges of that source, by name.
    pub scorers: BTreeMap<String, ContentHash>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// How often verdicts were shown before this one was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineLooks {
    /// The number of looks at this candidate.
    pub count: u64,
    /// The number of candidates that were tried against the same baseline, this one included.
    pub candidates: u64,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// Why a baseline or a pin was accepted against the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// When.
    pub at: Timestamp,
    /// What a person gave as the reason.
    pub reason: String,
    /// What spoke against it, one finding each.
    pub overrode: Vec<String>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// What the approved variant did on one case.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineCase {
    /// The case's content.
    pub hash: ContentHash,
    /// Its cluster; a case without one is its own.
    pub cluster: Option<String>,
    /// Its samples, in order.
    pub samples: Vec<BaselineSample>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// One approved output.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BaselineSample {
    /// The hash of the output's text; `None` without an answer.
    pub output: Option<ContentHash>,
    /// What was decided, in the order of [`Baseline::criteria`].
    pub values: Vec<BaselineValue>,
    /// What the answer cost, if that is known.
    pub cost: Option<NanoDollars>,
    /// Milliseconds from sending to the last byte, if that is known.
    pub latency_ms: Option<u64>,
    /// Whether the answer came from the cache, so that its latency is that of the original.
    pub cached: bool,
    /// Input tokens of all kinds, if the usage is known.
    pub input_tokens: Option<u64>,
    /// Output tokens of all kinds, if the usage is known.
    pub output_tokens: Option<u64>,
}

/// What was decided on a criterion for one output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BaselineValue {
    /// Passed is 1, failed 0, a graded score lies between.
    Number(f64),
    /// Nothing that a rate may count.
    Not(NotDecided),
}

/// Why nothing was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDecided {
    /// A provider or a program failed.
    Error,
    /// The judge's or the check's answer could not be parsed.
    Unreadable,
    /// What is asked about is not known for this case.
    Skipped,
    /// Nothing decides pass or fail.
    NoChecks,
}

/// A key of the gate's rule that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct GateChange {
    /// The key, as [`crate::EvalSet::gate_rule`] names it.
    pub key: String,
    /// Its value when the baseline was accepted.
    pub was: Option<Value>,
    /// Its value now.
    pub is: Option<Value>,
}

impl NotDecided {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Error, Self::Unreadable, Self::Skipped, Self::NoChecks];

    /// Returns the word that the file uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Unreadable => "unreadable",
            Self::Skipped => "skipped",
            Self::NoChecks => "no_checks",
        }
    }
}

impl Baseline {
    /// Returns what differs between the gate's rule of today and the one of this baseline, by key.
    ///
    /// A margin that was widened after the fact, or a required case that is no longer one, must not
    /// go unseen.
    pub fn gate_changes(&self, rule: &Map<String, Value>) -> Vec<GateChange> {
        let mut keys: Vec<&String> = self.gate.keys().chain(rule.keys()).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter()
            .filter(|key| self.gate.get(*key) != rule.get(*key))
            .map(|key| GateChange {
                key: key.clone(),
                was: self.gate.get(key).cloned(),
                is: rule.get(key).cloned(),
            })
            .collect()
    }

    /// Returns the hashes of all outputs that it refers to, in ascending order without duplicates.
    pub fn outputs(&self) -> Vec<ContentHash> {
        let samples = self.cases.values().flat_map(|case| &case.samples);
        let mut outputs: Vec<_> = samples.filter_map(|sample| sample.output).collect();
        outputs.sort_unstable();
        outputs.dedup();
        outputs
    }
}

#[cfg(test)]
mod tests;
