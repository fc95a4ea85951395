//! Plain tables: columns aligned by width, no lines.

use anstream::adapter::strip_str;

use crate::output::{BOLD, FAINT};

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Renders rows under a faint head. Cells may carry colours; their width does not count.
pub(crate) fn render(head: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, (title, _))| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
            cells.chain([width(title)]).max().unwrap_or(0)
        })
        .collect();
    let titles: Vec<String> = head.iter().map(|(title, _)| (*title).to_owned()).collect();
    let mut out = format!("{FAINT}{}{FAINT:#}\n", line(head, &widths, &titles));
    for row in rows {
        out += &line(head, &widths, row);
        out.push('\n');
    }
    out
}

/// Renders what a person can do next: commands, each with what it does. Nothing if there is nothing.
pub(crate) fn steps(steps: &[(String, String)]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let wide = steps.iter().map(|(command, _)| width(command)).max().unwrap_or(0);
    let mut out = format!("\n{BOLD}Next{BOLD:#}\n");
    for (command, why) in steps {
        out += &format!("  {command:<wide$}    {why}\n");
    }
    out
}

fn line(head: &[(&str, Align)], widths: &[usize], cells: &[String]) -> String {
    let mut out = String::new();
    for (((_, align), width_of), cell) in head.iter().zip(widths).zip(cells) {
        let space = " ".repeat(width_of.saturating_sub(width(cell)));
        match align {
            Align::Left => out += &format!("{cell}{space}  "),
            Align::Right => out += &format!("{space}{cell}  "),
        }
    }
    out.trim_end().to_owned()
}

fn width(text: &str) -> usize {
    strip_str(text).to_string().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_their_colours() {
        let rows = [
            vec!["\u{1b}[1mexamples\u{1b}[0m".to_owned(), "9".to_owned()],
            vec!["a".to_owned(), "120".to_owned()],
        ];
        let text = render(&[("variant", Align::Left), ("n", Align::Right)], &rows);
        insta::assert_snapshot!(strip_str(&text).to_string(), @r"
        variant     n
        examples    9
        a         120
        ");
    }
}
