//! Where the shared reference results are, and how a result is compared with them.

#![expect(clippy::disallowed_methods, reason = "the test reads the folders that it is told")]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Returns the folder that `variable` names, else the default, both seen from the workspace's root.
///
/// Without it there is nothing to do, unless `TRYSQUARE_REQUIRE_SHARED=1` says that it must exist.
pub(crate) fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let named = std::env::var_os(variable);
    let must_exist =
        named.is_some() || std::env::var_os("TRYSQUARE_REQUIRE_SHARED").is_some_and(|on| on == "1");
    let folder = root.join(named.map_or_else(|| PathBuf::from(default), PathBuf::from));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(!must_exist, "{variable}: {} does not exist", folder.display());
    println!("{} does not exist: nothing was compared", folder.display());
    None
}

/// Reads a JSON file.
pub(crate) fn read(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// How far a number may be from the expected one.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) absolute: f64,
    pub(crate) relative: f64,
}

/// √ε: what rounding leaves of a standard error that is 0, as the root of a difference.
const ROOT_OF_ROUNDING: f64 = 1.5e-8;

/// Compares every key of `expected`, and only those; adds what differs to `problems`.
pub(crate) fn compare(
    place: &str,
    got: &Value,
    expected: &Value,
    tolerance: Tolerance,
    problems: &mut Vec<String>,
) {
    match (got, expected) {
        (Value::Object(got), Value::Object(expected)) => {
            for (key, expected) in expected {
                let place = format!("{place}.{key}");
                match got.get(key) {
                    Some(got) => compare(&place, got, expected, tolerance, problems),
                    None => problems.push(format!("{place}: missing")),
                }
            }
        }
        (Value::Array(got), Value::Array(expected)) => {
            if got.len() != expected.len() {
                problems.push(format!("{place}: {} entries, not {}", got.len(), expected.len()));
            }
            for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
                compare(&format!("{place}[{i}]"), got, expected, tolerance, problems);
            }
        }
        (Value::Number(got), Value::Number(expected)) => {
            let (got, expected) = (got.as_f64().unwrap(), expected.as_f64().unwrap());
            let allowed = tolerance.absolute + tolerance.relative * expected.abs();
            // One reference value is such a root of rounding itself.
            let both_zero = place.rsplit('.').next() == Some("se")
                && got.abs().max(expected.abs()) < ROOT_OF_ROUNDING;
            if (got - expected).abs() > allowed && !both_zero {
                problems.push(format!("{place}: {got}, not {expected}"));
            }
        }
        _ if got == expected => {}
        _ => problems.push(format!("{place}: {got}, not {expected}")),
    }
}
