//! What a calibration says of a judge, for people and for programs.

use analysis::Estimate;
use analysis::calibration::{
    Agreement, BinningKind, Calibration, CorrectedRate, Correction, CorrectionMethod,
    DisagreementKind, NotCorrected, OrderFinding, People, PositionFinding, Share,
};
use evalset::JudgeState;
use serde::Serialize;
use values::Interval;

use crate::markup::Markup;
use crate::number::{count, counted, fixed, percent, points, rate, signed};
use crate::parts::{self, Part, number, p};
use crate::plot;
use crate::safe::one_line;
use crate::words::{name, undefined};

/// The version of the JSON document.
pub const CALIBRATION_FORMAT: u32 = 1;

/// Disagreements that are listed; the JSON document has all.
const DISAGREEMENTS: usize = 20;

/// What was found of a judge on a criterion of an eval set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationReport {
    /// [`CALIBRATION_FORMAT`].
    pub format: u32,
    /// The judge.
    pub judge: String,
    /// The eval set.
    pub set: String,
    /// The criterion.
    pub criterion: String,
    /// The figures.
    pub calibration: Calibration,
    /// Pass rates of the variants of a run, corrected.
    pub rates: Vec<CorrectedRate>,
    /// How many versions of the judge were tried on these test labels, this one included; none if
    /// no certificate was written.
    pub uses: Option<usize>,
    /// What has changed since the last calibration.
    pub changed: Vec<&'static str>,
    /// The certificate that was written, as a path in the project.
    pub certificate: Option<String>,
}

/// Says how far a judge can be trusted, and what is missing.
pub fn state_sentence(report: &CalibrationReport) -> String {
    let standing = &report.calibration.standing;
    let mut more = Vec::new();
    for (needed, of) in [(standing.more_passes, "passes"), (standing.more_fails, "fails")] {
        if needed > 0 {
            more.push(format!(
                "{} more {of}",
                count(usize::try_from(needed).unwrap_or(usize::MAX))
            ));
        }
    }
    let (judge, criterion) = (name(&report.judge), name(&report.criterion));
    let on = if judge == criterion { judge } else { format!("{judge} on {criterion}") };
    let could = more.join(" and ");
    match standing.state {
        JudgeState::Trusted => format!("{on}: trusted"),
        JudgeState::TooFew => format!("{on}: too few labels ({could} needed at least)"),
        JudgeState::NotYet => format!(
            "{on}: not yet ({could} without another error could be enough; or mend the judge)"
        ),
        JudgeState::Stale => format!("{on}: stale"),
    }
}

/// Writes what was found for a terminal, without colours.
pub fn calibration_text(report: &CalibrationReport) -> String {
    parts::text(&parts(report))
}

/// Writes what was found as Markdown.
pub fn calibration_markdown(report: &CalibrationReport) -> String {
    parts::markdown(&parts(report))
}

/// Writes what was found as one HTML page that loads nothing and runs nothing.
pub fn calibration_html(report: &CalibrationReport) -> String {
    let mut page = Markup::new("<!DOCTYPE html>");
    page.open("html", &[("lang", "en")]);
    let title = format!("Calibration of {}", name(&report.judge));
    crate::html::head(&mut page, &title);
    page.open("body", &[]);
    page.open("main", &[]);
    for (place, part) in parts(report).into_iter().enumerate() {
        match part {
            Part::Heading(text) => page.leaf(if place == 0 { "h1" } else { "h2" }, &[], &text),
            Part::Line(text) => page.leaf("p", &[], &text),
            Part::Table(rows) => table(&mut page, &rows),
        }
    }
    if let Some(confidence) = &report.calibration.confidence {
        page.leaf("h2", &[], "Reliability");
        page.markup(&plot::inner::reliability(&confidence.bins));
    }
    page.close();
    page.close();
    page.close();
    page.finish()
}

fn table(page: &mut Markup, rows: &[Vec<String>]) {
    page.open("table", &[]);
    for (place, row) in rows.iter().enumerate() {
        page.open("tr", &[]);
        for cell in row {
            page.leaf(if place == 0 { "th" } else { "td" }, &[], cell);
        }
        page.close();
    }
    page.close();
}

/// Writes what was found as JSON.
pub fn calibration_json(report: &CalibrationReport) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has only keys of text");
    text.push('\n');
    text
}

