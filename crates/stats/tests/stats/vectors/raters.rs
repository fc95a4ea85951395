//! Agreement, classification, corrected rates, the alternative annotator, bias (S11 to S15).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stats::{
    AltTestRules, AnnotationScore, BinaryCounts, Binning, CalibratedCounts, InvalidInput,
    Measurement, Position, Power, Weights,
};

use super::Outcome;
use super::input::{Input, high, low, n};

pub(crate) fn run(function: &str, input: Input<'_>) -> Outcome {
    Some(match function {
        "cohen_kappa" => cohen(input),
        "fleiss_kappa" => fleiss(input),
        "gwet_ac1" | "gwet_ac2" => gwet(input),
        "krippendorff_alpha" => krippendorff(input),
        "binary_confusion" => binary(input),
        "multiclass_confusion" => multiclass(input),
        "rank_correlation" => rank_correlation(input),
        "rogan_gladen_ci" => rogan_gladen(input),
        "ppi_mean" => ppi_mean(input),
        "ppi_rate_adjusted" => ppi_rate(input),
        "alt_test" => alt_test(input),
        "ece_equal_width" => calibration(input, Binning::EqualWidth),
        "ece_equal_mass" => calibration(input, Binning::EqualMass),
        "position_swap" => position_swap(input),
        "length_bias" => length_bias(input),
        "self_preference" => self_preference(input),
        _ => return None,
    })
}

fn weights(input: Input<'_>) -> Weights {
    match input.text("weights") {
        "none" | "identity" => Weights::Identity,
        "linear" => Weights::Linear,
        "quadratic" => Weights::Quadratic,
        other => panic!("no weights are called {other}"),
    }
}

/// Turns labels into their numbers among the categories; an unknown one gets a number too large.
fn numbered(labels: &[Value], categories: &[Value]) -> Vec<usize> {
    labels
        .iter()
        .map(|label| categories.iter().position(|c| same(c, label)).unwrap_or(categories.len()))
        .collect()
}

fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12,
        _ => a == b,
    }
}

fn cohen(input: Input<'_>) -> Result<Value, InvalidInput> {
    let categories = input.list("categories");
    let result = stats::cohen_kappa(
        &numbered(input.list("rater_a"), categories),
        &numbered(input.list("rater_b"), categories),
        categories.len(),
        weights(input),
        input.level(),
    )?;
    Ok(json!({
        "kappa": n(result.kappa),
        "percent_agreement": n(result.percent_agreement),
        "se": n(result.standard_error),
        "se_null": n(result.null_standard_error),
        "low": low(result.interval),
        "high": high(result.interval),
    }))
}

fn fleiss(input: Input<'_>) -> Result<Value, InvalidInput> {
    let counts: Vec<Vec<u64>> = input
        .list("counts")
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).collect())
        .collect();
    Ok(json!({"kappa": n(stats::fleiss_kappa(&counts)?)}))
}

fn gwet(input: Input<'_>) -> Result<Value, InvalidInput> {
    let categories = input.list("categories");
    let ratings: Vec<Vec<Option<usize>>> = input
        .list("ratings")
        .iter()
        .map(|row| {
            let row = row.as_array().unwrap();
            numbered(row, categories)
                .into_iter()
                .zip(row)
                .map(|(number, label)| (!label.is_null()).then_some(number))
                .collect()
        })
        .collect();
    let values = input.numbers("categories");
    let result = stats::gwet_coefficient(&ratings, &values, weights(input), input.level())?;
    Ok(json!({
        "coefficient": n(result.coefficient),
        "percent_agreement": n(result.percent_agreement),
        "expected_agreement": n(result.expected_agreement),
        "se": n(result.standard_error),
        "low": low(result.interval),
        "high": high(result.interval),
    }))
}

fn krippendorff(input: Input<'_>) -> Result<Value, InvalidInput> {
    let level = match input.text("level") {
        "nominal" => Measurement::Nominal,
        "ordinal" => Measurement::Ordinal,
        "interval" => Measurement::Interval,
        other => panic!("no level is called {other}"),
    };
    Ok(json!({"alpha": n(stats::krippendorff_alpha(&input.optional_rows("ratings"), level)?)}))
}

