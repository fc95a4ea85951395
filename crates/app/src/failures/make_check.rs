//! Making a check of a kind of failure, so that the next run finds it without anybody reading.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use document::Severity;
use document::edit::{self, Step};
use evalset::check::CheckSpec;
use evalset::{Case, EvalSet, LabelSubject, LabelledOutput};
use files::{Snapshot, write_unless_changed};
use score::{Generation, Outcome, ProgramAnswers, Subject, evaluate};
use serde::Serialize;
use serde_json::{Value, json};
use values::{ContentHash, Id};

use super::gather::{FailureWorld, people_pass};
use super::names::id_of_name;
use crate::outputs::reply_of;
use crate::{App, AppError};

/// A check that a person makes of a category.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// The eval set; the only one, or that of the newest run if `None`.
    pub set: Option<String>,
    /// The category.
    pub category: String,
    /// The check's name; made of the category's if `None`.
    pub name: Option<String>,
    /// What tells these failures.
    pub finds: Finds,
    /// Whether capital letters are as small ones.
    pub ignore_case: bool,
    /// Whether the file is left as it is, and only what the check finds is told.
    pub only_try: bool,
}

/// What tells a failure from other outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finds {
    /// It contains one of these texts.
    Texts(Vec<String>),
    /// A regular expression matches in it.
    Pattern(String),
    /// It lacks one of these texts.
    Lacks(Vec<String>),
    /// A regular expression matches nowhere in it.
    LacksPattern(String),
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MadeCheck {
    /// The eval set.
    pub eval_set: String,
    /// The file that has it, as a path inside the project.
    pub file: PathBuf,
    /// Whether the file was left as it is.
    pub only_tried: bool,
    /// The check, as `evalset.yaml` says it.
    pub check: Value,
    /// Of the outputs of the category: how many it fails.
    pub of_kind: FoundByCheck,
    /// Of the outputs that pass by what people decided: how many it fails.
    pub of_passing: FoundByCheck,
}

/// What a check finds among some outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FoundByCheck {
    /// The outputs whose text is here.
    pub outputs: usize,
    /// Those that it fails.
    pub fails: usize,
    /// Those that it could not decide, as where a value of the case is missing.
    pub undecided: usize,
    /// The cases that it decides otherwise than people did, by id.
    pub otherwise: Vec<String>,
}

impl App {
    /// Adds a check for a category to `evalset.yaml`, and tells how it decides the outputs that people
    /// have decided. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set or category, the check is wrong, or the file
    /// cannot hold it; nothing is written then.
    pub fn make_check(
        &self,
        folder: Option<&Path>,
        request: &CheckRequest,
    ) -> Result<MadeCheck, AppError> {
        let found = self.failure_world(folder, request.set.as_deref())?;
        let category = found.category(&request.category)?;
        let name = match &request.name {
            Some(name) => name.clone(),
            None => id_of_name(&category.name),
        };
        let document = check_document(&name, &request.finds, request.ignore_case);
        let eval_set = found.world.folder.name.clone();
        let inside: PathBuf = ["evalsets", &eval_set, "evalset.yaml"].iter().collect();
        let source = &found.world.folder.source;
        let refused = |error: edit::EditError| {
            AppError::input(format!("{}: {error}", inside.display()))
                .with_hint(format!("add it under `checks` by hand: {document}"))
        };
        let text =
            edit::append(source.text(), &[Step::Key("checks")], &document).map_err(refused)?;
        let check = read_check(&inside, &text, &name)?;
        let made = MadeCheck {
            of_kind: found.tried(&check, &found.outputs_of(category.id), false)?,
            of_passing: found.tried(&check, &found.passing_outputs(category.id), true)?,
            eval_set,
            file: inside.clone(),
            only_tried: request.only_try,
            check: document,
        };
        if !request.only_try {
            let before = Snapshot::of(&found.project.root.join(&inside), source.text().as_bytes());
            write_unless_changed(&before, text.as_bytes())?;
        }
        Ok(made)
    }
}

fn check_document(name: &str, finds: &Finds, ignore_case: bool) -> Value {
    // The texts are what an output says, and no template that a case fills.
    let literal = |texts: &[String]| -> Vec<String> {
        texts.iter().map(|text| text.replace("{{", "\\{{")).collect()
    };
    let mut check = match finds {
        Finds::Texts(texts) => {
            json!({"name": name, "kind": "not_contains", "values": literal(texts)})
        }
        Finds::Lacks(texts) => json!({"name": name, "kind": "contains", "values": literal(texts)}),
        Finds::Pattern(pattern) => {
            json!({"name": name, "kind": "regex", "pattern": pattern, "not": true})
        }
        Finds::LacksPattern(pattern) => json!({"name": name, "kind": "regex", "pattern": pattern}),
    };
    if ignore_case && let Value::Object(keys) = &mut check {
        keys.insert("ignore_case".to_owned(), Value::Bool(true));
    }
    check
}

