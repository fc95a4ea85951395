//! Checks of the output as text or as a number.

use std::borrow::Cow;

use evalset::check::{
    Bindings, Combination, Equality, JsonTemplate, Pattern, ResolveError, TextList, TextTemplate,
};
use serde_json::Value;

use crate::finding::Finding;
use crate::quote::{place, quote, quote_at, shorten};

/// The most alternatives that a reason lists.
const LISTED: usize = 8;
/// The most characters that a reason shows of a pattern.
const PATTERN_CHARS: usize = 120;

type Checked = Result<Finding, ResolveError>;

pub(crate) fn equals(
    value: &TextTemplate,
    equality: Equality,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let expected = value.resolve(bindings)?;
    if normal(&expected, equality) == normal(output, equality) {
        return Ok(Finding::pass(format!("the output is {}", quote(output))));
    }
    let at = first_difference(&expected, output);
    Ok(Finding::fail(format!(
        "expected {}, found {} ({})",
        quote_at(&expected, at),
        quote_at(output, at),
        how_they_differ(&expected, output, at)
    )))
}

/// Returns the form in which two texts are compared.
fn normal(text: &str, equality: Equality) -> Cow<'_, str> {
    let mut normal = Cow::Borrowed(text);
    if equality.ignore_space {
        normal = Cow::Owned(normal.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    if equality.ignore_case {
        normal = Cow::Owned(normal.to_lowercase());
    }
    normal
}

/// Returns the number of characters that both texts start with.
fn first_difference(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count()
}

fn how_they_differ(expected: &str, found: &str, at: usize) -> String {
    let loosely = |ignore_case, ignore_space| {
        let equality = Equality { ignore_case, ignore_space };
        normal(expected, equality) == normal(found, equality)
    };
    if found.is_empty() {
        "the output is empty".to_owned()
    } else if expected.trim() == found.trim() {
        "they differ only in white space at the ends".to_owned()
    } else if loosely(false, true) {
        "they differ only in white space".to_owned()
    } else if loosely(true, false) {
        "they differ only in upper and lower case".to_owned()
    } else {
        let byte = found.char_indices().nth(at).map_or(found.len(), |(byte, _)| byte);
        format!("they differ from {} on", place(found, byte))
    }
}

/// Finds a text in another; a place in lower-cased text is not one in the output.
fn find(output: &str, needle: &str, ignore_case: bool) -> Option<String> {
    if ignore_case {
        let found = output.to_lowercase().contains(&needle.to_lowercase());
        return found.then(|| format!("contains {}, case ignored", quote(needle)));
    }
    let at = output.find(needle)?;
    Some(format!("contains {} at {}", quote(needle), place(output, at)))
}

fn filled(values: &TextList, bindings: Bindings<'_>) -> Result<Vec<String>, ResolveError> {
    let texts = values.resolve(bindings)?;
    if texts.iter().any(String::is_empty) {
        let placeholder = values.placeholders().first().map_or("", |first| first.source());
        return Err(ResolveError::Empty(placeholder.to_owned()));
    }
    Ok(texts)
}

pub(crate) fn contains(
    values: &TextList,
    combination: Combination,
    ignore_case: bool,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let texts = filled(values, bindings)?;
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for text in &texts {
        match find(output, text, ignore_case) {
            Some(place) => found.push(place),
            None => missing.push(text.clone()),
        }
    }
    let passed = match combination {
        Combination::All => missing.is_empty(),
        Combination::Any => !found.is_empty(),
    };
    Ok(if passed {
        found.truncate(LISTED);
        Finding::pass(format!("the output {}", found.join(", ")))
    } else {
        let all = if combination == Combination::Any { "any of " } else { "" };
        Finding::fail(format!("{} does not contain {all}{}", quote(output), list(&missing)))
    })
}

pub(crate) fn not_contains(
    values: &TextList,
    ignore_case: bool,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let texts = filled(values, bindings)?;
    let mut found: Vec<_> =
        texts.iter().filter_map(|text| find(output, text, ignore_case)).collect();
    Ok(if found.is_empty() {
        Finding::pass(format!("the output does not contain {}", list(&texts)))
    } else {
        found.truncate(LISTED);
        Finding::fail(format!("the output {}", found.join(", ")))
    })
}

pub(crate) fn starts_with(
    value: &TextTemplate,
    ignore_case: bool,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let expected = value.resolve_filled(bindings)?;
    let starts = if ignore_case {
        output.to_lowercase().starts_with(&expected.to_lowercase())
    } else {
        output.starts_with(&expected)
    };
    Ok(if starts {
        Finding::pass(format!("the output starts with {}", quote(&expected)))
    } else {
        Finding::fail(format!(
            "expected a start with {}, found {}",
            quote(&expected),
            quote(output)
        ))
    })
}

pub(crate) fn regex(pattern: &Pattern, output: &str, bindings: Bindings<'_>) -> Checked {
    let regex = pattern.resolve(bindings)?;
    let shown = shorten(regex.as_str(), PATTERN_CHARS);
    Ok(match regex.find(output) {
        Some(found) => Finding::pass(format!(
            "the pattern `{shown}` matches {} at {}",
            quote(found.as_str()),
            place(output, found.start())
        )),
        None => {
            Finding::fail(format!("the pattern `{shown}` matches nowhere in {}", quote(output)))
        }
    })
}

pub(crate) fn one_of(
    values: &TextList,
    equality: Equality,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let texts = values.resolve(bindings)?;
    let found = normal(output, equality);
    let is_one = texts.iter().any(|text| normal(text, equality) == found);
    Ok(if is_one {
        Finding::pass(format!("the output is {}", quote(output)))
    } else {
        Finding::fail(format!("expected one of {}, found {}", list(&texts), quote(output)))
    })
}

fn list(texts: &[String]) -> String {
    let mut shown: Vec<_> = texts.iter().take(LISTED).map(|text| quote(text)).collect();
    if texts.len() > LISTED {
        shown.push(format!("{} more", texts.len() - LISTED));
    }
    shown.join(", ")
}

/// How far a number may be off; the larger of both counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) absolute: f64,
    /// A share of the expected number.
    pub(crate) relative: f64,
}

