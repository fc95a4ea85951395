//! `evalset.yaml`: what is compared, what decides, and by which rule a change may ship.

mod budget;
mod criterion;
mod gate;
mod jury;
mod read;
mod variant;

use std::num::NonZeroU32;

use document::Span;
use serde_json::{Map, Value};
use values::ContentHash;

use crate::check::CheckSpec;
use crate::{CaseFile, SplitPolicy};

pub use budget::Budget;
pub(crate) use budget::dollars;
pub use criterion::{Combine, Criterion, CriterionKind, ScoreSource, TrustThresholds};
pub use gate::{
    DEFAULT_CONFIDENCE, GateSpec, NotEnoughRule, RegressionRule, RequiredCases, Requirement,
};
pub use jury::{JuryRule, JurySpec};
pub use read::Defaults;
pub use variant::{JudgeSpec, VariantSource, VariantSpec};

/// The settings of one eval set, as `evalset.yaml` declares them.
///
/// What the file leaves open is `None` until [`EvalSet::apply_defaults`] fills it from the project.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalSet {
    /// What the set is for.
    pub description: Option<String>,
    /// What is run, in the order of the file; names are unique.
    pub variants: Vec<VariantSpec>,
    /// The variant that a gate decides about.
    pub candidate: Option<Named>,
    /// How often each case is repeated.
    pub samples: Option<NonZeroU32>,
    /// The seed of a run's order and of resampling.
    pub seed: u64,
    /// The loss that counts as "no worse", a share above 0 and below 1.
    pub margin: Option<f64>,
    /// The criterion that decides a cell's status and the gate.
    pub primary: Option<Named>,
    /// The criteria: the declared ones in the order of the file, then those that a check or judge of
    /// the same name brings with it.
    pub criteria: Vec<Criterion>,
    /// The checks, in the order of the file; names are unique among checks, judges and juries.
    pub checks: Vec<CheckSpec>,
    /// The judges, in the order of the file.
    pub judges: Vec<JudgeSpec>,
    /// The juries, in the order of the file; their members are among the judges.
    pub juries: Vec<JurySpec>,
    /// The rule by which a change may ship.
    pub gate: GateSpec,
    /// How cases are dealt to splits.
    pub split: SplitPolicy,
    /// What may be spent.
    pub budget: Budget,
}

/// A name that refers to something, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Its bytes in the file.
    pub span: Span,
}

impl EvalSet {
    /// Returns the variant of a name.
    pub fn variant(&self, name: &str) -> Option<&VariantSpec> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// Returns the criterion of a name.
    pub fn criterion(&self, name: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.name == name)
    }

    /// Returns the jury that a judge is a member of. What such a judge says counts through the jury.
    pub fn jury_of(&self, judge: &str) -> Option<&JurySpec> {
        self.juries.iter().find(|jury| jury.members.iter().any(|member| member.name == judge))
    }

    /// Tells whether judges of the set decide a criterion, so that an output without their verdict still
    /// waits for it.
    pub fn is_judged(&self, criterion: &Criterion) -> bool {
        let serves = |named: &Named| named.name == criterion.name;
        let is_served = self.judges.iter().any(|judge| serves(&judge.criterion))
            || self.juries.iter().any(|jury| serves(&jury.criterion));
        criterion.source == ScoreSource::Judge && criterion.decides() && is_served
    }

    /// Returns how often each case is repeated, once unless something else is said.
    pub fn samples_or_one(&self) -> NonZeroU32 {
        self.samples.unwrap_or(NonZeroU32::MIN)
    }

    /// Fills what this file leaves open from the project's defaults.
    pub fn apply_defaults(&mut self, defaults: &Defaults) {
        self.samples = self.samples.or(defaults.samples);
        self.margin = self.margin.or(defaults.margin);
        self.gate.fill_from(&defaults.gate);
        self.budget.fill_from(&defaults.budget);
    }

    /// Returns the gate's rule as data, so that a baseline can keep it and a change of it be shown.
    ///
    /// The keys of `gate` in `evalset.yaml` and `margin`, what has a default with its default; the
    /// greatest cost as whole nano-dollars, lists sorted. Call it after
    /// [`EvalSet::apply_defaults`].
    pub fn gate_rule(&self) -> Map<String, Value> {
        let mut rule = Map::new();
        if let Some(margin) = self.margin {
            rule.insert("margin".to_owned(), margin.into());
        }
        rule.append(&mut self.gate.rule());
        rule
    }

    /// Returns the identity of the set: what its cases, criteria and checks ask, by name,
    /// and which criterion is primary.
    ///
    /// Description, variants, judges (whose versions a run records), gate, budget, split, and the order of anything do not count.
    pub fn content_hash(&self, cases: &CaseFile) -> ContentHash {
        let hashed: Vec<_> = cases.iter().map(|case| (case.content_hash(), case.id)).collect();
        self.content_hash_of(hashed.iter().map(|(hash, id)| (id.as_str(), *hash)))
    }

    /// Returns the identity of the set as [`EvalSet::content_hash`] does, of the ids of its cases and
    /// the hashes of their content.
    pub fn content_hash_of<'c>(
        &self,
        cases: impl IntoIterator<Item = (&'c str, ContentHash)>,
    ) -> ContentHash {
        let text = |hash: ContentHash| Value::String(hash.to_string());
        let cases: Map<_, _> =
            cases.into_iter().map(|(id, hash)| (id.to_owned(), text(hash))).collect();
        let criteria: Map<_, _> = self
            .criteria
            .iter()
            .map(|criterion| (criterion.name.clone(), text(criterion.content_hash())))
            .collect();
        let checks: Map<_, _> =
            self.checks.iter().map(|check| (check.name.clone(), check.document())).collect();
        let primary = self.primary.as_ref().map(|primary| &primary.name);
        // Moved, not copied as `json!` would: there may be a hundred thousand cases.
        let content = Map::from_iter([
            ("cases".to_owned(), Value::Object(cases)),
            ("checks".to_owned(), Value::Object(checks)),
            ("criteria".to_owned(), Value::Object(criteria)),
            ("primary".to_owned(), serde_json::json!(primary)),
        ]);
        ContentHash::of_document("trysquare-set-v1", &Value::Object(content))
    }
}

#[cfg(test)]
mod tests;
