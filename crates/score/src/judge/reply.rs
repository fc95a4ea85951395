use chat::{FinishReason, Reply};
use serde_json::{Map, Value};

use super::{Judge, JudgeAnswer, Judged};
use crate::quote::{quote, shorten};
use crate::{MAX_REASON_CHARS, Outcome};

impl Judge {
    /// Reads a reply, and applies the threshold to a number or a probability.
    ///
    /// A reply is one JSON object, alone, in a code fence, or with prose around it. Two objects that
    /// answer are unreadable, as is an answer outside the judge's form: nothing is guessed.
    pub fn read(&self, reply: &Reply, threshold: Option<f64>) -> Judged {
        match self.answer_in(reply) {
            Ok((outcome, reason)) => {
                let is_probability = self.answer == JudgeAnswer::Probability;
                let probability = match outcome {
                    Outcome::Number { value } if is_probability => Some(value),
                    _ => None,
                };
                Judged { outcome: decide(outcome, threshold), probability, reason }
            }
            Err(problem) => Judged {
                outcome: Outcome::Unreadable,
                probability: None,
                reason: shorten(&problem, MAX_REASON_CHARS),
            },
        }
    }

    fn answer_in(&self, reply: &Reply) -> Result<(Outcome, String), String> {
        if let Some(refusal) = &reply.refusal {
            return Err(format!("the judge refused: {}", quote(refusal)));
        }
        if !matches!(reply.finish, FinishReason::Complete | FinishReason::StopSequence) {
            return Err(format!("the judge's reply is not whole: {:?}", reply.finish));
        }
        let name = self.answer.key();
        let objects = objects_in(&reply.text);
        let mut answering = objects.iter().filter(|object| object.contains_key(name));
        let Some(object) = answering.next() else {
            return Err(format!("no JSON object with `{name}` in {}", quote(&reply.text)));
        };
        if answering.next().is_some() {
            return Err(format!("more than one JSON object with `{name}` in the reply"));
        }
        let outcome = self.answer.outcome(&object[name])?;
        let reason = object.get("reason").and_then(Value::as_str).unwrap_or_default();
        if reason.trim().is_empty() && self.answer != JudgeAnswer::Probability {
            return Err(format!("the judge gives no reason for its {name}"));
        }
        Ok((outcome, shorten(reason.trim(), MAX_REASON_CHARS)))
    }
}

impl JudgeAnswer {
    /// Returns the key of the answer in the reply.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Score { .. } => "score",
            Self::Category { .. } => "category",
            Self::Probability => "probability",
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
        }
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
fn objects_in(text: &str) -> Vec<Map<String, Value>> {
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
