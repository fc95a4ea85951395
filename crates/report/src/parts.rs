//! What the reports on a judge are made of, so that every format writes the same.

use analysis::{Estimate, SwapFinding};

use crate::number::{counted, fixed, percent};
use crate::words::undefined;

/// Columns of the text for a terminal; longer lines are hard to read.
const WIDTH: usize = 100;

/// A part of a report on a judge.
pub(crate) enum Part {
    /// A heading; the first one is the title.
    Heading(String),
    /// A sentence.
    Line(String),
    /// A table, whose first row names the columns.
    Table(Vec<Vec<String>>),
}

/// Writes parts for a terminal, without colours.
pub(crate) fn text(parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Heading(text) if out.is_empty() => out += &wrapped("", text),
            Part::Heading(text) => out += &format!("\n{}", wrapped("", text)),
            Part::Line(text) => out += &wrapped("  ", text),
            Part::Table(rows) => out += &columns(rows),
        }
    }
    out
}

/// Lays a paragraph out for a terminal, wrapped at words; its later lines are indented further.
fn wrapped(lead: &str, text: &str) -> String {
    use unicode_width::UnicodeWidthStr;
    let (mut out, mut line) = (String::new(), lead.to_owned());
    for (place, word) in text.split(' ').enumerate() {
        if place > 0 && line.width() + 1 + word.width() > WIDTH {
            out += &format!("{line}\n");
            line = format!("{lead}  {word}");
            continue;
        }
        if place > 0 {
            line.push(' ');
        }
        line += word;
    }
    out + &format!("{line}\n")
}

/// Writes parts as Markdown.
pub(crate) fn markdown(parts: &[Part]) -> String {
    let plain = crate::markdown::inline;
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Heading(text) if out.is_empty() => out += &format!("## {}\n\n", plain(text)),
            Part::Heading(text) => out += &format!("\n### {}\n\n", plain(text)),
            Part::Line(text) => out += &format!("- {}\n", plain(text)),
            Part::Table(rows) => {
                for (place, row) in rows.iter().enumerate() {
                    let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
                    out += &format!("| {} |\n", cells.join(" | "));
                    if place == 0 {
                        out += &format!("|{}\n", " --- |".repeat(row.len()));
                    }
                }
            }
        }
    }
    out
}

/// Lays a table out for a terminal, its first row being the head.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    use unicode_width::UnicodeWidthStr;
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(wide).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = " ".to_owned();
        for (cell, width) in row.iter().zip(&widths) {
            line += &format!(" {cell}{} ", " ".repeat(width - cell.width()));
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// Returns a number in words, or why there is none.
pub(crate) fn number<T: Copy>(estimate: Estimate<T>, shown: impl Fn(T) -> String) -> String {
    estimate.value().map_or_else(|| format!("— ({})", undefined(estimate)), shown)
}

/// Returns a p-value in words.
pub(crate) fn p(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { fixed(value, 3) }
}

/// Says whether the order of a pair decides.
pub(crate) fn position_line(position: &SwapFinding) -> String {
    format!(
        "Position: {} of {} agree in both orders; first twice {}, second twice {} (p {})",
        number(position.consistency, percent),
        counted(position.pairs, "pair"),
        position.first_twice,
        position.second_twice,
        p(position.p_value)
    )
}
