use std::collections::{HashMap, HashSet};

use chat::{Message, Reply, Request, Role};
use evalset::Case;
use run::{Judging, Outcome, PlannedCell};
use score::{Sees, bind_rendered, judge_variables, pair_variables, sees_rendered};
use store::{JudgedCell, Store};
use values::Id;

use crate::AppError;
use crate::judging::ready::Reader;
use crate::material::{Maker, Material, ReadyPrompt, ReadyVariant, ready_from_store};

/// What a judge is asked about one output or a pair. Everything that sends a judge's request makes it here.
pub(crate) struct Question<'a> {
    /// The judge's prompt.
    pub(crate) prompt: &'a ReadyPrompt,
    /// How it answers.
    pub(crate) reader: &'a Reader,
    /// The case.
    pub(crate) case: &'a Case,
    /// The output, or two in the order in which the judge sees them.
    pub(crate) shown: &'a [&'a str],
    /// What was sent for the output, if the judge looks at that.
    pub(crate) rendered: Option<&'a str>,
    /// Its reply that could not be read, if it is asked again.
    pub(crate) unreadable: Option<&'a Reply>,
}

impl Question<'_> {
    /// Makes the request. Asked again, the judge sees its reply and what is wrong with it.
    ///
    /// # Errors
    /// Why it cannot be made, in words.
    pub(crate) fn request(&self, sample: u32) -> Result<Request, String> {
        let case = self.case;
        let mut variables = match (self.reader.judge.sees, self.shown) {
            (Sees::One, [output]) => judge_variables(&case.inputs, output, case.expected.as_ref()),
            (Sees::Pair, [first, second]) => {
                pair_variables(&case.inputs, [first, second], case.expected.as_ref())
            }
            (_, shown) => return Err(format!("the judge is shown {} outputs", shown.len())),
        };
        if let Some(rendered) = self.rendered {
            bind_rendered(&mut variables, rendered);
        }
        let mut request =
            self.prompt.request(variables, sample).map_err(|error| error.to_string())?;
        if let Some(reply) = self.unreadable {
            let problem = self.reader.problem(reply).unwrap_or_default();
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

/// Tells whether a judge looks at what was sent for an output.
fn looks_at_rendered(judge: &ReadyVariant) -> bool {
    matches!(&judge.maker, Maker::Prompt(prompt) if sees_rendered(&prompt.linked))
}

/// Returns what a variant sends for a case, message by message, as a judge sees it.
///
/// # Errors
/// Why there is nothing to show, in words.
pub(crate) fn sent(maker: &ReadyVariant, case: &Case, sample: u32) -> Result<String, String> {
    let Maker::Prompt(prompt) = &maker.maker else {
        let name = &maker.variant.name;
        return Err(format!("`{name}` is no prompt, so that there is no `rendered` to show"));
    };
    let request = prompt.request(case.variables(), sample).map_err(|error| error.to_string())?;
    let said = request.messages.iter().map(|message| {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Model => "model",
            Role::Tool => "tool",
        };
        format!("{role}: {}", message.joined_text())
    });
    Ok(said.collect::<Vec<_>>().join("\n\n"))
}

/// What the cells of a judging run show to judges.
pub(crate) struct Asking {
    store: Store,
    judging: Judging,
    shown: Texts,
    /// The cell of the run that asked first, of a run that asks again.
    first: HashMap<u32, u32>,
    /// Cells whose answers are not to come from the cache.
    anew: HashSet<u32>,
    /// How each variant's replies are read.
    readers: Vec<Reader>,
    /// What makes the outputs, if a judge looks at what was sent for them.
    makers: Option<Vec<ReadyVariant>>,
}

/// The texts that judges are shown, by cell.
enum Texts {
    /// The outputs of these cells of the judged run.
    Of(HashMap<u32, Vec<u32>>),
    /// These.
    Given(HashMap<u32, Vec<String>>),
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
        let of = cells.iter().map(|one| (one.cell.index, one.of.clone())).collect();
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
        let asking = Self::of_given(store, judging, HashMap::new(), HashSet::new(), material)?;
        Ok(Self { shown: Texts::Of(of), first, ..asking })
    }

    /// Shows texts that no cell of the judged run has, by cell; the answers of some are to be drawn anew.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a judge of the material is none.
    pub(crate) fn of_given(
        store: &Store,
        judging: Judging,
        given: HashMap<u32, Vec<String>>,
        anew: HashSet<u32>,
        material: &Material,
    ) -> Result<Self, AppError> {
        let reader = |ready| Reader::of(ready, &material.set);
        let readers = material.variants.iter().map(reader).collect::<Result<_, _>>()?;
        let (shown, first) = (Texts::Given(given), HashMap::new());
        let makers = material.variants.iter().any(looks_at_rendered).then(|| {
            let judged = store.run_header(judging.run)?.variants;
            judged.iter().map(|variant| ready_from_store(store, variant)).collect()
        });
        let makers = makers.transpose()?;
        Ok(Self { store: store.clone(), judging, shown, first, anew, readers, makers })
    }

    /// Tells whether the cache has no part in a cell's answer.
    pub(crate) fn is_drawn_anew(&self, cell: &PlannedCell) -> bool {
        self.anew.contains(&cell.index)
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
        let texts = self.texts(cell.index)?;
        let unreadable = match (self.judging.again, self.first.get(&cell.index)) {
            (Some(again), Some(first)) => Some(self.reply(again, *first)?),
            (Some(_), None) => return Err("what was asked first is not in the record".to_owned()),
            (None, _) => None,
        };
        let place = usize::try_from(cell.variant).unwrap_or(usize::MAX);
        let reader = self.readers.get(place).ok_or("the plan names a judge that is not there")?;
        let shown: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (shown, unreadable) = (shown.as_slice(), unreadable.as_ref());
        let rendered = match &self.makers {
            Some(makers) if sees_rendered(&prompt.linked) => {
                Some(self.rendered(makers, case, cell.index)?)
            }
            _ => None,
        };
        let rendered = rendered.as_deref();
        Question { prompt, reader, case, shown, rendered, unreadable }.request(cell.sample)
    }

    /// Returns what was sent for the output that a cell shows: by the first variant that made it. A text
    /// that no variant made is shown as if the first had.
    fn rendered(&self, makers: &[ReadyVariant], case: &Case, cell: u32) -> Result<String, String> {
        let of = match &self.shown {
            Texts::Of(of) => of.get(&cell).and_then(|of| of.first()),
            Texts::Given(_) => None,
        };
        let (variant, sample) = match of {
            None => (0, 0),
            Some(of) => {
                let found = self.store.cell_records(self.judging.run, &[*of]);
                let found = found.map_err(|error| error.to_string())?.into_iter().next();
                let made = found.ok_or("the judged cell is not in the record")?.cell;
                (usize::try_from(made.variant).unwrap_or(usize::MAX), made.sample)
            }
        };
        let maker = makers.get(variant).ok_or("the judged run has no such variant")?;
        sent(maker, case, sample)
    }

    fn texts(&self, cell: u32) -> Result<Vec<String>, String> {
        let found = match &self.shown {
            Texts::Given(given) => given.get(&cell).cloned(),
            Texts::Of(of) => {
                let text = |of: &u32| Ok(self.reply(self.judging.run, *of)?.text);
                let texts = |of: &Vec<u32>| of.iter().map(text).collect::<Result<_, String>>();
                of.get(&cell).map(texts).transpose()?
            }
        };
        found.ok_or_else(|| "the cell judges nothing".to_owned())
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
