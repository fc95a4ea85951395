use std::collections::BTreeMap;

use chat::Reply;
use evalset::check::CheckSpec;
use serde_json::{Value, json};

use crate::outcome::{MAX_REASON_CHARS, Outcome};
use crate::quote::{quote, shorten};
use crate::subject::Subject;

/// The version of the request and answer format of program checks.
const FORMAT: u32 = 1;
/// The most bytes of a program's answer that are read.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What a declared program is to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramRequest {
    /// Which program of its check this is, from 0, groups counted in their order.
    pub slot: usize,
    /// The program's name in `trysquare.yaml`.
    pub program: String,
    /// What it reads on standard input, as one line of JSON: the cell.
    pub body: Value,
}

/// What came of asking a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramAnswer {
    /// It ended well and wrote this.
    Answered {
        /// Its standard output.
        stdout: String,
    },
    /// It could not be started, crashed, was killed, or took too long.
    Failed {
        /// What happened: a lower-case fragment.
        reason: String,
    },
    /// It was not started on purpose: the project is not trusted, the run replays.
    NotRun {
        /// Why.
        reason: String,
    },
}

/// The answers of a check's programs, by [`ProgramRequest::slot`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgramAnswers {
    answers: BTreeMap<usize, ProgramAnswer>,
}

impl ProgramAnswers {
    /// Returns no answers, which is right for a check without programs.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the answer to a request.
    pub fn insert(&mut self, slot: usize, answer: ProgramAnswer) {
        self.answers.insert(slot, answer);
    }

    pub(crate) fn get(&self, slot: usize) -> Option<&ProgramAnswer> {
        self.answers.get(&slot)
    }
}

pub(crate) fn request(
    slot: usize,
    program: &str,
    check: &CheckSpec,
    subject: &Subject<'_>,
    reply: &Reply,
    output: &str,
    options: &Value,
) -> ProgramRequest {
    let body = json!({
        "format": FORMAT,
        "check": check.name,
        "criterion": check.criterion,
        "input": subject.inputs,
        "expected": subject.expected,
        "output": output,
        "reply": reply,
        "latency_ms": subject.latency_ms,
        "cost_nano_dollars": subject.cost.map(values::NanoDollars::get),
        "options": options,
    });
    ProgramRequest { slot, program: program.to_owned(), body }
}

pub(crate) fn read(answer: &ProgramAnswer) -> (Outcome, String) {
    match answer {
        ProgramAnswer::Answered { stdout } => read_program_answer(stdout),
        ProgramAnswer::Failed { reason } => (Outcome::Error, shorten(reason, MAX_REASON_CHARS)),
        ProgramAnswer::NotRun { reason } => (Outcome::Skipped, shorten(reason, MAX_REASON_CHARS)),
    }
}

/// Reads what a program check wrote: one JSON object with either `pass` (true or false) or `score`
/// (a share in 0..=1), and a `reason` that may be absent. Other keys are ignored.
///
/// Anything else is `unreadable`, and the reason says what was found.
pub fn read_program_answer(stdout: &str) -> (Outcome, String) {
    match parse_answer(stdout) {
        Ok(read) => read,
        Err(problem) => {
            let expected =
                r#"expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason""#;
            (Outcome::Unreadable, format!("{problem}; {expected}; found {}", quote(stdout)))
        }
    }
}

fn parse_answer(stdout: &str) -> Result<(Outcome, String), String> {
    if stdout.len() > MAX_ANSWER_BYTES {
        return Err(format!("the answer is longer than {MAX_ANSWER_BYTES} bytes"));
    }
    let value: Value = serde_json::from_str(stdout.trim())
        .map_err(|error| format!("the answer is not JSON: {error}"))?;
    let answer = value.as_object().ok_or("the answer is not a JSON object")?;
    let reason = match answer.get("reason") {
        None | Some(Value::Null) => None,
        Some(Value::String(reason)) => Some(shorten(reason, MAX_REASON_CHARS)),
        Some(_) => return Err("`reason` is not text".to_owned()),
    };
    match (answer.get("pass"), answer.get("score")) {
        (Some(Value::Bool(true)), None) => {
            Ok((Outcome::Pass, reason.unwrap_or_else(|| "passes".to_owned())))
        }
        (Some(Value::Bool(false)), None) => {
            Ok((Outcome::Fail, reason.unwrap_or_else(|| "fails without a reason".to_owned())))
        }
        (None, Some(Value::Number(score))) => {
            let share = score.as_f64().filter(|share| (0.0..=1.0).contains(share));
            let value = share.ok_or_else(|| format!("`score` {score} is not from 0 to 1"))?;
            Ok((Outcome::Number { value }, reason.unwrap_or_else(|| format!("scores {value}"))))
        }
        (Some(_), Some(_)) => Err("the answer has both `pass` and `score`".to_owned()),
        (Some(_), None) => Err("`pass` is neither true nor false".to_owned()),
        (None, Some(_)) => Err("`score` is not a number".to_owned()),
        (None, None) => Err("the answer has neither `pass` nor `score`".to_owned()),
    }
}
