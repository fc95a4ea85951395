//! `trysquare doctor`

use anstyle::{AnsiColor, Style};
use app::{AppError, Finding, Health};

use super::Context;
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::output::{BOLD, FAINT};
use crate::table::{self, Align};

const WELL: Style = AnsiColor::Green.on_default();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// Examines the installation and the project, and lists the hosts that were contacted.
pub(crate) fn doctor(context: &Context<'_>) -> Result<Exit, AppError> {
    let health = context.app.examine(context.folder())?;
    context.output.one(&health, shown);
    Ok(if health.is_well() { Exit::Complete } else { Exit::Unusable })
}

fn shown(health: &Health) -> String {
    let mut out: String = health.findings.iter().map(line).collect();
    if health.contacted.is_empty() {
        out += "\nNo host was contacted for this project.\n";
        return out;
    }
    let head = [("host", Align::Left), ("first", Align::Left), ("last", Align::Left)];
    let rows: Vec<Vec<String>> = health
        .contacted
        .iter()
        .map(|host| vec![printable(&host.origin), host.first.to_string(), host.last.to_string()])
        .collect();
    out + &format!("\n{BOLD}Hosts that were contacted for this project{BOLD:#}\n")
        + &table::render(&head, &rows)
}

fn line(finding: &Finding) -> String {
    let (style, mark) = match finding.is_well {
        Some(true) => (WELL, "✓"),
        Some(false) => (WRONG, "✕"),
        None => (FAINT, "·"),
    };
    let (what, found) = (printable(&finding.what), printable(&finding.found));
    let mut out = format!("{style}{mark}{style:#} {BOLD}{what}{BOLD:#}: {found}\n");
    if let Some(hint) = &finding.hint {
        out += &format!("  {BOLD}hint{BOLD:#}: {}\n", printable(hint));
    }
    out
}
