//! Decision endpoints: a model that gives the probability of a pass, and no text.
//!
//! Two contracts are in use, and gateways speak either at the same path, so the person says which: what
//! OpenAI specified (`questions` is a list, `input` the text) and what System One specified (`questions` is an
//! object, `state` the text). A request's output schema says what is asked: `probability: number`, or `criteria`
//! with a probability under each name. The answer comes back as the JSON that such a schema promises.

use chat::{FinishReason, OutputFormat, Reply, Request, Role, Sampling, Usage};
use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::json::{items, member, merge, put, refuse, text};
use super::{Problem, usage};
use crate::PrepareError;

/// Who specified the request and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contract {
    Openai,
    SystemOne,
}

/// What a question is named that stands alone; those of criteria begin with [`CRITERION`].
const ALONE: &str = "probability";
const CRITERION: &str = "criteria.";

const ASK: &str = "give the judge `probability: number`, or `criteria(object)` with a `probability: number` \
     under each name";

pub(super) fn encode(request: &Request, contract: Contract) -> Result<Value, PrepareError> {
    check_sampling(&request.sampling)?;
    if !request.tools.is_empty() {
        return Err(refuse("a decision model calls no tools", None));
    }
    let (instructions, judged) = split(request)?;
    let questions = questions(request, &instructions)?;
    let mut body = Map::new();
    put(&mut body, "model", Some(request.model.model.as_str()));
    match contract {
        Contract::Openai => {
            put(&mut body, "input", Some(judged));
            let listed = questions.into_iter().map(|(name, instructions)| {
                json!({"type": "predicate", "name": name, "instructions": instructions})
            });
            put(&mut body, "questions", Some(listed.collect::<Vec<_>>()));
        }
        Contract::SystemOne => {
            put(&mut body, "state", Some(judged));
            let named = questions.into_iter().map(|(name, instructions)| {
                (name, json!({"type": "noul", "instructions": instructions}))
            });
            put(&mut body, "questions", Some(named.collect::<Map<_, _>>()));
        }
    }
    merge(&mut body, &request.sampling.extra)?;
    Ok(Value::Object(body))
}

/// A decision model draws nothing: what would say how cannot be sent, and is not dropped silently. It has no
/// output whose tokens could be limited, so that a limit is kept without being sent.
fn check_sampling(sampling: &Sampling) -> Result<(), PrepareError> {
    let set = [
        ("temperature", sampling.temperature.is_some()),
        ("topP", sampling.top_p.is_some()),
        ("topK", sampling.top_k.is_some()),
        ("stopSequences", !sampling.stop.is_empty()),
        ("seed", sampling.seed.is_some()),
        ("logprobs", sampling.logprobs.is_some()),
    ];
    match set.into_iter().find(|(_, is_set)| *is_set) {
        Some((name, _)) => Err(refuse(
            format!("a decision model takes no `{name}`"),
            Some("take it out of the judge's config"),
        )),
        None => Ok(()),
    }
}

/// Returns what is asked and what it is asked about: the system's text and the user's.
fn split(request: &Request) -> Result<(String, String), PrepareError> {
    let of = |role: Role| -> Vec<String> {
        let ours = request.messages.iter().filter(|message| message.role == role);
        ours.map(chat::Message::joined_text).collect()
    };
    let only_text = request.messages.iter().all(|message| {
        matches!(message.role, Role::System | Role::User)
            && message.parts.iter().all(|part| matches!(part, chat::Part::Text { .. }))
    });
    if !only_text {
        return Err(refuse("a decision model reads texts of the system and the user only", None));
    }
    Ok((of(Role::System).join("\n\n"), of(Role::User).join("\n\n")))
}

