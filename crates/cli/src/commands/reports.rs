//! Reports as files: `--report md=a.md,html=b.html`.

use std::path::{Path, PathBuf};

use app::AppError;
use report::{Limits, Report};

use super::Context;

/// Columns of a report on a terminal; longer lines are hard to read.
const WIDTH: usize = 100;

/// The files that a report is to be written into.
pub(crate) struct ReportFiles(Vec<(Kind, PathBuf)>);

#[derive(Clone, Copy)]
enum Kind {
    Markdown,
    Html,
    Junit,
    Csv,
    Json,
}

impl ReportFiles {
    /// Reads `KIND=FILE` items.
    ///
    /// # Errors
    /// Wrong usage, naming the kinds that there are.
    pub(crate) fn parse(items: &[String]) -> Result<Self, AppError> {
        items.iter().map(|item| parse(item)).collect::<Result<_, _>>().map(Self)
    }

    /// Writes each file whole, or leaves it as it was.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(&self, report: &Report) -> Result<(), AppError> {
        for (kind, path) in &self.0 {
            let text = match kind {
                Kind::Markdown => report::markdown(report),
                Kind::Html => report::html(report),
                Kind::Junit => report::junit(report),
                Kind::Csv => report::csv(report),
                Kind::Json => report::json(report),
            };
            app::write_file(path, &text)?;
        }
        Ok(())
    }
}

/// Prints a report, with at most so many cases of each list for people.
pub(crate) fn print(context: &Context<'_>, report: &Report, cases: usize) {
    let shown = Limits { cases, ..report.limits };
    context.output.one(report, |report| {
        report::text(&Report { limits: shown, ..report.clone() }, WIDTH, true)
    });
}

fn parse(item: &str) -> Result<(Kind, PathBuf), AppError> {
    let bad = |what: String| {
        AppError::input(what)
            .with_hint("say KIND=FILE with md, html, junit, csv or json, as in md=comparison.md")
    };
    let (kind, path) = item
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or_else(|| bad(format!("`--report {item}` names no file")))?;
    let kind = match kind {
        "md" => Kind::Markdown,
        "html" => Kind::Html,
        "junit" => Kind::Junit,
        "csv" => Kind::Csv,
        "json" => Kind::Json,
        _ => return Err(bad(format!("there is no kind of report `{kind}`"))),
    };
    Ok((kind, Path::new(path).to_owned()))
}