/// Reads the check out of the text that is about to be written.
fn read_check(inside: &Path, text: &str, name: &str) -> Result<CheckSpec, AppError> {
    let (set, mut wrong) = EvalSet::read(&inside.to_string_lossy(), text);
    wrong.retain(|one| one.severity == Severity::Error);
    let check = set.and_then(|set| set.checks.into_iter().find(|check| check.name == *name));
    check.filter(|_| wrong.is_empty()).ok_or_else(|| {
        AppError::input("this is no check, and nothing is written").with_diagnostics(wrong)
    })
}

impl FailureWorld {
    /// Returns what the notes of a category are about.
    fn outputs_of(&self, category: Id) -> Vec<&LabelSubject> {
        let is_of = |note: Id| {
            let of = self.world.categories.of_note(note);
            of.is_some_and(|all| all.iter().any(|one| one.id == category))
        };
        let notes = self.failing().filter(|note| is_of(note.event.id));
        let subjects: BTreeSet<&LabelSubject> = notes.map(|note| &note.event.subject).collect();
        subjects.into_iter().collect()
    }

    /// Returns the outputs that pass by what people decided on the criteria of a category's notes, or
    /// on any where it has none.
    fn passing_outputs(&self, category: Id) -> Vec<&LabelSubject> {
        let of = self.outputs_of(category);
        let criteria: BTreeSet<&str> = of.iter().map(|one| one.criterion.as_str()).collect();
        let is_asked = |subject: &LabelSubject| {
            criteria.is_empty() || criteria.contains(subject.criterion.as_str())
        };
        let passing = self.world.labels.by_subject().filter_map(|on| {
            let subject = on.subject().filter(|subject| is_asked(subject))?;
            (people_pass(&self.world, &on) == Some(true)).then_some(subject)
        });
        passing.collect()
    }

    /// Tells how a check decides outputs that people have decided all alike.
    fn tried(
        &self,
        check: &CheckSpec,
        subjects: &[&LabelSubject],
        should_pass: bool,
    ) -> Result<FoundByCheck, AppError> {
        let single: BTreeSet<(&str, ContentHash)> = subjects
            .iter()
            .filter_map(|subject| match subject.output {
                LabelledOutput::One(output) => Some((subject.case.as_str(), output)),
                LabelledOutput::Pair(..) => None,
            })
            .collect();
        let missing = single.iter().map(|(_, output)| *output);
        let missing = missing.filter(|output| self.world.outputs.get(output).is_none());
        let stored = self.world.store.output_texts(missing)?;
        let mut found = FoundByCheck::default();
        let mut otherwise = BTreeSet::new();
        for (id, output) in single {
            let kept = self.world.outputs.text(&output);
            let text = kept.or_else(|| stored.get(&output).map(String::as_str));
            let (Some(text), Some(case)) = (text, self.world.folder.cases.get(id)) else {
                continue;
            };
            found.outputs += 1;
            match passes(check, &case, text) {
                Some(check_passes) => {
                    found.fails += usize::from(!check_passes);
                    if check_passes != should_pass {
                        otherwise.insert(id.to_owned());
                    }
                }
                None => found.undecided += 1,
            }
        }
        found.otherwise = otherwise.into_iter().collect();
        Ok(found)
    }
}

/// Tells whether an output passes a check; `None` if the check cannot decide.
fn passes(check: &CheckSpec, case: &Case, text: &str) -> Option<bool> {
    let reply = reply_of(text.to_owned());
    let subject = Subject {
        generation: Generation::Reply(&reply),
        inputs: &case.inputs,
        expected: case.expected.as_ref(),
        latency_ms: None,
        cost: None,
    };
    match evaluate(check, &subject, &ProgramAnswers::none()).outcome {
        Outcome::Pass => Some(true),
        Outcome::Fail => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_that_an_output_left_in_is_found_as_it_stands() {
        let found = Finds::Texts(vec!["Dear {{name}}".to_owned()]);
        let text = format!("checks: [{}]\n", check_document("unfilled", &found, false));
        let check = read_check(Path::new("evalset.yaml"), &text, "unfilled").unwrap();
        let case = r#"{"id": "a", "inputs": {"name": "Ana"}}"#;
        let (cases, _) = evalset::CaseFile::read("cases.jsonl", case);
        let case = cases.get("a").unwrap();
        assert_eq!(passes(&check, &case, "Dear {{name}}, hello"), Some(false));
        assert_eq!(passes(&check, &case, "Dear Ana, hello"), Some(true));
    }
}
