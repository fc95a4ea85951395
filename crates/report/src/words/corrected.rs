use analysis::calibration::{Correction, NotCorrected};
use analysis::{Basis, Verdict};

use super::refusal::label_next;
use super::{Names, basis_words, name, undefined};
use crate::calibration::not_corrected;
use crate::model::CorrectedVerdict;
use crate::number::{count, counted, point_range, points};

/// Says what people would find of the difference that a judge sees; without labels, whose opinion the
/// verdict is.
pub fn corrected_sentence(found: &CorrectedVerdict, basis: &Basis, names: &Names) -> String {
    let criterion = name(&found.criterion);
    let judge = basis_words(basis);
    let Correction::Corrected { estimate, interval, labels, judged, judge_says, .. } =
        &found.difference.correction
    else {
        let Correction::Not { reason } = found.difference.correction else { return String::new() };
        return match reason {
            NotCorrected::NoPairs => format!(
                "{criterion}: no corrected difference, because fewer than two cases have labels of both \
                 sides that may enter (of the test split, drawn by chance): the verdict is that of \
                 {judge} alone. {}",
                label_next(&found.criterion, names)
            ),
            other => format!("{criterion}: no corrected difference: {}.", not_corrected(other)),
        };
    };
    let says = judge_says.value().map_or("nothing".to_owned(), |value| {
        format!("{} points on the {}", points(value), counted(*judged, "case"))
    });
    let cases = format!("{} cases that people labelled on both sides", count(*labels));
    let Some((value, range)) = estimate.value().zip(interval.value()) else {
        let why = undefined(*interval);
        return format!(
            "{criterion}: {judge} says {says} of the test split; no correction with {cases} ({why})."
        );
    };
    let reads = found.verdict.map_or("", Verdict::words);
    format!(
        "{criterion}: {judge} says {says} of the test split; corrected with {cases}: {} points (95 %: {}), \
         which reads \u{201c}{reads}\u{201d}.",
        points(value),
        point_range(range)
    )
}
