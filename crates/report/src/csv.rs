use std::collections::{HashMap, HashSet};

use crate::model::{Report, Section};
use crate::outline::change_word;
use crate::rows::RowSide;
use crate::safe::visible;
use crate::words::{self, Names};

/// The columns.
const HEADER: [&str; 18] = [
    "eval_set",
    "baseline",
    "candidate",
    "case",
    "tags",
    "criterion",
    "change",
    "baseline_status",
    "baseline_mean",
    "baseline_passed",
    "baseline_samples",
    "candidate_status",
    "candidate_mean",
    "candidate_passed",
    "candidate_samples",
    "left_out",
    "warnings",
    "verdict",
];

/// Writes a report as CSV (RFC 4180, UTF-8): one row a case and criterion of each candidate.
///
/// A text that a spreadsheet would take for a formula begins with an apostrophe.
pub fn csv(report: &Report) -> String {
    let mut out = String::new();
    line(&mut out, &HEADER.map(str::to_owned));
    for section in &report.sections {
        let comparison = &section.comparison;
        let names = Names::of(&comparison.baseline, &comparison.candidate);
        let warnings = comparison.warnings.iter();
        let warnings: Vec<String> =
            warnings.map(|warning| words::warning_sentence(warning, &names)).collect();
        let (warnings, compared) = (warnings.join(" "), Compared::of(section));
        for row in &section.rows {
            let change = row.change.map(change_word).unwrap_or_default();
            let mut cells = vec![
                comparison.eval_set.clone(),
                comparison.baseline.variant.name.clone(),
                comparison.candidate.variant.name.clone(),
                row.case.clone(),
                row.tags.join(" "),
                row.criterion.clone(),
                change.to_owned(),
            ];
            cells.extend(side(row.baseline));
            cells.extend(side(row.candidate));
            let of = compared.get(row.criterion.as_str());
            let is_left_out = of.is_some_and(|of| of.left_out.contains(row.case.as_str()));
            cells.push(if is_left_out { "yes" } else { "no" }.to_owned());
            cells.push(warnings.clone());
            cells.push(of.map(|of| of.verdict.clone()).unwrap_or_default());
            line(&mut out, &cells);
        }
    }
    out
}

/// What a row says of its criterion.
struct Compared<'a> {
    verdict: String,
    left_out: HashSet<&'a str>,
}

impl<'a> Compared<'a> {
    fn of(section: &'a Section) -> HashMap<&'a str, Self> {
        let criteria = section.comparison.criteria.iter();
        criteria
            .map(|one| {
                let left_out = one.left_out.iter().map(String::as_str).collect();
                (one.criterion.as_str(), Self { verdict: words::verdict_words(one), left_out })
            })
            .collect()
    }
}

fn side(side: Option<RowSide>) -> [String; 4] {
    let Some(side) = side else { return Default::default() };
    [
        side.status.word().to_owned(),
        side.mean.map(|mean| mean.to_string()).unwrap_or_default(),
        side.passed.to_string(),
        side.samples.to_string(),
    ]
}

/// Writes one row.
pub(crate) fn line(out: &mut String, cells: &[String]) {
    for (place, text) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&cell(text));
    }
    out.push_str("\r\n");
}

/// Returns one cell, harmless to spreadsheets and quoted where it must be.
fn cell(text: &str) -> String {
    let text = visible(text);
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '\u{2212}'])
        || text.starts_with(['\t', '\n']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\'', ';', '\t']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_texts() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("  @SUM(A1)"), "\"'  @SUM(A1)\"");
        assert_eq!(cell("-2"), "\"'-2\"");
        assert_eq!(cell("\t=x"), "\"'\t=x\"");
        assert_eq!(cell("a,b\"c"), "\"a,b\"\"c\"");
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("\u{202e}x\r"), "\\u{202e}x\\u{d}");
    }
}
