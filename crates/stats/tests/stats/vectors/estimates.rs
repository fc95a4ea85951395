//! Proportions, means, paired differences, plans, margins, multiplicity (S1 to S5, S8, S9).

use serde_json::{Value, json};
use stats::{
    AdjustedTests, ClusteredMean, InvalidInput, MeanInterval, PairedDesign, PairedDifference,
    Proportion, ProportionDifference,
};

use super::Outcome;
use super::input::{Input, count, flag, high, low, n};

pub(crate) fn run(function: &str, input: Input<'_>) -> Outcome {
    Some(match function {
        "wilson" => proportion(input, stats::wilson_interval),
        "clopper_pearson" => proportion(input, stats::clopper_pearson_interval),
        "mean_ci" => stats::mean_interval(&input.numbers("values"), input.level()).map(mean),
        "clustered_mean_ci" => stats::clustered_mean_interval(
            &input.numbers("values"),
            &input.sizes("clusters"),
            input.level(),
        )
        .map(|result| clustered(&result, "mean")),
        "paired_mean_diff" => {
            stats::paired_difference(&input.numbers("a"), &input.numbers("b"), input.level())
                .map(|result| paired(&result))
        }
        "clustered_paired_diff" => clustered_paired(input),
        "mcnemar" => mcnemar(input),
        "newcombe_paired_ci" => {
            stats::newcombe_paired_interval(input.square(), input.level()).map(difference)
        }
        "tango_paired_ci" => stats::tango_interval(input.square(), input.level()).map(difference),
        "epoch_variance_decomposition" => components(input),
        "sample_size_paired_mean" => sample_size_mean(input),
        "mde_paired_mean" => stats::smallest_detectable_difference(
            design(input),
            input.count("n"),
            input.number("power"),
            input.alpha(),
        )
        .map(|mde| json!({"mde": mde})),
        "power_paired_mean" => stats::power_paired_mean(
            design(input),
            input.number("delta"),
            input.count("n"),
            input.alpha(),
        )
        .map(|power| json!({"power": n(power)})),
        "sample_size_mcnemar" => sample_size_mcnemar(input),
        "noninferiority_mean" => noninferiority_mean(input),
        "noninferiority_binary" => noninferiority_binary(input),
        "holm" => adjusted(input, stats::holm),
        "benjamini_hochberg" => adjusted(input, stats::benjamini_hochberg),
        "benjamini_yekutieli" => adjusted(input, stats::benjamini_yekutieli),
        _ => return None,
    })
}

type IntervalOfCounts = fn(u64, u64, stats::Level) -> Result<Proportion, InvalidInput>;

fn proportion(input: Input<'_>, method: IntervalOfCounts) -> Result<Value, InvalidInput> {
    let result = method(input.count("successes"), input.count("n"), input.level())?;
    let interval = Ok(result.interval);
    Ok(json!({"estimate": n(result.estimate), "low": low(interval), "high": high(interval)}))
}

fn mean(result: MeanInterval) -> Value {
    json!({
        "mean": n(result.mean),
        "se": n(result.standard_error),
        "df": count(result.degrees_of_freedom),
        "t_low": low(result.interval),
        "t_high": high(result.interval),
        "z_low": low(result.normal_interval),
        "z_high": high(result.normal_interval),
    })
}

fn clustered(result: &ClusteredMean, name_of_mean: &str) -> Value {
    json!({
        name_of_mean: n(result.mean),
        "se_naive": n(result.naive_standard_error),
        "se_cr0": n(result.cr0_standard_error),
        "se_cr1": n(result.cr1_standard_error),
        "se_miller": n(result.miller_standard_error),
        "n_clusters": result.clusters,
        "df": count(result.degrees_of_freedom),
        "t_low": low(result.interval),
        "t_high": high(result.interval),
        "design_effect": n(result.design_effect),
    })
}

fn paired(result: &PairedDifference) -> Value {
    json!({
        "n": result.count,
        "mean_a": n(result.mean_a),
        "mean_b": n(result.mean_b),
        "diff": n(result.difference),
        "se": n(result.standard_error),
        "df": count(result.degrees_of_freedom),
        "low": low(result.interval),
        "high": high(result.interval),
        "t": n(result.t),
        "p_value": n(result.p_value),
        "z_p_value": n(result.normal_p_value),
        "corr": n(result.correlation),
        "se_unpaired": n(result.unpaired_standard_error),
        "cohen_dz": n(result.cohen_dz),
    })
}

