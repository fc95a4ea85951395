//! `trysquare label import`

use app::{AppError, Brought, ImportFile, LabelImport as Request, LabelsImported};

use crate::args::LabelImport;
use crate::commands::Context;
use crate::diagnostics::{self, counted, printable};
use crate::exit::Exit;
use crate::output::BOLD;

/// Brings in what people and judges said elsewhere.
pub(super) fn import(context: &Context<'_>, args: LabelImport) -> Result<Exit, AppError> {
    let data = if args.data.is_empty() {
        vec![ImportFile::read("standard input", std::io::stdin().lock())?]
    } else {
        args.data.iter().map(|path| ImportFile::open(path)).collect::<Result<_, _>>()?
    };
    let request =
        Request { set: args.set, map: args.map, preview: args.preview, skip_bad: args.skip_bad };
    let imported = context.app.import_labels(context.folder(), &request, &data)?;
    context.output.one(&imported, shown);
    Ok(Exit::Complete)
}

fn shown(found: &LabelsImported) -> String {
    let mut out = String::new();
    for one in found.warnings.iter().chain(&found.skipped) {
        out += &diagnostics::render(one);
        out.push('\n');
    }
    let set = printable(&found.eval_set);
    out += &if found.preview {
        format!("{BOLD}{set}{BOLD:#}: a preview, nothing was written\n")
    } else {
        format!("{BOLD}{set}{BOLD:#}\n")
    };
    out += &format!("{} read", counted(usize::try_from(found.rows).unwrap_or(usize::MAX), "row"));
    if found.problems > 0 {
        out += &format!(", rows with {} left out", counted(found.problems, "problem"));
    }
    out.push('\n');
    out += &format!("cases: {}\n", brought(found.cases));
    if found.outputs != Brought::default() {
        out += &format!("texts of outputs: {}\n", brought(found.outputs));
    }
    out += &format!("labels: {}", brought(found.labels));
    if found.labels_changed > 0 {
        out += &format!("; {} in place of an earlier import's", found.labels_changed);
    }
    if found.labels_purged > 0 {
        out += &format!("; {} purged, which stay away", found.labels_purged);
    }
    out.push('\n');
    for one in &found.criteria {
        let values = one.values.iter().map(|(value, n)| format!("{n} {}", printable(value)));
        let (values, people) = (values.collect::<Vec<_>>(), people(one.labellers));
        out += &format!("  {}: {} by {people}\n", printable(&one.criterion), values.join(", "));
    }
    if !found.judges.is_empty() {
        out += "verdicts of judges:\n";
    }
    for one in &found.judges {
        let (criterion, judge) = (printable(&one.criterion), printable(&one.judge));
        out += &format!("  {criterion}, {judge}: {}", brought(one.verdicts));
        if one.unreadable > 0 {
            out += &format!("; {} of them unreadable", one.unreadable);
        }
        out.push('\n');
    }
    out + &remarks(found) + &examples(found)
}

fn remarks(found: &LabelsImported) -> String {
    if found.labels_not_drawn == 0 {
        return String::new();
    }
    let labels = counted(found.labels_not_drawn, "label");
    format!(
        "{labels} enter no rate: the mapping does not say that chance drew their cases (`drawn`)\n"
    )
}

fn examples(found: &LabelsImported) -> String {
    let mut out = String::new();
    if !found.examples.is_empty() {
        out += &format!("\n{BOLD}the first rows, as they were understood{BOLD:#}\n");
    }
    for row in &found.examples {
        out += &format!("{}\n", printable(&row.case));
        for said in row.labels.iter().chain(&row.verdicts) {
            out += &format!("  {}\n", printable(said));
        }
    }
    out
}

fn brought(count: Brought) -> String {
    match count.known {
        0 => format!("{} new", count.new),
        known => format!("{} new, {known} here already", count.new),
    }
}

fn people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}
