use crate::sandbox::Sandbox;

#[test]
fn init_says_what_it_wrote_and_what_to_do_next() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.run(&["init", "shop"]), @r"
    wrote 6 files
      .gitattributes
      .gitignore
      evalsets/order-number/cases.jsonl
      evalsets/order-number/evalset.yaml
      prompts/order-number.prompt
      trysquare.yaml

    Next
      cd shop
      trysquare run order-number         ask the model inside this program, no key needed
      trysquare show latest --failures   see what failed
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["init", "shop"]), @r"
    --- stderr
    error: shop is a project already
    --- exit 2
    ");
}

#[test]
fn the_sample_is_valid_and_canonical() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.run(&["init", "--sample"]), @r"
    wrote 20 files
      .gitattributes
      .gitignore
      evalsets/order-number/baseline.json
      evalsets/order-number/cases.jsonl
      evalsets/order-number/evalset.yaml
      evalsets/order-number/outputs.jsonl
      evalsets/order-number/recorded.jsonl
      evalsets/replies/cases.jsonl
      evalsets/replies/evalset.yaml
      evalsets/replies/labels.jsonl
      evalsets/replies/outputs.jsonl
      evalsets/replies/recorded.jsonl
      judges/helpful.prompt
      judges/helpful.trust.json
      prompts/order-number.examples-schema.prompt
      prompts/order-number.examples.prompt
      prompts/order-number.instruction.prompt
      prompts/reply.examples.prompt
      prompts/reply.form.prompt
      trysquare.yaml

    Next
      trysquare run order-number --replay   score the recorded answers, no model needed
      trysquare run order-number            ask the model inside this program, no key needed
      trysquare show latest --failures      see what failed
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["validate", "--strict"]), @r"
    no errors, no warnings
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["fmt", "--check"]), @r"
    every file of rows is canonical
    --- exit 0
    ");
}

