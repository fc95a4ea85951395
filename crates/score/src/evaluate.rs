use std::borrow::Cow;

use chat::{FinishReason, Reply};
use evalset::ScoreSource;
use evalset::check::{CheckSpec, Kind, Part, Test};
use serde_json::Value;

use crate::combine::combine;
use crate::finding::{Finding, Unknown};
use crate::outcome::{Outcome, Score};
use crate::program::{self, ProgramAnswers, ProgramRequest};
use crate::quote::{quote, shorten};
use crate::subject::{Generation, Subject, is_unfinished, unfinished_note};
use crate::{facts, json, likeness, text};

/// The most characters shown of why generating failed.
const FAILURE_CHARS: usize = 400;

/// Scores an output by a check.
///
/// `programs` holds the answers to [`program_requests`]; a program without an answer is an error.
/// Never panics, whatever the output holds.
///
/// If generating failed, so does every check, with the outcome `error`. If the provider ended the
/// output with a failure of its own, every check but `finish_reason` is an error too. Any other
/// output that is not whole is scored as it stands: the reason begins with why, and
/// [`Score::unfinished`] says it to programs.
pub fn evaluate(check: &CheckSpec, subject: &Subject<'_>, programs: &ProgramAnswers) -> Score {
    let reply = match subject.generation {
        Generation::Reply(reply) => reply,
        Generation::Failed { reason } => {
            let reason = format!("there is no output: {}", shorten(reason, FAILURE_CHARS));
            return score(Finding::error(reason), None);
        }
    };
    let asks_finish = matches!(check.test.kind, Kind::FinishReason { .. });
    let asks_refusal = matches!(check.test.kind, Kind::Refusal { .. });
    let says_finish = asks_finish || asks_refusal && !is_unfinished(reply.finish);
    let note = unfinished_note(reply.finish).filter(|_| !says_finish);
    let unfinished = is_unfinished(reply.finish).then_some(reply.finish);
    let mut finding = if reply.finish == FinishReason::Error && !asks_finish {
        Finding::error("what came before it is no answer")
    } else {
        let mut examination = Examination { check, subject, reply, programs, slots: 0 };
        examination.test(&check.test, &reply.text)
    };
    if let Some(note) = note {
        finding.reason = format!("{note}; {}", finding.reason);
    }
    score(finding, unfinished)
}

fn score(finding: Finding, unfinished: Option<FinishReason>) -> Score {
    let (outcome, reason) = finding.into_outcome();
    Score { outcome, reason, source: ScoreSource::Code, unfinished }
}

/// Returns what the declared programs of a check are to be asked about an output.
///
/// Empty if there is no output, no program, or no such part of the output.
pub fn program_requests(check: &CheckSpec, subject: &Subject<'_>) -> Vec<ProgramRequest> {
    let Generation::Reply(reply) = subject.generation else { return Vec::new() };
    if reply.finish == FinishReason::Error {
        return Vec::new();
    }
    let mut requests = Vec::new();
    collect_requests(check, &check.test, subject, reply, &reply.text, &mut 0, &mut requests);
    requests
}

fn collect_requests(
    check: &CheckSpec,
    test: &Test,
    subject: &Subject<'_>,
    reply: &Reply,
    output: &str,
    slots: &mut usize,
    requests: &mut Vec<ProgramRequest>,
) {
    // A part that is missing still passes over the slots inside it, so that numbers stay the same.
    let part = part_of(&test.part, output, subject);
    match &test.kind {
        Kind::Program { program, options, .. } => {
            let slot = next(slots);
            let options = match options {
                Some(options) => options.resolve(subject.bindings()),
                None => Ok(Value::Null),
            };
            // What cannot be resolved is an error when the check is evaluated; nobody is asked.
            if let (Ok(output), Ok(options)) = (part, options) {
                let request =
                    program::request(slot, program, check, subject, reply, &output, &options);
                requests.push(request);
            }
        }
        Kind::Group { tests, .. } => match part {
            Ok(output) => {
                for test in tests {
                    collect_requests(check, test, subject, reply, &output, slots, requests);
                }
            }
            Err(_) => *slots += test.programs().len(),
        },
        _ => {}
    }
}

fn next(slots: &mut usize) -> usize {
    *slots += 1;
    *slots - 1
}

/// One evaluation on its way through the tests of a check.
struct Examination<'a> {
    check: &'a CheckSpec,
    subject: &'a Subject<'a>,
    reply: &'a Reply,
    programs: &'a ProgramAnswers,
    /// How many programs were passed, which numbers them.
    slots: usize,
}

