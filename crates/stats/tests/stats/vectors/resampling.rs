//! Rank and permutation tests, the bootstrap, sequential methods (S6, S7, S10).

use serde_json::{Map, Value, json};
use stats::{
    Alternative, Bootstrap, Bounds, Defined, Direction, InvalidInput, Resampling, Undefined,
    WilcoxonMethod, Zeros,
};
use values::Interval;

use super::Outcome;
use super::input::{Input, high, low, n, sizes};

/// The seed of all random vectors; their tolerance holds for any.
const SEED: u64 = 20_240_607;

pub(crate) fn run(function: &str, input: Input<'_>) -> Outcome {
    Some(match function {
        "wilcoxon_signed_rank" => wilcoxon(input),
        "signflip_exact" => {
            stats::signflip_exact(&input.numbers("differences"), alternative(input)).map(signflip)
        }
        "signflip_monte_carlo" => stats::signflip_monte_carlo(
            &input.numbers("differences"),
            alternative(input),
            input.size("n_resamples"),
            SEED,
        )
        .map(signflip),
        "bootstrap_given_indices" => stats::bootstrap_given_indices(
            &input.numbers("values"),
            &index_rows(input, "resample_indices"),
            statistic(input.text("statistic")),
            input.level(),
        )
        .map(bootstrap),
        "cluster_bootstrap_given_indices" => stats::cluster_bootstrap_given_indices(
            &input.numbers("values"),
            &input.sizes("clusters"),
            &index_rows(input, "resample_cluster_indices"),
            mean,
            input.level(),
        )
        .map(bootstrap),
        "bootstrap_mean_ci" => bootstrap_mean(input),
        "betting_eprocess" => eprocess(input),
        "hedged_cs" => {
            assert_defaults(input, "trunc");
            stats::hedged_confidence_sequence(
                &input.numbers("differences"),
                bounds(input),
                input.alpha(),
            )
            .map(|sequence| sequence_at(&sequence))
        }
        "empirical_bernstein_cs" => {
            assert_defaults(input, "truncation");
            stats::empirical_bernstein_confidence_sequence(
                &input.numbers("differences"),
                bounds(input),
                input.alpha(),
            )
            .map(|sequence| sequence_at(&sequence))
        }
        _ => return None,
    })
}

fn alternative(input: Input<'_>) -> Alternative {
    match input.text("alternative") {
        "greater" => Alternative::Greater,
        "less" => Alternative::Less,
        "two-sided" => Alternative::TwoSided,
        other => panic!("no alternative is called {other}"),
    }
}

fn wilcoxon(input: Input<'_>) -> Result<Value, InvalidInput> {
    let zeros = match input.text("zero_method") {
        "pratt" => Zeros::Pratt,
        "wilcox" => Zeros::Drop,
        other => panic!("no zero method is called {other}"),
    };
    let method = match (input.text("method"), input.get("correction").as_bool().unwrap()) {
        ("exact", _) => WilcoxonMethod::Exact,
        ("approx", true) => WilcoxonMethod::NormalWithContinuity,
        ("approx", false) => WilcoxonMethod::Normal,
        (other, _) => panic!("no method is called {other}"),
    };
    let result = stats::wilcoxon_signed_rank(
        &input.numbers("differences"),
        zeros,
        method,
        alternative(input),
    )?;
    Ok(json!({
        "statistic": n(result.statistic),
        "p_value": n(result.p_value),
        "z": n(result.z),
        "n_nonzero": result.nonzero,
    }))
}

fn signflip(result: stats::SignFlip) -> Value {
    json!({
        "mean": n(result.mean),
        "p_value": n(result.p_value),
        "p_abs": n(result.absolute_p),
    })
}

fn index_rows(input: Input<'_>, field: &str) -> Vec<Vec<usize>> {
    input.list(field).iter().map(sizes).collect()
}

fn mean(values: &[f64]) -> Defined<f64> {
    stats::mean_interval(values, stats::Level::P95).unwrap().mean
}

fn median(values: &[f64]) -> Defined<f64> {
    stats::quantiles(values, &[0.5]).unwrap().map(|quantiles| quantiles.linear[0])
}

fn statistic(name: &str) -> fn(&[f64]) -> Defined<f64> {
    match name {
        "mean" => mean,
        "median" => median,
        other => panic!("no statistic is called {other}"),
    }
}

fn bootstrap(result: Bootstrap) -> Value {
    json!({
        "estimate": n(result.estimate),
        "boot_se": n(result.standard_error),
        "percentile_low": low(result.percentile),
        "percentile_high": high(result.percentile),
        "bca_low": low(result.bca),
        "bca_high": high(result.bca),
        "z0": n(result.bias),
        "acceleration": n(result.acceleration),
    })
}

fn bootstrap_mean(input: Input<'_>) -> Result<Value, InvalidInput> {
    let resampling =
        Resampling { resamples: input.size("n_resamples"), ..Resampling::seeded(SEED) };
    let result = stats::bootstrap_mean(&input.numbers("values"), resampling, input.level())?;
    let interval = match input.text("method").to_lowercase().as_str() {
        "percentile" => result.percentile,
        "bca" => result.bca,
        other => panic!("no method is called {other}"),
    };
    Ok(json!({"low": low(interval), "high": high(interval)}))
}

fn bounds(input: Input<'_>) -> Bounds {
    Bounds::new(input.number("lo"), input.number("hi")).unwrap()
}

/// The methods fix what the vectors leave open: bets are cut at one half.
fn assert_defaults(input: Input<'_>, truncation: &str) {
    assert!((input.number(truncation) - 0.5).abs() < 1e-12, "bets are cut at one half");
    if let Some(running) = input.0.get("running_intersection") {
        assert_eq!(running, true, "sequences are intersected");
    }
}

fn eprocess(input: Input<'_>) -> Result<Value, InvalidInput> {
    assert_defaults(input, "trunc");
    let direction = match input.text("side") {
        "lower" => Direction::Greater,
        "upper" => Direction::Less,
        other => panic!("no side is called {other}"),
    };
    let result = stats::betting_eprocess(
        &input.numbers("differences"),
        bounds(input),
        input.number("null_mean"),
        direction,
        input.alpha(),
    )?;
    let too_few = Undefined::TooFew { needed: 1, found: 0 };
    let last = result.log_e.last().copied().ok_or(too_few);
    let steps: Map<String, Value> = result
        .log_e
        .iter()
        .enumerate()
        .map(|(i, log_e)| ((i + 1).to_string(), json!(log_e.exp())))
        .collect();
    Ok(json!({
        "e_at": steps,
        "e_final": n(last.map(f64::exp)),
        "first_crossing": result.first_crossing,
        "anytime_p": result.anytime_p,
    }))
}

fn sequence_at(sequence: &[Interval]) -> Value {
    let steps: Map<String, Value> = sequence
        .iter()
        .enumerate()
        .map(|(i, interval)| ((i + 1).to_string(), json!([interval.low(), interval.high()])))
        .collect();
    json!({"at": steps})
}
