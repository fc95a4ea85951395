//! `trysquare costs`

use app::{AppError, BudgetView, CostLine, CostsBy, CostsView};
use values::NanoDollars;

use super::Context;
use crate::args::{Costs, CostsGroup};
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::table::{self, Align};

/// Shows what the runs of a project cost.
pub(crate) fn costs(context: &Context<'_>, args: &Costs) -> Result<Exit, AppError> {
    let by = match args.by {
        CostsGroup::Run => CostsBy::Run,
        CostsGroup::Model => CostsBy::Model,
        CostsGroup::Day => CostsBy::Day,
        CostsGroup::Prompt => CostsBy::Prompt,
    };
    let view = context.app.costs(context.folder(), by)?;
    context.output.one(&view, shown);
    Ok(Exit::Complete)
}

fn shown(view: &CostsView) -> String {
    let total = &view.total;
    let amounts = [total.generation, total.judging, total.presumed, total.reserved];
    let mut out = String::new();
    if amounts.iter().all(|amount| *amount == NanoDollars::ZERO) && total.unpriced == 0 {
        out += "$0.00: no paid calls.\n";
    }
    if !view.lines.is_empty() {
        let title = match view.by {
            CostsBy::Run => "run",
            CostsBy::Model => "model",
            CostsBy::Day => "day (UTC)",
            CostsBy::Prompt => "prompt",
        };
        let mut head = vec![(title, Align::Left)];
        let numbers =
            ["calls", "tokens in", "out", "outputs", "judges", "presumed", "cached", "saved"];
        head.extend(numbers.map(|title| (title, Align::Right)));
        let rows: Vec<_> = view.lines.iter().chain([total]).map(row).collect();
        out += &table::render(&head, &rows);
    }
    if total.presumed > NanoDollars::ZERO {
        out += "\nPresumed: the worst case of calls whose bill will never be known.\n";
    }
    if total.unpriced > 0 {
        let calls = counted(usize::try_from(total.unpriced).unwrap_or(usize::MAX), "call");
        out += &format!(
            "\n{calls} of models without a price: what they cost is unknown, and in no amount.\n"
        );
    }
    for budget in &view.budgets {
        out += &budget_line(budget);
    }
    out
}

fn row(line: &CostLine) -> Vec<String> {
    vec![
        printable(&line.name),
        line.calls.to_string(),
        line.input_tokens.to_string(),
        line.output_tokens.to_string(),
        line.generation.to_string(),
        line.judging.to_string(),
        line.presumed.to_string(),
        line.hits.to_string(),
        line.saved.to_string(),
    ]
}

fn budget_line(budget: &BudgetView) -> String {
    let BudgetView { name, budget, spent, reached } = budget;
    let notice = match reached {
        None => String::new(),
        Some(100) => ": used up".to_owned(),
        Some(percent) => format!(": {percent} % are used"),
    };
    format!("budget {name}: {spent} of {budget}{notice}\n")
}
