//! A judge's rate beside what people would find.

use serde_json::Value;
use test_provider::{Behaviour, SeenRequest, TestProvider};

use crate::sandbox::Sandbox;

const JUDGE: &str = "---\nmodel: local/m\nconfig: {maxOutputTokens: 32, temperature: 0}\noutput:\n  \
                     schema:\n    reason: string\n    verdict(enum): [pass, fail]\n---\n\
                     Is this polite?\n{{input.message}}\n{{output}}\n";

const SET: &str = "format: 1\nvariants:\n  ask:\njudges: [polite]\nprimary: polite\n\
                   split: {train: 0, dev: 0, test: 100}\n";

/// Echoes; as a judge it fails every fifth case.
fn judging(request: &SeenRequest) -> Behaviour {
    if !request.texts().iter().any(|text| text.contains("<judged-output>")) {
        return Behaviour::echo(request);
    }
    let fails = ["m-00", "m-05", "m-10", "m-15", "m-20", "m-25"];
    let verdict =
        if fails.iter().any(|id| request.last_text().contains(id)) { "fail" } else { "pass" };
    Behaviour::text(format!("{{\"reason\": \"because\", \"verdict\": \"{verdict}\"}}"))
}

fn project(server: &TestProvider, set: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let settings = format!(
        "format: 1\nproviders:\n  local:\n    protocol: openai-chat\n    base_url: {}/v1\n    \
         models:\n      m:\n        prices: {{input: 1, output: 2}}\n",
        server.origin()
    );
    sandbox.write("trysquare.yaml", &settings);
    sandbox.write(
        "prompts/ask.prompt",
        "---\nmodel: local/m\nconfig: {maxOutputTokens: 16, temperature: 0}\ninput:\n  schema:\n    \
         message: string\n---\n{{message}}\n",
    );
    sandbox.write("judges/polite.prompt", JUDGE);
    sandbox.write("evalsets/mails/evalset.yaml", set);
    let case = |number| {
        format!("{{\"id\":\"m-{number:02}\",\"inputs\":{{\"message\":\"m-{number:02}\"}}}}\n")
    };
    sandbox.write("evalsets/mails/cases.jsonl", &(0..30).map(case).collect::<String>());
    sandbox
}

/// What stands under the rates of judges.
fn shown(text: &str) -> String {
    let from = text.split("Pass rates by judges\n").nth(1).unwrap_or_default();
    let lines: Vec<&str> = from.lines().take_while(|line| line.starts_with("  ")).collect();
    lines.join("\n")
}

#[test]
fn a_judges_rate_stands_beside_what_people_would_find() {
    let server = TestProvider::start(judging);
    let sandbox = project(&server, SET);
    let ran = sandbox.run(&["run", "mails"]);
    assert_eq!(ran.code, 0, "{ran}");
    insta::assert_snapshot!(shown(&ran.stdout), @r"
    polite on polite (never calibrated)
      ask: judge says 80.0 %; not corrected: no labels of the test split
    ");
    // People pass the first eighteen that they are shown and fail two.
    let keys = format!("{}2\n2\nq", "1".repeat(18));
    let labelled = sandbox.run_with_input(&["label", "--labeller", "ana", "--count", "30"], &keys);
    assert_eq!(labelled.code, 0, "{labelled}");
    let text = sandbox.run(&["show", "latest"]).stdout;
    let corrected = "ask: judge says 80.0 %; corrected with 20 human labels of this run: ";
    assert!(shown(&text).contains(corrected), "{text}");
    let json = sandbox.run(&["show", "latest", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let rates = &json["judged_rates"][0];
    assert_eq!((&rates["judge"], &rates["criterion"]), (&"polite".into(), &"polite".into()));
    assert_eq!(rates["rates"][0]["correction"]["method"], "prediction_powered");
    assert_eq!(rates["rates"][0]["correction"]["labels"], 20);
    // Labels that were made in other splits are none of the test split.
    sandbox.write("evalsets/mails/evalset.yaml", &SET.replace("train: 0", "seed: 4, train: 0"));
    let refused = sandbox.run(&["show", "latest"]);
    assert_eq!((refused.code, shown(&refused.stdout).as_str()), (0, ""), "{refused}");
    assert!(refused.stderr.contains("are not corrected: the splits of `mails`"), "{refused}");
}
