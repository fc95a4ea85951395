//! Times the comparison of two runs of 10,000 cases with three samples each, on three criteria.

#![expect(clippy::print_stdout, reason = "the time is what the example is for")]

use std::num::NonZeroUsize;
use std::time::Instant;

use analysis::{
    CaseResults, CompareOptions, LookHistory, Measured, Origin, SampleResult, SetCriterion, Value,
    VariantResults, compare,
};
use evalset::ScoreSource;
use run::{Variant, VariantSource};
use values::{ContentHash, Id, NanoDollars, Timestamp};

const CASES: u32 = 10_000;
const SAMPLES: u32 = 3;

fn main() -> Result<(), stats::InvalidInput> {
    let (baseline, candidate) = (results("baseline", 70), results("candidate", 74));
    let first = (0..CASES / 2).map(|case| format!("case-{case}")).collect();
    let earlier = std::collections::BTreeMap::from([("exact".to_owned(), vec![first])]);
    let looked = LookHistory { earlier, ..LookHistory::default() };
    let plain = CompareOptions { margin: Some(0.05), seed: 1, ..CompareOptions::default() };
    let resampled = CompareOptions { resamples: NonZeroUsize::new(2_000), ..plain.clone() };
    for (what, options, history) in [
        ("without bootstrap", &plain, &LookHistory::default()),
        ("after a look", &plain, &looked),
        ("with 2,000 resamples", &resampled, &LookHistory::default()),
    ] {
        let start = Instant::now();
        let comparison = compare(&baseline, &candidate, options, history)?;
        let seconds = start.elapsed().as_secs_f64();
        let verdict = comparison.verdict().map(analysis::Verdict::words);
        println!("{what}: {seconds:.3} s, {verdict:?}");
    }
    Ok(())
}

/// Results in which every case passes a share of its samples by a fixed pattern.
fn results(name: &str, percent: u32) -> VariantResults {
    let hash = |text: &str| ContentHash::of_bytes(text.as_bytes());
    let created = Timestamp::from_unix_ms(1);
    let salt = if name == "baseline" { 13 } else { 29 };
    let case = |number: u32| {
        let id = format!("case-{number}");
        CaseResults {
            hash: hash(&id),
            cluster: None,
            tags: vec![format!("tag-{}", number % 40), format!("kind-{}", number % 7)],
            samples: (0..SAMPLES).map(|sample| sampled(number, sample, salt, percent)).collect(),
            id,
        }
    };
    let criterion = |name: &str| SetCriterion {
        name: name.to_owned(),
        hash: hash(name),
        source: ScoreSource::Code,
        scorers: Vec::new(),
    };
    VariantResults {
        variant: Variant {
            name: name.to_owned(),
            source: VariantSource::Outputs { name: name.to_owned() },
            hash: hash(name),
        },
        origin: Origin::Run { id: Id::new(created, [0; 10]), created, complete: true },
        eval_set: "speed".to_owned(),
        eval_set_hash: hash("speed"),
        samples: SAMPLES,
        replayed: false,
        criteria: ["exact", "short", "graded"].map(criterion).into(),
        primary: Some(0),
        cases: (0..CASES).map(case).collect(),
    }
}

fn sampled(number: u32, sample: u32, salt: u32, percent: u32) -> SampleResult {
    // A fixed scramble of the place, even enough for a timing.
    let mixed = (number * 7 + sample * 3 + salt).wrapping_mul(2_654_435_761) >> 8;
    let pass = |shift: u32| f64::from(u8::from((mixed >> shift) % 100 < percent));
    SampleResult {
        output: Some(ContentHash::of_bytes(&mixed.to_le_bytes())),
        values: vec![
            Value::Number(pass(0)),
            Value::Number(pass(4)),
            Value::Number(f64::from(mixed % 11) / 10.0),
        ],
        measured: Some(Measured {
            cost: Some(NanoDollars::new(i64::from(mixed % 5_000))),
            latency_ms: Some(u64::from(200 + mixed % 1_800)),
            live: true,
            input_tokens: Some(u64::from(300 + number % 50)),
            output_tokens: Some(u64::from(20 + mixed % 200)),
        }),
    }
}