#[test]
fn validate_prints_everything_that_is_wrong_at_once() {
    let sandbox = Sandbox::with_project();
    sandbox.write("prompts/broken.prompt", "---\nmodel: embedded/smollm2-135m\n---\n{{#if a}}x\n");
    sandbox.write("evalsets/order-number/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n{\"id\":}\n");
    let settings = sandbox.read("trysquare.yaml");
    sandbox.write("trysquare.yaml", &format!("{settings}\nprogramms: {{}}\n"));
    insta::assert_snapshot!(sandbox.run(&["validate"]), @r#"
    warning[unknown-key]: unknown key `programms` in trysquare.yaml
      --> trysquare.yaml:16:1
       |
    16 | programms: {}
       | ^^^^^^^^^
      = hint: did you mean `programs`?

    error[template-syntax]: the block `if` is not closed
      --> prompts/broken.prompt:4:4
      |
    4 | {{#if a}}x
      |    ^^
      = hint: close it with {{/if}}

    error[case-row]: this is not JSON: expected value, found `}`
      --> evalsets/order-number/cases.jsonl:2:7
      |
    2 | {"id":}
      |       ^

    error[check-value]: the check `exact` cannot be used: the check uses `{{expected}}`, but the case has no `expected` (case `a`)
      --> evalsets/order-number/evalset.yaml:14:11
       |
    14 |   - name: exact
       |           ^^^^^

    error[unbound-variable]: the variable `message` is not bound (case `a`), in the eval set `order-number`
      --> prompts/order-number.prompt:21:3
       |
    21 | {{message}}
       |   ^^^^^^^
      = hint: bind it in the case's `inputs`, give it a default, or make it optional

    error[case-input]: the inputs do not fit the prompt `order-number`: the whole value: "message" is a required property (case `a`)
      --> evalsets/order-number/cases.jsonl:1:1
      |
    1 | {"id":"a","inputs":{}}
      | ^^^^^^^^^^^^^^^^^^^^^^

    5 errors, 1 warning
    --- exit 2
    "#);
}

#[test]
fn warnings_are_errors_only_where_that_is_asked() {
    let sandbox = Sandbox::with_project();
    let settings = sandbox.read("trysquare.yaml");
    sandbox.write("trysquare.yaml", &format!("{settings}\nprogramms: {{}}\n"));
    assert_eq!(sandbox.run(&["validate"]).code, 0);
    assert_eq!(sandbox.run(&["validate", "--strict"]).code, 2);
}

#[test]
fn fmt_makes_files_canonical_and_check_only_tells() {
    let sandbox = Sandbox::with_project();
    let loose = "{ \"inputs\": {\"message\": \"hi\"}, \"id\": \"a\" }\r\n";
    sandbox.write("evalsets/order-number/cases.jsonl", loose);
    insta::assert_snapshot!(sandbox.run(&["fmt", "--check"]), @r"
    not canonical: evalsets/order-number/cases.jsonl
    `trysquare fmt` makes them canonical
    --- exit 2
    ");
    assert_eq!(sandbox.read("evalsets/order-number/cases.jsonl"), loose);
    insta::assert_snapshot!(sandbox.run(&["fmt"]), @r"
    formatted evalsets/order-number/cases.jsonl
    --- exit 0
    ");
    let canonical = "{\"id\":\"a\",\"inputs\":{\"message\":\"hi\"}}\n";
    assert_eq!(sandbox.read("evalsets/order-number/cases.jsonl"), canonical);
    assert_eq!(sandbox.run(&["fmt", "--check"]).code, 0);
}

#[test]
fn fmt_shows_lines_that_cannot_be_read() {
    let sandbox = Sandbox::with_project();
    sandbox.write("evalsets/order-number/cases.jsonl", "{\"id\":\n");
    insta::assert_snapshot!(sandbox.run(&["fmt"]), @r#"
    error[case-row]: this is not JSON: the line ends while parsing a value
      --> evalsets/order-number/cases.jsonl:1:6
      |
    1 | {"id":
      |      ^

    1 error, 0 warnings
    lines that cannot be read stay as they are
    --- exit 2
    "#);
}

#[test]
fn models_shows_what_is_known_and_what_is_not() {
    let sandbox = Sandbox::with_project();
    let settings = sandbox.read("trysquare.yaml");
    let priced = "providers:\n  openai:\n    models:\n      gpt-5-mini:\n        prices: {input: 0.25, output: 2}\n";
    sandbox.write("trysquare.yaml", &format!("{settings}\n{priced}"));
    insta::assert_snapshot!(sandbox.run(&["models"]), @r"
    provider          protocol          where                                             key         model         $ per million tokens                  file
    anthropic         anthropic         https://api.anthropic.com                         anthropic   any           unknown
    embedded          embedded          in this program                                   –           smollm2-135m  free                                  missing
    gemini            gemini            https://generativelanguage.googleapis.com/v1beta  gemini      any           unknown
    googleai          gemini            https://generativelanguage.googleapis.com/v1beta  gemini      any           unknown
    groq              openai-chat       https://api.groq.com/openai/v1                    groq        any           unknown
    lmstudio          openai-chat       http://localhost:1234/v1                          –           any           unknown
    ollama            ollama            http://localhost:11434                            –           any           unknown
    openai            openai-chat       https://api.openai.com/v1                         openai      gpt-5-mini    $0.25 in, $2.00 out (trysquare.yaml)
    openai-responses  openai-responses  https://api.openai.com/v1                         openai      any           unknown
    openrouter        openai-chat       https://openrouter.ai/api/v1                      openrouter  any           unknown

    Prompts of this project use embedded.
    Models that are not listed can be used too; prices for them go into trysquare.yaml.
    --- exit 0
    ");
}

#[test]
fn doctor_examines_without_a_network() {
    let sandbox = Sandbox::with_project();
    let ran = sandbox.run(&["doctor"]);
    assert_eq!(ran.code, 0, "{ran}");
    // The one finding that depends on how the program was built.
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    let model = lines.iter().position(|line| line.contains("embedded model")).unwrap();
    lines.remove(model);
    lines.retain(|line| !line.contains("scripts/setup"));
    insta::assert_snapshot!(lines.join("\n"), @r"
    ✓ settings: [SANDBOX]/config/settings.json: 0 keys, 0 permissions, 0 trusted projects
    · keyring: there is none: Platform failure: zbus error: Failed to connect to address `unix:path=[SANDBOX]/no-bus`: No such file or directory (os error 2)
      hint: keys can come from environment variables: `trysquare key set NAME --env VARIABLE`
    ✓ project: [SANDBOX]/project: 0 errors, 0 warnings
    ✓ database: [SANDBOX]/project/.trysquare/trysquare.db

    No host was contacted for this project.
    ");
}

#[test]
fn doctor_fails_on_a_project_with_errors() {
    let sandbox = Sandbox::with_project();
    sandbox.write("evalsets/order-number/cases.jsonl", "{\"id\":\n");
    let ran = sandbox.run(&["doctor"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stdout.contains("✕ project: [SANDBOX]/project: 1 error, 0 warnings\n"), "{ran}");
}

#[test]
fn an_empty_cache_says_how_it_is_filled() {
    let sandbox = Sandbox::with_project();
    insta::assert_snapshot!(sandbox.run(&["cache"]), @r"
    The cache is empty; every run fills it, up to 1.0 GiB. Start one with `trysquare run SET`.
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["cache", "--clear"]), @r"
    removed 0 cached responses; what runs recorded stays
    --- exit 0
    ");
}
