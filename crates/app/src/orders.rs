//! The order of variants by what judges said of pairs of their outputs.

use analysis::{ComparedPair, JudgedOrder, judged_order};
use project::Project;
use store::Store;

use crate::AppError;
use crate::calibrate::is_trusted;
use crate::compare::{Kept, Loaded, level};
use crate::judging::{PairVerdicts, pair_verdicts};
use crate::material::counting_settings;

/// Returns the order of the sides of a comparison, by each judge that compared their outputs. Only
/// variants of one run meet. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(crate) fn orders(
    project: &Project,
    store: &Store,
    baseline: &Loaded,
    candidates: &[Loaded],
) -> Result<Vec<JudgedOrder>, AppError> {
    let sides = || std::iter::once(baseline).chain(candidates);
    let Kept::Run { id: run, .. } = baseline.kept else { return Ok(Vec::new()) };
    let mut variants = Vec::new();
    for side in sides() {
        match side.kept {
            Kept::Run { id, variant, .. } if id == run => {
                variants.push(usize::try_from(variant).unwrap_or(usize::MAX));
            }
            _ => return Ok(Vec::new()),
        }
    }
    let header = store.run_header(run)?;
    let set = counting_settings(store, &header, &project.config.defaults)?;
    let judges = store.counting(run)?.judges;
    let names: Vec<String> = sides().map(|side| side.results.variant.name.clone()).collect();
    let place = |variant: usize| variants.iter().position(|known| *known == variant);
    let mut orders = Vec::new();
    for verdicts in pair_verdicts(store, &header, &set, &judges)? {
        let among = |pair: &ComparedPair| {
            let [a, b] = pair.variants;
            Some(ComparedPair { variants: [place(a)?, place(b)?], ..*pair })
        };
        let pairs: Vec<ComparedPair> = verdicts.pairs.iter().filter_map(among).collect();
        let PairVerdicts { judge, criterion, version, .. } = &verdicts;
        let Some(version) = version else { continue };
        let trusted = is_trusted(project, (&header.eval_set, &set), (judge, criterion), *version)?;
        let order = judged_order((judge, trusted), &names, &pairs, level(&set)?, set.seed);
        orders.extend(order.map_err(|error| AppError::input(error.to_string()))?);
    }
    Ok(orders)
}
