//! Names in an eval set that must refer to something in the project.

use std::collections::BTreeMap;

use chat::{ModelRef, Protocol};
use document::{Diagnostics, Span, refer};
use evalset::{EvalSet, JudgeSpec, VariantSource, VariantSpec};
use prompt::{LinkedPrompt, Schemas};
use score::{Judge, JudgeAnswer, Sees};
use serde_json::{Map, Value};

use super::models::is_floating;
use crate::{Project, PromptFile};

pub(super) fn check(project: &Project, set: &EvalSet, diagnostics: &mut Diagnostics) {
    for variant in &set.variants {
        check_variant(project, variant, diagnostics);
    }
    for judge in &set.judges {
        let known = project.judges.keys().map(String::as_str);
        refer("judge", &judge.judge.name, judge.judge.span, known, diagnostics);
        let linked = project.judges.get(&judge.judge.name).and_then(|file| file.linked.as_ref());
        if let Some(linked) = linked
            && let Some(found) = score::read_judge(linked).0
        {
            check_judge(judge, &found, diagnostics);
            check_protocol(project, judge, linked, &found, diagnostics);
        }
        if let Some(model) = &judge.model {
            check_model(project, &model.to_string(), judge.judge.span, diagnostics);
            continue;
        }
        if linked.is_some_and(|linked| linked.prompt().front_matter.model.is_none()) {
            let name = &judge.name;
            let message =
                format!("neither the eval set nor the prompt of the judge `{name}` names a model");
            let hint = "add `model: provider/model`";
            diagnostics.error_with_hint("no-model", judge.judge.span, message, hint);
        }
    }
    check_kinds(project, set, diagnostics);
    for check in &set.checks {
        for (program, span) in check.test.programs() {
            let known = project.config.programs.keys().map(String::as_str);
            refer("program", program, span, known, diagnostics);
        }
    }
    if let (Some(candidate), None) = (&set.candidate, set.margin) {
        let message = "a candidate is named and there is no `margin`, so a gate cannot decide";
        diagnostics.warning_with_hint("no-margin", candidate.span, message, "add `margin: 0.05`");
    }
}

/// Reports judges that compare where one output is to be decided, and juries that cannot be told from a
/// judge.
fn check_kinds(project: &Project, set: &EvalSet, diagnostics: &mut Diagnostics) {
    let mut kinds: BTreeMap<&str, Sees> = BTreeMap::new();
    for spec in &set.judges {
        let file = project.judges.get(&spec.judge.name);
        let linked = file.and_then(|file| file.linked.as_ref());
        let Some(judge) = linked.and_then(|linked| score::read_judge(linked).0) else { continue };
        let criterion = &spec.criterion.name;
        if kinds.insert(criterion, judge.sees).is_some_and(|other| other != judge.sees) {
            let message =
                format!("judges of one output and of pairs serve the criterion `{criterion}`");
            let hint = "give each kind a criterion of its own";
            diagnostics.error_with_hint("judge", spec.criterion.span, message, hint);
        }
    }
    if let Some(primary) = &set.primary
        && kinds.get(primary.name.as_str()) == Some(&Sees::Pair)
    {
        let message = format!("`{}` is decided for pairs, and no output passes it", primary.name);
        let hint = "name a criterion that a check or a judge of one output decides";
        diagnostics.error_with_hint("judge", primary.span, message, hint);
    }
    for jury in set.juries.iter().filter(|jury| project.judges.contains_key(&jury.name)) {
        let message = format!("a jury and a judge in judges/ have the name `{}`", jury.name);
        let hint = "their certificates would be one file: give the jury another name";
        diagnostics.error_with_hint("jury", jury.name_span, message, hint);
    }
}

/// Reports a use of a judge that does not fit what its prompt answers.
fn check_judge(spec: &JudgeSpec, found: &Judge, diagnostics: &mut Diagnostics) {
    let name = &spec.judge.name;
    match (&spec.reads, &found.answer) {
        (Some(reads), JudgeAnswer::Criteria { .. }) => {
            let known: Vec<&str> = found.criteria().collect();
            if !known.contains(&reads.name.as_str()) {
                let message = format!("the judge `{name}` does not answer on `{}`", reads.name);
                let hint = format!("it answers on {}", known.join(", "));
                diagnostics.error_with_hint("judge", reads.span, message, hint);
            }
        }
        (Some(reads), _) => {
            let message = format!("the judge `{name}` gives one answer, and none by name");
            diagnostics.error_with_hint("judge", reads.span, message, "take the name out");
        }
        (None, JudgeAnswer::Criteria { .. }) => {
            let message = format!("the judge `{name}` answers on several criteria");
            let criteria: Vec<&str> = found.criteria().collect();
            let hint = format!("say which count: `criteria: [{}]`", criteria.join(", "));
            diagnostics.error_with_hint("judge", spec.judge.span, message, hint);
        }
        (None, _) => {}
    }
    if spec.threshold.is_some() && found.answer == JudgeAnswer::Verdict && !found.asks_logprobs {
        let message = format!("`threshold` changes nothing: the judge `{name}` gives a verdict");
        let hint =
            "add `logprobs: 5` to the judge's config, and the threshold is on the probability";
        diagnostics.warning_with_hint("judge", spec.judge.span, message, hint);
    }
}

