use std::collections::HashMap;

use chat::{Message, Reply, Request, Role};
use evalset::Case;
use run::{Judging, Outcome, PlannedCell};
use score::{Judge, judge_variables};
use store::{JudgedCell, Store};
use values::Id;

use crate::AppError;
use crate::judging::ready::judge_of;
use crate::material::{Material, ReadyPrompt};

/// What a judge is asked about one output. Everything that sends a judge's request makes it here.
pub(crate) struct Question<'a> {
    /// The judge's prompt.
    pub(crate) prompt: &'a ReadyPrompt,
    /// How it answers.
    pub(crate) judge: &'a Judge,
    /// The case.
    pub(crate) case: &'a Case,
    /// The output.
    pub(crate) output: &'a str,
    /// Its reply that could not be read, if it is asked again.
    pub(crate) unreadable: Option<&'a Reply>,
}

impl Question<'_> {
    /// Makes the request. Asked again, the judge sees its reply and what is wrong with it.
    pub(crate) fn request(&self, sample: u32) -> Result<Request, prompt::RenderError> {
        let case = self.case;
        let variables = judge_variables(&case.inputs, self.output, case.expected.as_ref());
        let mut request = self.prompt.request(variables, sample)?;
        if let Some(reply) = self.unreadable {
            let problem = self.judge.read(reply, None).reason;
            // Providers refuse a message without content.
            if !reply.text.is_empty() {
                request.messages.push(Message::text(Role::Model, reply.text.clone()));
            }
            let again = format!(
                "Your reply cannot be read: {problem}. Answer once more, with nothing but one JSON \
                 object of the form that was asked for."
            );
            request.messages.push(Message::text(Role::User, again));
        }
        Ok(request)
    }
}

/// The outputs that the cells of a judging run are about.
pub(crate) struct Asking {
    store: Store,
    judging: Judging,
    /// The cell of the judged run whose output a cell shows.
    of: HashMap<u32, u32>,
    /// The cell of the run that asked first, of a run that asks again.
    first: HashMap<u32, u32>,
    /// How each variant answers.
    judges: Vec<Judge>,
}

impl Asking {
    /// Reads what a judging run is about; its cells may not be written yet. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if the record cannot be read.
    pub(crate) fn new(
        store: &Store,
        judging: Judging,
        cells: &[JudgedCell],
        material: &Material,
    ) -> Result<Self, AppError> {
        let of: HashMap<u32, u32> =
            cells.iter().filter_map(|one| Some((one.cell.index, *one.of.first()?))).collect();
        let mut first = HashMap::new();
        if let Some(again) = judging.again {
            let judges = store.run_header(again)?.variants;
            let asked: HashMap<_, u32> = store
                .judged_cells(again)?
                .into_iter()
                .filter_map(|one| {
                    let judge = judges.get(usize::try_from(one.cell.variant).ok()?)?.hash;
                    Some(((judge, one.of), one.cell.index))
                })
                .collect();
            for one in cells {
                let place = usize::try_from(one.cell.variant).unwrap_or(usize::MAX);
                let judge = material.variants.get(place).map(|ready| ready.variant.hash);
                let found = judge.and_then(|judge| asked.get(&(judge, one.of.clone())));
                first.extend(found.map(|cell| (one.cell.index, *cell)));
            }
        }
        let judges = material.variants.iter().map(judge_of).collect::<Result<_, _>>()?;
        Ok(Self { store: store.clone(), judging, of, first, judges })
    }

    /// Makes the request of a cell. Blocking.
    ///
    /// # Errors
    /// Why it cannot be made, in words.
    pub(crate) fn request(
        &self,
        prompt: &ReadyPrompt,
        case: &Case,
        cell: &PlannedCell,
    ) -> Result<Request, String> {
        let of = self.of.get(&cell.index).ok_or("the cell judges nothing")?;
        let output = self.reply(self.judging.run, *of)?;
        let unreadable = match (self.judging.again, self.first.get(&cell.index)) {
            (Some(again), Some(first)) => Some(self.reply(again, *first)?),
            (Some(_), None) => return Err("what was asked first is not in the record".to_owned()),
            (None, _) => None,
        };
        let place = usize::try_from(cell.variant).unwrap_or(usize::MAX);
        let judge = self.judges.get(place).ok_or("the plan names a judge that is not there")?;
        let (output, unreadable) = (output.text.as_str(), unreadable.as_ref());
        let question = Question { prompt, judge, case, output, unreadable };
        question.request(cell.sample).map_err(|error| error.to_string())
    }

    fn reply(&self, run: Id, cell: u32) -> Result<Reply, String> {
        let records = self.store.cell_records(run, &[cell]).map_err(|error| error.to_string())?;
        let attempts = records.into_iter().flat_map(|record| record.attempts).rev();
        let mut answers = attempts.filter_map(|one| match one.attempt.outcome {
            Outcome::Answered(answer) => Some(answer.reply),
            Outcome::Failed(_) => None,
        });
        answers.next().ok_or_else(|| format!("cell {cell} of run {run} has no answer"))
    }
}
