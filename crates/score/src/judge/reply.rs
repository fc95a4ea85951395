use std::collections::HashMap;

use chat::{FinishReason, Reply};
use serde_json::Value;
use serde_json::value::RawValue;

use super::likelihood::pass_probability;
use super::{Judge, JudgeAnswer, Judged};
use crate::quote::{quote, shorten};
use crate::{MAX_REASON_CHARS, Outcome};

/// The members of an object, as they stand in the reply's text.
type Members<'a> = HashMap<String, &'a RawValue>;

impl Judge {
    /// Reads a reply, and applies the threshold to a number or a probability.
    ///
    /// A reply is one JSON object, alone, in a code fence, or with prose around it. Two objects that
    /// answer are unreadable, as is an answer outside the judge's form: nothing is guessed. A threshold on a
    /// verdict decides by the verdict's probability where the judge asks for log-probabilities;
    /// without them the verdict is then unreadable.
    ///
    /// A judge of several criteria is read by [`Judge::read_criterion`]; here it has no one answer.
    pub fn read(&self, reply: &Reply, threshold: Option<f64>) -> Judged {
        if let JudgeAnswer::Criteria { .. } = self.answer {
            return unreadable("the judge answers on several criteria, and none was asked for");
        }
        let found = self
            .object_in(reply)
            .and_then(|members| self.decided(reply, &members, &self.answer, threshold));
        found.unwrap_or_else(|problem| unreadable(&problem))
    }

    /// Reads what a reply says on one of the criteria of a judge of several, as [`Judge::read`] does.
    ///
    /// A criterion that is missing or wrong leaves the others readable.
    pub fn read_criterion(&self, reply: &Reply, name: &str, threshold: Option<f64>) -> Judged {
        let JudgeAnswer::Criteria { criteria } = &self.answer else {
            return self.read(reply, threshold);
        };
        let Some((_, answer)) = criteria.iter().find(|(known, _)| known == name) else {
            return unreadable(&format!("the judge does not answer on `{name}`"));
        };
        let found = self.object_in(reply).and_then(|members| {
            let all: Members<'_> = object(members["criteria"])
                .ok_or_else(|| "`criteria` of the reply is no object".to_owned())?;
            let one = all.get(name).ok_or_else(|| missing(reply, name))?;
            let members = object(one)
                .ok_or_else(|| format!("what the reply says on `{name}` is no object"))?;
            if !members.contains_key(answer.key()) {
                return Err(format!("the reply has no `{}` on `{name}`", answer.key()));
            }
            self.decided(reply, &members, answer, threshold)
        });
        found.unwrap_or_else(|problem| unreadable(&problem))
    }

    /// Returns the one object of the reply that answers.
    fn object_in<'a>(&self, reply: &'a Reply) -> Result<Members<'a>, String> {
        if let Some(refusal) = &reply.refusal {
            return Err(format!("the judge refused: {}", quote(refusal)));
        }
        if !matches!(reply.finish, FinishReason::Complete | FinishReason::StopSequence) {
            return Err(format!("the judge's reply is not whole: {:?}", reply.finish));
        }
        let name = self.answer.key();
        let objects = objects_in(&reply.text);
        let mut answering = objects.into_iter().filter(|object| object.contains_key(name));
        let Some(object) = answering.next() else {
            return Err(format!("no JSON object with `{name}` in {}", quote(&reply.text)));
        };
        if answering.next().is_some() {
            return Err(format!("more than one JSON object with `{name}` in the reply"));
        }
        Ok(object)
    }

    fn decided(
        &self,
        reply: &Reply,
        members: &Members<'_>,
        answer: &JudgeAnswer,
        threshold: Option<f64>,
    ) -> Result<Judged, String> {
        let raw = members[answer.key()];
        let outcome = answer.outcome(&parsed(raw))?;
        let reason = members.get("reason").map(|reason| parsed(reason));
        let reason = reason.as_ref().and_then(Value::as_str).unwrap_or_default();
        if reason.trim().is_empty() && *answer != JudgeAnswer::Probability {
            return Err(format!("the judge gives no reason for its {}", answer.key()));
        }
        let reason = shorten(reason.trim(), MAX_REASON_CHARS);
        if *answer == JudgeAnswer::Verdict && self.asks_logprobs {
            let word = offset_in(&reply.text, raw.get()).map(|quoted| quoted + 1);
            let probability = word.and_then(|at| pass_probability(reply, at));
            let outcome = match (threshold, probability) {
                (None, _) => outcome,
                (Some(_), Some(value)) => decide(Outcome::Number { value }, threshold),
                (Some(_), None) => {
                    return Err("no log-probability came with the verdict, so its threshold \
                                cannot be applied"
                        .to_owned());
                }
            };
            return Ok(Judged { outcome, probability, reason });
        }
        let probability = match outcome {
            Outcome::Number { value } if *answer == JudgeAnswer::Probability => Some(value),
            _ => None,
        };
        Ok(Judged { outcome: decide(outcome, threshold), probability, reason })
    }
}

