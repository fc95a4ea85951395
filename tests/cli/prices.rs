use crate::sandbox::Sandbox;

const PROMPT: &str = "---\nmodel: openai/gpt-test-1\n---\n{{message}}\n";
const LITELLM: &str = r#"{
  "gpt-test-1": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-07,
    "cache_read_input_token_cost": 2.5e-08, "output_cost_per_token": 2e-06},
  "gpt-test-2": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06,
    "output_cost_per_token": 1e-06}
}"#;

#[test]
fn a_price_is_unknown_until_a_list_or_the_project_states_it_and_the_project_goes_first() {
    let sandbox = Sandbox::with_project();
    sandbox.write("prompts/paid.prompt", PROMPT);
    let shown = |sandbox: &Sandbox| {
        let ran = sandbox.run(&["prices"]);
        assert_eq!(ran.code, 0, "{ran}");
        ran.stdout.lines().find(|line| line.starts_with("openai/gpt-test-1")).unwrap().to_owned()
    };
    assert!(shown(&sandbox).contains("unknown"));

    sandbox.write("list.json", LITELLM);
    let imported = sandbox.run(&["prices", "import", "list.json", "--from", "litellm"]);
    insta::assert_snapshot!(imported, @"
    prices.jsonl: wrote the prices of 1 model
    1 model that this project does not use left out; --all takes them all
    --- exit 0
    ");
    let row = sandbox.read("prices.jsonl");
    assert!(
        row.contains(r#""usd_per_million":{"input":"0.25","cache_read":"0.025","output":"2"}"#),
        "{row}"
    );
    let line = shown(&sandbox);
    assert!(line.contains("$0.25") && line.contains("LiteLLM's price file"), "{line}");

    let settings = sandbox.read("trysquare.yaml");
    let own = "providers:\n  openai:\n    models:\n      gpt-test-1:\n        price_date: \"2026-11-20\"\n        prices: {input: 7, output: 9}\n";
    sandbox.write("trysquare.yaml", &format!("{settings}\n{own}"));
    let line = shown(&sandbox);
    assert!(line.contains("$7.00") && line.contains("2026-11-20  trysquare.yaml"), "{line}");
}

#[test]
fn a_list_with_a_bad_row_is_named_by_line_and_never_overwritten() {
    let sandbox = Sandbox::with_project();
    sandbox.write("prices.jsonl", "{\"format\":1}\n");
    sandbox.write("list.json", LITELLM);
    let validated = sandbox.run(&["validate"]);
    assert!(validated.to_string().contains("prices.jsonl:1:1"), "{validated}");
    let imported = sandbox.run(&["prices", "import", "list.json", "--from", "litellm"]);
    assert_eq!(imported.code, 2, "{imported}");
    assert_eq!(sandbox.read("prices.jsonl"), "{\"format\":1}\n");
}
