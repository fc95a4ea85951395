//! The tables of a section, with headers that a screen reader finds.

use analysis::Square;

use crate::evidence::Table;
use crate::markup::Markup;
use crate::number::count;
use crate::outline::Outline;
use crate::words::Names;

/// Writes what became of the cases as a square of two by two.
pub(super) fn square(page: &mut Markup, square: &Square, names: &Names) {
    scroll(page, "What became of the compared cases");
    page.open("table", &[("class", "square")]);
    page.open("thead", &[]);
    page.open("tr", &[]);
    page.leaf("td", &[], "");
    for what in ["passes", "fails"] {
        let head = format!("{} {what}", names.candidate);
        page.leaf("th", &[("scope", "col"), ("class", "number")], &head);
    }
    page.close();
    page.close();
    page.open("tbody", &[]);
    let rows = [
        (
            "passes",
            ("", count(square.both_pass)),
            ("broke", format!("▼ {} broke", count(square.broke))),
        ),
        (
            "fails",
            ("fixed", format!("▲ {} fixed", count(square.fixed))),
            ("", count(square.both_fail)),
        ),
    ];
    for (what, left, right) in rows {
        page.open("tr", &[]);
        page.leaf("th", &[("scope", "row")], &format!("{} {what}", names.baseline));
        for (class, text) in [left, right] {
            page.leaf("td", &[("class", class)], &text);
        }
        page.close();
    }
    page.close();
    page.close();
    page.close();
    if square.mixed > 0 {
        let mixed = format!("{} score the same in between.", count(square.mixed));
        page.leaf("p", &[("class", "faint")], &mixed);
    }
}

/// Writes a row for each criterion.
pub(super) fn criteria(page: &mut Markup, outline: &Outline<'_>) {
    let names = &outline.names;
    let heads = [
        ("criterion", ""),
        ("decided by", ""),
        ("verdict", ""),
        ("points", "number"),
        ("interval", "number"),
        (names.baseline.as_str(), "number"),
        (names.candidate.as_str(), "number"),
        ("n", "number"),
    ];
    let rows = outline.criteria.iter().map(|row| {
        vec![
            row.name.clone(),
            row.basis.clone(),
            row.verdict.clone(),
            row.difference.clone(),
            row.interval.clone(),
            row.baseline.clone(),
            row.candidate.clone(),
            count(row.cases),
        ]
    });
    table(page, "Criteria", &heads, rows);
}

/// Writes a table of words with its remarks.
pub(super) fn evidence(page: &mut Markup, found: &Table) {
    let heads: Vec<(&str, &str)> = found
        .heads
        .iter()
        .map(|head| (head.text.as_str(), if head.is_number { "number" } else { "" }))
        .collect();
    table(page, &found.caption, &heads, found.rows.iter().cloned());
    for remark in &found.remarks {
        page.leaf("p", &[("class", "faint")], remark);
    }
}

/// Writes a table; the first column is the header of its row.
pub(super) fn table(
    page: &mut Markup,
    caption: &str,
    heads: &[(&str, &str)],
    rows: impl Iterator<Item = Vec<String>>,
) {
    scroll(page, caption);
    page.open("table", &[]);
    page.leaf("caption", &[], caption);
    page.open("thead", &[]);
    page.open("tr", &[]);
    for (head, class) in heads {
        page.leaf("th", &[("scope", "col"), ("class", class)], head);
    }
    page.close();
    page.close();
    page.open("tbody", &[]);
    for row in rows {
        page.open("tr", &[]);
        for (place, cell) in row.iter().enumerate() {
            match heads.get(place) {
                _ if place == 0 => page.leaf("th", &[("scope", "row")], cell),
                Some((_, class)) => page.leaf("td", &[("class", class)], cell),
                None => page.leaf("td", &[], cell),
            }
        }
        page.close();
    }
    page.close();
    page.close();
    page.close();
}

/// Opens what scrolls sideways where the page is narrower than a table.
fn scroll(page: &mut Markup, label: &str) {
    page.open(
        "div",
        &[("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", label)],
    );
}
