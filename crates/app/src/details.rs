//! What a reader of a comparison wants to see of cases and prompts: whole texts of a bounded number of
//! cases. Renderers cut them for their reader and say so.

use std::collections::HashMap;

use analysis::{CaseResults, Change, Comparison, SampleResult, VariantResults};
use evalset::{Case, CaseFile, EvalSet, Outputs};
use project::Project;
use prompt::LinkedPrompt;
use report::{CaseDetail, Limits, OutputDetail, Reason};
use run::{Outcome, VariantSource};
use score::{Contribution, Status, criterion_result};
use serde_json::Value;
use store::{CellRecord, Store};
use values::{ContentHash, Id};

use crate::AppError;
use crate::compare::{Kept, Loaded};
use crate::evidence::weight;
use crate::material::read_prompt_body;
use crate::people::People;

/// Unchanged lines around a change of a prompt.
const CONTEXT_LINES: usize = 3;

/// Reads texts from where they are kept.
pub(crate) struct Details<'a> {
    pub(crate) project: &'a Project,
    pub(crate) store: &'a Store,
    /// What people said, where they decide something.
    pub(crate) people: Option<&'a People>,
}

impl Details<'_> {
    /// Returns what differs between the prompts of two variants; `None` if they have none, or
    /// nothing differs.
    pub(crate) fn prompt_diff(
        &self,
        baseline: &VariantResults,
        candidate: &VariantResults,
    ) -> Result<Option<String>, AppError> {
        let (
            VariantSource::Prompt {
                prompt: of,
                version: old,
                model: old_model,
                config: old_config,
            },
            VariantSource::Prompt {
                prompt: by,
                version: new,
                model: new_model,
                config: new_config,
            },
        ) = (&baseline.variant.source, &candidate.variant.source)
        else {
            return Ok(None);
        };
        let mut text = String::new();
        if old_model != new_model {
            text += &format!("model: {old_model} → {new_model}\n");
        }
        if old_config != new_config {
            text += &format!("config: {old_config} → {new_config}\n");
        }
        if old != new {
            match (self.version(of, *old)?, self.version(by, *new)?) {
                (Some(old), Some(new)) => text += &prompt::diff(&old, &new).to_text(CONTEXT_LINES),
                // Approved on another machine, and never committed here.
                _ => text += &format!("prompt: {} → {}\n", old.short(), new.short()),
            }
        }
        Ok((!text.is_empty()).then_some(text))
    }

    /// Returns the cases that changed, those that broke first, at most as many of either as the
    /// limits allow.
    pub(crate) fn cases(
        &self,
        comparison: &Comparison,
        baseline: &Loaded,
        candidate: &Loaded,
        limits: Limits,
    ) -> Result<Vec<CaseDetail>, AppError> {
        let pairs: HashMap<&str, (usize, usize)> = comparison
            .pairing
            .pairs
            .iter()
            .map(|pair| (candidate.results.cases[pair.1].id.as_str(), *pair))
            .collect();
        let mut shown: Vec<(usize, usize)> = Vec::new();
        for change in [Change::Broke, Change::Fixed, Change::Mixed] {
            let mut left = limits.cases;
            for criterion in &comparison.criteria {
                for case in criterion.square.part(change).take(left) {
                    let pair = pairs.get(case.id.as_str());
                    if let Some(pair) = pair.filter(|pair| !shown.contains(pair)) {
                        shown.push(*pair);
                        left -= 1;
                    }
                }
            }
        }
        shown
            .into_iter()
            .map(|(a, b)| {
                let case = &candidate.results.cases[b];
                let kept = self.case(case)?;
                Ok(CaseDetail {
                    id: case.id.clone(),
                    input: kept.as_ref().map(input).unwrap_or_default(),
                    expected: kept.and_then(|case| Some(text_of(&case.expected?))),
                    baseline: self.output(baseline, a)?,
                    candidate: self.output(candidate, b)?,
                })
            })
            .collect()
    }

    /// Finds a version among those that runs used, else in the files and git's history.
    fn version(&self, name: &str, hash: ContentHash) -> Result<Option<LinkedPrompt>, AppError> {
        if let Some(body) = self.store.content("prompt", hash)? {
            return Ok(read_prompt_body(&body));
        }
        Ok(self.project.pinned(name, &hash.to_string()).map(|found| found.linked))
    }

    fn case(&self, case: &CaseResults) -> Result<Option<Case>, AppError> {
        let Some(body) = self.store.content("case", case.hash)? else { return Ok(None) };
        // The copy is of whichever case first had this content; its id is not the point.
        let (file, _) = CaseFile::read("a case of the run", body);
        Ok(file.nth(0))
    }

    /// Returns the first sample that did not pass, else the first.
    fn output(&self, side: &Loaded, case: usize) -> Result<Option<OutputDetail>, AppError> {
        let results = &side.results.cases[case];
        let found = match &side.kept {
            Kept::Run { id, cells, .. } => self.recorded_output(*id, &cells[case], &side.set)?,
            Kept::Outputs(outputs) => approved_output(outputs, results),
        };
        Ok(found.map(|mut output| {
            let sample = usize::try_from(output.sample).unwrap_or(usize::MAX);
            let of_people = self.people.map(|people| people.reasons(&side.set, results, sample));
            output.reasons.extend(of_people.unwrap_or_default());
            output
        }))
    }

    fn recorded_output(
        &self,
        run: Id,
        cells: &[u32],
        set: &EvalSet,
    ) -> Result<Option<OutputDetail>, AppError> {
        let records = self.store.cell_records(run, cells)?;
        let failed = records.iter().find(|one| one.status.is_some_and(|one| one != Status::Pass));
        let Some(record) = failed.or_else(|| records.first()) else { return Ok(None) };
        let last = record.attempts.iter().rev().find(|one| one.attempt.closes);
        let text = last.and_then(|one| match &one.attempt.outcome {
            Outcome::Answered(answer) => Some(answer.reply.text.clone()),
            Outcome::Failed(_) => None,
        });
        let sample = record.cell.sample;
        Ok(Some(OutputDetail { text, sample, reasons: reasons(record, set) }))
    }
}

