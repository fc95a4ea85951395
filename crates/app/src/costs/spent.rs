use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use run::{RunHeader, VariantSource};
use serde::Serialize;
use store::{CostSum, SpendScope};
use values::{Id, NanoDollars};

use crate::{App, AppError};

/// What costs are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostsBy {
    /// By run.
    Run,
    /// By model or target.
    Model,
    /// By UTC day.
    Day,
    /// By prompt.
    Prompt,
}

/// What a project has spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CostsView {
    /// What the lines are.
    pub by: CostsBy,
    /// The lines, sorted by name: runs and days oldest first.
    pub lines: Vec<CostLine>,
    /// Their sum.
    pub total: CostLine,
    /// What the project's budgets leave.
    pub budgets: Vec<BudgetView>,
}

/// What one run, model, day or prompt cost.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CostLine {
    /// What it is.
    pub name: String,
    /// Answers that a provider gave.
    pub calls: u64,
    /// Billed for outputs.
    pub generation: NanoDollars,
    /// Billed for judging them.
    pub judging: NanoDollars,
    /// Worst cases of attempts whose bill will never be known.
    pub presumed: NanoDollars,
    /// Worst cases of calls on their way.
    pub reserved: NanoDollars,
    /// Answers that the cache gave.
    pub hits: u64,
    /// What those would have cost, where it is known.
    pub saved: NanoDollars,
    /// Answers whose price nobody knows; they are in none of the amounts.
    pub unpriced: u64,
    /// Input tokens of a provider's answers.
    pub input_tokens: u64,
    /// Output tokens of a provider's answers.
    pub output_tokens: u64,
}

/// A budget and what of it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BudgetView {
    /// `today` or `project`.
    pub name: String,
    /// The budget.
    pub budget: NanoDollars,
    /// What counts against it: billed, presumed spent and reserved.
    pub spent: NanoDollars,
    /// The highest of 50, 80 and 100 percent that is reached.
    pub reached: Option<u8>,
}

impl CostLine {
    fn add(&mut self, sum: &CostSum, judges: bool) {
        let billed = if judges { &mut self.judging } else { &mut self.generation };
        *billed = *billed + sum.billed;
        self.calls += sum.calls;
        self.presumed = self.presumed + sum.presumed;
        self.reserved = self.reserved + sum.reserved;
        self.hits += sum.hits;
        self.saved = self.saved + sum.saved;
        self.unpriced += sum.unpriced;
        self.input_tokens += sum.input_tokens;
        self.output_tokens += sum.output_tokens;
    }
}

impl App {
    /// Adds up what the runs of a project cost, judges apart. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if the record cannot be read.
    pub fn costs(&self, folder: Option<&Path>, by: CostsBy) -> Result<CostsView, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let mut headers: BTreeMap<Id, RunHeader> = BTreeMap::new();
        let mut lines: BTreeMap<String, CostLine> = BTreeMap::new();
        let mut total = CostLine { name: "total".to_owned(), ..CostLine::default() };
        for row in store.costs()? {
            let header = match headers.entry(row.run) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(store.run_header(row.run)?),
            };
            let name = match by {
                CostsBy::Run => row.run.to_string(),
                CostsBy::Day => row.day.to_string().chars().take(10).collect(),
                CostsBy::Model | CostsBy::Prompt => {
                    let index = usize::try_from(row.variant).unwrap_or(usize::MAX);
                    let source = header.variants.get(index).map(|variant| &variant.source);
                    source.map_or_else(String::new, |source| name_of(source, by))
                }
            };
            let judges = header.judging.is_some();
            total.add(&row.cost, judges);
            let line = lines.entry(name.clone()).or_default();
            line.name = name;
            line.add(&row.cost, judges);
        }
        let caps = &project.config.defaults.budget;
        let now = (self.host.now)();
        let scopes = [
            ("today", caps.day, SpendScope::Day(now)),
            ("project", caps.project, SpendScope::Project),
        ];
        let mut budgets = Vec::new();
        for (name, cap, scope) in scopes {
            let Some(budget) = cap else { continue };
            let spend = store.spend(scope)?;
            let spent = spend.billed + spend.presumed + spend.reserved;
            let reached = notice(spent, budget);
            budgets.push(BudgetView { name: name.to_owned(), budget, spent, reached });
        }
        Ok(CostsView { by, lines: lines.into_values().collect(), total, budgets })
    }
}

fn name_of(source: &VariantSource, by: CostsBy) -> String {
    match (source, by) {
        (VariantSource::Prompt { prompt, .. }, CostsBy::Prompt) => prompt.clone(),
        (VariantSource::Prompt { model, .. }, _) => model.to_string(),
        (VariantSource::Target { target, .. }, _) => format!("target {target}"),
        (VariantSource::Outputs { name }, _) => name.clone(),
    }
}

/// Returns the highest of 50, 80 and 100 percent of a budget that is spent.
fn notice(spent: NanoDollars, budget: NanoDollars) -> Option<u8> {
    let share = |percent: u8| {
        i128::from(spent.get()) * 100 >= i128::from(budget.get()) * i128::from(percent)
    };
    [100, 80, 50].into_iter().find(|percent| spent > NanoDollars::ZERO && share(*percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_come_at_50_80_and_100_percent() {
        let of = |spent| notice(NanoDollars::new(spent), NanoDollars::new(1_000));
        assert_eq!(
            [0, 499, 500, 799, 800, 999, 1_000, 2_000].map(of),
            [None, None, Some(50), Some(50), Some(80), Some(80), Some(100), Some(100)]
        );
        assert_eq!(notice(NanoDollars::ZERO, NanoDollars::ZERO), None);
    }
}
