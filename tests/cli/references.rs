//! Published sets of judgements, imported and calibrated by the real program, give their reference
//! results.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// The references are printed with twelve digits.
const TOLERANCE: f64 = 1e-9;

/// Returns the folder of the data sets. Without it there is nothing to do, unless it must exist.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("TRYSQUARE_ORACLE_DATA");
    let must_exist =
        named.is_some() || std::env::var_os("TRYSQUARE_REQUIRE_SHARED").is_some_and(|on| on == "1");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let folder = root.join(named.map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(!must_exist, "{} does not exist", folder.display());
    None
}

fn read(folder: &Path, set: &str, file: &str) -> Value {
    let text = std::fs::read(folder.join(set).join(file)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// A project with one eval set of one criterion.
fn project(criterion: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("trysquare.yaml", "format: 1\n");
    sandbox.write(
        "evalsets/published/evalset.yaml",
        &format!("format: 1\ncriteria:\n  {criterion}\n"),
    );
    sandbox.write("evalsets/published/cases.jsonl", "");
    sandbox
}

fn import(sandbox: &Sandbox, map: &str, rows: &Value) -> Value {
    sandbox.write("map.yaml", map);
    sandbox.write("rows.json", &rows.to_string());
    let arguments = ["label", "import", "--map", "map.yaml", "rows.json", "--format", "json"];
    let ran = sandbox.run(&arguments);
    assert_eq!(ran.code, 0, "{ran}");
    serde_json::from_str(&ran.stdout).unwrap()
}

fn calibrate(sandbox: &Sandbox, judge: &str, criterion: &str, more: &[&str]) -> Value {
    let arguments = ["calibrate", judge, "--set", "published", "--criterion", criterion];
    let ran = sandbox.run(&[&arguments[..], more, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{ran}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A number, or an estimate that has one.
fn number(value: &Value) -> f64 {
    let inner = if value.is_object() { &value["value"] } else { value };
    inner.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn near(what: &str, got: &Value, expected: &Value) {
    let (got, expected) = (number(got), number(expected));
    assert!((got - expected).abs() < TOLERANCE, "{what}: {got}, expected {expected}");
}

const PANDALM: &str = "
source: pandalm
case: id
cluster: cluster
split: test
outputs: [{length: len_1}, {length: len_2}]
labels:
  - {criterion: better, value: human, labeller: 'annotator{n}', map: {0: tie, 1: a, 2: b},
     drawn: {probability: 1}}
judges:
  - {name: gpt35, criterion: better, value: gpt35, map: {0: tie, 1: a, 2: b}}
  - {name: pandalm, criterion: better, value: pandalm, map: {0: tie, 1: a, 2: b}}
";

#[test]
fn pandalm_gives_agreement_of_people_and_judges_and_the_alternative_annotator_test() {
    let Some(folder) = folder() else { return };
    let expected = read(&folder, "pandalm", "expected.json");
    let sandbox = project("better: {source: judge}");
    let items = read(&folder, "pandalm", "items.json");
    let imported = import(&sandbox, PANDALM, &items);
    assert_eq!(imported["labels"]["new"], 3 * items.as_array().unwrap().len());
    let again = import(&sandbox, PANDALM, &items);
    assert_eq!((&again["labels"]["new"], &again["cases"]["new"]), (&json!(0), &json!(0)));
    for judge in ["gpt35", "pandalm"] {
        let expected_of = &expected[judge];
        // The other figures do not depend on ε.
        let epsilons: &[&str] = if judge == "gpt35" { &["0.1", "0.2"] } else { &["0.15"] };
        for &epsilon in epsilons {
            let report = calibrate(&sandbox, judge, "better", &["--epsilon", epsilon]);
            let found = &report["calibration"];
            let against = &expected_of["vs_majority"];
            let agreement = &found["agreement"];
            near(judge, &agreement["share"], &against["agreement"]);
            near(judge, &agreement["kappa"], &against["kappa"]);
            near(judge, &agreement["kappa_interval"]["value"]["low"], &against["low"]);
            near(judge, &agreement["kappa_interval"]["value"]["high"], &against["high"]);
            assert_eq!(found["items"], against["n"]);
            assert_eq!(found["left_out"]["unreadable"], expected_of["n_missing"]);
            let people = &found["people"];
            near("alpha", &people["alpha"], &expected["krippendorff_nominal"]);
            near("Fleiss", &people["fleiss"], &expected["fleiss_kappa"]);
            for pair in people["pairs"].as_array().unwrap() {
                let last = |who: &str| pair[who].as_str().unwrap().chars().last().unwrap();
                let key = format!("cohen_{}{}", last("first"), last("second"));
                near(&key, &pair["agreement"]["kappa"], &expected[&key]);
            }
            let (test, reference) = (&people["alternative"], &expected_of["alt_test"][epsilon]);
            near("ω", &test["winning_rate"], &reference["winning_rate"]);
            near("ρ", &test["advantage"], &reference["advantage_probability"]);
            assert_eq!(test["passes"], reference["passes"]);
            let annotators = reference["annotators"].as_array().unwrap();
            for (found, expected) in test["people"].as_array().unwrap().iter().zip(annotators) {
                assert_eq!(found["labeller"], expected["annotator"]);
                assert_eq!(found["items"], expected["n"]);
                near("the judge wins", &found["judge_wins"], &expected["rho_llm"]);
                near("the person wins", &found["person_wins"], &expected["rho_human"]);
                near("p", &found["p_value"], &expected["p_value"]);
            }
        }
    }
}

/// PandaLM's rows with people's labels only where `keeps` says so.
fn with_labels(items: &Value, keeps: impl Fn(&Value) -> bool) -> Value {
    let mut items = items.clone();
    for row in items.as_array_mut().unwrap() {
        if !keeps(row) {
            row.as_object_mut().unwrap().remove("human");
        }
    }
    items
}

const NOT_FIRST: &str = "
case: id
split: test
labels:
  - {criterion: other, value: human, labeller: 'annotator{n}', map: {0: pass, 1: fail, 2: pass},
     drawn: {probability: 0.178}}
judges:
  - {name: gpt35, version: '1', criterion: other, value: gpt35, map: {0: pass, 1: fail, 2: pass}}
";

#[test]
fn pandalm_gives_the_rate_corrected_by_a_hundred_labels() {
    let Some(folder) = folder() else { return };
    let expected = &read(&folder, "pandalm", "expected.json")["ppi"];
    let ids = expected["labelled_ids"].as_array().unwrap();
    let items = read(&folder, "pandalm", "items.json");
    let rows = with_labels(&items, |row| ids.contains(&row["id"]));
    let sandbox = project("other: {source: judge}");
    import(&sandbox, &format!("source: pandalm{NOT_FIRST}"), &rows);
    let report = calibrate(&sandbox, "gpt35", "other", &[]);
    let rate = &report["rates"][0];
    assert_eq!((&rate["variant"], &rate["judged"]), (&json!("pandalm"), &expected["usable_ids"]));
    let found = &rate["correction"];
    assert_eq!((&found["method"], &found["labels"]), (&json!("prediction_powered"), &json!(100)));
    let reference = &expected["ppi_plus_plus"];
    near("PPI++", &found["estimate"], &reference["estimate"]);
    near("its error", &found["standard_error"], &reference["se"]);
    let interval = &found["interval"]["value"];
    let truth = number(&expected["truth_all_humans"]);
    assert!(number(&interval["low"]) < truth && truth < number(&interval["high"]), "{interval}");
}

#[test]
fn pandalm_gives_the_rate_corrected_by_labels_from_elsewhere() {
    let Some(folder) = folder() else { return };
    let expected = read(&folder, "pandalm", "expected.json");
    let (ids, expected) = (&expected["ppi"]["labelled_ids"], &expected["rogan_gladen"]);
    let ids = ids.as_array().unwrap();
    let items = read(&folder, "pandalm", "items.json");
    let sandbox = project("other: {source: judge}");
    import(&sandbox, &format!("source: population{NOT_FIRST}"), &with_labels(&items, |_| false));
    let mut labelled = items.as_array().unwrap().clone();
    labelled.retain(|row| ids.contains(&row["id"]));
    for row in &mut labelled {
        row["id"] = json!(format!("labelled {}", row["id"]));
    }
    import(&sandbox, &format!("source: labelled{NOT_FIRST}"), &Value::Array(labelled));
    let report = calibrate(&sandbox, "gpt35", "other", &[]);
    let rates = report["rates"].as_array().unwrap();
    let found = &rates.iter().find(|rate| rate["variant"] == "population").unwrap()["correction"];
    assert_eq!(
        (&found["method"], &found["judged"]),
        (&json!("rogan_gladen"), &expected["inputs"]["n"])
    );
    near("Rogan–Gladen", &found["estimate"], &expected["estimate"]);
    near("its low end", &found["interval"]["value"]["low"], &expected["low"]);
    near("its high end", &found["interval"]["value"]["high"], &expected["high"]);
}

#[test]
fn llmbar_gives_accuracy_kappa_swap_consistency_and_position() {
    let Some(folder) = folder() else { return };
    let expected = &read(&folder, "llmbar", "expected.json")["all"]["judges"];
    let judges = expected.as_object().unwrap();
    let mut map = String::from(
        "source: llmbar\ncase: id\ntags: [subset]\nsplit: test\n\
         outputs: [{length: len_1}, {length: len_2}]\nlabels:\n- {criterion: better, value: gold, \
         labeller: experts, map: {1: a, 2: b}, drawn: {probability: 1}}\njudges:\n",
    );
    for name in judges.keys() {
        map += &format!(
            "- {{name: '{name}', criterion: better, map: {{1: a, 2: b}}, orders: {{ab: \
             'judges.{name}.order_12', ba: 'judges.{name}.order_21'}}}}\n"
        );
    }
    let sandbox = project("better: {source: judge}");
    import(&sandbox, &map, &read(&folder, "llmbar", "items.json"));
    for (name, expected) in judges {
        let report = calibrate(&sandbox, name, "better", &[]);
        let position = &report["calibration"]["biases"]["position"];
        assert_eq!(position["pairs"], expected["n_valid"]);
        let (ab, ba) = (&position["a_first"], &position["b_first"]);
        near(name, &ab["right"]["rate"], &expected["accuracy_order_12"]);
        near(name, &ab["right"]["interval"]["value"]["low"], &expected["accuracy_12_low"]);
        near(name, &ab["right"]["interval"]["value"]["high"], &expected["accuracy_12_high"]);
        near(name, &ba["right"]["rate"], &expected["accuracy_order_21"]);
        let kappa = &expected["kappa_vs_gold_12"];
        near(name, &ab["agreement"]["kappa"], &kappa["kappa"]);
        near(name, &ab["agreement"]["kappa_interval"]["value"]["low"], &kappa["low"]);
        near(name, &position["between"]["kappa"], &expected["kappa_between_orders"]);
        near(name, &position["consistency"], &expected["swap_consistency"]);
        near(name, &position["interval"]["low"], &expected["swap_low"]);
        near(name, &position["interval"]["high"], &expected["swap_high"]);
        assert_eq!(position["first_twice"], expected["first_first"]);
        assert_eq!(position["second_twice"], expected["second_second"]);
        near(name, &position["p_value"], &expected["position_p"]);
    }
}
