//! Scoring outputs that were made elsewhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chat::{FinishReason, Reply};
use engine::Selection;
use evalset::Case;
use run::{
    Answer, AnswerSource, Attempt, Caps, Outcome, PlannedCell, RunHeader, Variant, VariantSource,
};
use serde::Deserialize;
use serde_json::{Value, json};
use values::{ContentHash, Id, Timestamp};

use crate::execute::Work;
use crate::judging::{Verdicts, judges_from_files, variants_of};
use crate::material::{Maker, Material, ReadyVariant, keep_prompts, settings_version};
use crate::plan::Sending;
use crate::port::RunCalls;
use crate::target::Targets;
use crate::{App, AppError, RunningRun};

/// One line of a file of outputs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputLine {
    case: String,
    output: String,
    variant: Option<String>,
    #[serde(default)]
    sample: u32,
}

impl App {
    /// Records outputs that were made elsewhere as a run, and makes the session ready that scores
    /// them by the checks; `judges` are to judge them then. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] naming the line that cannot be used; then nothing is recorded.
    pub fn score_outputs(
        &self,
        folder: Option<&Path>,
        set: &str,
        file: &Path,
        judges: &[String],
        sending: &Sending,
    ) -> Result<RunningRun, AppError> {
        let project = Arc::new(self.open(folder)?.0);
        let (eval_set, found) = project.eval_set(set).map_err(|error| crate::open_error(&error))?;
        let Some(parsed) = eval_set.set else {
            return Err(AppError::input(format!("the eval set `{set}` cannot be read"))
                .with_diagnostics(found));
        };
        let judges = judges_from_files(&project, &parsed, Some(judges))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines = read_lines(&name, &files::read_text(file)?, &eval_set.cases)?;
        let mut names: Vec<String> = Vec::new();
        for (line, _) in &lines {
            let variant = line.variant.clone().unwrap_or_else(|| name.clone());
            if !names.contains(&variant) {
                names.push(variant);
            }
        }
        let variants = names.iter().map(|variant| made_elsewhere(variant, &name)).collect();
        let material = Arc::new(Material {
            set_name: set.to_owned(),
            set_source: eval_set.source,
            set: parsed,
            cases: eval_set.cases,
            variants,
        });
        let header = self.outputs_header(&material, &lines)?;
        let cells = cells(&lines, &names, &name);
        let store = self.store(&project)?;
        let now = (self.host.now)();
        let cases: BTreeMap<_, _> =
            cells.iter().map(|cell| (cell.case_id.as_str(), cell.case_hash)).collect();
        material.keep(&store, header.eval_set_hash, cases, now)?;
        let attempts = attempts(header.id, &cells, lines, now);
        let planned = Box::new(cells.into_iter());
        store::wait(|done| {
            store.create_answered_run(header.clone(), planned, attempts, now, done);
        })?;
        keep_prompts(&store, &judges, now)?;
        let judges = variants_of(judges);
        let settings = settings_version(&material.set_source).hash;
        store::wait(|done| store.note_settings(header.id, settings, judges, now, done))?;
        let calls = Arc::new(RunCalls::new(
            Arc::clone(&material),
            BTreeMap::new(),
            BTreeMap::new(),
            Targets::default(),
            None,
            project.root.clone(),
            None,
        ));
        let (selection, caps) = (Selection::Unfinished, Caps::default());
        let verdicts = Verdicts::default();
        let work = Work { header, selection, caps, replay: true, verdicts };
        self.session(store, &project, material, calls, work, sending, None)
    }

    fn outputs_header(
        &self,
        material: &Material,
        lines: &[(OutputLine, Case)],
    ) -> Result<RunHeader, AppError> {
        let cells = u32::try_from(lines.len())
            .map_err(|_| AppError::input("the file has too many lines"))?;
        Ok(RunHeader {
            format: 1,
            id: self.host.new_id(),
            created: (self.host.now)(),
            eval_set: material.set_name.clone(),
            eval_set_hash: material.set.content_hash(&material.cases),
            variants: material.variants.iter().map(|ready| ready.variant.clone()).collect(),
            samples: lines.iter().map(|(line, _)| line.sample + 1).max().unwrap_or(1),
            seed: 0,
            cells,
            caps: Caps::default(),
            replay: false,
            until_decided: None,
            record: false,
            allow_unpriced: false,
            judging: None,
            criteria: crate::plan::criteria(material),
        })
    }
}

fn made_elsewhere(variant: &str, file: &str) -> ReadyVariant {
    let source = VariantSource::Outputs { name: file.to_owned() };
    let content = json!({"outputs": file, "variant": variant});
    let hash = ContentHash::of_document("trysquare-variant-v1", &content);
    let variant = Variant { name: variant.to_owned(), source, hash };
    ReadyVariant { variant, maker: Maker::Nothing }
}

fn read_lines(
    name: &str,
    text: &str,
    cases: &evalset::CaseFile,
) -> Result<Vec<(OutputLine, Case)>, AppError> {
    let mut lines = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (number, text) in (1usize..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let bad = |problem: String| {
            AppError::input(format!("{name}:{number}: {problem}")).with_hint(
                "a line is {\"case\": …, \"output\": …}, with `variant` and `sample` if needed",
            )
        };
        let line: OutputLine =
            serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        let case = cases
            .get(&line.case)
            .ok_or_else(|| bad(format!("there is no case `{}`", line.case)))?;
        if line.sample == u32::MAX {
            return Err(bad(format!("`sample` must be below {}", u32::MAX)));
        }
        if !seen.insert((line.case.clone(), line.variant.clone(), line.sample)) {
            return Err(bad(format!("a second output for the case `{}`", line.case)));
        }
        lines.push((line, case));
    }
    if lines.is_empty() {
        return Err(AppError::input(format!("{name} holds no outputs")));
    }
    Ok(lines)
}

fn cells(lines: &[(OutputLine, Case)], names: &[String], file: &str) -> Vec<PlannedCell> {
    let index_of = |line: &OutputLine| {
        let variant = line.variant.as_deref().unwrap_or(file);
        names.iter().position(|name| name == variant).unwrap_or(0)
    };
    (0u32..)
        .zip(lines)
        .map(|(index, (line, case))| PlannedCell {
            index,
            case_id: case.id.clone(),
            case_hash: case.content_hash(),
            cluster: case.cluster.clone(),
            variant: u32::try_from(index_of(line)).unwrap_or(0),
            sample: line.sample,
        })
        .collect()
}

/// Makes the attempt that answers each cell.
fn attempts(
    run: Id,
    cells: &[PlannedCell],
    lines: Vec<(OutputLine, Case)>,
    now: Timestamp,
) -> Vec<Attempt> {
    let made = cells.iter().zip(lines).map(|(cell, (line, _))| Attempt {
        run,
        cell: cell.index,
        number: 0,
        started: now,
        ended: now,
        closes: true,
        cost: None,
        outcome: Outcome::Answered(Box::new(answer(line.output))),
    });
    made.collect()
}

fn answer(text: String) -> Answer {
    let reply = reply_of(text);
    Answer { reply, latency_ms: 0, first_token_ms: None, source: AnswerSource::Replay }
}

/// Returns a text as the reply of a model that nothing else is known of.
pub(crate) fn reply_of(text: String) -> Reply {
    Reply {
        text,
        refusal: None,
        tool_calls: Vec::new(),
        finish: FinishReason::Complete,
        usage: None,
        raw_usage: Value::Null,
        served_model: None,
        request_id: None,
        logprobs: Vec::new(),
        extra: Value::Null,
    }
}
