use chat::ModelRef;
use document::yaml::{Entry, Node, Yaml};
use document::{Diagnostics, Fields, Span};
use serde_json::{Map, Value};

use super::Named;
use crate::read;

/// What is run: a prompt with a model and config, or a target.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantSpec {
    /// Its name, unique in the set.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// What produces its outputs.
    pub source: VariantSource,
    /// The model, in place of the one that the prompt names.
    pub model: Option<ModelRef>,
    /// Where the model's name stands.
    pub model_span: Span,
    /// Config keys, laid over the prompt's own.
    pub config: Map<String, Value>,
}

/// What produces the outputs of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariantSource {
    /// A prompt, by the name of its file (`triage`, `triage.terse`).
    Prompt(Named),
    /// A target that `trysquare.yaml` declares.
    Target(Named),
}

/// A judge as an eval set uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgeSpec {
    /// Its name in this set, unique among checks and judges; the judge's own unless it says otherwise.
    pub name: String,
    /// The judge's prompt, by the name of its file in `judges/`.
    pub judge: Named,
    /// The criterion that it serves; its own name unless it says otherwise.
    pub criterion: Named,
    /// Which criterion of a judge's answer on several it reads. Judges that differ in this alone share
    /// their calls.
    pub reads: Option<Named>,
    /// The model, in place of the one that the judge's prompt names.
    pub model: Option<ModelRef>,
    /// The share in 0..=1 from which a number that it gives passes.
    pub threshold: Option<f64>,
    /// How much it counts in a weighted criterion, more than 0.
    pub weight: f64,
}

impl VariantSpec {
    pub(super) fn read(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Self> {
        let place = format!("the variant `{}`", entry.key);
        read::check_name(&entry.key, entry.key_span, "variant", diagnostics);
        let mut fields = Fields::open(&entry.value, &place, diagnostics)?;
        let prompt = read::named(&mut fields, "prompt", diagnostics);
        let target = read::named(&mut fields, "target", diagnostics);
        let model_span = fields.get("model").map_or(entry.key_span, |node| node.span);
        let model = read::model(&mut fields, diagnostics);
        let config = fields.mapping("config", diagnostics).unwrap_or_default();
        let config =
            config.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect();
        fields.warn_unknown(diagnostics);
        if let (Some(prompt), Some(_)) = (&prompt, &target) {
            let message = format!("{place} names both a prompt and a target");
            diagnostics.error("variant", prompt.span, message);
        }
        if let (Some(target), true) = (&target, model.is_some()) {
            let message = format!("{place} is a target, which has no model");
            diagnostics.error("variant", target.span, message);
        }
        let own = || Named { name: entry.key.clone(), span: entry.key_span };
        let source = match target {
            Some(target) => VariantSource::Target(target),
            None => VariantSource::Prompt(prompt.unwrap_or_else(own)),
        };
        let (name, name_span) = (entry.key.clone(), entry.key_span);
        Some(Self { name, name_span, source, model, model_span, config })
    }
}

impl JudgeSpec {
    /// Reads an item of `judges`, which is several judges where it lists `criteria`.
    pub(super) fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Vec<Self>> {
        if let Yaml::String(name) = &node.value {
            read::check_name(name, node.span, "judge", diagnostics);
            let judge = Named { name: name.clone(), span: node.span };
            let (name, criterion, reads) = (name.clone(), judge.clone(), None);
            let (model, threshold, weight) = (None, None, 1.0);
            return Some(vec![Self { name, judge, criterion, reads, model, threshold, weight }]);
        }
        let mut fields = Fields::open(node, "a judge", diagnostics)?;
        fields.required("judge", diagnostics)?;
        let judge = read::named(&mut fields, "judge", diagnostics)?;
        let named = read::named(&mut fields, "name", diagnostics);
        let criterion = read::named(&mut fields, "criterion", diagnostics);
        let reads = read::named(&mut fields, "reads", diagnostics);
        let several = fields.list("criteria", diagnostics).unwrap_or_default();
        let several: Vec<Named> = several
            .iter()
            .filter_map(|node| read::name_of(node, "criteria", diagnostics))
            .collect();
        let model = read::model(&mut fields, diagnostics);
        let threshold = read::share(&mut fields, "threshold", diagnostics);
        let weight = read::weight(&mut fields, diagnostics).unwrap_or(1.0);
        fields.warn_unknown(diagnostics);
        let made = |name: &Named, criterion: Named, reads| {
            let (name, judge, model) = (name.name.clone(), judge.clone(), model.clone());
            Self { name, judge, criterion, reads, model, threshold, weight }
        };
        if several.is_empty() {
            let name = named.unwrap_or_else(|| judge.clone());
            read::check_name(&name.name, name.span, "judge", diagnostics);
            let own = || Named { name: name.name.clone(), span: judge.span };
            return Some(vec![made(&name, criterion.unwrap_or_else(own), reads)]);
        }
        for other in [named, criterion, reads].iter().flatten() {
            let message = "`criteria` gives each judge its name, criterion and what it reads";
            let hint = "for another name, add an item with `reads`";
            diagnostics.error_with_hint("judge", other.span, message, hint);
        }
        Some(several.into_iter().map(|one| made(&one, one.clone(), Some(one.clone()))).collect())
    }
}
