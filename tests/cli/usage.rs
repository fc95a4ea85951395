use crate::sandbox::Sandbox;

#[test]
fn wrong_usage_exits_with_2_and_says_so_on_standard_error() {
    let sandbox = Sandbox::with_project();
    let wrong: [&[&str]; 9] = [
        &[],
        &["nonsense"],
        &["validate", "--nonsense"],
        &["prompt"],
        &["prompt", "render", "order-number"],
        &["trust", "--show", "--revoke"],
        &["trust", "--hash", "nonsense"],
        &["completions", "nonsense"],
        &["validate", "--format", "yaml"],
    ];
    for arguments in wrong {
        let ran = sandbox.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_folder_without_a_project_is_an_error_with_a_way_out() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.run(&["validate"]), @r"
    --- stderr
    error: [SANDBOX]/project is not inside a project: no trysquare.yaml here or above
      hint: start one with `trysquare init`, or name its folder with --project
    --- exit 2
    ");
    assert_eq!(sandbox.run(&["--project", "elsewhere", "prompt", "list"]).code, 2);
}

#[test]
fn version_and_completions_go_to_standard_output() {
    let sandbox = Sandbox::new();
    let version = sandbox.run(&["--version"]);
    assert_eq!(version.stdout, concat!("trysquare ", env!("CARGO_PKG_VERSION"), "\n"));
    for (shell, first) in [
        ("bash", "_trysquare() {"),
        ("zsh", "#compdef trysquare"),
        (
            "fish",
            "# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.",
        ),
    ] {
        let ran = sandbox.run(&["completions", shell]);
        assert_eq!((ran.code, ran.stdout.lines().next()), (0, Some(first)), "{shell}");
    }
}
