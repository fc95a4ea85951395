//! What the table says of a run.

use serde_json::Value;
use test_provider::TestProvider;

use crate::project::Project;

/// Six cases of which five pass; two pairs of them belong together.
fn clustered() -> String {
    let case = |id: &str, cluster: &str, expected: &str| {
        let cluster = match cluster {
            "" => String::new(),
            name => format!("\"cluster\":\"{name}\","),
        };
        format!(
            "{{\"id\":\"{id}\",\"inputs\":{{\"message\":\"{id}\"}},\"expected\":\"{expected}\",\
             {cluster}\"tags\":[]}}\n"
        )
    };
    [
        case("a-1", "a", "echo: a-1"),
        case("a-2", "a", "something else"),
        case("b-1", "b", "echo: b-1"),
        case("b-2", "b", "echo: b-2"),
        case("c", "", "echo: c"),
        case("d", "", "echo: d"),
    ]
    .concat()
}

#[test]
fn a_rate_stands_with_its_interval_and_counts_cases() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 10);
    // Samples are not cases, and that all agree is not certainty: Wilson's interval of 10 of 10.
    project.run(&["run", "set", "--samples", "2"]).expect(0).says("100.0 % · 72–100 · n 10");

    project.write("evalsets/set/cases.jsonl", &clustered());
    let shown = project.run(&["run", "set"]).expect(0).says("83.3 % · 35–100 · n 6");
    shown.says("few clusters (4): the interval leans on an assumption");
    let shown = project.run(&["show", "latest", "--format", "json"]).expect(0).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let rate = &shown["variants"][0]["pass_rate"];
    assert_eq!(
        (&rate["method"], &rate["confidence"]),
        (&"clustered_case_means".into(), &0.95.into())
    );
    assert_eq!((&rate["cases"], &rate["clusters"]), (&6.into(), &4.into()));
    let number = |value: &Value| value.as_f64().unwrap();
    assert!((number(&rate["rate"]["value"]) - 5.0 / 6.0).abs() < 1e-12, "{rate}");
    assert!((number(&rate["interval"]["value"]["low"]) - 0.354_5).abs() < 1e-4, "{rate}");
}

#[test]
fn numbers_of_a_run_that_is_not_finished_are_interim() {
    let server = TestProvider::echoing();
    let project = Project::new(&server.origin(), 100);
    project.run(&["run", "set", "--cap", "0.0005"]).expect(3).says("interim: ");
    project.run(&["resume", "latest", "--cap", "1"]).expect(0);
    let shown = project.run(&["show", "latest"]).expect(0);
    assert!(!shown.stdout.contains("interim"), "{shown:?}");
}