/// Returns each question's name and instructions, in the order of the schema.
fn questions(request: &Request, instructions: &str) -> Result<Vec<(String, String)>, PrepareError> {
    let OutputFormat::Json { schema: Some(schema) } = &request.output else {
        return Err(refuse("a decision model needs an output schema", Some(ASK)));
    };
    let criteria = schema.pointer("/properties/criteria/properties").and_then(Value::as_object);
    let asked: Vec<(String, &Value)> = match criteria {
        Some(criteria) => {
            criteria.iter().map(|(name, one)| (format!("{CRITERION}{name}"), one)).collect()
        }
        None => vec![(ALONE.to_owned(), schema)],
    };
    let made = asked.into_iter().map(|(name, schema)| {
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(probability) = properties.and_then(|all| all.get(ALONE)) else {
            return Err(refuse("a decision model answers with a probability only", Some(ASK)));
        };
        if properties.is_some_and(|all| all.len() > 1) {
            let message = "a decision model gives a probability and nothing else, no reason either";
            return Err(refuse(message, Some(ASK)));
        }
        let described = [schema, probability].map(|one| text(one, "/description"));
        let parts = std::iter::once(Some(instructions)).chain(described).flatten();
        let parts: Vec<&str> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            let hint = "put it before the output under `{{role \"system\"}}`, or as the description of \
                        `probability`";
            return Err(refuse("nothing says what the decision model is asked", Some(hint)));
        }
        Ok((name, parts.join("\n\n")))
    });
    made.collect()
}

pub(super) fn decode(document: &Value, contract: Contract) -> Result<Reply, Problem> {
    let mut draft = Draft::default();
    describe(&mut draft, document);
    let answers: Vec<(&str, &Value)> = match contract {
        Contract::Openai => {
            let listed = items(document, "/answers").iter();
            listed.filter_map(|answer| Some((text(answer, "/name")?, answer))).collect()
        }
        Contract::SystemOne => {
            let named = document.get("answers").and_then(Value::as_object);
            named.into_iter().flatten().map(|(name, answer)| (name.as_str(), answer)).collect()
        }
    };
    if answers.is_empty() {
        return Err(Problem::Malformed("there are no `answers`".to_owned()));
    }
    let key = if contract == Contract::Openai { "probability" } else { "noul" };
    let mut criteria = Map::new();
    let mut refusals = Map::new();
    for (name, answer) in answers {
        let criterion = name.strip_prefix(CRITERION);
        let said = match (member(answer, key).and_then(Value::as_f64), member(answer, "refusal")) {
            (Some(probability), _) => json!({"probability": probability}),
            (None, Some(refusal)) => {
                let words = refusal.as_str().map_or_else(|| refusal.to_string(), str::to_owned);
                match criterion {
                    Some(criterion) => drop(refusals.insert(criterion.to_owned(), words.into())),
                    None => draft.refuse(&words),
                }
                continue;
            }
            (None, None) => {
                return Err(Problem::Malformed(format!("the answer `{name}` has no `{key}`")));
            }
        };
        match criterion {
            Some(criterion) => drop(criteria.insert(criterion.to_owned(), said)),
            None => draft.text = said.to_string(),
        }
    }
    if !criteria.is_empty() || !refusals.is_empty() {
        draft.text = json!({"criteria": criteria}).to_string();
    }
    draft.keep(
        &json!({"refusals": refusals}),
        if refusals.is_empty() { &[] } else { &["refusals"] },
    );
    draft.finish = Some(FinishReason::Complete);
    Ok(draft.into_reply(read_usage))
}

fn describe(draft: &mut Draft, document: &Value) {
    draft.model = text(document, "/model").map(str::to_owned);
    draft.id = text(document, "/id").map(str::to_owned);
    draft.usage = member(document, "usage").cloned().unwrap_or_default();
}

/// Reads what was counted; where only the input is billed, only the input is told.
fn read_usage(raw: &Value) -> Result<Option<Usage>, usage::UsageContradiction> {
    match raw {
        Value::Object(counts) if !counts.contains_key("output_tokens") => {
            let mut counts = counts.clone();
            counts.insert("output_tokens".to_owned(), 0.into());
            usage::openai_responses(&Value::Object(counts))
        }
        other => usage::openai_responses(other),
    }
}
