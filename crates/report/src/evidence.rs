//! What stands beside a verdict: what the cases can show, slices, samples, cost and latency, and the
//! table of several candidates. All of it as tables of words that each format lays out.

use analysis::{
    CandidateRow, Estimate, JudgedOrder, MeanEstimate, Measure, MeasureComparison, MeasureSide,
    MeasureSource, OrderRow, QuantileChange, QuantileEstimate, Repeated, Slice, Slices, Verdict,
};
use values::Interval;

use crate::model::{Report, Section};
use crate::number::{
    count, counted, dollars, duration, fixed, level, percent, point_range, points, rate, signed,
};
use crate::parts::position_line;
use crate::words::{self, Names};

/// A table of words.
pub(crate) struct Table {
    pub(crate) caption: String,
    /// The heads of the columns; all but the first of numbers stand at the right.
    pub(crate) heads: Vec<Head>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) remarks: Vec<String>,
}

/// The head of a column.
pub(crate) struct Head {
    pub(crate) text: String,
    pub(crate) is_number: bool,
}

const NOTHING: &str = "–";
/// Below so many clusters an interval leans on an assumption (STATS 1.2).
const FEW_CLUSTERS: usize = 10;
/// A slice of fewer cases that does not differ says nothing to a reader.
const LEAST_CASES: usize = 5;

/// Tells whether a reader is shown a slice: in the table and in the plot alike.
pub(crate) fn is_listed(slice: &Slice) -> bool {
    slice.differs || slice.cases >= LEAST_CASES
}

fn word(text: &str) -> Head {
    Head { text: text.to_owned(), is_number: false }
}

fn number(text: &str) -> Head {
    Head { text: text.to_owned(), is_number: true }
}

