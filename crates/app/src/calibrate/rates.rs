//! The pass rates that a judge gives, and what people would find.

use std::collections::{BTreeMap, HashMap};

use analysis::calibration::{CorrectedRate, JudgeAnswer, JudgedItem, Scale, corrected_rate};
use evalset::LabelledOutput;
use project::Project;
use values::{ContentHash, Id};

use super::invalid;
use crate::labels::LabelWorld;
use crate::{App, AppError};

/// Outputs of one variant, as places in the list of all; an output that several samples have is
/// there for each.
type Group = (String, Vec<usize>);

impl App {
    /// Names the variants of the run's outputs, and corrects the judge's rate of each.
    ///
    /// What a judge elsewhere said of imported outputs is no variant's: there the outputs of each source
    /// are one group.
    pub(super) fn rates(
        &self,
        project: &Project,
        world: &LabelWorld,
        (run, elsewhere): (Option<Id>, bool),
        scale: &Scale,
        items: &mut [JudgedItem],
    ) -> Result<Vec<CorrectedRate>, AppError> {
        let mut groups = self.of_run(project, world, run, items)?;
        if elsewhere {
            groups.retain(|(_, own)| !own.is_empty());
            groups.extend(by_source(world, &groups, items));
        }
        for (variant, own) in &groups {
            for &place in own {
                items[place].variant.clone_from(variant);
            }
        }
        let items = &*items;
        let rate = |(variant, own): Group| {
            let mut is_own = vec![false; items.len()];
            for &place in &own {
                is_own[place] = true;
            }
            let run: Vec<&JudgedItem> = own.iter().map(|&place| &items[place]).collect();
            let others: Vec<&JudgedItem> =
                items.iter().zip(is_own).filter(|(_, own)| !own).map(|(item, _)| item).collect();
            corrected_rate(scale, &variant, &run, &others).map_err(invalid)
        };
        groups.into_iter().map(rate).collect()
    }

    /// Returns the outputs of each variant of a run; of the newest if none is named.
    fn of_run(
        &self,
        project: &Project,
        world: &LabelWorld,
        run: Option<Id>,
        items: &[JudgedItem],
    ) -> Result<Vec<Group>, AppError> {
        let store = &world.store;
        let header = match run {
            Some(run) => Some(store.run_header(run)?),
            None => store.run_headers(Some(&world.folder.name), None, 1)?.into_iter().next(),
        };
        let Some(header) = header else { return Ok(Vec::new()) };
        let places: Vec<u32> = (0..).take(header.variants.len()).collect();
        let results = self.run_results(project, store, header.id, &places)?;
        let mut of_item: HashMap<(&str, ContentHash), usize> = HashMap::new();
        for (place, item) in items.iter().enumerate() {
            if let LabelledOutput::One(hash) = item.output {
                of_item.insert((&item.case, hash), place);
            }
        }
        let groups = results.variants.into_iter().map(|variant| {
            let outputs = variant.cases.iter().flat_map(|case| {
                let outputs = case.samples.iter().filter_map(|sample| sample.output);
                outputs.map(|output| (case.id.as_str(), output))
            });
            let own = outputs.filter_map(|key| of_item.get(&key).copied()).collect();
            (variant.variant.name, own)
        });
        Ok(groups.collect())
    }
}

/// Groups the outputs that a judge elsewhere decided, and that no run made, by where their cases were
/// imported from.
fn by_source(world: &LabelWorld, of_run: &[Group], items: &[JudgedItem]) -> Vec<Group> {
    let mut is_of_run = vec![false; items.len()];
    for &place in of_run.iter().flat_map(|(_, own)| own) {
        is_of_run[place] = true;
    }
    let mut sources: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, item) in items.iter().enumerate() {
        if is_of_run[place] || item.judge == JudgeAnswer::NotAsked {
            continue;
        }
        let source = world.cases.get(&item.case).and_then(|case| case.source.as_deref());
        let name = source.unwrap_or("imported outputs");
        sources.entry(name.to_owned()).or_default().push(place);
    }
    sources.into_iter().collect()
}
