use std::collections::{BTreeMap, HashMap, HashSet};

use run::RunHeader;
use score::Sees;
use store::{OutcomeEvidence, Store};
use values::ContentHash;

use crate::AppError;

/// The different outputs of a run, in the order of its plan.
#[derive(Default)]
pub(crate) struct Outputs {
    pub(crate) all: Vec<JudgedOutput>,
    /// Where two variants answered the same case in the same repetition.
    pub(crate) meetings: Vec<Meeting>,
    /// The different pairs of outputs, each in its own order, as they were first met.
    pairs: Vec<(usize, usize)>,
    /// The same.
    own_order: HashSet<(usize, usize)>,
    /// The place in `all` of the output of a cell.
    place: HashMap<u32, usize>,
}

/// An output of a case, however many cells gave it.
pub(crate) struct JudgedOutput {
    pub(crate) case: String,
    pub(crate) case_hash: ContentHash,
    pub(crate) cluster: Option<String>,
    pub(crate) output: ContentHash,
    /// At least one, in the order of the plan.
    pub(crate) cells: Vec<u32>,
}

/// Two variants that answered the same case in the same repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meeting {
    /// Their places in the run's list, the smaller first.
    pub(crate) variants: [usize; 2],
    /// The places of their outputs; the same place if they are equal.
    pub(crate) outputs: [usize; 2],
}

/// What a judge is shown, by the places of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shown {
    /// One output.
    One(usize),
    /// Two different outputs of a case, in this order.
    Pair(usize, usize),
}

impl Outputs {
    /// Reads the outputs of a run. Cells whose generation failed have none. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if the run cannot be read.
    pub(crate) fn of(store: &Store, header: &RunHeader) -> Result<Self, AppError> {
        let variants: Vec<u32> = (0..).take(header.variants.len()).collect();
        let mut found = Self::default();
        let mut known: HashMap<(String, ContentHash, ContentHash), usize> = HashMap::new();
        // By the first place of the case, so that they stay in the order of the plan.
        let mut answers: BTreeMap<(usize, u32), Vec<(usize, usize)>> = BTreeMap::new();
        let mut cases: HashMap<(String, ContentHash), usize> = HashMap::new();
        store.evidence(header.id, &variants, |cell| {
            let OutcomeEvidence::Answered(answer) = cell.outcome else { return };
            let key = (cell.case.id.clone(), cell.case.hash, answer.output);
            let place = *known.entry(key).or_insert(found.all.len());
            if place == found.all.len() {
                found.all.push(JudgedOutput {
                    case: cell.case.id.clone(),
                    case_hash: cell.case.hash,
                    cluster: cell.case.cluster.clone(),
                    output: answer.output,
                    cells: Vec::new(),
                });
            }
            found.all[place].cells.push(cell.cell);
            found.place.insert(cell.cell, place);
            if variants.len() > 1 {
                let first = *cases.entry((cell.case.id.clone(), cell.case.hash)).or_insert(place);
                let variant = usize::try_from(cell.variant).unwrap_or(usize::MAX);
                answers.entry((first, cell.sample)).or_default().push((variant, place));
            }
        })?;
        for mut answers in answers.into_values() {
            answers.sort_unstable();
            for (at, first) in answers.iter().enumerate() {
                found.meetings.extend(answers[at + 1..].iter().map(|second| Meeting {
                    variants: [first.0, second.0],
                    outputs: [first.1, second.1],
                }));
            }
        }
        for [a, b] in found.meetings.iter().map(|one| one.outputs) {
            if a != b && !found.own_order.contains(&(b, a)) && found.own_order.insert((a, b)) {
                found.pairs.push((a, b));
            }
        }
        Ok(found)
    }

    /// Returns the place in `all` of the output of a cell.
    pub(crate) fn of_cell(&self, cell: u32) -> Option<usize> {
        self.place.get(&cell).copied()
    }

    /// Returns what cells of a judging run show, by the cells of this run that they name.
    pub(crate) fn shown_by(&self, of: &[u32]) -> Option<Shown> {
        match of {
            [one] => Some(Shown::One(self.of_cell(*one)?)),
            [first, second] => Some(Shown::Pair(self.of_cell(*first)?, self.of_cell(*second)?)),
            _ => None,
        }
    }

    /// Tells whether a pair is shown in the order by which it is named.
    pub(crate) fn is_own_order(&self, first: usize, second: usize) -> bool {
        self.own_order.contains(&(first, second))
    }

    /// Returns everything that judges of these kinds are shown: outputs, and pairs in both orders.
    pub(crate) fn shown(&self, sees: &[Sees]) -> Vec<Shown> {
        let mut shown = Vec::new();
        if sees.contains(&Sees::One) {
            shown.extend((0..self.all.len()).map(Shown::One));
        }
        if sees.contains(&Sees::Pair) {
            let both = |(a, b)| [Shown::Pair(a, b), Shown::Pair(b, a)];
            shown.extend(self.pairs.iter().copied().flat_map(both));
        }
        shown
    }

    /// Returns the first of what is shown.
    pub(crate) fn first(&self, shown: Shown) -> &JudgedOutput {
        let (Shown::One(place) | Shown::Pair(place, _)) = shown;
        &self.all[place]
    }

    /// Returns the cells of this run that stand for what is shown.
    pub(crate) fn cells(&self, shown: Shown) -> Vec<u32> {
        match shown {
            Shown::One(place) => vec![self.all[place].cells[0]],
            Shown::Pair(first, second) => {
                vec![self.all[first].cells[0], self.all[second].cells[0]]
            }
        }
    }
}

impl Shown {
    /// Returns what a judge sees of it.
    pub(crate) const fn sees(self) -> Sees {
        match self {
            Self::One(_) => Sees::One,
            Self::Pair(..) => Sees::Pair,
        }
    }
}
