//! Made-up truth: results whose true difference is known.

use analysis::{CaseResults, Measured, Origin, SampleResult, SetCriterion, Value, VariantResults};
use evalset::ScoreSource;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use run::{Variant, VariantSource};
use values::{ContentHash, Id, Timestamp};

/// Random draws of one simulated world.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Returns a number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }
}

/// Scores of one case: those of its samples under the baseline and under the candidate.
pub(crate) type Scores = (Vec<f64>, Vec<f64>);

/// A pair of binary results of which a share differs, more of it for the better by `difference`.
pub(crate) fn binary(draws: &mut Draws, discordance: f64, difference: f64) -> (f64, f64) {
    let at = draws.unit();
    if at < f64::midpoint(discordance, difference) {
        (0.0, 1.0)
    } else if at < discordance {
        (1.0, 0.0)
    } else if draws.chance(0.7) {
        (1.0, 1.0)
    } else {
        (0.0, 0.0)
    }
}

/// Cases with one sample on either side.
pub(crate) fn single(draws: &mut Draws, cases: usize, discordance: f64, gain: f64) -> Vec<Scores> {
    (0..cases)
        .map(|_| {
            let (a, b) = binary(draws, discordance, gain);
            (vec![a], vec![b])
        })
        .collect()
}

/// Results of both sides, which are reused: only the scores change between repetitions.
pub(crate) struct World {
    pub(crate) baseline: VariantResults,
    pub(crate) candidate: VariantResults,
}

impl World {
    /// Makes two variants of so many cases and criteria, the first criterion primary.
    pub(crate) fn new(cases: usize, criteria: usize) -> Self {
        Self { baseline: side("a", cases, criteria), candidate: side("b", cases, criteria) }
    }

    /// Gives the cases the scores of one criterion.
    pub(crate) fn score(&mut self, criterion: usize, scores: &[Scores]) {
        let samples = |of: &Vec<f64>| u32::try_from(of.len()).expect("few samples");
        self.baseline.samples = scores.first().map_or(1, |(a, _)| samples(a));
        self.candidate.samples = scores.first().map_or(1, |(_, b)| samples(b));
        let criteria = self.baseline.criteria.len();
        for (place, (a, b)) in scores.iter().enumerate() {
            fill(&mut self.baseline.cases[place], criterion, criteria, a);
            fill(&mut self.candidate.cases[place], criterion, criteria, b);
        }
    }

    /// Puts case i into the cluster `of[i]`.
    pub(crate) fn cluster(&mut self, of: &[usize]) {
        for side in [&mut self.baseline, &mut self.candidate] {
            for (case, cluster) in side.cases.iter_mut().zip(of) {
                case.cluster = Some(format!("g{cluster}"));
            }
        }
    }

    /// Returns the same with the first cases only.
    pub(crate) fn first(&self, cases: usize) -> Self {
        let cut = |side: &VariantResults| {
            let cases = side.cases[..cases].to_vec();
            VariantResults { cases, ..side.clone() }
        };
        Self { baseline: cut(&self.baseline), candidate: cut(&self.candidate) }
    }
}

fn fill(case: &mut CaseResults, criterion: usize, criteria: usize, scores: &[f64]) {
    case.samples.resize_with(scores.len(), || SampleResult {
        output: None,
        values: vec![Value::Pending; criteria],
        measured: None,
    });
    for (sample, score) in case.samples.iter_mut().zip(scores) {
        sample.values[criterion] = Value::Number(*score);
    }
}

/// Gives each answer of a case a latency.
pub(crate) fn time(case: &mut CaseResults, mut latency_ms: impl FnMut() -> u64) {
    for sample in &mut case.samples {
        sample.measured = Some(Measured {
            cost: None,
            latency_ms: Some(latency_ms()),
            live: true,
            input_tokens: None,
            output_tokens: None,
        });
    }
}

fn side(name: &str, cases: usize, criteria: usize) -> VariantResults {
    let hash = |text: &str| ContentHash::of_bytes(text.as_bytes());
    let created = Timestamp::from_unix_ms(1);
    let criterion = |number: usize| SetCriterion {
        name: format!("criterion-{number}"),
        hash: hash("criterion"),
        source: ScoreSource::Code,
        scorers: Vec::new(),
    };
    let case = |number: usize| {
        let id = format!("c{number}");
        let hash = hash(&id);
        CaseResults { id, hash, cluster: None, tags: Vec::new(), samples: Vec::new() }
    };
    VariantResults {
        variant: Variant {
            name: name.to_owned(),
            source: VariantSource::Outputs { name: name.to_owned() },
            hash: hash(name),
        },
        origin: Origin::Run { id: Id::new(created, [0; 10]), created, complete: true },
        eval_set: "simulated".to_owned(),
        eval_set_hash: hash("simulated"),
        samples: 1,
        replayed: false,
        criteria: (0..criteria).map(criterion).collect(),
        primary: Some(0),
        cases: (0..cases).map(case).collect(),
    }
}
