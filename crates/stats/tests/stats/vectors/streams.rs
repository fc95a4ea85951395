//! Pairs, repeated attempts, drift, two samples, labelling (S16 to S18).

use serde_json::{Value, json};
use stats::{Drift, InvalidInput, Stratum};

use super::Outcome;
use super::input::{Input, high, low, n};

pub(crate) fn run(function: &str, input: Input<'_>) -> Outcome {
    Some(match function {
        "win_rate" => win_rate(input),
        "bradley_terry" => bradley_terry(input),
        "length_controlled_win_rate" => length_controlled(input),
        "pass_at_k" => stats::pass_at_k(input.count("n"), input.count("c"), input.count("k"))
            .map(|result| json!({"pass_at_k": n(result.any), "pass_hat_k": n(result.all)})),
        "cusum_tabular" => cusum(input),
        "ewma_chart" => ewma(input),
        "page_hinkley" => page_hinkley(input),
        "two_proportions" => two_proportions(input),
        "mann_whitney" => mann_whitney(input),
        "welch_t" => welch(input),
        "ks_two_sample" => kolmogorov_smirnov(input),
        "quantiles" => quantiles(input),
        "active_probabilities" => stats::labelling_probabilities(
            &input.numbers("uncertainty"),
            input.number("budget"),
            input.number("tau"),
        )
        .map(|plan| {
            json!({"probabilities": plan.probabilities, "expected_labels": plan.expected_labels})
        }),
        "active_mean" => active_mean(input),
        "neyman_allocation" => neyman(input),
        "stratified_mean" => stratified(input),
        _ => return None,
    })
}

fn win_rate(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::win_rate(&input.numbers("outcomes"), input.level())?;
    Ok(json!({
        "win_rate": n(result.rate.mean),
        "wins": result.wins,
        "ties": result.ties,
        "losses": result.losses,
        "se": n(result.rate.standard_error),
        "t_low": low(result.rate.interval),
        "t_high": high(result.rate.interval),
        "wilson_low": low(result.wilson),
        "wilson_high": high(result.wilson),
        "sign_test_p": result.sign_test_p,
    }))
}

fn bradley_terry(input: Input<'_>) -> Result<Value, InvalidInput> {
    let Ok(fit) = stats::bradley_terry(&input.rows("wins"), input.level())? else {
        return Ok(json!({
            "log_strength": null, "se": null, "low": null, "high": null, "elo": null,
            "prob_first_beats_second": null,
        }));
    };
    let low: Vec<f64> = fit.intervals.iter().map(values::Interval::low).collect();
    let high: Vec<f64> = fit.intervals.iter().map(values::Interval::high).collect();
    Ok(json!({
        "log_strength": fit.log_strength,
        "se": fit.standard_error,
        "low": low,
        "high": high,
        "elo": fit.elo(),
        "prob_first_beats_second": fit.win_probability(0, 1),
    }))
}

fn length_controlled(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::length_controlled_win_rate(
        &input.numbers("outcomes"),
        &input.numbers("length_difference"),
        input.level(),
    )?;
    Ok(json!({
        "raw": n(result.raw),
        "lc": n(result.controlled),
        "theta": n(result.theta),
        "phi": n(result.phi),
        "se_theta": n(result.theta_standard_error),
        "low": low(result.interval),
        "high": high(result.interval),
    }))
}

fn cusum(input: Input<'_>) -> Result<Value, InvalidInput> {
    let (target, sd) = (input.number("target"), input.number("sd"));
    let values: Vec<f64> =
        input.numbers("values").iter().map(|value| (value - target) / sd).collect();
    let result = stats::cusum(&values, input.number("k"), input.number("h"))?;
    Ok(json!({
        "c_plus": result.up,
        "c_minus": result.down,
        "first_alarm_up": result.first_alarm_up,
        "first_alarm_down": result.first_alarm_down,
    }))
}

fn ewma(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::ewma_chart(
        &input.numbers("values"),
        input.number("target"),
        input.number("sd"),
        input.number("lambda_"),
        input.number("L"),
    )?;
    Ok(json!({
        "ewma": result.average,
        "low": result.low,
        "high": result.high,
        "first_alarm": result.first_alarm,
    }))
}

