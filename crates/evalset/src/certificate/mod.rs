//! `judges/NAME.trust.json`: what calibrations of a judge found, so that a pull request shows it.
//!
//! One file for each judge, one entry for each (eval set, criterion). An entry names by hash
//! everything that its figures depend on; [`TrustEntry::state_of`] is [`JudgeState::Stale`] as soon
//! as one of them is another today. Entries remember which versions of the judge have been tried on
//! which test labels, because labels that steered the judge's prompt are no fresh evidence.

mod text;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use values::{ContentHash, Timestamp};

pub use text::CertificateError;

/// The version of the file's format.
pub const CERTIFICATE_FORMAT: u32 = 1;

/// How far a judge can be trusted on a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JudgeState {
    /// Something that the calibration depends on has changed since.
    Stale,
    /// Not even a judge without an error could be trusted by so few labels.
    TooFew,
    /// There are labels enough, and they do not show that the judge is good enough.
    NotYet,
    /// Both lower bounds reach their thresholds.
    Trusted,
}

/// The calibrations of one judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// [`CERTIFICATE_FORMAT`].
    pub format: u32,
    /// The judge's name.
    pub judge: String,
    /// Its calibrations, by set and criterion; one for each pair.
    pub calibrations: Vec<TrustEntry>,
    /// Keys that this version does not know, kept as they were.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What the last calibration of a judge on a criterion of an eval set found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustEntry {
    /// The eval set whose labels it was measured against.
    pub set: String,
    /// The criterion.
    pub criterion: String,
    /// The state at that time; never stale.
    pub state: JudgeState,
    /// When it was measured.
    pub calibrated: Timestamp,
    /// What was measured, and by what.
    pub hashes: TrustHashes,
    /// The labels of the test split that it rests on.
    pub test_labels: TestLabels,
    /// The share of human passes that the judge passes.
    pub true_passes: CertifiedRate,
    /// The share of human fails that the judge fails.
    pub true_fails: CertifiedRate,
    /// Every version that was tried on test labels of this set and criterion, first to last.
    pub looks: Vec<TrustLook>,
    /// Keys that this version does not know, kept as they were.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Everything that a calibration depends on, labels apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustHashes {
    /// The version of the judge's prompt.
    pub prompt: ContentHash,
    /// The model that it ran on, `provider/name`.
    pub model: String,
    /// Its config and the threshold at which its numbers pass.
    pub config: ContentHash,
    /// The guideline by which people labelled.
    pub rubric: ContentHash,
    /// What is decided and how.
    pub criterion: ContentHash,
}

/// The labels of the test split that a calibration rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestLabels {
    /// What they are about and what they say.
    pub hash: ContentHash,
    /// Outputs that people pass.
    pub passes: u64,
    /// Outputs that people fail.
    pub fails: u64,
}

/// A rate of a judge as a certificate keeps it; shares are rounded to six digits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CertifiedRate {
    /// Outputs on which the judge says the same.
    pub right: u64,
    /// Outputs that it decided.
    pub of: u64,
    /// The share; none without an output, or as a reason in the report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rate: Option<f64>,
    /// The lower end of its two-sided 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub low: Option<f64>,
    /// The upper end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub high: Option<f64>,
    /// The one-sided 95 % lower bound, which decides.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bound: Option<f64>,
    /// What the bound must reach.
    pub threshold: f64,
}

/// One version of a judge that was tried on one collection of test labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustLook {
    /// The version: [`TrustHashes::version`].
    pub version: ContentHash,
    /// The labels: [`TestLabels::hash`].
    pub test_labels: ContentHash,
    /// When it was first tried on them.
    pub first: Timestamp,
}

impl JudgeState {
    /// Returns the word that files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::TooFew => "too_few",
            Self::NotYet => "not_yet",
            Self::Trusted => "trusted",
        }
    }

    /// Returns what people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::TooFew => "too few labels",
            Self::NotYet => "not yet",
            Self::Trusted => "trusted",
        }
    }
}