fn parts(report: &CalibrationReport) -> Vec<Part> {
    let found = &report.calibration;
    let mut parts = vec![Part::Heading(state_sentence(report))];
    parts.extend(summary(report));
    parts.extend(matrix(found));
    parts.push(Part::Heading("Agreement".to_owned()));
    parts.extend(agreements(found));
    parts.extend(confidence(found));
    parts.extend(biases(found));
    parts.extend(rates(&report.rates));
    parts.extend(slices(found));
    parts.extend(disagreements(found));
    parts
}

fn summary(report: &CalibrationReport) -> Vec<Part> {
    let found = &report.calibration;
    let side = |what: &str, share: &Share, threshold: f64| {
        let bound = number(share.bound, percent);
        let share_text = match share.rate.value() {
            Some(value) => rate(value, share.interval.value()),
            None => format!("undefined: {}", undefined(share.rate)),
        };
        vec![
            what.to_owned(),
            format!("{} of {}", share.right, share.of),
            share_text,
            format!("lower bound {bound}, needs {}", percent(threshold)),
        ]
    };
    let thresholds = found.standing.thresholds;
    let head = ["", "right", "rate · 95 %", "one-sided 95 %"].map(str::to_owned).into();
    let table = vec![
        head,
        side("passes what people pass", &found.true_passes, thresholds.passes),
        side("fails what people fail", &found.true_fails, thresholds.fails),
    ];
    let items = counted(found.items, "output");
    let mut lines = vec![format!("{}: {items} of the {} split", name(&report.set), found.split)];
    lines.extend(left_out(found));
    match report.uses {
        Some(uses) if uses > 1 => lines.push(format!(
            "{} use of these test labels: optimistic, since they may have steered the prompt",
            ordinal(uses)
        )),
        _ => {}
    }
    if !report.changed.is_empty() {
        lines.push(format!("Changed since the last calibration: {}", report.changed.join(", ")));
    }
    if let Some(path) = &report.certificate {
        lines.push(format!("Certificate: {}", name(path)));
    }
    let lines = lines.into_iter().map(Part::Line);
    lines.chain([Part::Table(table)]).collect()
}

fn left_out(found: &Calibration) -> Option<String> {
    let left = &found.left_out;
    let all = [
        (left.other_split, "in another split"),
        (left.outdated, "outdated"),
        (left.hunt, "chosen, not drawn"),
        (left.unknown_draw, "drawn nobody knows how"),
        (left.conflict, "on which people disagree"),
        (left.not_asked, "not judged"),
        (left.unreadable, "whose judgement is unreadable"),
        (left.errors, "whose judgement failed"),
        (left.no_value, "without a value of the criterion"),
    ];
    let said: Vec<String> = all
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(number)))
        .collect();
    (!said.is_empty()).then(|| format!("Left out: {}", said.join(", ")))
}

fn matrix(found: &Calibration) -> Vec<Part> {
    let matrix = &found.matrix;
    let at = |human: usize, judge: usize| {
        let cell = matrix.cells.iter().find(|cell| (cell.human, cell.judge) == (human, judge));
        count(cell.map_or(0, |cell| cell.cases.len()))
    };
    let classes: Vec<String> = matrix.classes.iter().map(|class| name(class)).collect();
    let mut rows = vec![vec!["people \\ judge".to_owned()]];
    rows[0].extend(classes.iter().cloned());
    for (human, class) in classes.iter().enumerate() {
        let mut row = vec![class.clone()];
        row.extend((0..classes.len()).map(|judge| at(human, judge)));
        rows.push(row);
    }
    vec![Part::Heading("People against the judge".to_owned()), Part::Table(rows)]
}

