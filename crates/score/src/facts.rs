//! Checks of what is known about an output beside its wording: size, refusal, finish, time, money,
//! tools.

use chat::{FinishReason, Reply, ToolCall};
use evalset::check::{Bindings, JsonTemplate, LengthUnit, Range, ResolveError};
use serde_json::{Value, json};
use values::NanoDollars;

use crate::finding::Finding;
use crate::json::same;
use crate::quote::{quote, shorten};

/// The openings by which a refusal in plain English is known, in lower case with straight
/// apostrophes. A check that lists its own phrases replaces them.
pub const REFUSAL_OPENINGS: [&str; 18] = [
    "i can't ",
    "i cannot ",
    "i can not ",
    "i won't ",
    "i will not ",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i must decline",
    "i have to decline",
    "i'm sorry, but i ca",
    "i am sorry, but i ca",
    "i'm sorry, i ca",
    "sorry, but i ca",
    "sorry, i ca",
    "i apologize, but i ca",
    "as an ai ",
];

pub(crate) fn word_count(range: Range, output: &str) -> Finding {
    within(range, output.split_whitespace().count(), "words")
}

pub(crate) fn length(range: Range, unit: LengthUnit, output: &str) -> Finding {
    match unit {
        LengthUnit::Characters => within(range, output.chars().count(), "characters"),
        LengthUnit::Bytes => within(range, output.len(), "bytes"),
        LengthUnit::Lines => within(range, output.lines().count(), "lines"),
    }
}

fn within(range: Range, count: usize, unit: &str) -> Finding {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let passed =
        range.min.is_none_or(|min| count >= min) && range.max.is_none_or(|max| count <= max);
    let wanted = match (range.min, range.max) {
        (Some(min), Some(max)) if min == max => format!("exactly {min}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number of".to_owned(),
    };
    let unit = if count == 1 { unit.trim_end_matches('s') } else { unit };
    Finding::decided(passed, format!("the output has {count} {unit}, wanted {wanted}"))
}

pub(crate) fn refusal(phrases: Option<&[String]>, reply: &Reply, output: &str) -> Finding {
    if let Some(refusal) = &reply.refusal {
        return Finding::pass(format!("the model declined: {}", quote(refusal)));
    }
    match reply.finish {
        FinishReason::Refused => return Finding::pass("the provider says that the model declined"),
        FinishReason::Filtered => {
            return Finding::pass("the provider's filter withheld the output");
        }
        _ => {}
    }
    let plain = |text: &str| text.trim_start().to_lowercase().replace('\u{2019}', "'");
    // An opening is what matters, and lower-casing megabytes for it is waste.
    let opening = plain(&output.chars().take(400).collect::<String>());
    let found = match phrases {
        Some(phrases) => phrases.iter().any(|phrase| opening.starts_with(&plain(phrase))),
        None => REFUSAL_OPENINGS.iter().any(|phrase| opening.starts_with(phrase)),
    };
    if found {
        Finding::pass(format!("the output opens like a refusal: {}", quote(output)))
    } else {
        Finding::fail(format!("the output is no refusal: {}", quote(output)))
    }
}

/// Returns the word for a finish reason, as `evalset.yaml` writes it.
fn word(reason: FinishReason) -> String {
    json!(reason).as_str().unwrap_or_default().to_owned()
}

pub(crate) fn finish_reason(values: &[FinishReason], reply: &Reply) -> Finding {
    let found = word(reply.finish);
    if values.contains(&reply.finish) {
        return Finding::pass(format!("the model stopped with `{found}`"));
    }
    let wanted: Vec<_> = values.iter().map(|reason| format!("`{}`", word(*reason))).collect();
    Finding::fail(format!("the model stopped with `{found}`, expected {}", wanted.join(" or ")))
}

pub(crate) fn latency(max_ms: u64, latency_ms: Option<u64>) -> Finding {
    let Some(found) = latency_ms else {
        return Finding::skipped("the latency of this output is not known");
    };
    Finding::decided(
        found <= max_ms,
        format!("the answer took {found} ms, at most {max_ms} ms wanted"),
    )
}

pub(crate) fn cost(max: NanoDollars, cost: Option<NanoDollars>) -> Finding {
    let Some(found) = cost else {
        return Finding::skipped(
            "the cost of this output is not known: its model has no price, or no usage came",
        );
    };
    Finding::decided(found <= max, format!("the answer cost {found}, at most {max} wanted"))
}

pub(crate) fn tool_call(
    tool: &str,
    arguments: Option<&JsonTemplate>,
    only: bool,
    reply: &Reply,
    bindings: Bindings<'_>,
) -> Result<Finding, ResolveError> {
    let wanted = arguments.map(|arguments| arguments.resolve(bindings)).transpose()?;
    let is_wanted = |call: &ToolCall| {
        call.name == tool && wanted.as_ref().is_none_or(|wanted| same(wanted, &call.arguments))
    };
    let calls = &reply.tool_calls;
    let found = calls.iter().filter(|call| is_wanted(call)).count();
    let named = match &wanted {
        None => format!("a call of `{tool}`"),
        Some(arguments) => show_call(tool, arguments),
    };
    Ok(if found == 0 {
        Finding::fail(format!("expected {named}, found {}", show_calls(calls)))
    } else if only && calls.len() > 1 {
        Finding::fail(format!("expected {named} alone, found {}", show_calls(calls)))
    } else {
        Finding::pass(format!("the model asks for {named}"))
    })
}

fn show_call(name: &str, arguments: &Value) -> String {
    shorten(&format!("{name}({arguments})"), 160)
}

fn show_calls(calls: &[ToolCall]) -> String {
    const SHOWN: usize = 3;
    if calls.is_empty() {
        return "no tool call".to_owned();
    }
    let mut shown: Vec<_> =
        calls.iter().take(SHOWN).map(|call| show_call(&call.name, &call.arguments)).collect();
    if calls.len() > SHOWN {
        shown.push(format!("{} more", calls.len() - SHOWN));
    }
    shown.join(", ")
}
