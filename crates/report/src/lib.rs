//! What a comparison says, for people and for programs: one [`Report`], rendered as terminal text,
//! Markdown, HTML, JUnit XML, CSV and JSON.
//!
//! Pure: no clock, no file, no terminal. The statistics are those of `analysis`; here they only get
//! words ([`words`]) and pictures. Everything that came from a model, a case or a person is hostile:
//! each renderer makes it visible, bounds it and escapes it for its own format.

mod calibration;
mod csv;
mod evidence;
mod failures;
mod figures;
mod html;
mod junit;
mod markdown;
mod markup;
mod model;
mod number;
mod outline;
mod parts;
pub mod plot;
mod probe;
mod rows;
mod safe;
mod text;
pub mod words;

pub use calibration::{
    CALIBRATION_FORMAT, CalibrationReport, calibration_html, calibration_json,
    calibration_markdown, calibration_text, rate_sentence, state_sentence,
};
pub use csv::csv;
pub use failures::{
    CategoryRow, FAILURES_FORMAT, FailureReport, NoteRow, NoteStanding, NotesAside, failures_csv,
    failures_markdown, failures_text, saturation_sentence,
};
pub use figures::{CriterionFigures, Latencies, Rate};
pub use html::html;
pub use junit::junit;
pub use markdown::markdown;
pub use model::{
    CaseDetail, CorrectedVerdict, FORMAT, History, Limits, OutputDetail, Reason, Replayed, Report,
    Section, Unusable,
};
pub use probe::{PROBE_FORMAT, ProbeCalls, ProbeReport, probe_json, probe_markdown, probe_text};
pub use rows::{Row, RowSide, RowStatus};
pub use text::text;

/// Writes a report as JSON, as `docs/formats/report.md` describes it.
pub fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has only keys of text");
    text.push('\n');
    text
}