/// Reports a judge that asks its model for what the protocol does not give. A run would learn of it once its
/// outputs are paid for.
fn check_protocol(
    project: &Project,
    spec: &JudgeSpec,
    linked: &LinkedPrompt,
    found: &Judge,
    diagnostics: &mut Diagnostics,
) {
    let stated = linked.prompt().front_matter.model.as_deref();
    let stated = || stated.and_then(|model| model.parse::<ModelRef>().ok());
    let Some(model) = spec.model.clone().or_else(stated) else { return };
    let Some(provider) = project.config.providers.get(&model.provider) else { return };
    let name = &spec.judge.name;
    let is_probability = match &found.answer {
        JudgeAnswer::Criteria { criteria } => {
            criteria.iter().all(|(_, answer)| *answer == JudgeAnswer::Probability)
        }
        answer => *answer == JudgeAnswer::Probability,
    };
    if provider.protocol.is_decision() && !is_probability {
        let message = format!(
            "the judge `{name}` asks for a `{}`, and {model} is a decision model, which gives probabilities",
            found.answer.key()
        );
        let hint = "give it `probability: number`, or `criteria(object)` with one under each name";
        diagnostics.error_with_hint("judge", spec.judge.span, message, hint);
    }
    if provider.protocol == Protocol::Anthropic && found.asks_logprobs {
        let message =
            format!("the judge `{name}` asks for log-probabilities, and {model} gives none");
        diagnostics.error_with_hint("judge", spec.judge.span, message, "take `logprobs` out");
    }
}

fn check_variant(project: &Project, variant: &VariantSpec, diagnostics: &mut Diagnostics) {
    match &variant.source {
        VariantSource::Target(target) => {
            let known = project.config.targets.keys().map(String::as_str);
            refer("target", &target.name, target.span, known, diagnostics);
        }
        VariantSource::Prompt(prompt) => {
            let known = project.prompts.keys().map(String::as_str);
            if !refer("prompt", &prompt.name, prompt.span, known, diagnostics) {
                return;
            }
            let linked = project.prompts.get(&prompt.name).and_then(|file| file.linked.as_ref());
            let Some(linked) = linked else { return };
            let own_model = linked.prompt().front_matter.model.as_ref();
            if let Some(model) = &variant.model {
                check_model(project, &model.to_string(), variant.model_span, diagnostics);
            } else if own_model.is_none() {
                let name = &variant.name;
                let message = format!("neither the variant `{name}` nor its prompt names a model");
                let hint = "add `model: provider/model`";
                diagnostics.error_with_hint("no-model", variant.name_span, message, hint);
            }
            if !variant.config.is_empty() {
                let config = Value::Object(variant.config.clone());
                let options = Map::from_iter([("config".to_owned(), config)]);
                for found in linked.prompt().with_options(&options, &Schemas::new()).1 {
                    let message = format!("`config` of `{}`: {}", variant.name, found.message);
                    let (code, span) = (&found.code, variant.name_span);
                    diagnostics.add(found.severity, code, span, message, found.hint);
                }
            }
        }
    }
}

/// Reports a model whose provider is not known, or whose name may mean another model tomorrow.
pub(super) fn check_model(
    project: &Project,
    model: &str,
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    match model.parse::<ModelRef>() {
        Ok(model) => {
            let known = project.config.providers.keys().map(String::as_str);
            refer("provider", &model.provider, span, known, diagnostics);
            let provider = project.config.providers.get(&model.provider);
            if provider.is_some_and(|provider| is_floating(&model, provider)) {
                let message = format!("the vendor may put another model behind `{model}`");
                let hint = "name a dated version of it, so that what was tested is what runs";
                diagnostics.warning_with_hint("floating-model", span, message, hint);
            }
        }
        Err(error) => diagnostics.error("model", span, error.to_string()),
    }
}

/// Returns the prompts that a set's variants use, each once.
pub(super) fn prompts_of<'p>(
    project: &'p Project,
    set: &EvalSet,
) -> impl Iterator<Item = &'p PromptFile> {
    let named = set.variants.iter().filter_map(|variant| match &variant.source {
        VariantSource::Prompt(prompt) => project.prompts.get_key_value(&prompt.name),
        VariantSource::Target(_) => None,
    });
    named.collect::<BTreeMap<_, _>>().into_values()
}