/// Returns the tables of a section, in their order.
pub(crate) fn tables(section: &Section, names: &Names) -> Vec<Table> {
    let comparison = &section.comparison;
    let repeated = comparison.primary().and_then(|primary| primary.repeated.as_ref());
    let slices = comparison.slices.as_ref();
    [
        slices.and_then(|slices| slice_table(slices, names)),
        repeated.map(|repeated| repeated_table(repeated, names)),
        measure_table(&comparison.measures, comparison.confidence, names),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the table of slices; `None` if none of them says anything to a reader.
fn slice_table(slices: &Slices, names: &Names) -> Option<Table> {
    let row = |slice: &Slice| {
        let mark = match (slice.differs, slice.difference.value()) {
            (true, Some(difference)) if difference > 0.0 => "▲ differs",
            (true, _) => "▼ differs",
            (false, _) => "",
        };
        vec![
            words::name(&slice.tag),
            slice.difference.value().map_or(NOTHING.to_owned(), points),
            slice_interval(slice),
            slice
                .q_value
                .value()
                .map_or(NOTHING.to_owned(), |q| words::p_words(q).replace("= ", "")),
            mark.to_owned(),
            percent(slice.baseline_rate),
            percent(slice.candidate_rate),
            count(slice.cases),
        ]
    };
    let differ = slices.slices.iter().filter(|slice| slice.differs).count();
    let verb = if differ == 1 { "differs" } else { "differ" };
    let mut remarks = vec![format!(
        "{} of {} {verb} after correction (Benjamini–Hochberg). Slices are for looking; they decide \
         nothing.",
        count(differ),
        counted(slices.tested, "tested slice")
    )];
    let shown: Vec<&Slice> = slices.slices.iter().filter(|slice| is_listed(slice)).collect();
    let leans = |slice: &&&Slice| {
        slice.clusters < slice.cases
            && slice.clusters < FEW_CLUSTERS
            && slice.interval.value().is_some()
    };
    let leaning: Vec<String> = shown.iter().filter(leans).map(|slice| slice.tag.clone()).collect();
    if !leaning.is_empty() {
        remarks.push(format!(
            "With fewer than ten clusters the interval leans on an assumption: {}.",
            words::name_list(&leaning)
        ));
    }
    let more = slices.more + slices.slices.len() - shown.len();
    if more > 0 {
        remarks.push(format!("{} not shown here; JSON has them.", counted(more, "smaller slice")));
    }
    (!shown.is_empty()).then(|| Table {
        caption: format!("Slices by tag on {}", words::name(&slices.criterion)),
        heads: vec![
            word("tag"),
            number("points"),
            number("interval"),
            number("q"),
            word("after correction"),
            number(&names.baseline),
            number(&names.candidate),
            number("n"),
        ],
        rows: shown.iter().map(|slice| row(slice)).collect(),
        remarks,
    })
}

/// Returns the interval of a slice, or why it has none or leans on an assumption.
fn slice_interval(slice: &Slice) -> String {
    let is_clustered = slice.clusters < slice.cases;
    match slice.interval.value() {
        None if is_clustered && slice.clusters < FEW_CLUSTERS => "too few clusters".to_owned(),
        _ => interval_words(slice.interval, slice.confidence),
    }
}

fn repeated_table(repeated: &Repeated, names: &Names) -> Table {
    let mean = |estimate: &MeanEstimate| {
        estimate
            .mean
            .value()
            .map_or(NOTHING.to_owned(), |mean| rate(mean, estimate.interval.value()))
    };
    let attempts = repeated.attempts;
    let sides = [(&names.baseline, &repeated.baseline), (&names.candidate, &repeated.candidate)];
    let row = |(name, side): (&String, &analysis::Reliability)| {
        vec![
            name.clone(),
            count(side.flaky),
            mean(&side.pass_any),
            mean(&side.pass_all),
            count(side.pass_all.cases),
        ]
    };
    Table {
        caption: format!("Repeated samples: {attempts} attempts"),
        heads: vec![
            word("variant"),
            number("flaky cases"),
            number(&format!("pass@{attempts}: any passes")),
            number(&format!("pass^{attempts}: all pass")),
            number("n"),
        ],
        rows: sides.into_iter().map(row).collect(),
        remarks: Vec::new(),
    }
}

/// Costs and tokens by their means, latencies by their quantiles.
fn measure_table(measures: &[MeasureComparison], confidence: f64, names: &Names) -> Option<Table> {
    let rows: Vec<Vec<String>> = measures.iter().flat_map(measure_rows).collect();
    let mut remarks: Vec<String> =
        measures.iter().flat_map(|measure| measure_remarks(measure, names)).collect();
    if !rows.is_empty() {
        remarks.insert(0, format!("Intervals at {}, over the shared cases.", level(confidence)));
    }
    let heads = vec![
        word("measure"),
        number(&names.baseline),
        number(&names.candidate),
        number("change"),
        number("its interval"),
    ];
    let caption = "Cost, tokens and latency: means of cases, quantiles of outputs".to_owned();
    (!rows.is_empty()).then_some(Table { caption, heads, rows, remarks })
}

fn measure_rows(measure: &MeasureComparison) -> Vec<Vec<String>> {
    let unit = Unit::of(measure.measure);
    let (a, b) = (&measure.baseline, &measure.candidate);
    let mean = |side: &MeasureSide| {
        let value = side.mean.mean.value();
        let interval = side.mean.interval.value().map(|one| (one.low(), one.high()));
        value.map_or("unknown".to_owned(), |value| unit.with_interval(value, interval))
    };
    let change = |difference: Estimate<f64>, interval: Option<Estimate<Interval>>| {
        let interval = interval.and_then(Estimate::value);
        [
            difference.value().map_or(NOTHING.to_owned(), |value| unit.signed(value)),
            interval.map_or(NOTHING.to_owned(), |one| {
                format!("{} to {}", unit.signed(one.low()), unit.signed(one.high()))
            }),
        ]
    };
    if measure.measure != Measure::Latency {
        let [difference, interval] = change(measure.difference, Some(measure.interval));
        let label = format!("{} of a case", unit.label());
        return vec![vec![label, mean(a), mean(b), difference, interval]];
    }
    let quantile = |one: &QuantileEstimate| {
        let interval = one.low.value().zip(one.high.value());
        one.value.value().map_or("unknown".to_owned(), |value| unit.with_interval(value, interval))
    };
    let row = |label: &str, a: &QuantileEstimate, b: &QuantileEstimate, one: &QuantileChange| {
        let [difference, interval] = change(one.difference, one.interval);
        vec![format!("{}, {label}", unit.label()), quantile(a), quantile(b), difference, interval]
    };
    vec![row("p50", &a.p50, &b.p50, &measure.p50), row("p95", &a.p95, &b.p95, &measure.p95)]
}

/// What must be known about a measure before its numbers are believed.
fn measure_remarks(measure: &MeasureComparison, names: &Names) -> Vec<String> {
    let label = Unit::of(measure.measure).label();
    let mut remarks = Vec::new();
    let (a, b) = (&measure.baseline, &measure.candidate);
    if a.source != b.source {
        remarks.push(format!(
            "The {label} is not compared: one side was measured live and the other recorded."
        ));
    } else if a.source == MeasureSource::Recorded {
        remarks.push(format!("The {label} is that of the recorded calls."));
    }
    for (name, side) in [(&names.baseline, a), (&names.candidate, b)] {
        if side.unknown > 0 {
            let outputs = counted(side.unknown, "output");
            remarks.push(format!("The {label} of {outputs} of {name} is unknown."));
        }
        if side.left_out > 0 {
            let outputs = counted(side.left_out, "output");
            remarks.push(format!(
                "{outputs} of {name} came from the cache or a recording and stay out of the {label}."
            ));
        }
    }
    remarks
}

/// In what a measure is written.
enum Unit {
    NanoDollars,
    Tokens(&'static str),
    Milliseconds,
}

impl Unit {
    fn of(measure: Measure) -> Self {
        match measure {
            Measure::Cost => Self::NanoDollars,
            Measure::InputTokens => Self::Tokens("input tokens"),
            Measure::OutputTokens => Self::Tokens("output tokens"),
            Measure::Latency => Self::Milliseconds,
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::NanoDollars => "cost",
            Self::Tokens(label) => label,
            Self::Milliseconds => "latency",
        }
    }

    fn plain(&self, value: f64) -> String {
        match self {
            Self::NanoDollars => dollars(value / 1e9),
            Self::Tokens(_) => fixed(value, usize::from(value < 100.0)),
            Self::Milliseconds => duration(value),
        }
    }

    fn signed(&self, value: f64) -> String {
        let sign = match signed(value, 9).chars().next() {
            Some(sign @ ('+' | '\u{2212}')) => sign.to_string(),
            _ => String::new(),
        };
        format!("{sign}{}", self.plain(value.abs()))
    }

    fn with_interval(&self, value: f64, ends: Option<(f64, f64)>) -> String {
        let Some((low, high)) = ends else { return self.plain(value) };
        format!("{} · {}–{}", self.plain(value), self.plain(low), self.plain(high))
    }
}

/// Returns the tables of a report that stand before its sections.
pub(crate) fn report_tables(report: &Report) -> Vec<Table> {
    let orders = report.orders.iter().map(order_table);
    candidate_table(report).into_iter().chain(orders).collect()
}

/// The order of variants by judged pairs.
fn order_table(found: &JudgedOrder) -> Table {
    let order = &found.order;
    let row = |(place, row): (usize, &OrderRow)| {
        vec![
            words::name(&row.name),
            count(place + 1),
            signed(row.strength, 2),
            row.interval.value().map_or(NOTHING.to_owned(), |one| {
                let ends = (signed(one.low(), 2), signed(one.high(), 2));
                format!("{}: {} to {}", level(order.confidence), ends.0, ends.1)
            }),
            count(row.wins),
            count(row.ties),
            count(row.losses),
        ]
    };
    let mut remarks = vec![format!(
        "Bradley–Terry strengths of {} of {}; intervals by resampling cases. Two variants whose \
         intervals overlap are not told apart.",
        counted(order.pairs, "judged pair"),
        counted(order.clusters, "cluster")
    )];
    if order.with_prior {
        remarks.push(
            "A variant never lost to others, or never won: half a win each way was added between all."
                .to_owned(),
        );
    }
    if order.few_clusters {
        remarks.push("With fewer than 20 clusters these intervals are too narrow.".to_owned());
    }
    remarks.extend(found.position.as_ref().map(position_line));
    if found.same > 0 {
        remarks.push(format!(
            "{} of equal outputs: ties that nobody was asked about.",
            counted(found.same, "pair")
        ));
    }
    if found.left_out > 0 {
        remarks.push(format!(
            "{} left out: an answer in one of the orders is missing or could not be read.",
            counted(found.left_out, "pair")
        ));
    }
    let trust = if found.is_trusted { "" } else { " (not trusted)" };
    let heads = ["place", "strength", "interval", "preferred", "ties", "not preferred"];
    Table {
        caption: format!(
            "Order by judged pairs, according to {}{trust}",
            words::name(&found.judge)
        ),
        heads: std::iter::once(word("variant")).chain(heads.into_iter().map(number)).collect(),
        rows: order.rows.iter().enumerate().map(row).collect(),
        remarks,
    }
}

/// Returns the table of several candidates against one baseline.
fn candidate_table(report: &Report) -> Option<Table> {
    let rows = &report.candidates;
    if rows.len() < 2 {
        return None;
    }
    // The row does not know whose opinion its verdict is; the comparison does.
    let verdict = |place: usize, row: &CandidateRow| {
        let primary = report.sections.get(place).and_then(|one| one.comparison.primary());
        match primary {
            Some(primary) if words::is_opinion(&primary.basis) => words::verdict_words(primary),
            _ => row.verdict.map_or("no verdict", Verdict::words).to_owned(),
        }
    };
    let row = |(place, row): (usize, &CandidateRow)| {
        let interval = row.interval.zip(row.confidence);
        vec![
            words::name(&row.name),
            verdict(place, row),
            row.difference.and_then(Estimate::value).map_or(NOTHING.to_owned(), points),
            interval.map_or(NOTHING.to_owned(), |(one, level)| interval_words(one, level)),
            row.rate.map_or(NOTHING.to_owned(), percent),
            count(row.fixed),
            count(row.broke),
            count(row.cases),
            row.cost.map_or("unknown".to_owned(), |cost| dollars(cost / 1e9)),
            row.latency_p95.map_or("unknown".to_owned(), duration),
        ]
    };
    let heads = ["points", "interval", "rate", "fixed", "broke", "n", "cost", "p95"];
    Some(Table {
        caption: format!("{} against one baseline", counted(rows.len(), "candidate")),
        heads: [word("candidate"), word("verdict")]
            .into_iter()
            .chain(heads.into_iter().map(number))
            .collect(),
        rows: rows.iter().enumerate().map(row).collect(),
        remarks: vec![
            "They share one level by Holm's steps, so that trying many does not make one look better \
             by chance."
                .to_owned(),
        ],
    })
}

fn interval_words(interval: Estimate<Interval>, confidence: f64) -> String {
    let words = |one| format!("{}: {}", level(confidence), point_range(one));
    interval.value().map_or(NOTHING.to_owned(), words)
}
