//! What judges say of a run, and what people would find.

use app::{JudgeState, JudgedRates};

use crate::diagnostics::printable;
use crate::output::BOLD;

/// Says it for people; nothing if no judge judged.
pub(super) fn text(rates: &[JudgedRates]) -> String {
    if rates.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{BOLD}Pass rates by judges{BOLD:#}\n");
    for one in rates {
        let state = one.state.map_or("never calibrated", JudgeState::words);
        let (judge, criterion) = (printable(&one.judge), printable(&one.criterion));
        out += &format!("  {judge} on {criterion} ({state})\n");
        for rate in &one.rates {
            out += &format!("    {}\n", report::rate_sentence(rate));
        }
    }
    out
}