fn binary(input: Input<'_>) -> Result<Value, InvalidInput> {
    let counts = BinaryCounts::of(&input.flags("gold"), &input.flags("pred"))?;
    let result = stats::binary_confusion(counts, stats::Level::P95)?;
    Ok(json!({
        "tp": counts.true_positives,
        "fp": counts.false_positives,
        "tn": counts.true_negatives,
        "fn": counts.false_negatives,
        "accuracy": n(result.accuracy),
        "sensitivity": n(result.sensitivity),
        "sensitivity_low": low(result.sensitivity_interval),
        "sensitivity_high": high(result.sensitivity_interval),
        "specificity": n(result.specificity),
        "specificity_low": low(result.specificity_interval),
        "specificity_high": high(result.specificity_interval),
        "precision": n(result.precision),
        "npv": n(result.negative_predictive_value),
        "f1": n(result.f1),
        "mcc": n(result.mcc),
        "balanced_accuracy": n(result.balanced_accuracy),
    }))
}

fn multiclass(input: Input<'_>) -> Result<Value, InvalidInput> {
    let labels = input.list("labels");
    let result = stats::multiclass_confusion(
        &numbered(input.list("gold"), labels),
        &numbered(input.list("pred"), labels),
        labels.len(),
    )?;
    Ok(json!({
        "matrix": result.matrix,
        "accuracy": n(result.accuracy),
        "macro_f1": n(result.macro_f1),
        "weighted_f1": n(result.weighted_f1),
        "mcc": n(result.mcc),
    }))
}

fn rank_correlation(input: Input<'_>) -> Result<Value, InvalidInput> {
    let (x, y) = (input.numbers("x"), input.numbers("y"));
    let result = stats::rank_correlation(&x, &y, stats::Level::P95)?;
    Ok(json!({
        "pearson": n(result.pearson),
        "pearson_p": n(result.pearson_p),
        "pearson_low": low(result.pearson_interval),
        "pearson_high": high(result.pearson_interval),
        "spearman": n(result.spearman),
        "spearman_p": n(result.spearman_p),
        "kendall_tau_b": n(result.kendall_tau_b),
        "kendall_p_asymptotic": n(result.kendall_p),
    }))
}

fn rogan_gladen(input: Input<'_>) -> Result<Value, InvalidInput> {
    let counts = CalibratedCounts {
        positives: input.count("positives"),
        total: input.count("n"),
        true_positives: input.count("true_pos"),
        calibration_positives: input.count("n_pos"),
        true_negatives: input.count("true_neg"),
        calibration_negatives: input.count("n_neg"),
    };
    let result = stats::rogan_gladen(counts, input.level())?;
    Ok(json!({
        "youden": n(result.youden),
        "estimate_raw": n(result.estimate_raw),
        "estimate": n(result.estimate),
        "adjusted_center": n(result.adjusted_center),
        "low": low(result.interval),
        "high": high(result.interval),
    }))
}

fn ppi_mean(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::prediction_powered_mean(
        &input.numbers("human"),
        &input.numbers("judge_labeled"),
        &input.numbers("judge_unlabeled"),
        input.get("lambda_").as_f64().map_or(Power::Tuned, Power::Fixed),
        input.level(),
    )?;
    Ok(json!({
        "estimate": n(result.estimate),
        "se": n(result.standard_error),
        "low": low(result.interval),
        "high": high(result.interval),
        "lambda_used": n(result.lambda),
        "classical": n(result.classical),
        "judge_mean_all": n(result.predicted_mean),
    }))
}

fn ppi_rate(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::prediction_powered_rate(
        &input.numbers("human"),
        &input.numbers("judge_labeled"),
        &input.numbers("judge_unlabeled"),
        input.level(),
    )?;
    Ok(json!({
        "center": result.center,
        "se": result.standard_error,
        "df": result.degrees_of_freedom,
        "low": result.adjusted_interval.low(),
        "high": result.adjusted_interval.high(),
        "lambda_used": result.lambda,
    }))
}