fn page_hinkley(input: Input<'_>) -> Result<Value, InvalidInput> {
    let drift = match input.text("direction") {
        "up" => Drift::Up,
        "down" => Drift::Down,
        other => panic!("no direction is called {other}"),
    };
    let (delta, threshold) = (input.number("delta"), input.number("threshold"));
    let result = stats::page_hinkley(&input.numbers("values"), delta, threshold, drift)?;
    Ok(json!({
        "final_statistic": n(result.final_statistic),
        "first_alarm": result.first_alarm,
    }))
}

fn two_proportions(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::two_proportions(
        (input.count("successes_a"), input.count("n_a")),
        (input.count("successes_b"), input.count("n_b")),
        input.level(),
    )?;
    Ok(json!({
        "diff": n(result.difference),
        "z": n(result.z),
        "z_p": n(result.z_p),
        "fisher_p": n(result.fisher_p),
        "newcombe_low": low(result.interval),
        "newcombe_high": high(result.interval),
    }))
}

fn mann_whitney(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::mann_whitney(&input.numbers("a"), &input.numbers("b"))?;
    Ok(json!({
        "u_a": n(result.u_a),
        "p_value": n(result.p_value),
        "prob_superiority_b": n(result.probability_b_larger),
    }))
}

fn welch(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::welch_t(&input.numbers("a"), &input.numbers("b"), input.level())?;
    Ok(json!({
        "diff": n(result.difference),
        "t": n(result.t),
        "df": n(result.degrees_of_freedom),
        "p_value": n(result.p_value),
        "low": low(result.interval),
        "high": high(result.interval),
    }))
}

fn kolmogorov_smirnov(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::kolmogorov_smirnov(&input.numbers("a"), &input.numbers("b"))?;
    Ok(json!({
        "statistic": n(result.statistic),
        "p_exact": n(result.exact_p),
        "p_asymptotic": n(result.asymptotic_p),
    }))
}

fn quantiles(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::quantiles(&input.numbers("values"), &input.numbers("quantiles"))?;
    Ok(result.map_or(
        json!({"linear": null, "nearest_rank": null, "min": null, "max": null}),
        |quantiles| {
            json!({
                "linear": quantiles.linear,
                "nearest_rank": quantiles.nearest_rank,
                "min": quantiles.minimum,
                "max": quantiles.maximum,
            })
        },
    ))
}

fn active_mean(input: Input<'_>) -> Result<Value, InvalidInput> {
    let labels: Vec<Option<f64>> = input
        .optional_numbers("human")
        .into_iter()
        .zip(input.flags("sampled"))
        .map(|(label, sampled)| label.filter(|_| sampled))
        .collect();
    let result = stats::active_mean(
        &input.numbers("judge"),
        &labels,
        &input.numbers("probabilities"),
        input.level(),
    )?;
    Ok(json!({
        "estimate": n(result.estimate),
        "se": n(result.standard_error),
        "low": low(result.interval),
        "high": high(result.interval),
        "n_labelled": result.labels,
    }))
}

fn neyman(input: Input<'_>) -> Result<Value, InvalidInput> {
    let strata: Vec<Stratum> = input
        .sizes("stratum_sizes")
        .into_iter()
        .zip(input.numbers("stratum_sd"))
        .map(|(size, sd)| Stratum { size: size as u64, sd })
        .collect();
    let allocation = stats::neyman_allocation(
        &strata,
        input.number("budget"),
        input.number("min_per_stratum"),
        input.number("sd_floor"),
    )?;
    Ok(json!({"real_allocation": allocation}))
}

fn stratified(input: Input<'_>) -> Result<Value, InvalidInput> {
    let sizes: Vec<u64> =
        input.sizes("stratum_sizes").into_iter().map(|size| size as u64).collect();
    let samples = input.rows("samples");
    let samples: Vec<&[f64]> = samples.iter().map(Vec::as_slice).collect();
    let result = stats::stratified_mean(&sizes, &samples, input.level())?;
    Ok(json!({
        "estimate": n(result.estimate),
        "se": n(result.standard_error),
        "low": low(result.interval),
        "high": high(result.interval),
    }))
}