fn agreements(found: &Calibration) -> Vec<Part> {
    let is_ordered = found.error.is_some();
    let gwet = if is_ordered { "AC2" } else { "AC1" };
    let kappa = if is_ordered { "kappa (quadratic)" } else { "kappa" };
    let mut rows = vec![["", "outputs", "agree", kappa, gwet].map(str::to_owned).to_vec()];
    let row = |who: String, agreement: &Agreement| {
        let with = |estimate: Estimate<f64>, interval: Estimate<Interval>| {
            let range = |found: Interval| {
                format!(" ({} to {})", fixed(found.low(), 2), fixed(found.high(), 2))
            };
            let range = interval.value().map(range).unwrap_or_default();
            number(estimate, |value| format!("{}{range}", fixed(value, 2)))
        };
        vec![
            who,
            count(agreement.items),
            number(agreement.share, percent),
            with(agreement.kappa, agreement.kappa_interval),
            with(agreement.gwet, agreement.gwet_interval),
        ]
    };
    rows.push(row("judge and people".to_owned(), &found.agreement));
    if let Some(share) = found.right.rate.value() {
        // Of the judge the interval is known, clusters and weights counted.
        rows[1][2] = rate(share, found.right.interval.value());
    }
    let mut lines = vec![format!(
        "MCC {}. For a judge read the two rates; kappa is for people against people.",
        number(found.matrix.mcc, |value| fixed(value, 2))
    )];
    if let Some(people) = &found.people {
        for pair in &people.pairs {
            let who = format!("{} and {}", name(&pair.first), name(&pair.second));
            rows.push(row(who, &pair.agreement));
        }
        lines.extend(people_lines(people));
    }
    if let Some(error) = &found.error {
        let range = error
            .interval
            .value()
            .map(|found| format!(" ({} to {})", signed(found.low(), 3), signed(found.high(), 3)));
        lines.push(format!(
            "Judge − people on average {}{}; rank correlation {}",
            number(error.mean, |value| signed(value, 3)),
            range.unwrap_or_default(),
            number(error.spearman, |value| fixed(value, 2))
        ));
    }
    let mut parts = vec![Part::Table(rows)];
    parts.extend(lines.into_iter().map(Part::Line));
    parts
}

/// What is said of more than two people.
fn people_lines(people: &People) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(alpha) = people.alpha {
        let alpha = number(alpha, |value| fixed(value, 2));
        let fleiss = people.fleiss.map(|fleiss| number(fleiss, |value| fixed(value, 2)));
        let fleiss = fleiss.map(|fleiss| format!(", Fleiss' kappa {fleiss}"));
        let labellers = people.labellers.len();
        lines.push(format!(
            "Krippendorff's alpha of {labellers} people {alpha}{}",
            fleiss.unwrap_or_default()
        ));
    }
    if let Some(test) = &people.alternative {
        lines.push(format!(
            "Could stand in for a person (alt-test, ε = {}): {}; ω = {}, ρ = {}, of {} people with 30 outputs",
            fixed(test.epsilon, 2),
            if test.passes { "yes" } else { "not shown" },
            number(test.winning_rate, |value| fixed(value, 2)),
            number(test.advantage, |value| fixed(value, 2)),
            test.tested
        ));
    }
    lines
}

fn confidence(found: &Calibration) -> Vec<Part> {
    let Some(confidence) = &found.confidence else { return Vec::new() };
    let chance = confidence.error_by_chance.map(|chance| {
        format!(
            " (a perfect judge would show {} with so few outputs)",
            number(chance, |value| fixed(value, 3))
        )
    });
    let binning = match confidence.binning {
        BinningKind::EqualWidth => "bins of equal width",
        BinningKind::EqualMass => "bins of equal size",
    };
    let mut rows = vec![["outputs", "probability", "people pass"].map(str::to_owned).to_vec()];
    for bin in &confidence.bins {
        rows.push(vec![count(bin.items), percent(bin.probability), percent(bin.passes)]);
    }
    vec![
        Part::Heading("Probabilities".to_owned()),
        Part::Line(format!(
            "Calibration error {}{}, Brier score {}; {binning}",
            number(confidence.expected_error, |value| fixed(value, 3)),
            chance.unwrap_or_default(),
            number(confidence.brier, |value| fixed(value, 3))
        )),
        Part::Table(rows),
    ]
}

fn biases(found: &Calibration) -> Vec<Part> {
    let mut lines = Vec::new();
    if let Some(length) = &found.biases.length {
        lines.push(format!(
            "Length: beyond what people prefer, correlation {} (p {}); judge {}, people {}",
            number(length.partial, |value| signed(value, 2)),
            number(length.p_value, p),
            number(length.judge, |value| signed(value, 2)),
            number(length.human, |value| signed(value, 2))
        ));
    }
    if let Some(position) = &found.biases.position {
        lines.push(parts::position_line(&position.swap));
        lines.push(orders(position));
    }
    if let Some(family) = &found.biases.own_family {
        lines.push(format!(
            "Own family: {} points kinder than to others (p {}), of {} and {} outputs",
            number(family.difference, points),
            number(family.p_value, p),
            family.own,
            family.others
        ));
    }
    if lines.is_empty() {
        return Vec::new();
    }
    let lines = lines.into_iter().map(Part::Line);
    [Part::Heading("What sways it".to_owned())].into_iter().chain(lines).collect()
}

