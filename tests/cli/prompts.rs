use crate::sandbox::Sandbox;

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let mut command = sandbox.command("git");
    command.args(["-c", "user.name=Ada", "-c", "user.email=ada@shop.example"]).args(arguments);
    for date in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        command.env(date, "2026-11-20T09:30:00Z");
    }
    let ran = sandbox.finish(command.env("GIT_CONFIG_GLOBAL", "/dev/null"), "");
    assert_eq!(ran.code, 0, "{ran}");
}

const FIRST: &str = "---\nmodel: openai/gpt-5-mini\nconfig: {temperature: 0}\n---\nFind the order in {{message}}.\n";
const SECOND: &str = "---\nmodel: openai/gpt-5-mini\nconfig: {temperature: 1}\n---\nFind the order number in {{message}}.\n";

/// A prompt with two versions in git.
fn with_history() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("trysquare.yaml", "format: 1\n");
    git(&sandbox, &["init", "-q", "-b", "main"]);
    for (text, message) in
        [(FIRST, "prompts: find orders"), (SECOND, "prompts: say what is wanted")]
    {
        sandbox.write("prompts/order.prompt", text);
        git(&sandbox, &["add", "prompts"]);
        git(&sandbox, &["commit", "-q", "-m", message]);
    }
    sandbox
}

#[test]
fn prompts_are_listed_with_versions_and_errors() {
    let sandbox = Sandbox::with_project();
    sandbox.write("prompts/broken.prompt", "---\nmodel: a/b\n---\n{{#if a}}x\n");
    insta::assert_snapshot!(sandbox.run(&["prompt", "list"]), @r"
    prompt        version       model                  used in
    broken        has errors    –                      –
    order-number  94b44a49a778  embedded/smollm2-135m  order-number

    `trysquare validate` lists the errors.
    --- exit 0
    ");
}

#[test]
fn a_prompt_is_shown_whole() {
    let sandbox = with_history();
    insta::assert_snapshot!(sandbox.run(&["prompt", "show", "order"]), @r#"
    order
    file         prompts/order.prompt
    version      fe8baef38d0094935e0343beb315df04d0b139e3764226ceeef2b2fbb4f4a13c
    model        openai/gpt-5-mini

    Front matter
      {
        "model": "openai/gpt-5-mini",
        "config": {
          "temperature": 1
        }
      }

    Variables
    variable  a case        first use
    message   must bind it  prompts/order.prompt:5:28

    Template
      Find the order number in {{message}}.
    --- exit 0
    "#);
    insta::assert_snapshot!(sandbox.run(&["prompt", "show", "nothing"]), @r"
    --- stderr
    error: there is no prompt `nothing`
      hint: this project has order
    --- exit 2
    ");
}

#[test]
fn a_case_is_rendered_as_messages() {
    let sandbox = Sandbox::with_project();
    let rendered = ["prompt", "render", "order-number", "--case", "late"];
    insta::assert_snapshot!(sandbox.run(&rendered), @r#"
    order-number 94b44a49a778 with the case late to embedded/smollm2-135m

    system
      You find the order number in a customer's message. Answer with the number alone, or with "none".

    user
      My order 10482 has not arrived.

    model
      10482

    user
      Do you have this in blue?

    model
      none

    user
      Where is order 58213? It should have been here on Tuesday.
    --- exit 0
    "#);
    let exact = sandbox.run(&[&rendered[..], &["--format", "json"]].concat()).stdout;
    let exact: serde_json::Value = serde_json::from_str(&exact).unwrap();
    let first = exact["messages"][0]["parts"][0]["text"].as_str().unwrap();
    assert!(first.starts_with("\nYou find"), "what is sent keeps its line breaks: {first:?}");
    let unknown = ["prompt", "render", "order-number", "--case", "never"];
    insta::assert_snapshot!(sandbox.run(&unknown), @r"
    --- stderr
    error: there is no case `never`
    --- exit 2
    ");
}

#[test]
fn hostile_text_of_a_case_cannot_move_the_cursor() {
    let sandbox = Sandbox::with_project();
    let case = "{\"id\":\"bad\",\"inputs\":{\"message\":\"\\u001b[2Jgone\\u202e\"}}\n";
    sandbox.write("evalsets/order-number/cases.jsonl", case);
    let ran = sandbox.run(&["prompt", "render", "order-number", "--case", "bad"]);
    assert!(ran.stdout.contains("\u{fffd}[2Jgone\u{fffd}"), "{ran}");
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'));
}

#[test]
fn variables_are_listed_with_their_place() {
    let sandbox = Sandbox::with_project();
    insta::assert_snapshot!(sandbox.run(&["prompt", "vars", "order-number"]), @r"
    variable  a case        first use
    message   must bind it  prompts/order-number.prompt:21:3
    --- exit 0
    ");
    sandbox.write("prompts/plain.prompt", "---\nmodel: a/b\n---\nHello.\n");
    insta::assert_snapshot!(sandbox.run(&["prompt", "vars", "plain"]), @r"
    This prompt uses no variables; `{{message}}` in its template would be one, which every case then binds.
    --- exit 0
    ");
}

#[test]
fn versions_are_compared_key_by_key_and_line_by_line() {
    let sandbox = with_history();
    insta::assert_snapshot!(sandbox.run(&["prompt", "diff", "order@HEAD~1", "order"]), @r"
    --- prompts/order.prompt 49a339896458
    +++ prompts/order.prompt fe8baef38d00

    front matter
      ~ config.temperature: 0 → 1

    template
       5      - Find the order in {{message}}.
            5 + Find the order number in {{message}}.
    --- exit 0
    ");
}

#[test]
fn the_log_has_every_version() {
    let sandbox = with_history();
    insta::assert_snapshot!(sandbox.run(&["prompt", "log", "order"]), @r"
    version       commit      date                  author  message
    fe8baef38d00  fe6715359c  2026-11-20T09:30:00Z  Ada     prompts: say what is wanted
    49a339896458  5cbc478aec  2026-11-20T09:30:00Z  Ada     prompts: find orders
    --- exit 0
    ");
}
