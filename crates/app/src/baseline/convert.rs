//! Results as they are compared, and as `baseline.json` keeps them.

use std::collections::BTreeMap;

use analysis::{
    CaseResults, Measured, Origin, RuleChange, SampleResult, Scorer, SetCriterion, Value,
    VariantResults,
};
use evalset::{
    Baseline, BaselineCase, BaselineCriterion, BaselineLooks, BaselineSample, BaselineSource,
    BaselineValue, BaselineVariant, NotDecided, Override,
};
use run::{Variant, VariantSource};
use score::Status;
use serde_json::Map;
use values::{Timestamp, row_json};

/// What a baseline says besides the results.
#[derive(Debug, Clone, PartialEq)]
pub struct Acceptance {
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When the newest of the recordings was made, where recordings gave the answers.
    pub recorded_at: Option<Timestamp>,
    /// The gate's rule: [`evalset::EvalSet::gate_rule`].
    pub gate: Map<String, serde_json::Value>,
    /// What had been looked at before, by criterion.
    pub looks: BTreeMap<String, BaselineLooks>,
    /// Why it was accepted against the rules, if it was.
    pub overridden: Option<Override>,
}

/// Results cannot be a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAcceptable {
    /// They are a baseline already, not those of a run.
    NoRun,
    /// A cell has no outcome yet.
    Pending {
        /// Its case.
        case: String,
        /// Its sample, from 0.
        sample: usize,
    },
}

/// Makes the baseline of a run's results.
///
/// Tags are not kept: what is sliced by them is the candidate's.
///
/// # Errors
/// [`NotAcceptable`]
pub fn from_results(
    results: &VariantResults,
    acceptance: Acceptance,
) -> Result<Baseline, NotAcceptable> {
    let Origin::Run { id, created, .. } = results.origin else {
        return Err(NotAcceptable::NoRun);
    };
    let mut order: Vec<usize> = (0..results.criteria.len()).collect();
    order.sort_by(|a, b| results.criteria[*a].name.cmp(&results.criteria[*b].name));
    let mut cases = BTreeMap::new();
    for case in &results.cases {
        let samples = (0..).zip(&case.samples).map(|(place, sample)| {
            sample_of(sample, &order, results.replayed)
                .ok_or_else(|| NotAcceptable::Pending { case: case.id.clone(), sample: place })
        });
        let kept = BaselineCase {
            hash: case.hash,
            cluster: case.cluster.clone(),
            samples: samples.collect::<Result<_, _>>()?,
            other: Map::new(),
        };
        cases.insert(case.id.clone(), kept);
    }
    Ok(Baseline {
        accepted: acceptance.accepted,
        run: id,
        run_created: created,
        eval_set_hash: results.eval_set_hash,
        samples: results.samples,
        replayed: results.replayed,
        recorded_at: acceptance.recorded_at,
        variant: variant_of(&results.variant),
        criteria: results.criteria.iter().map(criterion_of).collect(),
        primary: results.primary.map(|primary| results.criteria[primary].name.clone()),
        gate: acceptance.gate,
        looks: acceptance.looks,
        overridden: acceptance.overridden,
        cases,
        other: Map::new(),
    })
}

fn variant_of(variant: &Variant) -> BaselineVariant {
    let source = match &variant.source {
        VariantSource::Prompt { prompt, version, model, config } => BaselineSource::Prompt {
            prompt: prompt.clone(),
            version: *version,
            model: model.clone(),
            config: config.clone(),
        },
        VariantSource::Target { target, .. } => BaselineSource::Target { target: target.clone() },
        VariantSource::Outputs { name } => BaselineSource::Outputs { outputs: name.clone() },
    };
    let (name, hash) = (variant.name.clone(), variant.hash);
    BaselineVariant { name, source, hash, other: Map::new() }
}

fn criterion_of(criterion: &SetCriterion) -> (String, BaselineCriterion) {
    let scorers = criterion.scorers.iter().map(|scorer| (scorer.name.clone(), scorer.hash));
    let kept = BaselineCriterion {
        hash: criterion.hash,
        source: criterion.source,
        scorers: scorers.collect(),
        other: Map::new(),
    };
    (criterion.name.clone(), kept)
}

/// `None` if something is not decided yet.
fn sample_of(sample: &SampleResult, order: &[usize], replayed: bool) -> Option<BaselineSample> {
    let value_of = |place: &usize| match sample.values.get(*place).copied()? {
        Value::Number(number) => Some(BaselineValue::Number(number)),
        Value::Not(status) => Some(BaselineValue::Not(match status {
            Status::Unreadable => NotDecided::Unreadable,
            Status::Skipped => NotDecided::Skipped,
            Status::NoChecks => NotDecided::NoChecks,
            Status::Error | Status::Pass | Status::Fail => NotDecided::Error,
        })),
        // Today's labels decide when it is read; what is kept here is for reviewers.
        Value::Open(_) => Some(BaselineValue::Not(NotDecided::NoChecks)),
        Value::Pending => None,
    };
    let measured = sample.measured.as_ref();
    Some(BaselineSample {
        output: sample.output,
        values: order.iter().map(value_of).collect::<Option<_>>()?,
        cost: measured.and_then(|measured| measured.cost),
        latency_ms: measured.and_then(|measured| measured.latency_ms),
        cached: measured.is_some_and(|measured| !measured.live && !replayed),
        input_tokens: measured.and_then(|measured| measured.input_tokens),
        output_tokens: measured.and_then(|measured| measured.output_tokens),
    })
}

