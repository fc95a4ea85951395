//! Published sets of judgements, brought in by mappings, give their reference results.

#![expect(clippy::disallowed_methods, reason = "the test reads the folder that it is told")]
#![expect(clippy::print_stdout, reason = "a test that compares nothing says so")]

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use evalset::{LabelRow, LabelValue, Labels, Preference};
use interchange::{ImportedRow, LabelMap, RowFormat, Shown, import_labels};
use serde_json::Value;
use stats::{Level, Measurement, Position, Weights};

/// The references are printed with twelve digits.
const TOLERANCE: f64 = 1e-9;

/// Returns the folder of the data sets. Without it there is nothing to do, unless it must exist.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("TRYSQUARE_ORACLE_DATA");
    let must_exist =
        named.is_some() || std::env::var_os("TRYSQUARE_REQUIRE_SHARED").is_some_and(|on| on == "1");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let folder = root.join(named.map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(!must_exist, "{} does not exist", folder.display());
    println!("{} does not exist: nothing was compared", folder.display());
    None
}

fn expected(folder: &Path, set: &str) -> Value {
    let text =
        std::fs::read(folder.join(set).join("expected.json")).expect("the references can be read");
    serde_json::from_slice(&text).expect("the references are JSON")
}

fn imported(folder: &Path, set: &str, mapping: &str) -> Vec<ImportedRow> {
    let (map, found) = LabelMap::read("map.yaml", mapping);
    assert!(found.is_empty(), "{found:#?}");
    let file =
        std::fs::File::open(folder.join(set).join("items.json")).expect("the items can be read");
    let mut rows = Vec::new();
    let done = import_labels(
        &map.expect("the mapping is sound"),
        RowFormat::Json,
        BufReader::new(file),
        &|_| None,
        &mut |row| rows.push(row),
    );
    assert_eq!(done.expect("the list is read to its end").bad, []);
    rows
}

fn near(what: &str, got: f64, expected: &Value) {
    let expected = expected.as_f64().expect("a number");
    assert!((got - expected).abs() < TOLERANCE, "{what}: {got}, expected {expected}");
}

fn category(value: &LabelValue) -> usize {
    match value {
        LabelValue::Prefers(Preference::Tie) => 0,
        LabelValue::Prefers(Preference::A) => 1,
        LabelValue::Prefers(Preference::B) => 2,
        other => panic!("{other:?} is no preference"),
    }
}

const PANDALM: &str = r"
source: pandalm
case: id
cluster: cluster
outputs: [{length: len_1}, {length: len_2}]
labels:
  - {criterion: better, value: human, labeller: 'annotator{n}', map: {0: tie, 1: a, 2: b}}
judges:
  - {name: gpt35, criterion: better, value: gpt35, map: {0: tie, 1: a, 2: b}}
  - {name: pandalm, criterion: better, value: pandalm, map: {0: tie, 1: a, 2: b}}
";

#[test]
fn pandalm_gives_the_agreement_of_its_people_and_judges() {
    let Some(folder) = folder() else { return };
    let expected = expected(&folder, "pandalm");
    let rows = imported(&folder, "pandalm", PANDALM);
    let events = rows.iter().flat_map(|row| row.labels.iter().cloned());
    let labels = Labels::of(events.map(|event| LabelRow::Event(Box::new(event))));
    let mut people: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut truth = Vec::new();
    for row in &rows {
        let subject = &row.labels[0].subject;
        for (labeller, label) in labels.current(subject) {
            people.entry(labeller).or_default().push(category(label.value));
        }
        truth.push(category(labels.reference(subject).value().unwrap()));
    }
    let people: Vec<_> = people.into_values().collect();
    let kappa = |a: &[usize], b: &[usize]| {
        stats::cohen_kappa(a, b, 3, Weights::Identity, Level::P95).unwrap()
    };
    for (key, a, b) in [("cohen_12", 0, 1), ("cohen_13", 0, 2), ("cohen_23", 1, 2)] {
        near(key, kappa(&people[a], &people[b]).kappa.unwrap(), &expected[key]);
    }
    let ratings: Vec<Vec<_>> =
        people.iter().map(|row| row.iter().map(|label| Some(*label as f64)).collect()).collect();
    let alpha = stats::krippendorff_alpha(&ratings, Measurement::Nominal).unwrap();
    near("alpha", alpha.unwrap(), &expected["krippendorff_nominal"]);
    let counts: Vec<Vec<u64>> = (0..rows.len())
        .map(|row| {
            let said = |label| people.iter().filter(|person| person[row] == label).count() as u64;
            vec![said(0), said(1), said(2)]
        })
        .collect();
    let fleiss = stats::fleiss_kappa(&counts).unwrap().unwrap();
    near("fleiss", fleiss, &expected["fleiss_kappa"]);
    for judge in ["gpt35", "pandalm"] {
        let (truth, said): (Vec<_>, Vec<_>) = rows
            .iter()
            .zip(&truth)
            .filter_map(|(row, truth)| {
                let verdict = row.verdicts.iter().find(|one| one.judge == judge).unwrap();
                Some((*truth, category(verdict.value.as_ref()?)))
            })
            .unzip();
        let against = kappa(&truth, &said);
        let reference = &expected[judge]["vs_majority"];
        near(judge, against.kappa.unwrap(), &reference["kappa"]);
        near(judge, against.percent_agreement.unwrap(), &reference["agreement"]);
        assert_eq!(rows.len() - truth.len(), expected[judge]["n_missing"]);
    }
}

