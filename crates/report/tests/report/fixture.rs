//! Results that are easy to read, compared as the product compares them.

use analysis::{
    CaseResults, CompareOptions, Comparison, LookHistory, Measured, Origin, SampleResult, Scorer,
    SetCriterion, Value, VariantResults, compare,
};
use evalset::ScoreSource;
use report::{CaseDetail, History, OutputDetail, Reason, Report, Section};
use run::{Variant, VariantSource};
use score::Status;
use values::{ContentHash, Id, NanoDollars, Timestamp};

/// When every report of the tests is made.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T09:30:00Z".parse().unwrap()
}

/// Cases of one criterion: each letter is a sample's result, each word a case.
///
/// `p` passed, `f` failed, `h` scored a half, `e` error, `u` unreadable, `s` skipped, `-` no checks,
/// `.` pending.
pub(crate) fn values(cases: &str) -> Vec<Vec<Value>> {
    let value = |letter| match letter {
        'p' => Value::Number(1.0),
        'f' => Value::Number(0.0),
        'h' => Value::Number(0.5),
        'e' => Value::Not(Status::Error),
        'u' => Value::Not(Status::Unreadable),
        's' => Value::Not(Status::Skipped),
        '-' => Value::Not(Status::NoChecks),
        _ => Value::Pending,
    };
    cases.split_whitespace().map(|case| case.chars().map(value).collect()).collect()
}

/// A criterion that checks decide.
pub(crate) fn by_checks(name: &str) -> SetCriterion {
    criterion(name, ScoreSource::Code, &format!("{name}-check"))
}

/// A criterion that a judge decides.
pub(crate) fn by_judge(name: &str, judge: &str) -> SetCriterion {
    criterion(name, ScoreSource::Judge, judge)
}

fn criterion(name: &str, source: ScoreSource, scorer: &str) -> SetCriterion {
    let hash = ContentHash::of_bytes(name.as_bytes());
    let scorers =
        vec![Scorer { name: scorer.to_owned(), hash: ContentHash::of_bytes(scorer.as_bytes()) }];
    SetCriterion { name: name.to_owned(), hash, source, scorers }
}

/// What a variant did: a criterion with its cases for each pair, the first one primary.
pub(crate) fn results(name: &str, criteria: &[(SetCriterion, &str)]) -> VariantResults {
    let columns: Vec<Vec<Vec<Value>>> = criteria.iter().map(|(_, cases)| values(cases)).collect();
    let cases = (0..columns[0].len()).map(|place| case(name, &columns, place)).collect();
    VariantResults {
        variant: Variant {
            name: name.to_owned(),
            source: VariantSource::Prompt {
                prompt: "orders".to_owned(),
                version: ContentHash::of_bytes(name.as_bytes()),
                model: "embedded/smollm2-135m".parse().unwrap(),
                config: serde_json::json!({}),
            },
            hash: ContentHash::of_bytes(name.as_bytes()),
        },
        origin: Origin::Run { id: Id::new(now(), [7; 10]), created: now(), complete: true },
        eval_set: "orders".to_owned(),
        eval_set_hash: ContentHash::of_bytes(b"set"),
        samples: u32::try_from(columns[0].first().map_or(1, Vec::len)).unwrap(),
        replayed: false,
        criteria: criteria.iter().map(|(criterion, _)| criterion.clone()).collect(),
        primary: Some(0),
        cases,
    }
}

fn case(name: &str, columns: &[Vec<Vec<Value>>], place: usize) -> CaseResults {
    let samples = columns[0][place].len();
    let sample = |sample: usize| {
        let values: Vec<Value> = columns.iter().map(|cases| cases[place][sample]).collect();
        let answered = !matches!(values[0], Value::Pending | Value::Not(Status::Error));
        // Made up, but spread as latencies are: most are quick, a few are slow.
        let letters = name.len() as u64;
        let step = (place as u64 * 7919 + sample as u64 * 104_729 + letters * 31) % 101;
        SampleResult {
            output: answered.then(|| ContentHash::of_bytes(format!("{name}{place}").as_bytes())),
            values,
            measured: answered.then(|| Measured {
                cost: i64::try_from(200_000 + step * 4_000 + letters * 20_000)
                    .ok()
                    .map(NanoDollars::new),
                latency_ms: Some(300 + step * step / 2 + letters * 25),
                live: true,
                input_tokens: Some(200),
                output_tokens: Some(20),
            }),
        }
    };
    CaseResults {
        id: format!("case-{place}"),
        hash: ContentHash::of_bytes(place.to_string().as_bytes()),
        cluster: None,
        tags: vec![if place.is_multiple_of(3) { "long" } else { "short" }.to_owned()],
        samples: (0..samples).map(sample).collect(),
    }
}

