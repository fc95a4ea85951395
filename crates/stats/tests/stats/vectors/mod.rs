//! Results of other implementations, one vector each, dispatched on the name of the function.

mod estimates;
pub(crate) mod input;
mod raters;
mod resampling;
mod streams;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use stats::InvalidInput;

use crate::shared::{Tolerance, compare, read};
use input::Input;

/// What a family makes of a vector: `None` if the function is not its own.
type Outcome = Option<Result<Value, InvalidInput>>;

const FAMILIES: &[fn(&str, Input<'_>) -> Outcome] =
    &[estimates::run, raters::run, resampling::run, streams::run];

/// Runs all vectors of a folder; fails with every one that differs.
pub(crate) fn check(folder: &Path) {
    let mut problems = Vec::new();
    let mut passed: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(folder) {
        for vector in read(&path).as_array().expect("a vector file is an array") {
            let function = vector["function"].as_str().expect("a vector names its function");
            let before = problems.len();
            check_one(function, vector, &mut problems);
            if problems.len() == before {
                *passed.entry(function.to_owned()).or_default() += 1;
            }
        }
    }
    let total: usize = passed.values().sum();
    println!("{total} vectors pass: {passed:?}");
    assert!(problems.is_empty(), "{} differences:\n{}", problems.len(), problems.join("\n"));
    assert!(total > 0, "{} holds no vectors", folder.display());
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = folder.read_dir().expect("the folder can be listed");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the entry can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

fn check_one(function: &str, vector: &Value, problems: &mut Vec<String>) {
    let name = vector["name"].as_str().expect("a vector has a name");
    let tolerance = Tolerance {
        absolute: vector["tolerance"]["abs"].as_f64().expect("a tolerance is a number"),
        relative: vector["tolerance"]["rel"].as_f64().expect("a tolerance is a number"),
    };
    let expected = &vector["expected"];
    let outcome = FAMILIES.iter().find_map(|run| run(function, Input(&vector["input"])));
    match outcome {
        None => problems.push(format!("{name}: no function is called {function}")),
        Some(Ok(got)) => compare(name, &got, expected, tolerance, problems),
        // A refusal is as good as "undefined" where nothing is expected to be defined.
        Some(Err(_)) if nothing_is_defined(expected) => {}
        Some(Err(refusal)) => problems.push(format!("{name}: {refusal}")),
    }
}

fn nothing_is_defined(expected: &Value) -> bool {
    expected.as_object().is_some_and(|fields| fields.values().all(Value::is_null))
}