/// Returns an approved output. Why it was scored as it was is not kept.
fn approved_output(outputs: &Outputs, case: &CaseResults) -> Option<OutputDetail> {
    let is_failed = |sample: &SampleResult| {
        sample.values.iter().any(|value| value.number().is_some_and(|share| share <= 0.0))
    };
    let failed = (0u32..).zip(&case.samples).find(|(_, sample)| is_failed(sample));
    let (sample, result) = failed.or_else(|| (0u32..).zip(&case.samples).next())?;
    let text = result.output.and_then(|hash| outputs.text(&hash)).map(str::to_owned);
    Some(OutputDetail { text, sample, reasons: Vec::new() })
}

fn reasons(record: &CellRecord, set: &EvalSet) -> Vec<Reason> {
    let counting: Vec<_> =
        record.scores.iter().filter(|one| Some(one.generation) == record.generation).collect();
    set.criteria
        .iter()
        .filter_map(|criterion| {
            let contributions: Vec<_> = counting
                .iter()
                .filter(|one| one.score.criterion == criterion.name)
                .map(|one| Contribution {
                    name: &one.score.name,
                    weight: weight(set, one.score.score.source, &one.score.name),
                    score: &one.score.score,
                })
                .collect();
            let result = criterion_result(criterion, &contributions);
            result.outcome.map(|_| Reason {
                criterion: criterion.name.clone(),
                status: result.status,
                reason: result.reason,
            })
        })
        .collect()
}

/// The inputs of a case: the text itself where there is only one.
fn input(case: &Case) -> String {
    let mut inputs = case.inputs.values();
    match (inputs.next(), inputs.next()) {
        (Some(Value::String(text)), None) => text.clone(),
        _ => text_of(&Value::Object(case.inputs.clone())),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
