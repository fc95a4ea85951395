use crate::sandbox::Sandbox;

#[test]
fn a_key_from_the_environment_is_bound_listed_and_removed() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.run(&["key", "list"]), @r"
    No keys yet: `trysquare key set openai` keeps one in the system's keyring, for one origin.
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["key", "set", "openai", "--env", "DESK_KEY"]), @r"
    the key `openai` will be read from the variable DESK_KEY, which is not set now; it is sent only to https://api.openai.com
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["key", "list"]), @r"
    key     sent only to            kept in   state
    openai  https://api.openai.com  DESK_KEY  missing
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["key", "remove", "openai"]), @r"
    removed the key `openai`
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["key", "remove", "openai"]), @r"
    --- stderr
    error: there is no key `openai`
      hint: `trysquare key list` shows those that there are
    --- exit 2
    ");
}

#[test]
fn a_key_without_a_known_place_is_asked_for_one() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.run_with_input(&["key", "set", "desk"], "canary-1"), @r"
    --- stderr
    error: where may the key `desk` be sent?
      hint: say --origin https://…; only that origin will get it
    --- exit 2
    ");
    let bad = ["key", "set", "desk", "--origin", "desk.example/path"];
    assert_eq!(sandbox.run_with_input(&bad, "canary-1").code, 2);
}

#[test]
fn nothing_or_several_lines_are_no_key() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.run_with_input(&["key", "set", "openai"], " \n"), @r"
    --- stderr
    error: no key was given
      hint: type it at the question, or give it on standard input
    --- exit 2
    ");
    let two = sandbox.run_with_input(&["key", "set", "openai"], "canary-1\ncanary-2\n");
    insta::assert_snapshot!(two, @r"
    --- stderr
    error: what was given is not one key: it has several lines
      hint: give the key alone, on one line
    --- exit 2
    ");
}

#[test]
fn a_key_that_is_not_there_is_not_tested() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.run(&["key", "test", "openai"]), @r"
    --- stderr
    error: the key `openai` is read from the environment variable OPENAI_API_KEY, which is not set
      hint: store it with `trysquare key set openai`, or set the variable
    --- exit 2
    ");
}
