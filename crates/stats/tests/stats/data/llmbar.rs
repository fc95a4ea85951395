//! LLMBar: eight judges against expert preferences, in both orders.

use serde_json::{Map, Value, json};
use stats::{Level, PairedCounts, Position};

use super::kappa;
use crate::vectors::input::{high, low, n};

pub(crate) fn results(items: &[Value]) -> Value {
    let mut subsets: Vec<&str> =
        items.iter().map(|item| item["subset"].as_str().unwrap()).collect();
    subsets.dedup();
    let mut results = Map::new();
    let all: Vec<&Value> = items.iter().collect();
    results.insert("all".to_owned(), subset(&all));
    for name in subsets {
        let part: Vec<&Value> = items.iter().filter(|item| item["subset"] == name).collect();
        results.insert(name.to_owned(), subset(&part));
    }
    Value::Object(results)
}

fn subset(items: &[&Value]) -> Value {
    let judges = items[0]["judges"].as_object().unwrap();
    let judges: Map<String, Value> =
        judges.keys().map(|name| (name.clone(), judge(items, name))).collect();
    json!({
        "n": items.len(),
        "gold_1": items.iter().filter(|item| item["gold"] == 1).count(),
        "judges": judges,
        "paired_GPT4_Vanilla_vs_MetricsReference":
            paired(items, "GPT-4/Vanilla", "GPT-4/Metrics_Reference"),
        "rating_gpt4": rating(items),
    })
}

/// Verdicts are 1 or 2; as category numbers 0 or 1.
fn verdict(item: &Value, judge: &str, order: &str) -> Option<usize> {
    let verdict = item["judges"][judge][order].as_u64()?;
    Some(usize::try_from(verdict).unwrap() - 1)
}

fn gold(item: &Value) -> usize {
    usize::try_from(item["gold"].as_u64().unwrap()).unwrap() - 1
}

fn judge(items: &[&Value], name: &str) -> Value {
    let valid: Vec<(&Value, usize, usize)> = items
        .iter()
        .filter_map(|item| {
            Some((*item, verdict(item, name, "order_12")?, verdict(item, name, "order_21")?))
        })
        .collect();
    let truth: Vec<usize> = valid.iter().map(|(item, _, _)| gold(item)).collect();
    let order_12: Vec<usize> = valid.iter().map(|(_, verdict, _)| *verdict).collect();
    let order_21: Vec<usize> = valid.iter().map(|(_, _, verdict)| *verdict).collect();
    let right = |verdicts: &[usize]| {
        let right = verdicts.iter().zip(&truth).filter(|(a, b)| a == b).count();
        stats::wilson_interval(right as u64, truth.len() as u64, Level::P95).unwrap()
    };
    let (accuracy_12, accuracy_21) = (right(&order_12), right(&order_21));
    // Position 1 is output 1 in the one order and output 2 in the other.
    let position = |first: bool| if first { Position::First } else { Position::Second };
    let ab: Vec<Position> = order_12.iter().map(|v| position(*v == 0)).collect();
    let ba: Vec<Position> = order_21.iter().map(|v| position(*v == 1)).collect();
    let swap = stats::position_swap(&ab, &ba, Level::P95).unwrap();
    let between = kappa(&order_12, &order_21, 2);
    let table = stats::multiclass_confusion(&truth, &order_12, 2).unwrap();
    json!({
        "n_valid": valid.len(),
        "n_missing": items.len() - valid.len(),
        "accuracy_order_12": n(accuracy_12.estimate),
        "accuracy_12_low": accuracy_12.interval.low(),
        "accuracy_12_high": accuracy_12.interval.high(),
        "accuracy_order_21": n(accuracy_21.estimate),
        "kappa_vs_gold_12": kappa(&order_12, &truth, 2),
        "kappa_between_orders": between["kappa"],
        "mcc_12": n(table.mcc),
        "swap_consistency": n(swap.consistency),
        "swap_low": swap.interval.low(),
        "swap_high": swap.interval.high(),
        "first_first": swap.first_first,
        "second_second": swap.second_second,
        "position_p": swap.position_p,
        "prefers_longer_rate": prefers_longer(&valid, &order_12),
        "gold_prefers_longer_rate": prefers_longer(&valid, &truth),
    })
}

/// The share of pairs of unequal length on which the longer output was chosen.
fn prefers_longer(valid: &[(&Value, usize, usize)], chosen: &[usize]) -> Value {
    let longer: Vec<bool> = valid
        .iter()
        .zip(chosen)
        .filter(|((item, _, _), _)| item["len_1"] != item["len_2"])
        .map(|((item, _, _), chosen)| {
            (item["len_1"].as_u64() < item["len_2"].as_u64()) == (*chosen == 1)
        })
        .collect();
    let count = longer.iter().filter(|longer| **longer).count();
    let rate = stats::wilson_interval(count as u64, longer.len() as u64, Level::P95).unwrap();
    n(rate.estimate)
}

fn paired(items: &[&Value], a: &str, b: &str) -> Value {
    let right: Vec<(bool, bool)> = items
        .iter()
        .filter_map(|item| {
            let (a, b) = (verdict(item, a, "order_12")?, verdict(item, b, "order_12")?);
            Some((a == gold(item), b == gold(item)))
        })
        .collect();
    let (a, b): (Vec<bool>, Vec<bool>) = right.into_iter().unzip();
    let counts = PairedCounts::of(&a, &b).unwrap();
    let test = stats::mcnemar(counts).unwrap();
    let newcombe = stats::newcombe_paired_interval(counts, Level::P95).unwrap();
    json!({
        "both_pass": counts.both,
        "a_only": counts.a_only,
        "b_only": counts.b_only,
        "both_fail": counts.neither,
        "diff": n(test.difference),
        "exact_p": test.exact_p,
        "newcombe_low": low(newcombe.interval),
        "newcombe_high": high(newcombe.interval),
    })
}

fn rating(items: &[&Value]) -> Value {
    let mut outcomes = Vec::new();
    let (mut scores, mut lengths) = (Vec::new(), Vec::new());
    for item in items {
        let rating = &item["rating_gpt4"];
        let (Some(one), Some(two)) = (rating["score_1"].as_f64(), rating["score_2"].as_f64())
        else {
            continue;
        };
        let right = if gold(item) == 0 { one - two } else { two - one };
        outcomes.push(if right > 0.0 {
            1.0
        } else if right < 0.0 {
            0.0
        } else {
            0.5
        });
        scores.push(one - two);
        lengths.push(item["len_1"].as_f64().unwrap() - item["len_2"].as_f64().unwrap());
    }
    let accuracy = stats::win_rate(&outcomes, Level::P95).unwrap();
    let correlation = stats::rank_correlation(&scores, &lengths, Level::P95).unwrap();
    json!({
        "n": outcomes.len(),
        "accuracy_ties_half": n(accuracy.rate.mean),
        "ties": accuracy.ties,
        "spearman_scorediff_lendiff": n(correlation.spearman),
    })
}
