use std::collections::BTreeSet;
use std::sync::Arc;

use chat::Reply;
use project::Project;
use run::{PlannedCase, plan_order};
use score::{Sees, sees_rendered};
use values::ContentHash;

use crate::judging::ask::{Question, sent};
use crate::judging::judges_from_files;
use crate::judging::ready::Reader;
use crate::material::{Maker, Material, ReadyPrompt};
use crate::port::RunCalls;
use crate::target::Targets;
use crate::{App, AppError};

/// The calls that the files of an eval set make today: all its variants, cases and repetitions, and what
/// its judges are asked about their answers.
pub(crate) struct Needed {
    material: Arc<Material>,
    calls: RunCalls,
    judges: Arc<Material>,
    judge_calls: RunCalls,
    readers: Vec<Reader>,
    samples: u32,
}

impl App {
    /// Reads what recordings of an eval set are needed for. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a file of the set has errors.
    pub(crate) fn needed(
        &self,
        project: &Project,
        set: &str,
        samples: u32,
    ) -> Result<Needed, AppError> {
        let read = || project.eval_set(set).map_err(|error| crate::open_error(&error));
        let material = Arc::new(Material::from_files(project, read()?.0, &[])?);
        let mut judges = Material::from_files(project, read()?.0, &[])?;
        judges.variants = judges_from_files(project, &judges.set, None)?;
        let judges = Arc::new(judges);
        let targets = Targets::declared(&self.host, project, &material, &self.settings()?)?;
        // A run of fewer repetitions than the set asks for drops none of the others.
        let samples = samples.max(material.set.samples_or_one().get());
        Ok(Needed {
            calls: self.preparing_calls(project, &material, &targets, None, None)?,
            judge_calls: self.preparing_calls(project, &judges, &Targets::default(), None, None)?,
            readers: judges
                .variants
                .iter()
                .map(|ready| Reader::of(ready, &judges.set))
                .collect::<Result<_, _>>()?,
            material,
            judges,
            samples,
        })
    }
}

impl Needed {
    /// Returns the keys of these calls. `reply` is what is recorded under a key: what judges are asked
    /// depends on it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the set is too large to plan.
    pub(crate) fn keys<'r>(
        &self,
        reply: impl Fn(&ContentHash) -> Option<&'r Reply>,
    ) -> Result<BTreeSet<ContentHash>, AppError> {
        let cases = self.material.cases.iter().map(|case| PlannedCase {
            hash: case.content_hash(),
            id: case.id.into(),
            cluster: None,
        });
        let variants = u32::try_from(self.material.variants.len()).unwrap_or(u32::MAX);
        let order = plan_order(cases.collect(), variants, self.samples, 0)
            .map_err(|error| AppError::input(error.to_string()))?;
        let mut keys = BTreeSet::new();
        // Cells of a case stand together: what judges see of it is known once the next case begins.
        let mut answers = Answers::default();
        for cell in order.cells() {
            let Ok(prepared) = self.calls.prepare_now(&cell) else { continue };
            let key = prepared.call.recording_key(cell.sample);
            keys.insert(key);
            if answers.case != cell.case_id {
                self.add_judges(&answers, &reply, &mut keys);
                answers = Answers { case: cell.case_id.clone(), ..Answers::default() };
            }
            if let Some(answer) = reply(&key) {
                answers.texts.push((cell.sample, answer.text.as_str()));
                answers.cells.push((cell.variant, cell.sample));
            }
        }
        self.add_judges(&answers, &reply, &mut keys);
        Ok(keys)
    }

    /// Returns what a judge is shown of the answers to a case, each with what was sent for it if the
    /// judge looks at that: by every variant that gave it, since a run may have been of some of them.
    fn shown<'a>(
        &self,
        answers: &Answers<'a>,
        case: &evalset::Case,
        sees: Sees,
        judge: &ReadyPrompt,
    ) -> BTreeSet<(Vec<&'a str>, Option<String>)> {
        if !sees_rendered(&judge.linked) {
            return answers.shown(sees).into_iter().map(|shown| (shown, None)).collect();
        }
        let sent = |variant: u32, sample| {
            let place = usize::try_from(variant).unwrap_or(usize::MAX);
            sent(self.material.variants.get(place)?, case, sample).ok()
        };
        let all = answers.texts.iter().zip(&answers.cells);
        all.map(|((_, text), (variant, sample))| (vec![*text], sent(*variant, *sample))).collect()
    }

    /// Adds what judges are asked about the answers to one case.
    fn add_judges<'r>(
        &self,
        answers: &Answers<'_>,
        reply: &impl Fn(&ContentHash) -> Option<&'r Reply>,
        keys: &mut BTreeSet<ContentHash>,
    ) {
        let Some(case) = self.material.cases.get(&answers.case) else { return };
        for (ready, reader) in self.judges.variants.iter().zip(&self.readers) {
            let Maker::Prompt(prompt) = &ready.maker else { continue };
            let prompt: &ReadyPrompt = prompt;
            for (shown, rendered) in self.shown(answers, &case, reader.judge.sees, prompt) {
                let key = |unreadable| {
                    let (case, shown, rendered) = (&case, shown.as_slice(), rendered.as_deref());
                    let question = Question { prompt, reader, case, shown, rendered, unreadable };
                    let request = question.request(0).ok()?;
                    let prepared = self.judge_calls.prepare_request(prompt, request, 0).ok()?;
                    Some(prepared.call.recording_key(0))
                };
                let Some(first) = key(None) else { continue };
                keys.insert(first);
                let unreadable = reply(&first).filter(|said| reader.problem(said).is_some());
                keys.extend(unreadable.and_then(|said| key(Some(said))));
            }
        }
    }
}

/// What was answered to a case, with the repetitions.
#[derive(Default)]
struct Answers<'a> {
    case: String,
    texts: Vec<(u32, &'a str)>,
    /// The variant and the repetition of each.
    cells: Vec<(u32, u32)>,
}

impl<'a> Answers<'a> {
    /// Returns what a judge is shown of them: each output, or all pairs of a repetition in both orders.
    fn shown(&self, sees: Sees) -> BTreeSet<Vec<&'a str>> {
        match sees {
            Sees::One => self.texts.iter().map(|(_, text)| vec![*text]).collect(),
            Sees::Pair => {
                let all = self.texts.iter();
                let pairs = all.flat_map(|a| self.texts.iter().map(move |b| (a, b)));
                let meet = pairs.filter(|(a, b)| a.0 == b.0 && a.1 != b.1);
                meet.map(|(a, b)| vec![a.1, b.1]).collect()
            }
        }
    }
}