/// What a judge of pairs is worth in each order, and how far the orders agree.
fn orders(position: &PositionFinding) -> String {
    let one = |found: &OrderFinding| {
        let right = found.right.rate.value();
        let right = right.map_or_else(
            || number(found.right.rate, percent),
            |value| rate(value, found.right.interval.value()),
        );
        format!("{right}, kappa {}", number(found.agreement.kappa, |value| fixed(value, 2)))
    };
    format!(
        "It agrees with people with a first on {}; with b first on {}; kappa of the orders {}",
        one(&position.a_first),
        one(&position.b_first),
        number(position.between.kappa, |value| fixed(value, 2))
    )
}

fn rates(rates: &[CorrectedRate]) -> Vec<Part> {
    if rates.is_empty() {
        return Vec::new();
    }
    let lines = rates.iter().map(|rate| Part::Line(rate_sentence(rate)));
    [Part::Heading("Pass rates".to_owned())].into_iter().chain(lines).collect()
}

/// Says what a judge says of a variant, and what people would find.
pub fn rate_sentence(found: &CorrectedRate) -> String {
    let variant = name(&found.variant);
    let (judge_says, rest) = match &found.correction {
        Correction::Corrected { method, estimate, interval, labels, judge_says, .. } => {
            let corrected = match estimate.value() {
                Some(value) => rate(value, interval.value()),
                None => undefined(*estimate).to_owned(),
            };
            let by = match method {
                CorrectionMethod::PredictionPowered | CorrectionMethod::Weighted => {
                    format!("corrected with {} of this run", counted(*labels, "human label"))
                }
                CorrectionMethod::RoganGladen => format!(
                    "corrected with {} from elsewhere, right only if the judge errs here as there",
                    counted(*labels, "human label")
                ),
            };
            (*judge_says, format!("{by}: {corrected}"))
        }
        Correction::Not { reason } => (found.judge_says, not_corrected(*reason)),
    };
    format!("{variant}: judge says {}; {rest}", number(judge_says, percent))
}

pub(crate) fn not_corrected(reason: NotCorrected) -> String {
    match reason {
        NotCorrected::NothingJudged => "nothing judged that passes or fails".to_owned(),
        NotCorrected::NotIdentifiable => "judge not informative, rate not identifiable".to_owned(),
        NotCorrected::NoPairs => "no case has labels of both outputs".to_owned(),
        NotCorrected::NoLabels { seen: 0, not_drawn: 0 } => {
            "not corrected: no labels of the test split".to_owned()
        }
        NotCorrected::NoLabels { seen, not_drawn } => format!(
            "not corrected: {} were seen by an earlier version of the judge, {} were not drawn by chance",
            counted(seen, "label"),
            count(not_drawn)
        ),
    }
}

fn slices(found: &Calibration) -> Vec<Part> {
    let Some(slices) = &found.slices else { return Vec::new() };
    let mut rows = vec![
        ["tag", "outputs", "agree", "passes passes", "fails fails", "q"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for slice in &slices.slices {
        let share = |share: &Share| match share.rate.value() {
            Some(value) => rate(value, share.interval.value()),
            None => "—".to_owned(),
        };
        rows.push(vec![
            name(&slice.tag),
            count(slice.items),
            share(&slice.agreement),
            share(&slice.true_passes),
            share(&slice.true_fails),
            number(slice.q_value, |value| fixed(value, 3)),
        ]);
    }
    let mut parts = vec![Part::Heading("By tag (explores)".to_owned())];
    if !slices.slices.is_empty() {
        parts.push(Part::Table(rows));
    }
    if slices.small > 0 {
        let small = counted(slices.small, "tag");
        parts.push(Part::Line(format!("{small} with fewer than five outputs not shown")));
    }
    parts
}

fn disagreements(found: &Calibration) -> Vec<Part> {
    let all = &found.disagreements;
    if all.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![Part::Heading(counted(all.len(), "disagreement"))];
    for one in all.iter().take(DISAGREEMENTS) {
        let kind = match one.kind {
            DisagreementKind::FalsePass => "false pass",
            DisagreementKind::FalseFail => "false fail",
            DisagreementKind::Other => "differs",
        };
        let reason = one.reason.as_deref().map(|reason| format!(": {}", one_line(reason, 100)));
        parts.push(Part::Line(format!(
            "{kind} {} (people {}, judge {}){}",
            name(&one.case),
            name(&one.human),
            name(&one.judge),
            reason.unwrap_or_default()
        )));
    }
    if all.len() > DISAGREEMENTS {
        parts.push(Part::Line(format!("and {} more", count(all.len() - DISAGREEMENTS))));
    }
    parts
}

fn ordinal(number: usize) -> String {
    let end = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}