/// A number as it was written: whole numbers are compared exactly, whatever their length.
#[derive(Debug, Clone, Copy)]
enum Numeric {
    Whole(i128),
    Real(f64),
}

impl Numeric {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        if !is_plain {
            return None; // `inf`, `nan` and thousands separators are not numbers here.
        }
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        text.parse().ok().filter(|real: &f64| real.is_finite()).map(Self::Real)
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }

    fn distance(self, other: Self) -> f64 {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.abs_diff(other) as f64,
            (one, other) => (one.real() - other.real()).abs(),
        }
    }
}

pub(crate) fn number(
    value: &JsonTemplate,
    tolerance: Tolerance,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let resolved = value.resolve(bindings)?;
    let written = match &resolved {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let expected = Numeric::parse(&written)
        .ok_or_else(|| ResolveError::NotANumber(shorten(&written, LISTED * 10)))?;
    let Some(found) = Numeric::parse(output) else {
        return Ok(Finding::fail(format!(
            "expected the number {written}, found {}",
            quote(output)
        )));
    };
    let allowed = tolerance.absolute.max(tolerance.relative * expected.real().abs());
    let distance = found.distance(expected);
    // With a tolerance, the last digits of the doubles must not decide: 1.3 is within 0.1 of 1.2.
    let rounding = if allowed > 0.0 {
        4.0 * f64::EPSILON * expected.real().abs().max(found.real().abs())
    } else {
        0.0
    };
    let shown = shorten(output.trim(), LISTED * 10);
    let wanted =
        if allowed > 0.0 { format!("{written} give or take {}", brief(allowed)) } else { written };
    Ok(if distance <= allowed + rounding {
        Finding::pass(format!("{shown} is {wanted}"))
    } else {
        Finding::fail(format!("expected {wanted}, found {shown}, off by {}", brief(distance)))
    })
}

/// Returns a distance with about six digits.
fn brief(distance: f64) -> String {
    if distance > 0.0 && !(1e-4..1e15).contains(&distance) {
        return format!("{distance:.3e}");
    }
    let text = format!("{distance:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
