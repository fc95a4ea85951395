use std::collections::HashMap;

use run::RunHeader;
use score::Sees;
use store::{OutcomeEvidence, Store};
use values::ContentHash;

use crate::AppError;

/// An output of a run, or a pair of outputs of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) case: String,
    pub(super) case_hash: ContentHash,
    pub(super) cluster: Option<String>,
    /// The cells of the run that made the outputs.
    pub(super) of: Vec<u32>,
    /// The outputs.
    pub(super) outputs: Vec<ContentHash>,
    /// Their texts, none of them empty.
    pub(super) texts: Vec<String>,
    /// The variant that made the first, as an index into the run's list.
    pub(super) variant: u32,
}

/// The outputs of a case, in plan order, each text once.
struct Found {
    case: String,
    case_hash: ContentHash,
    cluster: Option<String>,
    outputs: Vec<(u32, u32, ContentHash)>,
}

/// Chooses what a probe uses of a run: of the first cases in plan order, which chance has shuffled, one
/// output each, or a pair. The variants take turns. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the run cannot be read.
pub(super) fn subjects(
    store: &Store,
    header: &RunHeader,
    sees: Sees,
    most: usize,
) -> Result<Vec<Subject>, AppError> {
    let variants: Vec<u32> = (0..).take(header.variants.len()).collect();
    let mut cases: Vec<Found> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    store.evidence(header.id, &variants, |cell| {
        let OutcomeEvidence::Answered(answer) = cell.outcome else { return };
        let place = *known.entry(cell.case.id.clone()).or_insert(cases.len());
        if place == cases.len() {
            cases.push(Found {
                case: cell.case.id.clone(),
                case_hash: cell.case.hash,
                cluster: cell.case.cluster.clone(),
                outputs: Vec::new(),
            });
        }
        let outputs = &mut cases[place].outputs;
        if outputs.iter().all(|(.., known)| *known != answer.output) {
            outputs.push((cell.cell, cell.variant, answer.output));
        }
    })?;
    let empty = ContentHash::of_bytes(b"");
    let mut chosen = Vec::new();
    for mut found in cases {
        found.outputs.retain(|(.., output)| *output != empty);
        let turn = chosen.len();
        if let Some(subject) = choose(found, sees, turn) {
            chosen.push(subject);
        }
        if chosen.len() == most {
            break;
        }
    }
    with_texts(store, chosen)
}

fn choose(found: Found, sees: Sees, turn: usize) -> Option<Subject> {
    let outputs = &found.outputs;
    let first = outputs.get(turn % outputs.len().max(1))?;
    let mut taken = vec![*first];
    if sees == Sees::Pair {
        taken.push(*outputs.iter().find(|other| other.1 != first.1)?);
    }
    Some(Subject {
        of: taken.iter().map(|(cell, ..)| *cell).collect(),
        outputs: taken.iter().map(|(.., output)| *output).collect(),
        texts: Vec::new(),
        variant: first.1,
        case: found.case,
        case_hash: found.case_hash,
        cluster: found.cluster,
    })
}

fn with_texts(store: &Store, mut subjects: Vec<Subject>) -> Result<Vec<Subject>, AppError> {
    let wanted: Vec<ContentHash> =
        subjects.iter().flat_map(|subject| subject.outputs.iter().copied()).collect();
    let texts = store.output_texts(wanted)?;
    for subject in &mut subjects {
        let found = subject.outputs.iter().filter_map(|output| texts.get(output).cloned());
        subject.texts = found.collect();
    }
    // A text that was purged meanwhile leaves its case out.
    subjects.retain(|subject| subject.texts.len() == subject.outputs.len());
    Ok(subjects)
}
