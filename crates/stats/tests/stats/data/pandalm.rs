//! PandaLM: three people and two judges on pairs of answers (0 tie, 1 first, 2 second).

use serde_json::{Map, Value, json};
use stats::{
    AltTestRules, AnnotationScore, CalibratedCounts, Level, Measurement, Power,
    PredictionPoweredMean,
};

use super::kappa;
use crate::vectors::input::{high, low, n};

pub(crate) fn results(items: &[Value], labelled_ids: &Value) -> Value {
    let people: Vec<Vec<usize>> =
        (0..3).map(|person| items.iter().map(|item| human(item, person)).collect()).collect();
    let counts: Vec<Vec<u64>> = (0..items.len())
        .map(|i| {
            let of = |label| people.iter().filter(|person| person[i] == label).count() as u64;
            vec![of(0), of(1), of(2)]
        })
        .collect();
    let ratings: Vec<Vec<Option<f64>>> =
        people.iter().map(|row| row.iter().map(|label| Some(*label as f64)).collect()).collect();
    let mut clusters: Vec<&str> = items.iter().map(|i| i["cluster"].as_str().unwrap()).collect();
    clusters.sort_unstable();
    clusters.dedup();
    let cohen = |a: usize, b: usize| kappa(&people[a], &people[b], 3)["kappa"].clone();
    json!({
        "n": items.len(),
        "clusters": clusters.len(),
        "fleiss_kappa": n(stats::fleiss_kappa(&counts).unwrap()),
        "krippendorff_nominal":
            n(stats::krippendorff_alpha(&ratings, Measurement::Nominal).unwrap()),
        "cohen_12": cohen(0, 1),
        "cohen_13": cohen(0, 2),
        "cohen_23": cohen(1, 2),
        "gpt35": judge(items, "gpt35"),
        "pandalm": judge(items, "pandalm"),
        "ppi": powered(items, labelled_ids),
        "rogan_gladen": rogan_gladen(items, labelled_ids),
        "pair_counts_majority(tie,first,second)": pairs(items),
    })
}

fn human(item: &Value, person: usize) -> usize {
    usize::try_from(item["human"][person].as_u64().unwrap()).unwrap()
}

/// What at least two of the three people chose; they never all differ.
fn majority(item: &Value) -> usize {
    let [a, b, c] = [0, 1, 2].map(|person| human(item, person));
    if a == b || a == c { a } else { b }
}

fn verdict(item: &Value, judge: &str) -> Option<usize> {
    item[judge].as_u64().map(|verdict| usize::try_from(verdict).unwrap())
}

fn judge(items: &[Value], name: &str) -> Value {
    let (truth, verdicts): (Vec<usize>, Vec<usize>) =
        items.iter().filter_map(|item| Some((majority(item), verdict(item, name)?))).unzip();
    let mut against = kappa(&truth, &verdicts, 3);
    let table = stats::multiclass_confusion(&truth, &verdicts, 3).unwrap();
    against["macro_f1"] = n(table.macro_f1);
    against["matrix"] = json!(table.matrix);
    let tests: Map<String, Value> = [("0.1", 0.1), ("0.15", 0.15), ("0.2", 0.2)]
        .into_iter()
        .map(|(text, epsilon)| (text.to_owned(), alt_test(items, name, epsilon)))
        .collect();
    json!({
        "n_missing": items.len() - truth.len(),
        "vs_majority": against,
        "alt_test": tests,
    })
}

fn alt_test(items: &[Value], name: &str, epsilon: f64) -> Value {
    let number = |label: usize| label as f64;
    let model: Vec<Option<f64>> = items.iter().map(|i| verdict(i, name).map(number)).collect();
    let people: Vec<Vec<Option<f64>>> = (0..3)
        .map(|person| items.iter().map(|item| Some(number(human(item, person)))).collect())
        .collect();
    let rules = AltTestRules {
        score: AnnotationScore::Accuracy,
        epsilon,
        false_discovery: Level::P95,
        annotators_per_item: 2,
        items_per_annotator: 30,
    };
    let result = stats::alt_test(&model, &people, rules).unwrap();
    let annotators: Vec<Value> = result
        .annotators
        .iter()
        .map(|annotator| {
            json!({
                "annotator": format!("annotator{}", annotator.annotator + 1),
                "n": annotator.items,
                "rho_llm": annotator.model_wins,
                "rho_human": annotator.annotator_wins,
                "p_value": annotator.p_value,
                "rejected": annotator.rejected,
            })
        })
        .collect();
    json!({
        "winning_rate": result.winning_rate,
        "advantage_probability": result.advantage_probability,
        "passes": result.passes,
        "annotators": annotators,
    })
}

