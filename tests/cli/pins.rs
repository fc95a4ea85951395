use serde_json::Value;
use test_provider::TestProvider;

use crate::approved::run_once;
use crate::sandbox::Sandbox;

/// A project in a git repository, with an accepted baseline that is not committed.
fn project_in_git() -> (Sandbox, TestProvider) {
    let (sandbox, server) = run_once();
    sandbox.write(".gitignore", ".trysquare/\n");
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox);
    assert_eq!(sandbox.run(&["baseline", "accept", "latest"]).code, 0);
    (sandbox, server)
}

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let settings = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    let ran = sandbox.finish(sandbox.command("git").args(settings).args(arguments), "");
    assert_eq!(ran.code, 0, "{ran}");
}

fn commit(sandbox: &Sandbox) {
    git(sandbox, &["add", "--all"]);
    git(sandbox, &["commit", "--quiet", "--message", "Step"]);
}

/// The version of a prompt in the files.
fn version(sandbox: &Sandbox, name: &str) -> String {
    let list = sandbox.run(&["prompt", "list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let found = list.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    found["version"].as_str().unwrap().to_owned()
}

const APPROVED: &str = "ask";

#[test]
fn a_pin_needs_a_committed_baseline_that_names_the_version() {
    let (sandbox, _server) = project_in_git();
    let before = sandbox.read("trysquare.yaml");
    let pin = format!("{APPROVED}@{}", &version(&sandbox, APPROVED)[..12]);
    insta::assert_snapshot!(sandbox.run(&["pin"]), @r"
    No pins yet: trysquare pin NAME@VERSION --env ENVIRONMENT
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["pin", &pin, "--env", "production"]), @r"
    --- stderr
    error: no committed baseline names the version fe27e8c94ce9 of `ask`
      hint: accept a run of it with `trysquare baseline accept` and commit baseline.json, or say --override REASON
    --- exit 2
    ");
    assert_eq!(sandbox.read("trysquare.yaml"), before);
    commit(&sandbox);
    insta::assert_snapshot!(sandbox.run(&["pin", &pin, "--env", "production"]), @r"
    pinned ask fe27e8c94ce9 in production
    approved by the baseline of echo, variant ask

    Review trysquare.yaml with `git diff`, and commit it.
    --- exit 0
    ");
    let pinned = sandbox.read("trysquare.yaml");
    assert!(pinned.starts_with(before.trim_end()), "every other byte stays: {pinned}");
    insta::assert_snapshot!(sandbox.run(&["pin", "--env", "production"]), @r"
    environment  prompt  version       in the files  approved by
    production   ask     fe27e8c94ce9  yes           echo
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["validate", "--strict"]), @r"
    no errors, no warnings
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["pin", "--env", "staging"]), @r"
    --- stderr
    error: there is no environment `staging`
      hint: trysquare.yaml has production
    --- exit 2
    ");
    insta::assert_snapshot!(sandbox.run(&["pin", "loud", "--env", "production"]), @r"
    --- stderr
    error: found `loud`, expected NAME@VERSION
      hint: `trysquare prompt list` prints names and versions
    --- exit 2
    ");
    insta::assert_snapshot!(sandbox.run(&["pin", "loud@v2", "--env", "production"]), @r"
    --- stderr
    error: found `v2` as a version, expected 12 to 64 hex digits
      hint: `trysquare prompt list` and `trysquare baseline show` print versions
    --- exit 2
    ");
}

#[test]
fn a_version_that_nothing_approves_needs_a_reason_that_is_kept() {
    let (sandbox, _server) = project_in_git();
    commit(&sandbox);
    let other = format!("loud@{}", version(&sandbox, "loud"));
    insta::assert_snapshot!(sandbox.run(&["pin", &other, "--env", "production"]), @r"
    --- stderr
    error: no committed baseline names the version eebf613c05aa of `loud`
      hint: accept a run of it with `trysquare baseline accept` and commit baseline.json, or say --override REASON
    --- exit 2
    ");
    let unknown = ["pin", "loud@000000000000", "--env", "production"];
    insta::assert_snapshot!(sandbox.run(&[&unknown[..], &["--override", "try"]].concat()), @r"
    --- stderr
    error: neither the files, git's history nor the record of runs have the version 000000000000 of `loud`
      hint: `trysquare prompt log loud` lists the versions in git
    --- exit 2
    ");
    let reason = ["pin", &other, "--env", "production", "--override", "incident 7: roll back"];
    insta::assert_snapshot!(sandbox.run(&reason), @r"
    pinned loud eebf613c05aa in production
    overridden: no committed baseline names it; incident 7: roll back

    Review trysquare.yaml with `git diff`, and commit it.
    --- exit 0
    ");
    let settings = sandbox.read("trysquare.yaml");
    assert!(settings.contains("reason: \"incident 7: roll back\""), "{settings}");
    insta::assert_snapshot!(sandbox.run(&["pin"]), @r"
    environment  prompt  version       in the files  approved by
    production   loud    eebf613c05aa  yes           nobody: incident 7: roll back
    --- exit 0
    ");
    assert_eq!(sandbox.run(&["validate", "--strict"]).code, 0);
}

#[test]
fn an_export_is_what_was_pinned_wherever_it_is_found() {
    let (sandbox, _server) = project_in_git();
    commit(&sandbox);
    let old = version(&sandbox, APPROVED);
    let pin = format!("{APPROVED}@{old}");
    assert_eq!(sandbox.run(&["pin", &pin, "--env", "production"]).code, 0);
    let export = ["prompt", "export", "--env", "production", "--out", "build"];
    insta::assert_snapshot!(sandbox.run(&export), @r"
    wrote build/ask.json
    --- exit 0
    ");
    let file = format!("build/{APPROVED}.json");
    let first = sandbox.read(&file);
    let exported: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(exported["version"], old.as_str());
    assert_eq!(exported["model"], "local/m");
    assert_eq!(exported["approved_by"][0]["eval_set"], "echo");
    assert!(!exported["template"].as_str().unwrap().is_empty());

    // The file moves on; git's history still has the version.
    let path = format!("prompts/{APPROVED}.prompt");
    let text = sandbox.read(&path);
    sandbox.write(&path, &format!("{text}\nBe brief.\n"));
    commit(&sandbox);
    assert_eq!(sandbox.run(&["validate", "--strict"]).code, 0);
    assert_eq!(sandbox.run(&export).code, 0);
    assert_eq!(sandbox.read(&file), first);
    insta::assert_snapshot!(sandbox.run(&["pin", "--env", "production"]), @r"
    environment  prompt  version       in the files  approved by
    production   ask     fe27e8c94ce9  no            echo
    --- exit 0
    ");

    // Without history, the record of runs has it; without that, nothing is made up.
    std::fs::remove_dir_all(sandbox.path("project/.git")).unwrap();
    insta::assert_snapshot!(sandbox.run(&["validate"]), @r"
    warning[unknown-version]: neither the files nor git's history have the version fe27e8c94ce9 of `ask`
      --> trysquare.yaml:12:12
       |
    12 |       ask: fe27e8c94ce98a48685215d02cad9667f1c1487fe528656c5c9813145042e55a
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = hint: `trysquare prompt log` lists the versions

    0 errors, 1 warning
    --- exit 0
    ");
    assert_eq!(sandbox.run(&export).code, 0);
    let recorded: Value = serde_json::from_str(&sandbox.read(&file)).unwrap();
    assert_eq!(recorded["source"], exported["source"]);
    std::fs::remove_dir_all(sandbox.path("project/.trysquare")).unwrap();
    insta::assert_snapshot!(sandbox.run(&export), @r"
    --- stderr
    error: neither the files, git's history nor the record of runs have the version fe27e8c94ce9 of `ask`
      hint: `trysquare prompt log ask` lists the versions in git
    --- exit 2
    ");
}