/// Returns a baseline as results that can be compared. `eval_set` is the folder's name.
pub fn to_results(eval_set: &str, baseline: &Baseline) -> VariantResults {
    let criteria = baseline.criteria.iter().map(|(name, criterion)| SetCriterion {
        name: name.clone(),
        hash: criterion.hash,
        source: criterion.source,
        scorers: criterion
            .scorers
            .iter()
            .map(|(name, hash)| Scorer { name: name.clone(), hash: *hash })
            .collect(),
    });
    let cases = baseline.cases.iter().map(|(id, case)| CaseResults {
        id: id.clone(),
        hash: case.hash,
        cluster: case.cluster.clone(),
        tags: Vec::new(),
        samples: case.samples.iter().map(|one| sample_result(one, baseline.replayed)).collect(),
    });
    let primary = baseline.primary.as_ref();
    VariantResults {
        variant: variant_result(&baseline.variant),
        origin: Origin::Baseline { run: baseline.run, accepted: baseline.accepted },
        eval_set: eval_set.to_owned(),
        eval_set_hash: baseline.eval_set_hash,
        samples: baseline.samples,
        replayed: baseline.replayed,
        criteria: criteria.collect(),
        primary: primary.and_then(|name| baseline.criteria.keys().position(|one| one == name)),
        cases: cases.collect(),
    }
}

fn variant_result(variant: &BaselineVariant) -> Variant {
    let source = match &variant.source {
        BaselineSource::Prompt { prompt, version, model, config } => VariantSource::Prompt {
            prompt: prompt.clone(),
            version: *version,
            model: model.clone(),
            config: config.clone(),
        },
        BaselineSource::Target { target } => {
            VariantSource::Target { target: target.clone(), declaration: None }
        }
        BaselineSource::Outputs { outputs } => VariantSource::Outputs { name: outputs.clone() },
    };
    Variant { name: variant.name.clone(), source, hash: variant.hash }
}

fn sample_result(sample: &BaselineSample, replayed: bool) -> SampleResult {
    let value_of = |value: &BaselineValue| match value {
        BaselineValue::Number(number) => Value::Number(*number),
        BaselineValue::Not(why) => Value::Not(match why {
            NotDecided::Error => Status::Error,
            NotDecided::Unreadable => Status::Unreadable,
            NotDecided::Skipped => Status::Skipped,
            NotDecided::NoChecks => Status::NoChecks,
        }),
    };
    let measured = sample.output.map(|_| Measured {
        cost: sample.cost,
        latency_ms: sample.latency_ms,
        live: !sample.cached && !replayed,
        input_tokens: sample.input_tokens,
        output_tokens: sample.output_tokens,
    });
    let values = sample.values.iter().map(value_of).collect();
    SampleResult { output: sample.output, values, measured }
}

/// Returns what of the gate's rule is not as it was when the baseline was accepted.
pub fn rule_changes(baseline: &Baseline, rule: &Map<String, serde_json::Value>) -> Vec<RuleChange> {
    let changes = baseline.gate_changes(rule).into_iter();
    let text = |value: Option<serde_json::Value>| value.map(|value| row_json(&value));
    changes
        .map(|change| RuleChange { key: change.key, was: text(change.was), is: text(change.is) })
        .collect()
}

#[cfg(test)]
mod tests {
    use evalset::ScoreSource;
    use serde_json::json;
    use values::{ContentHash, Id, NanoDollars};

    use super::*;

    fn hash(text: &str) -> ContentHash {
        ContentHash::of_bytes(text.as_bytes())
    }

    fn sample(output: Option<&str>, values: &[Value], live: bool) -> SampleResult {
        let measured = output.map(|text| Measured {
            cost: Some(NanoDollars::new(42_000)),
            latency_ms: text.len().try_into().ok(),
            live,
            input_tokens: Some(9),
            output_tokens: None,
        });
        SampleResult { output: output.map(hash), values: values.to_vec(), measured }
    }

    fn case(id: &str, cluster: Option<&str>, samples: Vec<SampleResult>) -> CaseResults {
        let cluster = cluster.map(str::to_owned);
        CaseResults { id: id.to_owned(), hash: hash(id), cluster, tags: Vec::new(), samples }
    }

