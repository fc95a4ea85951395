use crate::sandbox::Sandbox;

fn hash(sandbox: &Sandbox) -> String {
    let shown = sandbox.run(&["trust", "--show", "--format", "json"]).stdout;
    let view: serde_json::Value = serde_json::from_str(&shown).unwrap();
    view["hash"].as_str().unwrap().to_owned()
}

#[test]
fn a_project_without_programs_needs_no_trust() {
    insta::assert_snapshot!(Sandbox::with_project().run(&["trust"]), @r"
    This project declares no programs and no model files, so there is nothing to trust; `trysquare validate` checks the rest of it.
    --- exit 0
    ");
}

#[test]
fn what_would_be_trusted_is_shown_whole() {
    insta::assert_snapshot!(Sandbox::with_program().run(&["trust", "--show"]), @r#"
    This project wants to run or load
    {
      "models": {},
      "programs": {
        "lint": {
          "command": [
            "python3",
            "tools/lint.py"
          ],
          "environment": {},
          "files": {
            "tools/lint.py": "dae839fe69bfc735eb606660494d985b6cfa9c4ac3c2e59d4b77ccdb3d2b0550"
          },
          "max_output_bytes": 4194304,
          "timeout_ms": 30000
        }
      }
    }

    hash 5d5e5feedb017935cb0461dab9c8608dc2ec871393883fd9691bd6cfbb0cc4b7
    It is not trusted on this machine.
    --- exit 0
    "#);
}

#[test]
fn where_nobody_can_be_asked_nothing_is_trusted() {
    let sandbox = Sandbox::with_program();
    let ran = sandbox.run_with_input(&["trust"], "y\n");
    assert_eq!(ran.code, 2);
    let hint = format!("hint: to trust exactly this: trysquare trust --hash {}", hash(&sandbox));
    assert!(ran.stderr.contains(&hint), "{ran}");
}

#[test]
fn trust_is_for_one_hash_and_a_change_is_shown() {
    let sandbox = Sandbox::with_program();
    let first = hash(&sandbox);
    assert_eq!(sandbox.run(&["trust", "--hash", &first]).code, 0);
    assert!(sandbox.run(&["trust"]).stdout.ends_with("takes that back.\n"));

    sandbox.write("tools/lint.py", "import os\n");
    let stale = sandbox.run(&["trust", "--hash", &first]);
    insta::assert_snapshot!(stale, @r"
    --- stderr
    error: the hash 5d5e5feedb01 is outdated or mistyped: what this project wants to run is 2189b7fccb16 now
      hint: review the change with `trysquare trust --show`; then: trysquare trust --hash 2189b7fccb163d181baecbf413ecaa07e988af9d345bc27e3edaa437af059fa1
    --- exit 2
    ");
    let shown = sandbox.run(&["trust", "--show"]).stdout;
    let (_, changes) = shown.split_once("\n\n").unwrap();
    insta::assert_snapshot!(changes, @r#"
    Since it was trusted last, this changed
            "environment": {},
            "files": {
    -         "tools/lint.py": "dae839fe69bfc735eb606660494d985b6cfa9c4ac3c2e59d4b77ccdb3d2b0550"
    +         "tools/lint.py": "3727adff524e0616022eadd8f4af21a0778b29fc4c77bdfefd1afce2cbf5e4b7"
            },
            "max_output_bytes": 4194304,

    hash 2189b7fccb163d181baecbf413ecaa07e988af9d345bc27e3edaa437af059fa1
    It is not trusted on this machine.
    "#);

    insta::assert_snapshot!(sandbox.run(&["trust", "--revoke"]), @r"
    what this project declares is no longer trusted
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["trust", "--revoke"]), @r"
    nothing of this project was trusted
    --- exit 0
    ");
}