/// Compares with a margin of 5 points, without earlier looks.
pub(crate) fn compared(baseline: &VariantResults, candidate: &VariantResults) -> Comparison {
    compare(baseline, candidate, &options(), &LookHistory::default()).unwrap()
}

/// A margin of 5 points at 95 %.
pub(crate) fn options() -> CompareOptions {
    CompareOptions { margin: Some(0.05), seed: 1, ..CompareOptions::default() }
}

/// Both sides of `both` cases that pass, `fixed`, `broke` and `fail` that do as they say.
pub(crate) fn pairs(both: usize, fixed: usize, broke: usize, fail: usize) -> (String, String) {
    let counts = [(both, "p", "p"), (fixed, "f", "p"), (broke, "p", "f"), (fail, "f", "f")];
    let side = |candidate: bool| {
        let word = |(count, a, b): &(usize, &'static str, &'static str)| {
            vec![if candidate { *b } else { *a }; *count]
        };
        counts.iter().flat_map(word).collect::<Vec<_>>().join(" ")
    };
    (side(false), side(true))
}

/// A section of two sides on one criterion that checks decide.
pub(crate) fn section((baseline, candidate): (&str, &str)) -> Section {
    let baseline = results("instruction", &[(by_checks("correct"), baseline)]);
    let candidate = results("examples", &[(by_checks("correct"), candidate)]);
    Section::new(compared(&baseline, &candidate), &baseline, &candidate)
}

/// A report with one section.
pub(crate) fn report(section: Section) -> Report {
    let mut report = Report::new("orders: examples against instruction", now());
    report.sections.push(section);
    report
}

/// The texts of a case, of which the candidate failed on `correct`.
pub(crate) fn detail(id: &str, texts: [&str; 4], reason: &str) -> CaseDetail {
    let [input, expected, before, now] = texts;
    CaseDetail {
        id: id.to_owned(),
        input: input.to_owned(),
        expected: Some(expected.to_owned()),
        baseline: Some(output(before, Status::Pass, "the output is the expected text")),
        candidate: Some(output(now, Status::Fail, reason)),
    }
}

/// The same the other way round: the baseline failed.
fn fixed_detail(id: &str, texts: [&str; 4], reason: &str) -> CaseDetail {
    let [input, expected, before, now] = texts;
    CaseDetail {
        baseline: Some(output(before, Status::Fail, reason)),
        candidate: Some(output(now, Status::Pass, "the output is the expected text")),
        ..detail(id, [input, expected, "", ""], "")
    }
}

fn output(text: &str, status: Status, reason: &str) -> OutputDetail {
    let criterion = "correct".to_owned();
    let reasons = vec![Reason { criterion, status, reason: reason.to_owned() }];
    OutputDetail { text: Some(text.to_owned()), sample: 0, reasons }
}

/// A report as people meet it: a clear gain, a judge that nobody calibrated, texts of two cases.
pub(crate) fn rich() -> Report {
    let (baseline, candidate) = pairs(60, 18, 5, 37);
    let tone = ("p ".repeat(120), format!("{}{}", "p ".repeat(110), "f ".repeat(10)));
    let grade = ("h f p ".repeat(40), "h p h ".repeat(40));
    let baseline = results(
        "instruction",
        &[
            (by_checks("correct"), &baseline),
            (by_judge("polite", "tone"), &tone.0),
            (by_checks("close"), &grade.0),
        ],
    );
    let candidate = results(
        "examples",
        &[
            (by_checks("correct"), &candidate),
            (by_judge("polite", "tone"), &tone.1),
            (by_checks("close"), &grade.1),
        ],
    );
    let mut section = Section::new(compared(&baseline, &candidate), &baseline, &candidate);
    section.history = Some(History { looks: 3, candidates: 2 });
    section.prompt_diff = Some(
        "--- prompts/orders.prompt 1f0c2a4b6d8e\n+++ prompts/orders.prompt 9a7b5c3d1e2f\n\ntemplate\n\
         \x20  7    7   Answer with the order number.\n        8 + For example: \"Where is 4711?\" gives 4711.\n"
            .to_owned(),
    );
    section.cases = vec![
        detail(
            "case-78",
            [
                "text: My parcel 88-120 has not come, and neither has the refund for 88-119.",
                "88-120",
                "The order number is 88-120.",
                "The order numbers are 88-120 and 88-119.",
            ],
            "the output names 2 order numbers, expected exactly \"88-120\"",
        ),
        fixed_detail(
            "case-60",
            ["text: where is 4711", "4711", "I do not know.", "4711"],
            "the output names no order number",
        ),
    ];
    report(section)
}
