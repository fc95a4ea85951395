//! Which plots a page shows, and where.

use analysis::{Slice, Verdict};

use super::tables;
use crate::evidence::is_listed;
use crate::markup::Markup;
use crate::model::{Report, Section};
use crate::outline::Outline;
use crate::plot::{ForestRow, VariantPoint, inner};
use crate::words;

/// Writes the plot that compares all variants, where there are several whose cost is known.
pub(super) fn of_report(page: &mut Markup, report: &Report) {
    if report.sections.len() < 2 {
        return;
    }
    let points = points(&report.sections);
    if points.len() > 1 {
        page.leaf("h2", &[], "Cost against quality");
        let caption = "The rate on the primary criterion against cost, with both intervals";
        figure(page, caption, &inner::tradeoff(&points));
    }
}

/// Writes what became of the cases beside the differences.
pub(super) fn overview(page: &mut Markup, section: &Section, outline: &Outline<'_>) {
    page.open("div", &[("class", "plots")]);
    if let Some(square) = outline.first.map(|first| &first.square).filter(|one| one.total() > 0) {
        page.open("div", &[]);
        figure(page, "What became of the compared cases", &inner::outcomes(square));
        tables::square(page, square, &outline.names);
        page.close();
    }
    let rows = forest_rows(section);
    if rows.iter().any(|row| row.difference.is_some()) {
        let caption = "Candidate minus baseline, in points, with interval";
        figure(page, caption, &inner::forest(&rows, section.comparison.margin));
    }
    page.close();
}

/// Writes distributions of scores and latencies.
pub(super) fn distributions(page: &mut Markup, section: &Section, outline: &Outline<'_>) {
    let names = &outline.names;
    page.open("div", &[("class", "plots")]);
    for one in &section.figures {
        if let Some([baseline, candidate]) = &one.scores {
            let criterion = words::name(&one.criterion);
            let baseline = (names.baseline.as_str(), baseline);
            let candidate = (names.candidate.as_str(), candidate);
            let caption = format!("Case scores on {criterion}");
            figure(page, &caption, &inner::scores(&criterion, baseline, candidate));
        }
    }
    if let Some(latencies) = &section.latencies {
        let baseline = (names.baseline.as_str(), &latencies.baseline);
        let candidate = (names.candidate.as_str(), &latencies.candidate);
        let caption = "Latency: the share of outputs that were there in time";
        figure(page, caption, &inner::latency(baseline, candidate));
    }
    page.close();
}

/// Returns the rows of a section's forest plot: each criterion with its slices.
pub(crate) fn forest_rows(section: &Section) -> Vec<ForestRow> {
    let criteria = &section.comparison.criteria;
    let row = |criterion: &analysis::CriterionComparison| {
        let decision = criterion.decision.as_ref();
        ForestRow {
            label: words::name(&criterion.criterion),
            is_slice: false,
            difference: decision.and_then(|decision| decision.difference.value()),
            interval: decision.and_then(|decision| decision.interval.value()),
            cases: criterion.square.total(),
            verdict: criterion.verdict(),
            is_opinion: words::is_opinion(&criterion.basis),
        }
    };
    let slices = section.comparison.slices.as_ref();
    let rows = criteria.iter().flat_map(|criterion| {
        let own = slices.filter(|slices| slices.criterion == criterion.criterion);
        let own = own
            .into_iter()
            .flat_map(|slices| slices.slices.iter().filter(|slice| is_listed(slice)).take(SLICES));
        let is_opinion = words::is_opinion(&criterion.basis);
        std::iter::once(row(criterion)).chain(own.map(move |slice| slice_row(slice, is_opinion)))
    });
    rows.collect()
}

/// The most slices of a plot; the table has all that are listed.
const SLICES: usize = 12;

/// A slice has a colour only if it differs after correction.
fn slice_row(slice: &Slice, is_opinion: bool) -> ForestRow {
    let difference = slice.difference.value();
    let verdict = match (slice.differs, difference) {
        (true, Some(difference)) if difference > 0.0 => Verdict::Better,
        (true, _) => Verdict::Worse,
        (false, _) => Verdict::NotEnough,
    };
    ForestRow {
        label: words::name(&slice.tag),
        is_slice: true,
        difference,
        interval: slice.interval.value(),
        cases: slice.cases,
        verdict: Some(verdict),
        is_opinion,
    }
}

/// Returns the baseline's point and those of the candidates, each variant once.
fn points(sections: &[Section]) -> Vec<VariantPoint> {
    let baseline = sections.iter().find_map(|section| section.baseline_point.clone());
    let candidates = sections.iter().filter_map(|section| section.candidate_point.clone());
    baseline.into_iter().chain(candidates).collect()
}

fn figure(page: &mut Markup, caption: &str, svg: &str) {
    page.open("figure", &[]);
    page.leaf("figcaption", &[], caption);
    page.markup(svg);
    page.close();
}
