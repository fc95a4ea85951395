use document::yaml::{self, Node, Yaml};
use document::{Diagnostics, SourceText, Span};

use crate::sandbox::Sandbox;

fn read(file: &str) -> Node {
    let text = std::fs::read_to_string(tests::root().join("docs/ci").join(file)).unwrap();
    let length = text.len();
    let mut diagnostics = Diagnostics::new(SourceText::new(file, text));
    let node = yaml::parse(Span::new(0, length), &mut diagnostics);
    assert!(diagnostics.is_empty(), "{:?}", diagnostics.into_vec());
    node.unwrap()
}

/// Collects every line of every text that calls the program.
fn commands(node: &Node, found: &mut Vec<String>) {
    match &node.value {
        Yaml::String(text) => {
            let lines = text.lines().map(str::trim);
            found.extend(lines.filter(|line| line.starts_with("trysquare ")).map(str::to_owned));
        }
        Yaml::Sequence(items) => items.iter().for_each(|item| commands(item, found)),
        Yaml::Mapping(entries) => entries.iter().for_each(|entry| commands(&entry.value, found)),
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) => {}
    }
}

#[test]
fn the_ready_workflows_call_what_the_program_knows() {
    let sandbox = Sandbox::new();
    for file in ["github-actions.yml", "gitlab-ci.yml"] {
        let mut found = Vec::new();
        commands(&read(file), &mut found);
        let gates = found.iter().filter(|line| line.starts_with("trysquare gate ")).count();
        assert_eq!((found.len(), gates), (3, 1), "{file}: {found:?}");
        for line in found {
            let mut arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
            // What is wrong before it is still refused.
            arguments.push("--help");
            let ran = sandbox.run(&arguments);
            assert_eq!(ran.code, 0, "{file}: {line}\n{ran}");
        }
    }
}

#[test]
fn the_github_workflow_gates_pull_requests_and_keeps_the_report() {
    let workflow = read("github-actions.yml");
    assert!(workflow.get("on").unwrap().get("pull_request").is_some());
    let steps = workflow.get("jobs").unwrap().get("gate").unwrap().get("steps").unwrap();
    let steps = steps.items().unwrap();
    let place = |name: &str| {
        let named = |step: &Node| step.get("name").and_then(Node::as_str) == Some(name);
        steps.iter().position(named).unwrap()
    };
    for later in ["Keep the report", "Comment", "Summary"] {
        assert!(place(later) > place("Gate"), "{later}");
        let condition = steps[place(later)].get("if").unwrap().as_str().unwrap();
        assert!(condition.starts_with("always()"), "a failed gate is reported too: {later}");
    }
}
