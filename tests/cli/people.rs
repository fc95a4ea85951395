//! What people decide, as the result of a comparison, a gate and a baseline.

use serde_json::Value;

use crate::sandbox::Sandbox;

/// The cases, of which every second answer of `old` is right, and every one of `new`.
const CASES: usize = 60;
/// Where people's labels are.
const LABELS: &str = "evalsets/order-number/labels.jsonl";

/// A project whose criterion people decide, with the outputs of two variants.
fn project() -> Sandbox {
    let sandbox = Sandbox::with_project();
    sandbox.write(
        "evalsets/order-number/evalset.yaml",
        "format: 1\nvariants:\n  order-number:\nmargin: 0.05\ncriteria:\n  helpful: \
         {source: human, rubric: Helps.}\nprimary: helpful\n",
    );
    let (mut cases, mut outputs) = (String::new(), String::new());
    for number in 0..CASES {
        let id = format!("c-{number:02}");
        cases += &format!("{{\"id\":\"{id}\",\"inputs\":{{\"message\":\"{id}?\"}}}}\n");
        let old = if number % 2 == 0 { "good" } else { "bad" };
        for (variant, output) in [("old", old), ("new", "good")] {
            outputs += &format!(
                "{{\"case\":\"{id}\",\"output\":\"{output} {variant} {id}\",\"variant\":\"{variant}\"}}\n"
            );
        }
    }
    sandbox.write("evalsets/order-number/cases.jsonl", &cases);
    sandbox.write("outputs.jsonl", &outputs);
    let file = sandbox.path("project/outputs.jsonl");
    ran(&sandbox, &["score", "--set", "order-number", "--outputs", file.to_str().unwrap()]);
    sandbox
}

fn ran(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let ran = sandbox.run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}\n{ran}");
    ran.stdout
}

/// Labels what is next, as often as it is asked: good outputs pass, bad ones fail.
fn label(sandbox: &Sandbox, arguments: &[&str], most: usize) {
    let queue = [&["label", "next", "order-number"], arguments, &["--format", "jsonl"]].concat();
    let queue = ran(sandbox, &queue);
    let keys: String = queue
        .lines()
        .take(most)
        .map(|line| {
            let item: Value = serde_json::from_str(line).unwrap();
            let text = item["shown"][0]["text"].as_str().unwrap();
            // A failure asks for a note.
            if text.starts_with("good") { "1" } else { "2\n" }
        })
        .collect();
    let asked = [&["label", "order-number"], arguments].concat();
    let ran = sandbox.run_with_input(&asked, &format!("{keys}q"));
    assert_eq!(ran.code, 0, "{ran}");
}

fn compared(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&ran(sandbox, &["compare", "old", "new", "--format", "json"])).unwrap()
}

fn helpful(report: &Value) -> &Value {
    &report["sections"][0]["comparison"]["criteria"][0]
}

#[test]
fn without_labels_there_is_no_verdict_and_the_remedy_is_named() {
    let sandbox = project();
    let text = ran(&sandbox, &["compare", "old", "new"]);
    assert!(
        text.contains("No verdict on helpful: people decide it, and no shared case has"),
        "{text}"
    );
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("--for old new --criterion helpful`."), "{text}");
    assert!(!text.contains("Look 0"), "{text}");
    assert_eq!(helpful(&compared(&sandbox))["candidate_uncounted"]["unlabelled"], CASES);
}

#[test]
fn what_people_decided_is_compared_and_what_they_did_not_is_told() {
    let sandbox = project();
    label(&sandbox, &["--for", "old", "new", "--labeller", "ana"], 80);
    let report = compared(&sandbox);
    let found = helpful(&report);
    assert_eq!(found["basis"]["kind"], "human");
    assert_eq!(found["decision"]["verdict"], "better", "{found}");
    let of = |part: &str| found["square"][part].as_u64().unwrap();
    assert_eq!(of("fixed") + of("both_pass"), 40, "{found}");
    assert!(of("fixed") > 10, "{found}");
    assert_eq!(found["left_out"].as_array().unwrap().len(), 20);
    let warnings = report["sections"][0]["comparison"]["warnings"].to_string();
    assert!(warnings.contains("open_labels") && !warnings.contains("many_left_out"), "{warnings}");
    let text = ran(&sandbox, &["compare", "old", "new"]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("people decided 40 of 60 shared cases on both sides; 20 outputs of old"),
        "{text}"
    );
    assert!(text.contains("labelled by ana"), "why a case failed: {text}");
    // Labelling on after a look is adding cases after a look.
    label(&sandbox, &["--for", "old", "new", "--labeller", "ana"], 40);
    let all = compared(&sandbox);
    assert_eq!(helpful(&all)["decision"]["method"]["why"]["kind"], "more_cases");
    assert_eq!(all["sections"][0]["history"]["looks"], 2);
    assert_eq!(all["sections"][0]["comparison"]["warnings"], serde_json::json!([]));
}

