use std::num::{NonZeroU32, NonZeroU64};

use document::yaml::Node;
use document::{Diagnostics, Fields};
use serde_json::{Map, Value, json};
use values::NanoDollars;

use super::{Named, dollars};
use crate::read;

/// The two-sided level of intervals where a gate names none.
pub const DEFAULT_CONFIDENCE: f64 = 0.95;

/// The rule by which a change may ship. What is `None` follows the defaults that each key documents.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GateSpec {
    /// The verdict that is needed on the primary criterion; no worse unless it says better.
    pub require: Option<Requirement>,
    /// The two-sided level of intervals, a share in (0.5, 1); 0.95 by default.
    pub confidence: Option<f64>,
    /// Cases that must pass whatever the rest does.
    pub required_cases: Option<RequiredCases>,
    /// When a case that the baseline passes counts as broken; not checked by default.
    pub regressions: Option<RegressionRule>,
    /// Fewer complete cases are not enough evidence.
    pub min_cases: Option<NonZeroU64>,
    /// The most that a case may cost on average.
    pub max_cost_per_case: Option<NanoDollars>,
    /// The most that the 95th percentile of latency may be, in milliseconds.
    pub max_p95_latency_ms: Option<u64>,
    /// What follows from too little evidence; it blocks by default.
    pub not_enough: Option<NotEnoughRule>,
    /// The criteria whose judges must be trusted.
    pub min_trust: Vec<Named>,
}

/// The verdict that a gate needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Better, no worse, or worse within the margin.
    NoWorse,
    /// Better.
    Better,
}

/// Cases that must pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequiredCases {
    /// Those that carry one of these tags.
    pub tags: Vec<String>,
    /// Those of these ids.
    pub ids: Vec<String>,
}

/// How many samples of a case must pass for it to count as not broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegressionRule {
    /// The least number that passes.
    pub passes: NonZeroU32,
    /// Out of so many.
    pub samples: NonZeroU32,
}

/// What a gate does without enough evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEnoughRule {
    /// The change does not ship.
    Block,
    /// It ships, and the report says that it was not decided.
    Allow,
}

impl GateSpec {
    /// Reads a `gate` mapping.
    pub fn read(node: &Node, diagnostics: &mut Diagnostics) -> Self {
        let Some(mut fields) = Fields::open(node, "`gate`", diagnostics) else {
            return Self::default();
        };
        let require = read::word(&mut fields, "require", &["no_worse", "better"], diagnostics);
        let not_enough = read::word(&mut fields, "not_enough", &["block", "allow"], diagnostics);
        let gate = Self {
            require: require.map(|word| match word {
                "better" => Requirement::Better,
                _ => Requirement::NoWorse,
            }),
            confidence: confidence(&mut fields, diagnostics),
            required_cases: fields
                .get("required_cases")
                .and_then(|node| RequiredCases::read(node, diagnostics)),
            regressions: fields
                .get("regressions")
                .and_then(|node| RegressionRule::read(node, diagnostics)),
            min_cases: read::positive(&mut fields, "min_cases", diagnostics),
            max_cost_per_case: fields
                .get("max_cost_per_case_usd")
                .and_then(|node| dollars(node, "max_cost_per_case_usd", diagnostics)),
            max_p95_latency_ms: fields.count("max_p95_latency_ms", diagnostics),
            not_enough: not_enough.map(|word| match word {
                "allow" => NotEnoughRule::Allow,
                _ => NotEnoughRule::Block,
            }),
            min_trust: min_trust(&mut fields, diagnostics),
        };
        fields.warn_unknown(diagnostics);
        gate
    }

