//! Reference results of real data: four published sets of judgements.

mod dices;
mod llmbar;
mod pandalm;
mod recipes;

use std::path::Path;

use serde_json::Value;
use stats::{Level, Weights};

use crate::shared::{Tolerance, compare, read};
use crate::vectors::input::{high, low, n};

/// The references are printed with twelve digits.
const TOLERANCE: Tolerance = Tolerance { absolute: 1e-9, relative: 1e-9 };

/// Reproduces each `expected.json` of a folder of data sets.
pub(crate) fn check(folder: &Path) {
    let mut problems = Vec::new();
    let mut sets = 0;
    for entry in folder.read_dir().expect("the folder can be listed") {
        let path = entry.expect("the entry can be read").path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let expected = read(&path.join("expected.json"));
        let items = read(&path.join("items.json"));
        let items = items.as_array().expect("items are a list");
        let got = match name {
            "llmbar" => llmbar::results(items),
            "pandalm" => pandalm::results(items, &expected["ppi"]["labelled_ids"]),
            "recipes" => recipes::results(items),
            "dices350" => dices::results(items),
            other => panic!("no data set is called {other}"),
        };
        compare(name, &got, &expected, TOLERANCE, &mut problems);
        sets += 1;
    }
    println!("{sets} data sets compared");
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    assert!(sets > 0, "{} holds no data", folder.display());
}

/// Kappa with its interval and the agreement.
fn kappa(a: &[usize], b: &[usize], categories: usize) -> Value {
    let result = stats::cohen_kappa(a, b, categories, Weights::Identity, Level::P95).unwrap();
    serde_json::json!({
        "n": result.items,
        "kappa": n(result.kappa),
        "low": low(result.interval),
        "high": high(result.interval),
        "agreement": n(result.percent_agreement),
    })
}
