use std::collections::HashMap;

use evalset::ScoreSource;
use run::Variant;
use score::Status;
use serde::Serialize;
use values::{ContentHash, Id, NanoDollars, Timestamp};

/// What one variant did on the cases of an eval set: a column of a run, or an approved baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantResults {
    /// The variant.
    pub variant: Variant,
    /// Where the results were kept.
    pub origin: Origin,
    /// The eval set's folder name.
    pub eval_set: String,
    /// The eval set as it was run.
    pub eval_set_hash: ContentHash,
    /// How often each case was asked for.
    pub samples: u32,
    /// Whether recordings gave the answers, not the model itself.
    pub replayed: bool,
    /// The criteria by which the outputs were scored; [`SampleResult::values`] follows this order.
    pub criteria: Vec<SetCriterion>,
    /// The place of the primary criterion among them.
    pub primary: Option<usize>,
    /// The cases in plan order, in which clusters stand together.
    pub cases: Vec<CaseResults>,
}

/// Where results were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A run in the local record.
    Run {
        /// The run.
        id: Id,
        /// When it was planned.
        created: Timestamp,
        /// Whether every cell has an outcome. A run that was ended by hand or at a cap has cells that have none.
        complete: bool,
    },
    /// `baseline.json`.
    Baseline {
        /// The run that was accepted.
        run: Id,
        /// When it was accepted.
        accepted: Timestamp,
    },
}

/// A criterion, and by what its scores were given.
#[derive(Debug, Clone, PartialEq)]
pub struct SetCriterion {
    /// Its name.
    pub name: String,
    /// The identity of what is decided and how.
    pub hash: ContentHash,
    /// Whose scores count.
    pub source: ScoreSource,
    /// The checks or judges of that source, by name.
    pub scorers: Vec<Scorer>,
}

/// A check or judge in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scorer {
    /// Its name.
    pub name: String,
    /// Its hash.
    pub hash: ContentHash,
}

/// What a variant did on one case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResults {
    /// The case.
    pub id: String,
    /// Its content.
    pub hash: ContentHash,
    /// Its cluster; a case without one is its own.
    pub cluster: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its samples, in order.
    pub samples: Vec<SampleResult>,
}

/// One output and what was found about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleResult {
    /// The hash of the output's text; `None` without an answer.
    pub output: Option<ContentHash>,
    /// What was decided, by criterion.
    pub values: Vec<Value>,
    /// What the answer took; `None` without one.
    pub measured: Option<Measured>,
}

/// What an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// What it cost, of a hit or a replay when it was made; `None` if nobody knows.
    pub cost: Option<NanoDollars>,
    /// Milliseconds from sending to the last byte, of a hit or a replay those of the original.
    /// `None` if the results do not keep it.
    pub latency_ms: Option<u64>,
    /// Whether the latency was measured in this run, not in that of the original.
    pub live: bool,
    /// Input tokens of all buckets, if the usage is known.
    pub input_tokens: Option<u64>,
    /// Output tokens of all buckets, if the usage is known.
    pub output_tokens: Option<u64>,
}

/// What was decided on a criterion for one output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Passed is 1, failed 0, a graded score lies between. Always finite.
    Number(f64),
    /// Nothing that a rate may count. Never [`Status::Pass`] or [`Status::Fail`].
    Not(Status),
    /// People decide it, and have not so that a rate may count it.
    Open(Open),
    /// The cell has no outcome yet.
    Pending,
}

/// Why an output that people decide has no decision that a rate may count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Nobody has labelled it.
    Unlabelled,
    /// Labels contradict each other, and nobody adjudicated.
    Disputed,
    /// It was labelled because somebody chose it, not by chance, while others have no label: rates
    /// over such labels would say what was looked for.
    NotDrawn,
    /// Chance drew it for labelling, but some outputs more readily than others, while others have no
    /// label: rates over such labels would say what was drawn more readily.
    UnequallyDrawn,
}

impl Value {
    /// Returns the number, if something was decided.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(value),
            Self::Not(_) | Self::Open(_) | Self::Pending => None,
        }
    }
}

impl CaseResults {
    /// Returns the mean of the decided samples on a criterion, `None` if none is decided.
    pub fn mean(&self, criterion: usize) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0u32);
        for value in self.values(criterion).filter_map(Value::number) {
            sum += value;
            count += 1;
        }
        (count > 0).then(|| sum / f64::from(count))
    }

    /// Returns what was decided on a criterion, sample by sample.
    pub fn values(&self, criterion: usize) -> impl Iterator<Item = Value> {
        self.samples
            .iter()
            .map(move |sample| sample.values.get(criterion).copied().unwrap_or(Value::Pending))
    }
}

/// Numbers the clusters of cases by first appearance; a case without one is its own.
pub fn cluster_numbers<'a>(cases: impl IntoIterator<Item = &'a CaseResults>) -> Vec<usize> {
    let mut numbers: HashMap<(bool, &str), usize> = HashMap::new();
    cases
        .into_iter()
        .map(|case| {
            let own = (false, case.id.as_str());
            let key = case.cluster.as_deref().map_or(own, |name| (true, name));
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        })
        .collect()
}

impl VariantResults {
    /// Returns the place of a criterion.
    pub fn criterion(&self, name: &str) -> Option<usize> {
        self.criteria.iter().position(|criterion| criterion.name == name)
    }
}