    /// Returns the rule as data, with what is left open said: see [`super::EvalSet::gate_rule`].
    pub(super) fn rule(&self) -> Map<String, Value> {
        let mut rule = Map::new();
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                rule.insert(key.to_owned(), value);
            }
        };
        let better = self.require == Some(Requirement::Better);
        put("require", json!(if better { "better" } else { "no_worse" }));
        put("confidence", json!(self.confidence.unwrap_or(DEFAULT_CONFIDENCE)));
        put(
            "required_cases",
            self.required_cases.as_ref().map_or(Value::Null, RequiredCases::rule),
        );
        put(
            "regressions",
            self.regressions.map_or(
                Value::Null,
                |rule| json!({"passes": rule.passes, "samples": rule.samples}),
            ),
        );
        put("min_cases", json!(self.min_cases));
        put("max_cost_per_case_nano_usd", json!(self.max_cost_per_case));
        put("max_p95_latency_ms", json!(self.max_p95_latency_ms));
        let allow = self.not_enough == Some(NotEnoughRule::Allow);
        put("not_enough", json!(if allow { "allow" } else { "block" }));
        if !self.min_trust.is_empty() {
            let mut trust: Vec<&str> = self.min_trust.iter().map(|one| one.name.as_str()).collect();
            trust.sort_unstable();
            trust.dedup();
            put("min_trust", json!(trust));
        }
        rule
    }

    /// Takes what is open here from `other`.
    pub fn fill_from(&mut self, other: &Self) {
        self.require = self.require.or(other.require);
        self.confidence = self.confidence.or(other.confidence);
        self.required_cases = self.required_cases.take().or_else(|| other.required_cases.clone());
        self.regressions = self.regressions.or(other.regressions);
        self.min_cases = self.min_cases.or(other.min_cases);
        self.max_cost_per_case = self.max_cost_per_case.or(other.max_cost_per_case);
        self.max_p95_latency_ms = self.max_p95_latency_ms.or(other.max_p95_latency_ms);
        self.not_enough = self.not_enough.or(other.not_enough);
        if self.min_trust.is_empty() {
            self.min_trust.clone_from(&other.min_trust);
        }
    }
}

fn confidence(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<f64> {
    let span = fields.get("confidence")?.span;
    let level = fields.number("confidence", diagnostics)?;
    if level > 0.5 && level < 1.0 {
        return Some(level);
    }
    let message = format!("`confidence` must lie between 0.5 and 1, found {level}");
    diagnostics.error("out-of-range", span, message);
    None
}

fn min_trust(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Named> {
    let Some(node) = fields.get("min_trust") else { return Vec::new() };
    let named = |node: &Node| Some(Named { name: node.as_str()?.to_owned(), span: node.span });
    if let Some(one) = named(node) {
        return vec![one];
    }
    let mut found = Vec::new();
    for item in fields.list("min_trust", diagnostics).unwrap_or_default() {
        if let Some(one) = named(item) {
            found.push(one);
        } else {
            let message = format!("`min_trust` must name criteria, found {}", item.kind());
            diagnostics.error("wrong-kind", item.span, message);
        }
    }
    found
}

impl RequiredCases {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::open(node, "`required_cases`", diagnostics)?;
        let required = Self {
            tags: read::texts(&mut fields, "tags", diagnostics),
            ids: read::texts(&mut fields, "ids", diagnostics),
        };
        fields.warn_unknown(diagnostics);
        Some(required)
    }

    fn rule(&self) -> Value {
        let sorted = |list: &[String]| {
            let mut list = list.to_vec();
            list.sort();
            list.dedup();
            list
        };
        json!({"tags": sorted(&self.tags), "ids": sorted(&self.ids)})
    }
}

impl RegressionRule {
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::open(node, "`regressions`", diagnostics)?;
        let passes = read::positive32(&mut fields, "passes", diagnostics);
        let samples = read::positive32(&mut fields, "samples", diagnostics);
        fields.warn_unknown(diagnostics);
        let rule = Self {
            passes: passes.unwrap_or(NonZeroU32::MIN),
            samples: samples.or(passes).unwrap_or(NonZeroU32::MIN),
        };
        if rule.passes > rule.samples {
            let message = format!("{} of {} samples cannot pass", rule.passes, rule.samples);
            diagnostics.error("out-of-range", node.span, message);
            return None;
        }
        Some(rule)
    }
}
