use chat::ModelRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use values::{ContentHash, Id, Timestamp};

use crate::Caps;

/// What a run set out to do; written before the first call and never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The format of this document; 1 today.
    pub format: u32,
    /// The run.
    pub id: Id,
    /// When it was planned.
    pub created: Timestamp,
    /// The eval set's folder name.
    pub eval_set: String,
    /// The hash of the eval set as it was run: criteria, checks and cases.
    pub eval_set_hash: ContentHash,
    /// What was run, in the order of the columns.
    pub variants: Vec<Variant>,
    /// How often each case is sampled.
    pub samples: u32,
    /// The seed that shuffled the clusters.
    pub seed: u64,
    /// The number of cells.
    pub cells: u32,
    /// The caps in force when it was planned.
    pub caps: Caps,
    /// Whether recordings answer it. Then nothing is sent, also when it is resumed.
    #[serde(default)]
    pub replay: bool,
    /// What ends it before every cell has an outcome; `None` if only the plan's end does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_decided: Option<UntilDecided>,
    /// Whether its answers become recordings, also those of a resume.
    #[serde(default)]
    pub record: bool,
    /// Whether calls whose worst case nobody knows are sent under a cap. Kept, so that a resume goes
    /// on as the run began.
    #[serde(default)]
    pub allow_unpriced: bool,
    /// What it judges; `None` of a run that makes outputs. Its variants are the judges then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub judging: Option<Judging>,
    /// The criteria and checks as data, so that an old run can always be shown.
    pub criteria: Value,
}

/// What a run judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judging {
    /// The run that made the outputs.
    pub run: Id,
    /// The judging run whose unreadable replies this one asks to put right; `None` if it asks first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub again: Option<Id>,
    /// Whether it probes a judge with texts that were made up, so that its answers are no verdicts.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub probe: bool,
}

/// The verdict that ends a run early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UntilDecided {
    /// What is compared with, as an index into the header's variants.
    pub baseline: u32,
    /// What may ship, as an index into the header's variants.
    pub candidate: u32,
    /// What is asked.
    pub goal: StopGoal,
}

/// What a run that ends when it is decided is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopGoal {
    /// Whether the candidate is better, or at least no worse; goes on until that is clear.
    Better,
    /// Whether it is no worse; stops as soon as it is.
    NoWorse,
}

/// A variant under test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name in the eval set.
    pub name: String,
    /// What makes its outputs.
    pub source: VariantSource,
    /// The hash of prompt version, model and config together.
    pub hash: ContentHash,
}

/// What makes a variant's outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VariantSource {
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
        /// The hash of what was declared under it; `None` in runs that did not keep it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        declaration: Option<ContentHash>,
    },
    /// Outputs that were made elsewhere.
    Outputs {
        /// Where they came from, as the person named it.
        name: String,
    },
}

/// One cell of the plan. Small on purpose: a plan has many, and its request is rendered when needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// Its place in the plan, from 0; the order is part of the record.
    pub index: u32,
    /// The case.
    pub case_id: String,
    /// The case's content.
    pub case_hash: ContentHash,
    /// The case's cluster; a case without one is its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cluster: Option<String>,
    /// The variant, as an index into the header's list.
    pub variant: u32,
    /// The repetition, from 0.
    pub sample: u32,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Cells are being worked on, by a process whose lease is alive.
    Running,
    /// Every cell has an outcome, errors among them; or the run was to end when it is decided, and is.
    Complete,
    /// The person stopped it, its process died, or a provider cannot be used; can be resumed.
    Stopped,
    /// The next call would have gone over a cap; can be resumed with a higher one.
    StoppedAtCap,
    /// A provider billed more than was reserved; stopped, can be resumed.
    StoppedAtOverrun,
}
