//! `trysquare estimate`

use app::{
    AppError, Basis, CacheUse, CallsEstimate, Free, Money, RunEstimate, RunRequest, Sending, Tokens,
};

use values::NanoDollars;

use super::Context;
use crate::args::Estimate;
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::output::{BOLD, FAINT};
use crate::table::{self, Align};

/// Says what a run will take.
pub(super) fn estimate(context: &Context<'_>, args: Estimate) -> Result<Exit, AppError> {
    let cache = if args.no_cache { CacheUse::Off } else { CacheUse::On };
    let request = RunRequest {
        set: args.set,
        variants: args.variants,
        cases: args.cases,
        tags: args.tags,
        samples: args.samples,
        no_judges: args.no_judges,
        // Nothing is sent, so that a model without a price is no reason to refuse.
        sending: Sending { cache, allow_unpriced: true, ..Sending::default() },
        ..RunRequest::default()
    };
    let found = context.app.estimate(context.folder(), request)?;
    context.output.one(&found, shown);
    Ok(Exit::Complete)
}

fn shown(found: &RunEstimate) -> String {
    let percent = (found.confidence * 100.0).round();
    let mut out =
        format!("{BOLD}{}{BOLD:#}  {}\n", printable(&found.eval_set), total(&found.total, percent));
    out += &groups(&found.variants, "variant");
    if !found.judges.is_empty() {
        out.push('\n');
        out += &groups(&found.judges, "judge");
    }
    let mut notes: Vec<String> = Vec::new();
    for group in found.variants.iter().chain(&found.judges) {
        for note in notes_of(group) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        if group.retries > 0.0005 {
            notes.push(format!(
                "{}: {:.1} % more, as billed failures made earlier runs dearer",
                printable(&group.name),
                group.retries * 100.0
            ));
        }
    }
    if !notes.is_empty() {
        out.push('\n');
    }
    for note in notes {
        out += &format!("{FAINT}{note}{FAINT:#}\n");
    }
    out
}

/// Says how the tokens of a group are known; nothing where there are none.
fn notes_of(group: &CallsEstimate) -> impl Iterator<Item = String> {
    let is_sent = group.calls > 0;
    let notes = [group.input.and_then(input_note), group.output.and_then(output_note)];
    notes.into_iter().flatten().filter(move |_| is_sent)
}

fn groups(groups: &[CallsEstimate], name: &str) -> String {
    let head = [
        (name, Align::Left),
        ("answers", Align::Left),
        ("calls", Align::Right),
        ("cached", Align::Right),
        ("tokens in", Align::Right),
        ("tokens out", Align::Right),
        ("cost", Align::Right),
    ];
    let row = |group: &CallsEstimate| {
        vec![
            printable(&group.name),
            printable(&group.answers),
            if name == "judge" {
                format!("up to {}", group.calls)
            } else {
                group.calls.to_string()
            },
            group.known.to_string(),
            tokens(group.input),
            tokens(group.output),
            money(&group.cost),
        ]
    };
    table::render(&head, &groups.iter().map(row).collect::<Vec<_>>())
}

fn tokens(tokens: Option<Tokens>) -> String {
    match tokens {
        None => "unknown".to_owned(),
        Some(Tokens { low, high, .. }) if low == high => low.to_string(),
        Some(Tokens { low, high, .. }) => format!("{low} – {high}"),
    }
}

/// Returns a cost in a cell of a table.
fn money(money: &Money) -> String {
    match money {
        Money::Nothing { .. } => "$0.00".to_owned(),
        Money::Unknown => "unknown".to_owned(),
        Money::Range { low, high, .. } if low == high => low.to_string(),
        Money::Range { low, high, .. } => format!("{} – {}", rounded(*low), rounded(*high)),
    }
}

/// Returns what a run costs as a sentence.
pub(super) fn total(total: &Money, percent: f64) -> String {
    match total {
        Money::Nothing { because } => format!("$0.00: {}", reason(*because)),
        Money::Unknown => "what it costs is unknown: no price is known".to_owned(),
        Money::Range { low, likely, high, is_bound, is_partial } => {
            let more = if *is_partial { ", and what has no known price" } else { "" };
            if low == high {
                return format!("{low}{more}");
            }
            let [low, likely, high] = [low, likely, high].map(|amount| rounded(*amount));
            if *is_bound {
                return format!("{low} to {high}{more}");
            }
            format!("{low} to {high} ({percent} %), most likely {likely}{more}")
        }
    }
}

/// Returns an amount with three digits that count: a range is not known to the nano-dollar.
fn rounded(amount: NanoDollars) -> NanoDollars {
    let nano = amount.get();
    let step = 10i64.pow(nano.max(1).ilog10().saturating_sub(2));
    NanoDollars::new((nano + step / 2) / step * step)
}

fn reason(because: Free) -> &'static str {
    match because {
        Free::RunsHere => "it runs inside this program, on this machine",
        Free::Replay => "recordings answer",
        Free::NothingToSend => "nothing is left to send",
        Free::Several => "nothing is sent to a paid provider",
    }
}

fn input_note(tokens: Tokens) -> Option<String> {
    match tokens.basis {
        Basis::Learned { answers } => Some(format!(
            "tokens in: from bytes, as {} of this model were counted",
            counted(answers, "answer")
        )),
        Basis::Rough => Some(
            "tokens in: from bytes, by a rule of thumb; a first run teaches the model's ratio"
                .to_owned(),
        ),
        Basis::Seen { answers } => {
            Some(format!("tokens in: as in {} of the judge", counted(answers, "earlier call")))
        }
        Basis::Counted | Basis::Bounds => None,
    }
}

fn output_note(tokens: Tokens) -> Option<String> {
    match tokens.basis {
        Basis::Seen { answers } => Some(format!(
            "tokens out: from {} of the prompt on the model",
            counted(answers, "earlier answer")
        )),
        Basis::Bounds => Some(
            "tokens out: up to the most that each call allows; no earlier answer says more"
                .to_owned(),
        ),
        Basis::Counted | Basis::Learned { .. } | Basis::Rough => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_that_count() {
        let shown = |nano| rounded(NanoDollars::new(nano)).to_string();
        assert_eq!(shown(0), "$0.00");
        assert_eq!(shown(798_732), "$0.000799");
        assert_eq!(shown(1_234_567_890), "$1.23");
        assert_eq!(shown(99_960_000_000), "$100.00");
    }
}