#[test]
fn llmbar_gives_accuracy_kappa_swap_consistency_and_position() {
    let Some(folder) = folder() else { return };
    let expected = &expected(&folder, "llmbar")["all"]["judges"];
    let mut mapping = String::from(
        "source: llmbar\ncase: id\ntags: [subset]\noutputs: [{length: len_1}, {length: len_2}]\n\
         labels:\n- {criterion: better, value: gold, labeller: experts, map: {1: a, 2: b}}\n\
         judges:\n",
    );
    let judges = expected.as_object().unwrap();
    for name in judges.keys() {
        mapping.push_str(&format!(
            "- {{name: '{name}', criterion: better, map: {{1: a, 2: b}}, \
             orders: {{ab: 'judges.{name}.order_12', ba: 'judges.{name}.order_21'}}}}\n"
        ));
    }
    let rows = imported(&folder, "llmbar", &mapping);
    for (name, expected) in judges {
        let (mut truth, mut ab, mut ba) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            let said = |shown| {
                let of =
                    |one: &&interchange::ImportedVerdict| one.judge == *name && one.shown == shown;
                row.verdicts.iter().find(of).unwrap().value.as_ref().map(category)
            };
            let (Some(first), Some(second)) = (said(Shown::AFirst), said(Shown::BFirst)) else {
                continue;
            };
            let evalset::Act::Label(gold) = &row.labels[0].act else { panic!("no label") };
            truth.push(category(gold));
            ab.push(first);
            ba.push(second);
        }
        assert_eq!(truth.len(), expected["n_valid"]);
        let right = ab.iter().zip(&truth).filter(|(said, truth)| said == truth).count();
        near(name, right as f64 / truth.len() as f64, &expected["accuracy_order_12"]);
        let kappa = stats::cohen_kappa(&ab, &truth, 3, Weights::Identity, Level::P95).unwrap();
        near(name, kappa.kappa.unwrap(), &expected["kappa_vs_gold_12"]["kappa"]);
        let position = |first: bool| if first { Position::First } else { Position::Second };
        let ab: Vec<_> = ab.iter().map(|said| position(*said == 1)).collect();
        let ba: Vec<_> = ba.iter().map(|said| position(*said == 2)).collect();
        let swap = stats::position_swap(&ab, &ba, Level::P95).unwrap();
        near(name, swap.consistency.unwrap(), &expected["swap_consistency"]);
        near(name, swap.position_p, &expected["position_p"]);
    }
}

/// What each person said of each row, by person; a person has no name, only a place in the row.
fn alpha(rows: &[ImportedRow], measurement: Measurement) -> f64 {
    let number = |value: &LabelValue| match value {
        LabelValue::Number(share) => *share,
        LabelValue::Category(name) => name.len() as f64,
        other => panic!("{other:?} is neither a number nor a category"),
    };
    let mut people: BTreeMap<&str, Vec<Option<f64>>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        for label in &row.labels {
            let evalset::Act::Label(value) = &label.act else { panic!("no label") };
            let ratings = people.entry(&label.labeller).or_insert_with(|| vec![None; rows.len()]);
            ratings[place] = Some(number(value));
        }
    }
    let ratings: Vec<_> = people.into_values().collect();
    let alpha = stats::krippendorff_alpha(&ratings, measurement).expect("ratings are finite");
    alpha.expect("they differ")
}

#[test]
fn dices_gives_the_agreement_of_a_crowd() {
    let Some(folder) = folder() else { return };
    let rows = imported(
        &folder,
        "dices350",
        "source: dices\ncase: id\nlabels:\n- {criterion: safety, value: crowd, each: character, as: \
         category, labeller: 'rater{n}', map: {0: unsafe, 1: safe, 2: unsure!}}\n",
    );
    let expected = expected(&folder, "dices350");
    assert!(rows.iter().all(|row| row.labels.len() == expected["raters"][0]));
    near("alpha", alpha(&rows, Measurement::Nominal), &expected["alpha_nominal"]);
}

#[test]
fn recipes_give_the_agreement_of_a_crowd_on_each_rubric() {
    let Some(folder) = folder() else { return };
    let expected = expected(&folder, "recipes");
    for rubric in ["grammar", "fluency", "verbosity", "structure", "success", "overall"] {
        let mapping = format!(
            "source: recipes\ncase: id\nlabels:\n- {{criterion: {rubric}, value: ratings.{rubric}, \
             labeller: 'rater{{n}}', as: number, scale: [1, 6]}}\n"
        );
        let rows = imported(&folder, "recipes", &mapping);
        let expected = &expected[rubric];
        near(rubric, alpha(&rows, Measurement::Interval), &expected["alpha_interval"]);
        near(rubric, alpha(&rows, Measurement::Ordinal), &expected["alpha_ordinal"]);
    }
}
