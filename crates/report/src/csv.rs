use crate::model::Report;
use crate::outline::change_word;
use crate::rows::RowSide;
use crate::safe::visible;

/// The columns.
const HEADER: [&str; 15] = [
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
];

/// Writes a report as CSV (RFC 4180, UTF-8): one row a case and criterion of each candidate.
///
/// A text that a spreadsheet would take for a formula begins with an apostrophe.
pub fn csv(report: &Report) -> String {
    let mut out = String::new();
    line(&mut out, &HEADER.map(str::to_owned));
    for section in &report.sections {
        let comparison = &section.comparison;
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
            line(&mut out, &cells);
        }
    }
    out
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