fn clustered_paired(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::clustered_paired_difference(
        &input.numbers("a"),
        &input.numbers("b"),
        &input.sizes("clusters"),
        input.level(),
    )?;
    let mut fields = clustered(&result.difference, "diff");
    fields["p_value"] = n(result.p_value);
    Ok(fields)
}

fn mcnemar(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::mcnemar(input.square())?;
    Ok(json!({
        "diff": n(result.difference),
        "n_discordant": result.discordant,
        "exact_p": result.exact_p,
        "mid_p": result.mid_p,
        "chi2": n(result.chi_square),
        "chi2_p": n(result.chi_square_p),
        "chi2_cc": n(result.corrected_chi_square),
        "chi2_cc_p": n(result.corrected_chi_square_p),
    }))
}

fn difference(result: ProportionDifference) -> Value {
    json!({
        "diff": n(result.difference),
        "low": low(result.interval),
        "high": high(result.interval),
    })
}

fn components(input: Input<'_>) -> Result<Value, InvalidInput> {
    let rows = input.rows("scores");
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let result = stats::variance_components(&rows)?;
    Ok(json!({
        "mean": n(result.mean),
        "se": n(result.standard_error),
        "var_within": n(result.within),
        "var_between": n(result.between),
        "var_between_raw": n(result.between_raw),
        "icc1": n(result.intraclass_correlation),
        "within_share_of_se2": n(result.within_share),
        "se_if_infinite_epochs": n(result.standard_error_without_noise),
    }))
}

fn design(input: Input<'_>) -> PairedDesign {
    PairedDesign {
        difference_variance: input.number("omega2"),
        within_variance_a: input.number("sigma2_a"),
        within_variance_b: input.number("sigma2_b"),
        samples_a: u32::try_from(input.count("k_a")).unwrap(),
        samples_b: u32::try_from(input.count("k_b")).unwrap(),
    }
}

fn sample_size_mean(input: Input<'_>) -> Result<Value, InvalidInput> {
    let size = stats::sample_size_paired_mean(
        design(input),
        input.number("delta"),
        input.number("power"),
        input.alpha(),
    )?;
    Ok(json!({"n": size, "n_ceil": size.ceil()}))
}

fn sample_size_mcnemar(input: Input<'_>) -> Result<Value, InvalidInput> {
    let size = stats::sample_size_mcnemar(
        input.number("p_discordant"),
        input.number("delta"),
        input.number("power"),
        input.alpha(),
    )?;
    Ok(json!({"n": n(size), "n_ceil": n(size.map(f64::ceil))}))
}

fn noninferiority_mean(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result = stats::noninferiority_mean(
        &input.numbers("a"),
        &input.numbers("b"),
        input.number("margin"),
        input.alpha(),
    )?;
    Ok(json!({
        "diff": n(result.difference),
        "t": n(result.t),
        "p_value": n(result.p_value),
        "lower_bound": n(result.lower_bound),
        "noninferior": flag(result.noninferior),
        "superior_p": n(result.superior_p),
        "tost_p": n(result.equivalence_p),
    }))
}

fn noninferiority_binary(input: Input<'_>) -> Result<Value, InvalidInput> {
    let result =
        stats::noninferiority_binary(input.square(), input.number("margin"), input.alpha())?;
    Ok(json!({
        "diff": n(result.difference),
        "z": n(result.z),
        "p_value": n(result.p_value),
        "lower_bound": n(result.lower_bound),
        "noninferior": flag(result.noninferior),
    }))
}

type Correction = fn(&[Option<f64>], stats::Level) -> Result<AdjustedTests, InvalidInput>;

fn adjusted(input: Input<'_>, correct: Correction) -> Result<Value, InvalidInput> {
    let result = correct(&input.optional_numbers("p_values"), input.alpha())?;
    Ok(json!({"adjusted": result.adjusted, "reject": result.rejected}))
}
