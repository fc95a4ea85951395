//! Results of variants, made of letters and numbers.

use analysis::{
    CaseResults, Measured, Open, Origin, SampleResult, SetCriterion, Value, VariantResults,
};
use evalset::ScoreSource;
use run::{Variant, VariantSource};
use score::Status;
use values::{ContentHash, Id, Timestamp};

/// A variant without cases, with one criterion "exact" that checks decide.
pub(crate) fn empty(name: &str) -> VariantResults {
    let source = VariantSource::Outputs { name: name.to_owned() };
    let created = Timestamp::from_unix_ms(1);
    VariantResults {
        variant: Variant { name: name.to_owned(), source, hash: hash(name) },
        origin: Origin::Run { id: Id::new(created, [0; 10]), created, complete: true },
        eval_set: "triage".to_owned(),
        eval_set_hash: hash("set"),
        samples: 1,
        replayed: false,
        criteria: vec![criterion("exact")],
        primary: Some(0),
        cases: Vec::new(),
    }
}

pub(crate) fn criterion(name: &str) -> SetCriterion {
    SetCriterion {
        name: name.to_owned(),
        hash: hash(name),
        source: ScoreSource::Code,
        scorers: Vec::new(),
    }
}

/// Makes a variant of one row of values for each sample of each case: `rows[case][sample]` holds a
/// value for every criterion.
pub(crate) fn rows(name: &str, criteria: &[&str], rows: &[Vec<Vec<Value>>]) -> VariantResults {
    let case = |(number, samples): (usize, &Vec<Vec<Value>>)| {
        let id = format!("c{number}");
        CaseResults {
            hash: hash(&id),
            cluster: None,
            tags: Vec::new(),
            samples: (0..)
                .zip(samples)
                .map(|(sample, values)| SampleResult {
                    output: Some(hash(&format!("{name} {id} {sample}"))),
                    values: values.clone(),
                    measured: Some(measured(true)),
                })
                .collect(),
            id,
        }
    };
    VariantResults {
        samples: rows.first().map_or(1, |samples| count(samples.len())),
        criteria: criteria.iter().map(|name| criterion(name)).collect(),
        cases: rows.iter().enumerate().map(case).collect(),
        ..empty(name)
    }
}

/// One sample a case: `p` pass, `f` fail, `e` error, `u` unreadable, `s` skipped, `n` no checks, `l`
/// unlabelled, `d` disputed, `h` not drawn by chance, `.` no outcome.
pub(crate) fn letters(name: &str, cases: &str) -> VariantResults {
    let words: Vec<String> = cases.chars().map(String::from).collect();
    sampled(name, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A word of letters for each case, a letter for each sample.
pub(crate) fn sampled(name: &str, cases: &[&str]) -> VariantResults {
    let samples = |word: &&str| word.bytes().map(|letter| vec![value(letter)]).collect();
    rows(name, &["exact"], &cases.iter().map(samples).collect::<Vec<_>>())
}

/// The scores of the samples of each case.
pub(crate) fn graded(name: &str, cases: &[&[f64]]) -> VariantResults {
    let samples =
        |scores: &&[f64]| scores.iter().map(|score| vec![Value::Number(*score)]).collect();
    rows(name, &["exact"], &cases.iter().map(samples).collect::<Vec<_>>())
}

/// Puts each case into the cluster of that number.
pub(crate) fn clustered(mut results: VariantResults, clusters: &[usize]) -> VariantResults {
    for (case, cluster) in results.cases.iter_mut().zip(clusters) {
        case.cluster = Some(format!("g{cluster}"));
    }
    results
}

fn value(letter: u8) -> Value {
    match letter {
        b'p' => Value::Number(1.0),
        b'f' => Value::Number(0.0),
        b'e' => Value::Not(Status::Error),
        b'u' => Value::Not(Status::Unreadable),
        b's' => Value::Not(Status::Skipped),
        b'n' => Value::Not(Status::NoChecks),
        b'l' => Value::Open(Open::Unlabelled),
        b'd' => Value::Open(Open::Disputed),
        b'h' => Value::Open(Open::NotDrawn),
        b'r' => Value::Open(Open::UnequallyDrawn),
        b'.' => Value::Pending,
        other => panic!("{} is no status", char::from(other)),
    }
}

fn count(samples: usize) -> u32 {
    u32::try_from(samples).expect("tests have few samples")
}

pub(crate) fn measured(live: bool) -> Measured {
    Measured { cost: None, latency_ms: None, live, input_tokens: None, output_tokens: None }
}

pub(crate) fn hash(text: &str) -> ContentHash {
    ContentHash::of_bytes(text.as_bytes())
}