#[test]
fn hunted_labels_count_only_once_nothing_lacks_a_label() {
    let sandbox = project();
    let hunt = ["--for", "old", "new", "--labeller", "ana", "--queue", "hunt"];
    label(&sandbox, &hunt, 100);
    let found = compared(&sandbox);
    assert_eq!(helpful(&found)["refusal"]["kind"], "unlabelled", "{found}");
    assert_eq!(helpful(&found)["candidate_uncounted"]["not_drawn"], 50);
    label(&sandbox, &hunt, 20);
    assert_eq!(helpful(&compared(&sandbox))["decision"]["cases"], CASES);
}

/// What a comparison says of the labels of the first cases, each drawn with a chance of its own and
/// labelled a minute after the one before.
fn helpful_if_drawn(labels: &str, cases: usize, chance: impl Fn(usize) -> f64) -> Value {
    let sandbox = project();
    let rows = labels.lines().filter_map(|row| {
        let mut row: Value = serde_json::from_str(row).unwrap();
        let case: usize = row["case"].as_str()?.strip_prefix("c-")?.parse().ok()?;
        row["drawn"]["probability"] = chance(case).into();
        row["time"] = format!("2026-11-20T09:{case:02}:00Z").into();
        (case < cases).then(|| format!("{row}\n"))
    });
    sandbox.write(LABELS, &rows.collect::<String>());
    let found = helpful(&compared(&sandbox)).clone();
    if found["refusal"]["kind"] == "unequally_drawn" {
        let text = ran(&sandbox, &["compare", "old", "new"]);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("were drawn with unequal chances, so that counting"), "{text}");
    }
    found
}

#[test]
fn labels_drawn_with_unequal_chances_count_only_once_nothing_lacks_a_label() {
    let sandbox = project();
    label(&sandbox, &["--for", "old", "new", "--labeller", "ana"], 120);
    let labels = sandbox.read(LABELS);
    let by_doubt = |case: usize| if case.is_multiple_of(3) { 0.9 } else { 0.3 };
    let unequal = helpful_if_drawn(&labels, 40, by_doubt);
    assert_eq!(unequal["refusal"]["kind"], "unequally_drawn", "{unequal}");
    assert_eq!(unequal["candidate_uncounted"]["unequally_drawn"], 40);
    let grown = helpful_if_drawn(&labels, 40, |case| if case < 20 { 0.3 } else { 0.9 });
    assert_eq!(grown["decision"]["cases"], 40, "a larger count later is an even draw: {grown}");
    assert_eq!(helpful_if_drawn(&labels, CASES, by_doubt)["decision"]["cases"], CASES);
}

#[test]
fn a_conflict_is_left_out_until_it_is_adjudicated() {
    let sandbox = project();
    label(&sandbox, &["--for", "old", "new", "--labeller", "ana"], 120);
    let asked = ["label", "order-number", "--labeller", "bo", "--queue", "overlap"];
    let next = ["label", "next", "order-number", "--labeller", "bo", "--queue", "overlap"];
    let queue = ran(&sandbox, &[&next[..], &["--format", "jsonl"]].concat());
    let first: Value = serde_json::from_str(queue.lines().next().unwrap()).unwrap();
    let is_good = first["shown"][0]["text"].as_str().unwrap().starts_with("good");
    let other = sandbox.run_with_input(&asked, if is_good { "2\nq" } else { "1q" });
    assert_eq!(other.code, 0, "{other}");
    let sides = compared(&sandbox);
    let disputed = ["baseline_uncounted", "candidate_uncounted"]
        .map(|side| helpful(&sides)[side]["disputed"].as_u64().unwrap());
    assert_eq!(disputed.iter().sum::<u64>(), 1, "{sides}");
    assert_eq!(helpful(&sides)["decision"]["cases"], CASES - 1);
    let decided =
        sandbox.run_with_input(&["label", "adjudicate", "order-number", "--labeller", "cy"], "1q");
    assert_eq!(decided.code, 0, "{decided}");
    assert_eq!(helpful(&compared(&sandbox))["decision"]["cases"], CASES);
}

#[test]
fn a_gate_and_a_baseline_count_what_people_decided() {
    let sandbox = project();
    let run = "latest";
    label(&sandbox, &["--for", "old", "new", "--labeller", "ana"], 120);
    ran(&sandbox, &["baseline", "accept", run, "--variant", "old"]);
    let shown = ran(&sandbox, &["baseline", "show"]);
    assert!(shown.contains("helpful (primary)    30    30"), "{shown}");
    let compared = ran(&sandbox, &["compare", "baseline", "latest/new"]);
    assert!(compared.contains("new is better: 30 fixed, 0 broke, 30 unchanged."), "{compared}");
}

#[test]
fn what_people_decided_is_shown_and_no_longer_waited_for() {
    let sandbox = project();
    let before = ran(&sandbox, &["show", "latest"]);
    assert!(before.contains("not labelled"), "{before}");
    assert!(before.contains("trysquare label order-number"), "{before}");
    label(&sandbox, &["--for", "old", "new", "--labeller", "ana"], 2 * CASES);
    let after = ran(&sandbox, &["show", "latest"]);
    assert!(!after.contains("not labelled"), "{after}");
    assert!(!after.contains("trysquare label"), "{after}");
    for (variant, counts) in [("old", "n 60    30    30"), ("new", "n 60    60     0")] {
        let row = after.lines().find(|line| line.starts_with(variant)).unwrap();
        assert!(row.contains(counts), "{after}");
    }
}
