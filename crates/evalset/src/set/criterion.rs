use document::yaml::Entry;
use document::{Diagnostics, Fields, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use values::ContentHash;

use crate::read;

/// The one thing that checks, judges or people decide about an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// Its name, unique in the set.
    pub name: String,
    /// Where the name stands: at the criterion, or at the check or judge that brings it.
    pub name_span: Span,
    /// The values that a score on it may have.
    pub kind: CriterionKind,
    /// Whose scores count; others are shown beside them.
    pub source: ScoreSource,
    /// The guideline by which people label.
    pub rubric: Option<String>,
    /// How several checks or judges of the counting source become one score.
    pub combine: Combine,
    /// The share in 0..=1 from which a number or a weighted mean passes.
    pub threshold: Option<f64>,
    /// What its judges' lower bounds must reach to be trusted.
    pub trust: TrustThresholds,
}

/// What the one-sided 95 % lower bounds of a judge must reach to be trusted; 0.80 where open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TrustThresholds {
    /// Of the share of human passes that it passes, a share above 0 and below 1.
    pub passes: Option<f64>,
    /// Of the share of human fails that it fails, a share above 0 and below 1.
    pub fails: Option<f64>,
}

/// The values that a score on a criterion may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CriterionKind {
    /// `pass` or `fail`.
    Binary,
    /// A number in 0..=1.
    Graded,
    /// One of some categories.
    Categorical {
        /// All of them, at least two.
        categories: Vec<String>,
        /// Those that pass; none means that the criterion only describes.
        passing: Vec<String>,
    },
}

/// Where a score comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreSource {
    /// A check.
    Code,
    /// A judge model.
    Judge,
    /// A person.
    Human,
}

/// How several scores on one criterion become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// All must pass.
    All,
    /// One is enough.
    Any,
    /// Their weighted mean must reach the threshold.
    Weighted,
}

impl ScoreSource {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Code, Self::Judge, Self::Human];

    /// Returns the word that files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Judge => "judge",
            Self::Human => "human",
        }
    }
}

impl Combine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::All, Self::Any, Self::Weighted];

    /// Returns the word that files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::Weighted => "weighted",
        }
    }
}

impl TrustThresholds {
    fn read(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Self {
        let Some(node) = fields.get("trust") else { return Self::default() };
        let Some(mut inner) = Fields::open(node, "`trust`", diagnostics) else {
            return Self::default();
        };
        let mut one = |key: &'static str| {
            let span = inner.get(key)?.span;
            let share = inner.number(key, diagnostics)?;
            if share > 0.0 && share < 1.0 {
                return Some(share);
            }
            let message = format!("`{key}` must lie between 0 and 1, found {share}");
            diagnostics.error("out-of-range", span, message);
            None
        };
        let trust = Self { passes: one("passes"), fails: one("fails") };
        inner.warn_unknown(diagnostics);
        trust
    }
}

impl CriterionKind {
    /// Returns the word that files use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Graded => "graded",
            Self::Categorical { .. } => "categorical",
        }
    }
}

impl Criterion {
    /// Makes the criterion that a check or judge brings with it when none is declared.
    pub fn implied(name: &str, name_span: Span, source: ScoreSource) -> Self {
        Self {
            name: name.to_owned(),
            name_span,
            kind: CriterionKind::Binary,
            source,
            rubric: None,
            combine: Combine::All,
            threshold: None,
            trust: TrustThresholds::default(),
        }
    }

    /// Tells whether a score on it can be a pass or a fail; else it only describes.
    pub fn decides(&self) -> bool {
        match &self.kind {
            CriterionKind::Binary => true,
            CriterionKind::Graded => self.threshold.is_some(),
            CriterionKind::Categorical { passing, .. } => !passing.is_empty(),
        }
    }

    /// Returns the identity of what is decided and how; the name does not count.
    pub fn content_hash(&self) -> ContentHash {
        let mut content = self.labelling();
        content.insert("source".to_owned(), json!(self.source.name()));
        content.insert("combine".to_owned(), json!(self.combine.name()));
        if let Some(threshold) = self.threshold {
            content.insert("threshold".to_owned(), json!(threshold));
        }
        ContentHash::of_document("trysquare-criterion-v1", &Value::Object(content))
    }

    /// Returns the identity of what people label by: the rubric's text and the values to choose from.
    pub fn rubric_hash(&self) -> ContentHash {
        ContentHash::of_document("trysquare-rubric-v1", &Value::Object(self.labelling()))
    }

    fn labelling(&self) -> Map<String, Value> {
        let mut content = Map::new();
        content.insert("kind".to_owned(), json!(self.kind.name()));
        if let CriterionKind::Categorical { categories, passing } = &self.kind {
            content.insert("categories".to_owned(), json!(categories));
            content.insert("pass".to_owned(), json!(passing));
        }
        if let Some(rubric) = &self.rubric {
            content.insert("rubric".to_owned(), json!(rubric));
        }
        content
    }

    pub(super) fn read(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Self> {
        let place = format!("the criterion `{}`", entry.key);
        read::check_name(&entry.key, entry.key_span, "criterion", diagnostics);
        let mut fields = Fields::open(&entry.value, &place, diagnostics)?;
        let kinds = ["binary", "graded", "categorical"];
        let kind = read::word(&mut fields, "kind", &kinds, diagnostics).unwrap_or("binary");
        let categories = read::texts(&mut fields, "categories", diagnostics);
        let passing = read::texts(&mut fields, "pass", diagnostics);
        let source = read::word(
            &mut fields,
            "source",
            &ScoreSource::ALL.map(ScoreSource::name),
            diagnostics,
        );
        let combine =
            read::word(&mut fields, "combine", &Combine::ALL.map(Combine::name), diagnostics);
        let criterion = Self {
            name: entry.key.clone(),
            name_span: entry.key_span,
            kind: match kind {
                "graded" => CriterionKind::Graded,
                "categorical" => CriterionKind::Categorical { categories, passing },
                _ => CriterionKind::Binary,
            },
            source: ScoreSource::ALL
                .into_iter()
                .find(|known| Some(known.name()) == source)
                .unwrap_or(ScoreSource::Code),
            rubric: fields.text("rubric", diagnostics).map(str::to_owned),
            combine: Combine::ALL
                .into_iter()
                .find(|known| Some(known.name()) == combine)
                .unwrap_or(Combine::All),
            threshold: read::share(&mut fields, "threshold", diagnostics),
            trust: TrustThresholds::read(&mut fields, diagnostics),
        };
        fields.warn_unknown(diagnostics);
        criterion.check(entry.key_span, diagnostics);
        Some(criterion)
    }

    fn check(&self, span: Span, diagnostics: &mut Diagnostics) {
        let name = &self.name;
        if self.combine == Combine::Weighted && self.threshold.is_none() {
            let message = format!("the criterion `{name}` combines by weight and has no threshold");
            diagnostics.error_with_hint("criterion", span, message, "add `threshold: 0.5`");
        }
        let CriterionKind::Categorical { categories, passing } = &self.kind else { return };
        if categories.len() < 2 {
            let message = format!("the criterion `{name}` needs at least two `categories`");
            diagnostics.error("criterion", span, message);
        }
        for category in passing.iter().filter(|category| !categories.contains(category)) {
            let message = format!(
                "`pass` of the criterion `{name}` names `{category}`, which is no category"
            );
            diagnostics.error("criterion", span, message);
        }
    }
}