impl TrustHashes {
    /// Returns the identity of what is measured: prompt, model and config. Rubric and criterion are
    /// what it is measured by, and do not count.
    pub fn version(&self) -> ContentHash {
        let content = json!({
            "prompt": self.prompt.to_string(),
            "model": self.model,
            "config": self.config.to_string(),
        });
        ContentHash::of_document("trysquare-judge-version-v1", &content)
    }

    /// Returns what differs from `today`, in words.
    pub fn changes(&self, today: &Self) -> Vec<&'static str> {
        let all = [
            (self.prompt != today.prompt, "its prompt"),
            (self.model != today.model, "its model"),
            (self.config != today.config, "its config"),
            (self.rubric != today.rubric, "the rubric"),
            (self.criterion != today.criterion, "the criterion"),
        ];
        all.into_iter().filter_map(|(differs, what)| differs.then_some(what)).collect()
    }
}

impl TrustEntry {
    /// Returns the state of the judge as it is today.
    pub fn state_of(&self, today: &TrustHashes) -> JudgeState {
        if &self.hashes == today { self.state } else { JudgeState::Stale }
    }

    /// Returns how many versions of the judge have been tried on these test labels, this one
    /// included. From the second on the figures are optimistic: the labels may have steered the
    /// prompt.
    pub fn uses(&self) -> usize {
        let labels = self.test_labels.hash;
        let tried = self.looks.iter().filter(|look| look.test_labels == labels);
        tried.map(|look| look.version).collect::<BTreeSet<_>>().len()
    }

    /// Returns when versions other than `version` were last tried on test labels. A label that was
    /// made by then has been seen by an earlier version.
    pub fn seen_until(&self, version: ContentHash) -> Option<Timestamp> {
        let earlier = self.looks.iter().filter(|look| look.version != version);
        earlier.map(|look| look.first).max()
    }
}

impl Certificate {
    /// Makes the certificate of a judge that was never calibrated.
    pub fn new(judge: &str) -> Self {
        Self {
            format: CERTIFICATE_FORMAT,
            judge: judge.to_owned(),
            calibrations: Vec::new(),
            other: Map::new(),
        }
    }

    /// Returns the calibration on a criterion of an eval set.
    pub fn entry(&self, set: &str, criterion: &str) -> Option<&TrustEntry> {
        self.calibrations.iter().find(|entry| entry.set == set && entry.criterion == criterion)
    }

    /// Takes a calibration in the place of the one on the same criterion of the same set.
    ///
    /// Its look is added to those that are known unless this version was tried on these labels
    /// before. A calibration that found the same as the last one changes nothing, not even its time.
    pub fn record(&mut self, mut entry: TrustEntry) {
        let key = (entry.set.clone(), entry.criterion.clone());
        let place = self
            .calibrations
            .iter()
            .position(|known| (&known.set, &known.criterion) == (&key.0, &key.1));
        let look = TrustLook {
            version: entry.hashes.version(),
            test_labels: entry.test_labels.hash,
            first: entry.calibrated,
        };
        entry.looks = place.map_or(Vec::new(), |place| self.calibrations[place].looks.clone());
        let is_known = |known: &TrustLook| {
            (known.version, known.test_labels) == (look.version, look.test_labels)
        };
        if !entry.looks.iter().any(is_known) {
            entry.looks.push(look);
        }
        let Some(place) = place else {
            self.calibrations.push(entry);
            self.sort();
            return;
        };
        let known = &mut self.calibrations[place];
        entry.other.clone_from(&known.other);
        let same_but_time = TrustEntry { calibrated: known.calibrated, ..entry.clone() };
        if *known != same_but_time {
            *known = entry;
        }
    }

    fn sort(&mut self) {
        self.calibrations.sort_by(|a, b| (&a.set, &a.criterion).cmp(&(&b.set, &b.criterion)));
    }
}

#[cfg(test)]
mod tests;