impl Examination<'_> {
    fn test(&mut self, test: &Test, output: &str) -> Finding {
        let part = match part_of(&test.part, output, self.subject) {
            Ok(part) => part,
            Err(missing) => {
                self.slots += test.programs().len();
                return missing;
            }
        };
        let finding = self.ask(&test.kind, &part, test.threshold).against(test.threshold);
        if test.negated { finding.negated() } else { finding }
    }

    fn ask(&mut self, kind: &Kind, output: &str, threshold: Option<f64>) -> Finding {
        let bindings = self.subject.bindings();
        let finding = match kind {
            Kind::Equals { value, equality } => text::equals(value, *equality, output, bindings),
            Kind::Contains { values, combination, ignore_case } => {
                text::contains(values, *combination, *ignore_case, output, bindings)
            }
            Kind::NotContains { values, ignore_case } => {
                text::not_contains(values, *ignore_case, output, bindings)
            }
            Kind::StartsWith { value, ignore_case } => {
                text::starts_with(value, *ignore_case, output, bindings)
            }
            Kind::Regex { pattern } => text::regex(pattern, output, bindings),
            Kind::OneOf { values, equality } => text::one_of(values, *equality, output, bindings),
            Kind::Number { value, tolerance, relative_tolerance } => {
                let tolerance =
                    text::Tolerance { absolute: *tolerance, relative: *relative_tolerance };
                text::number(value, tolerance, output, bindings)
            }
            Kind::JsonValid => Ok(json::valid(output)),
            Kind::JsonSchema { schema } => Ok(json::schema(schema, output)),
            Kind::JsonPathEquals { path, value } => {
                json::path_equals(path, value, output, bindings)
            }
            Kind::JsonEquals { value, ignore_order } => {
                json::equals(value, *ignore_order, output, bindings)
            }
            Kind::Likeness { measure, value } => {
                likeness::alike(*measure, value, threshold, output, bindings)
            }
            Kind::Levenshtein { value, max } => {
                likeness::edits(value, *max, threshold, output, bindings)
            }
            Kind::WordCount { range } => Ok(facts::word_count(*range, output)),
            Kind::Length { range, unit } => Ok(facts::length(*range, *unit, output)),
            Kind::Refusal { phrases } => Ok(facts::refusal(phrases.as_deref(), self.reply, output)),
            Kind::FinishReason { values } => Ok(facts::finish_reason(values, self.reply)),
            Kind::Latency { max_ms } => Ok(facts::latency(*max_ms, self.subject.latency_ms)),
            Kind::Cost { max } => Ok(facts::cost(*max, self.subject.cost)),
            Kind::ToolCall { tool, arguments, only } => {
                facts::tool_call(tool, arguments.as_ref(), *only, self.reply, bindings)
            }
            Kind::Program { program, options, .. } => {
                let slot = next(&mut self.slots);
                let options = options.as_ref().map(|options| options.resolve(bindings));
                options.transpose().map(|_| self.programs.finding(slot, program))
            }
            Kind::Group { combination, tests } => {
                let findings = tests.iter().map(|test| self.test(test, output)).collect();
                Ok(combine(*combination, findings))
            }
        };
        finding.unwrap_or_else(|error| {
            Finding::error(format!(
                "check `{}` cannot be used on this case: {error}",
                self.check.name
            ))
        })
    }
}

/// Returns the part of an output that a test looks at, or the finding that there is none.
fn part_of<'o>(
    part: &Part,
    output: &'o str,
    subject: &Subject<'_>,
) -> Result<Cow<'o, str>, Finding> {
    let missing = |reason: String| Finding::unknown(Unknown::MissingPart, reason);
    match part {
        Part::Whole => Ok(Cow::Borrowed(output)),
        Part::JsonPath(path) => {
            let value = json::parse(output).map_err(|reason| {
                missing(format!("the part `{}` is missing: {reason}", path.source()))
            })?;
            match path.select(&value).as_slice() {
                [] => Err(missing(format!(
                    "the part is missing: `{}` selects nothing in {}",
                    path.source(),
                    quote(output)
                ))),
                [Value::String(text)] => Ok(Cow::Owned(text.clone())),
                [one] => Ok(Cow::Owned(one.to_string())),
                several => {
                    let list: Value = several.iter().map(|&one| one.clone()).collect();
                    Ok(Cow::Owned(list.to_string()))
                }
            }
        }
        Part::Regex { pattern, group } => {
            let regex = pattern
                .resolve(subject.bindings())
                .map_err(|error| Finding::error(error.to_string()))?;
            let captured = regex.captures(output).and_then(|captures| captures.get(*group));
            captured.map(|found| Cow::Borrowed(found.as_str())).ok_or_else(|| {
                missing(format!(
                    "the part is missing: the pattern `{}` finds nothing in {}",
                    shorten(pattern.source(), 80),
                    quote(output)
                ))
            })
        }
    }
}

impl ProgramAnswers {
    fn finding(&self, slot: usize, program: &str) -> Finding {
        let Some(answer) = self.get(slot) else {
            return Finding::error(format!("program `{program}` was not asked"));
        };
        let (outcome, reason) = program::read(answer);
        let reason = format!("program `{program}`: {reason}");
        match outcome {
            Outcome::Pass => Finding::pass(reason),
            Outcome::Number { value } => Finding::number(value, reason),
            Outcome::Error => Finding::error(reason),
            Outcome::Skipped => Finding::skipped(reason),
            Outcome::Unreadable => Finding::unknown(Unknown::Unreadable, reason),
            Outcome::Fail | Outcome::Category { .. } => Finding::fail(reason),
        }
    }
}