/// The items that gpt-3.5 judged, as (truth, verdict, labelled): 1 is a tie or the second answer.
fn binary(items: &[Value], labelled_ids: &Value) -> Vec<(f64, f64, bool)> {
    let labelled = labelled_ids.as_array().expect("ids are a list");
    let not_first = |label: usize| if label == 1 { 0.0 } else { 1.0 };
    items
        .iter()
        .filter_map(|item| {
            let verdict = verdict(item, "gpt35")?;
            let drawn = labelled.contains(&item["id"]);
            Some((not_first(majority(item)), not_first(verdict), drawn))
        })
        .collect()
}

fn powered(items: &[Value], labelled_ids: &Value) -> Value {
    let usable = binary(items, labelled_ids);
    let truth: Vec<f64> = usable.iter().map(|(truth, _, _)| *truth).collect();
    let drawn = || usable.iter().filter(|(_, _, labelled)| *labelled);
    let labels: Vec<f64> = drawn().map(|(truth, _, _)| *truth).collect();
    let predictions: Vec<f64> = drawn().map(|(_, verdict, _)| *verdict).collect();
    let rest: Vec<f64> =
        usable.iter().filter(|(_, _, labelled)| !labelled).map(|(_, v, _)| *v).collect();
    let run = |power| {
        let result =
            stats::prediction_powered_mean(&labels, &predictions, &rest, power, Level::P95);
        fields(&result.unwrap())
    };
    json!({
        // The definition and the draw are the reference's own.
        "definition": "Y=1 if human majority is 0 (tie) or 2; judge = gpt35 likewise; \
                       labelled = 100 drawn ids",
        "labelled_ids": labelled_ids,
        "usable_ids": usable.len(),
        "truth_all_humans": n(stats::mean_interval(&truth, Level::P95).unwrap().mean),
        "classical": run(Power::Fixed(0.0)),
        "ppi": run(Power::Fixed(1.0)),
        "ppi_plus_plus": run(Power::Tuned),
    })
}

fn fields(result: &PredictionPoweredMean) -> Value {
    json!({
        "estimate": n(result.estimate),
        "se": n(result.standard_error),
        "low": low(result.interval),
        "high": high(result.interval),
        "lambda_used": n(result.lambda),
        "classical": n(result.classical),
        "judge_mean_all": n(result.predicted_mean),
    })
}

fn rogan_gladen(items: &[Value], labelled_ids: &Value) -> Value {
    let usable = binary(items, labelled_ids);
    let count = |of: &dyn Fn(f64, f64, bool) -> bool| {
        usable.iter().filter(|(truth, verdict, drawn)| of(*truth, *verdict, *drawn)).count() as u64
    };
    let counts = CalibratedCounts {
        positives: count(&|_, verdict, _| verdict > 0.5),
        total: usable.len() as u64,
        true_positives: count(&|truth, verdict, drawn| drawn && truth > 0.5 && verdict > 0.5),
        calibration_positives: count(&|truth, _, drawn| drawn && truth > 0.5),
        true_negatives: count(&|truth, verdict, drawn| drawn && truth < 0.5 && verdict < 0.5),
        calibration_negatives: count(&|truth, _, drawn| drawn && truth < 0.5),
    };
    let result = stats::rogan_gladen(counts, Level::P95).unwrap();
    json!({
        "inputs": {
            "positives": counts.positives,
            "n": counts.total,
            "true_pos": counts.true_positives,
            "n_pos": counts.calibration_positives,
            "true_neg": counts.true_negatives,
            "n_neg": counts.calibration_negatives,
        },
        "estimate_raw": n(result.estimate_raw),
        "estimate": n(result.estimate),
        "adjusted_center": n(result.adjusted_center),
        "low": low(result.interval),
        "high": high(result.interval),
        "youden": n(result.youden),
    })
}

fn pairs(items: &[Value]) -> Value {
    let mut counts: Map<String, Value> = Map::new();
    for item in items {
        let pair = item["pair"].as_str().unwrap();
        let row = counts.entry(pair).or_insert_with(|| json!([0, 0, 0]));
        let cell = &mut row[majority(item)];
        *cell = json!(cell.as_u64().unwrap() + 1);
    }
    Value::Object(counts)
}