    /// A run whose criteria and cases stand in no order, with a value of every kind.
    fn results() -> VariantResults {
        let criterion = |name: &str, source, scorer: &str| SetCriterion {
            name: name.to_owned(),
            hash: hash(name),
            source,
            scorers: vec![Scorer { name: scorer.to_owned(), hash: hash(scorer) }],
        };
        let not = Value::Not;
        VariantResults {
            variant: Variant {
                name: "warm".to_owned(),
                source: VariantSource::Prompt {
                    prompt: "triage".to_owned(),
                    version: hash("triage"),
                    model: "openai/gpt-5-mini".parse().unwrap(),
                    config: json!({"temperature": 0.7}),
                },
                hash: hash("variant"),
            },
            origin: Origin::Run {
                id: Id::new(Timestamp::from_unix_ms(5), [1; 10]),
                created: Timestamp::from_unix_ms(6),
                complete: true,
            },
            eval_set: "triage".to_owned(),
            eval_set_hash: hash("set"),
            samples: 2,
            replayed: false,
            criteria: vec![
                criterion("tone", ScoreSource::Judge, "warmth"),
                criterion("exact", ScoreSource::Code, "equals"),
            ],
            primary: Some(1),
            cases: vec![
                case(
                    "b",
                    Some("incident"),
                    vec![
                        sample(Some("one"), &[Value::Number(0.25), Value::Number(1.0)], true),
                        sample(None, &[not(Status::Error), not(Status::Error)], true),
                    ],
                ),
                case(
                    "a",
                    None,
                    vec![
                        sample(Some("two"), &[not(Status::Unreadable), Value::Number(0.0)], false),
                        sample(Some(""), &[not(Status::Skipped), not(Status::NoChecks)], true),
                    ],
                ),
            ],
        }
    }

    fn acceptance() -> Acceptance {
        Acceptance {
            accepted: Timestamp::from_unix_ms(9),
            recorded_at: None,
            gate: Map::from_iter([("margin".to_owned(), json!(0.05))]),
            looks: BTreeMap::new(),
            overridden: None,
        }
    }

    /// What a baseline promises to keep, in the order in which it keeps it.
    fn kept(mut results: VariantResults, baseline: &Baseline) -> VariantResults {
        results.origin = Origin::Baseline { run: baseline.run, accepted: baseline.accepted };
        results.criteria.swap(0, 1);
        results.primary = Some(0);
        results.cases.sort_by(|a, b| a.id.cmp(&b.id));
        for sample in results.cases.iter_mut().flat_map(|case| &mut case.samples) {
            sample.values.swap(0, 1);
        }
        results
    }

    #[test]
    fn results_come_back_from_the_text_of_a_baseline() {
        let made = from_results(&results(), acceptance()).unwrap();
        let (read, found) = Baseline::read("baseline.json", made.to_text());
        assert_eq!(found, []);
        let read = read.unwrap();
        assert_eq!(read, made);
        assert_eq!(to_results("triage", &read), kept(results(), &read));
    }

    #[test]
    fn a_replayed_latency_is_no_live_one_and_no_cache_hit() {
        let mut replayed = VariantResults { replayed: true, ..results() };
        for sample in replayed.cases.iter_mut().flat_map(|case| &mut case.samples) {
            if let Some(measured) = &mut sample.measured {
                measured.live = false;
            }
        }
        let made = from_results(&replayed, acceptance()).unwrap();
        assert!(!made.to_text().contains("cached"));
        assert_eq!(to_results("triage", &made), kept(replayed, &made));
    }

    #[test]
    fn targets_and_outputs_come_back_too() {
        for source in [
            VariantSource::Target { target: "shop".to_owned(), declaration: None },
            VariantSource::Outputs { name: "answers.jsonl".to_owned() },
        ] {
            let mut results = results();
            results.variant.source = source;
            let made = from_results(&results, acceptance()).unwrap();
            assert_eq!(to_results("triage", &made).variant, results.variant);
        }
    }

    #[test]
    fn what_is_pending_or_approved_already_is_refused() {
        let mut pending = results();
        pending.cases[0].samples[1].values[1] = Value::Pending;
        let refused = from_results(&pending, acceptance());
        assert_eq!(refused, Err(NotAcceptable::Pending { case: "b".to_owned(), sample: 1 }));
        let made = from_results(&results(), acceptance()).unwrap();
        let refused = from_results(&to_results("triage", &made), acceptance());
        assert_eq!(refused, Err(NotAcceptable::NoRun));
    }

    #[test]
    fn a_change_of_the_rule_is_told_as_json() {
        let made = from_results(&results(), acceptance()).unwrap();
        let now = Map::from_iter([("margin".to_owned(), json!(0.1))]);
        let change = RuleChange {
            key: "margin".to_owned(),
            was: Some("0.05".to_owned()),
            is: Some("0.1".to_owned()),
        };
        assert_eq!(rule_changes(&made, &now), [change]);
        assert_eq!(rule_changes(&made, &made.gate), []);
    }
}