/// Returns a preference by the pair's own order, whichever output the judge saw first.
///
/// Everything that is no preference stays as it is.
#[must_use]
pub fn in_own_order(outcome: Outcome, swapped: bool) -> Outcome {
    let Outcome::Category { name } = outcome else { return outcome };
    let name = match (name.as_str(), swapped) {
        ("a", true) => "b".to_owned(),
        ("b", true) => "a".to_owned(),
        _ => name,
    };
    Outcome::Category { name }
}

impl JudgeAnswer {
    /// Returns the key of the answer in the reply.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Score { .. } => "score",
            Self::Category { .. } => "category",
            Self::Probability => "probability",
            Self::Preference { .. } => "preference",
            Self::Criteria { .. } => "criteria",
        }
    }

    fn outcome(&self, value: &Value) -> Result<Outcome, String> {
        let found = quote(&value.to_string());
        match self {
            Self::Verdict => match value.as_str() {
                Some("pass") => Ok(Outcome::Pass),
                Some("fail") => Ok(Outcome::Fail),
                _ => Err(format!("the verdict is {found}, not pass or fail")),
            },
            Self::Score { low, high } => match value.as_f64() {
                Some(score) if (*low..=*high).contains(&score) => {
                    Ok(Outcome::Number { value: (score - low) / (high - low) })
                }
                _ => Err(format!("the score is {found}, not a number in {low} to {high}")),
            },
            Self::Category { categories } => match value.as_str() {
                Some(name) if categories.iter().any(|known| known == name) => {
                    Ok(Outcome::Category { name: name.to_owned() })
                }
                _ => Err(format!("the category is {found}, not one of {}", categories.join(", "))),
            },
            Self::Probability => match value.as_f64() {
                Some(value) if (0.0..=1.0).contains(&value) => Ok(Outcome::Number { value }),
                _ => Err(format!("the probability is {found}, not a number in 0 to 1")),
            },
            Self::Preference { ties } => match value.as_str() {
                Some(name) if name == "a" || name == "b" || (*ties && name == "tie") => {
                    Ok(Outcome::Category { name: name.to_owned() })
                }
                _ => {
                    let forms = if *ties { "a, b or tie" } else { "a or b" };
                    Err(format!("the preference is {found}, not {forms}"))
                }
            },
            Self::Criteria { .. } => Err("answers on criteria are read one by one".to_owned()),
        }
    }
}

fn unreadable(problem: &str) -> Judged {
    Judged {
        outcome: Outcome::Unreadable,
        probability: None,
        reason: shorten(problem, MAX_REASON_CHARS),
    }
}

/// Says that a criterion is missing, and why where a decision model declined it.
fn missing(reply: &Reply, name: &str) -> String {
    match reply.extra.pointer("/refusals").and_then(|refusals| refusals.get(name)) {
        Some(why) => {
            let why = why.as_str().map_or_else(|| why.to_string(), str::to_owned);
            format!("the judge refused to answer on `{name}`: {}", quote(&why))
        }
        None => format!("the reply says nothing on `{name}`"),
    }
}

fn decide(outcome: Outcome, threshold: Option<f64>) -> Outcome {
    match (&outcome, threshold) {
        (Outcome::Number { value }, Some(threshold)) if *value >= threshold => Outcome::Pass,
        (Outcome::Number { .. }, Some(_)) => Outcome::Fail,
        _ => outcome,
    }
}

/// The most beginnings of objects that are tried, so that a reply of braces takes no long time.
const MAX_BEGINNINGS: usize = 64;

/// Returns the whole JSON objects of a text that lie in no other one, in order.
fn objects_in(text: &str) -> Vec<Members<'_>> {
    let mut objects = Vec::new();
    let mut at = 0;
    for _ in 0..MAX_BEGINNINGS {
        let Some(found) = text[at..].find('{') else { break };
        at += found;
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter();
        match values.next() {
            Some(Ok(object)) => {
                objects.push(object);
                at += values.byte_offset();
            }
            _ => at += 1,
        }
    }
    objects
}

fn object(raw: &RawValue) -> Option<Members<'_>> {
    serde_json::from_str(raw.get()).ok()
}

fn parsed(raw: &RawValue) -> Value {
    // It was parsed once already as a part of its object.
    serde_json::from_str(raw.get()).unwrap_or(Value::Null)
}

/// Returns where a part of a text begins in it.
fn offset_in(text: &str, part: &str) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (at + part.len() <= text.len()).then_some(at)
}