fn alt_test(input: Input<'_>) -> Result<Value, InvalidInput> {
    let humans = input.get("humans").as_object().unwrap();
    let llm = input.get("llm").as_object().unwrap();
    let rules = AltTestRules {
        score: match input.text("scoring") {
            "accuracy" => AnnotationScore::Accuracy,
            "neg_rmse" => AnnotationScore::NegativeRmse,
            other => panic!("no score is called {other}"),
        },
        epsilon: input.number("epsilon"),
        false_discovery: stats::Level::of_alpha(input.number("q_fdr"))?,
        annotators_per_item: input.size("min_humans_per_instance"),
        items_per_annotator: input.size("min_instances_per_human"),
    };
    // Labels may be words: equal ones get equal numbers.
    let mut words: BTreeMap<String, f64> = BTreeMap::new();
    let mut number = |label: &Value| {
        let next = words.len() as f64;
        label
            .as_f64()
            .or_else(|| label.as_str().map(|w| *words.entry(w.to_owned()).or_insert(next)))
    };
    let model: Vec<Option<f64>> = llm.values().map(&mut number).collect();
    let annotators: Vec<Vec<Option<f64>>> = humans
        .values()
        .map(|labels| llm.keys().map(|item| labels.get(item).and_then(&mut number)).collect())
        .collect();
    let result = stats::alt_test(&model, &annotators, rules)?;
    let names: Vec<&String> = humans.keys().collect();
    let annotators: Vec<Value> = result
        .annotators
        .iter()
        .map(|annotator| {
            json!({
                "annotator": names[annotator.annotator],
                "n": annotator.items,
                "rho_llm": annotator.model_wins,
                "rho_human": annotator.annotator_wins,
                "p_value": annotator.p_value,
                "rejected": annotator.rejected,
            })
        })
        .collect();
    Ok(json!({
        "winning_rate": result.winning_rate,
        "advantage_probability": result.advantage_probability,
        "passes": result.passes,
        "annotators": annotators,
    }))
}

fn calibration(input: Input<'_>, binning: Binning) -> Result<Value, InvalidInput> {
    let result = stats::calibration(
        &input.numbers("confidence"),
        &input.flags("correct"),
        input.size("n_bins"),
        binning,
    )?;
    let bins: Vec<Value> = result
        .bins
        .iter()
        .map(|bin| {
            json!({
                "bin": bin.bin,
                "count": bin.count,
                "mean_conf": bin.mean_confidence,
                "rate": bin.correct_share,
            })
        })
        .collect();
    Ok(json!({
        "ece": n(result.expected_error),
        "mce": n(result.maximum_error),
        "brier": n(result.brier),
        "bins": bins,
    }))
}

fn position_swap(input: Input<'_>) -> Result<Value, InvalidInput> {
    let positions = |field: &str| -> Vec<Position> {
        input
            .list(field)
            .iter()
            .map(|position| match position.as_str() {
                Some("first") => Position::First,
                Some("second") => Position::Second,
                Some("tie") => Position::Tie,
                _ => panic!("{position} is no position"),
            })
            .collect()
    };
    let result = stats::position_swap(&positions("ab"), &positions("ba"), input.level())?;
    Ok(json!({
        "consistency": n(result.consistency),
        "low": result.interval.low(),
        "high": result.interval.high(),
        "first_first": result.first_first,
        "second_second": result.second_second,
        "position_p": result.position_p,
        "first_rate": n(result.first_rate),
        "swap_averaged_win_rate_a": n(result.swap_averaged_win_rate_a),
    }))
}

fn length_bias(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::length_bias(
        &input.numbers("judge"),
        &input.numbers("human"),
        &input.numbers("length"),
    )?;
    Ok(json!({
        "spearman_judge_length": n(result.rater_length),
        "spearman_human_length": n(result.human_length),
        "partial_spearman": n(result.partial),
        "partial_p": n(result.partial_p),
    }))
}

fn self_preference(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::self_preference(
        &input.numbers("judge_own"),
        &input.numbers("human_own"),
        &input.numbers("judge_other"),
        &input.numbers("human_other"),
        input.level(),
    )?;
    Ok(json!({
        "bias_own": n(result.bias_own),
        "bias_other": n(result.bias_other),
        "did": n(result.test.difference),
        "t": n(result.test.t),
        "df": n(result.test.degrees_of_freedom),
        "p_value": n(result.test.p_value),
        "low": low(result.test.interval),
        "high": high(result.test.interval),
    }))
}
