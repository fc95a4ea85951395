//! Recipes: crowd ratings from 1 to 6 on six rubrics.

use serde_json::{Map, Value, json};
use stats::{Level, Measurement};

use crate::vectors::input::n;

const RUBRICS: [&str; 6] = ["grammar", "fluency", "verbosity", "structure", "success", "overall"];

pub(crate) fn results(items: &[Value]) -> Value {
    let sizes: Vec<usize> =
        items.iter().map(|item| item["ratings"]["overall"].as_array().unwrap().len()).collect();
    let overall = means(items, "overall");
    let mut results = Map::new();
    results.insert("n".to_owned(), json!(items.len()));
    results.insert("raters_per_item".to_owned(), json!([sizes.iter().min(), sizes.iter().max()]));
    let (mut spearman, mut kendall) = (Map::new(), Map::new());
    for rubric in RUBRICS {
        results.insert(rubric.to_owned(), agreement(items, rubric));
        let correlation =
            stats::rank_correlation(&means(items, rubric), &overall, Level::P95).unwrap();
        spearman.insert(rubric.to_owned(), n(correlation.spearman));
        kendall.insert(rubric.to_owned(), n(correlation.kendall_tau_b));
    }
    results.insert("spearman_with_overall".to_owned(), Value::Object(spearman));
    results.insert("kendall_with_overall".to_owned(), Value::Object(kendall));
    Value::Object(results)
}

fn ratings(item: &Value, rubric: &str) -> Vec<f64> {
    item["ratings"][rubric].as_array().unwrap().iter().filter_map(Value::as_f64).collect()
}

fn means(items: &[Value], rubric: &str) -> Vec<f64> {
    items
        .iter()
        .map(|item| stats::mean_interval(&ratings(item, rubric), Level::P95).unwrap().mean.unwrap())
        .collect()
}

fn agreement(items: &[Value], rubric: &str) -> Value {
    let columns: Vec<Vec<f64>> = items.iter().map(|item| ratings(item, rubric)).collect();
    let raters = columns.iter().map(Vec::len).max().unwrap();
    let rows: Vec<Vec<Option<f64>>> = (0..raters)
        .map(|rater| columns.iter().map(|column| column.get(rater).copied()).collect())
        .collect();
    let alpha = |level| n(stats::krippendorff_alpha(&rows, level).unwrap());
    let mean = stats::mean_interval(&means(items, rubric), Level::P95).unwrap();
    json!({
        "alpha_nominal": alpha(Measurement::Nominal),
        "alpha_ordinal": alpha(Measurement::Ordinal),
        "alpha_interval": alpha(Measurement::Interval),
        "mean": n(mean.mean),
        "se": n(mean.standard_error),
    })
}
