//! The keyring of a desktop, without the desktop. `scripts/setup --test` installs what this needs.

use crate::sandbox::{PROGRAM, Sandbox};

const CANARY: &str = "canary-7c1f0a93";

/// Starts a keyring on a session bus of its own, then the commands of `$1`.
const SESSION: &str = r#"
printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 || exit 90
eval "$1"
"#;

fn in_keyring_session(sandbox: &Sandbox, commands: &str) -> String {
    for folder in ["data", "runtime"] {
        std::fs::create_dir_all(sandbox.path(folder)).unwrap();
    }
    let mut command = sandbox.command("dbus-run-session");
    command
        .args(["--", "bash", "-c", SESSION, "bash", commands])
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("XDG_DATA_HOME", sandbox.path("data"))
        .env("XDG_RUNTIME_DIR", sandbox.path("runtime"))
        .env("T", PROGRAM)
        .env("CANARY", CANARY);
    let ran = sandbox.finish(&mut command, "");
    assert_eq!(ran.code, 0, "{ran}");
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "the key was printed");
    ran.stdout
}

#[test]
fn a_real_keyring_keeps_a_key_and_nothing_else_does() {
    let sandbox = Sandbox::new();
    let stored = in_keyring_session(
        &sandbox,
        r#"printf '%s\n' "$CANARY" | "$T" key set openai && "$T" key list"#,
    );
    insta::assert_snapshot!(stored, @r"
    the key `openai` is in the keyring; it is sent only to https://api.openai.com
    key     sent only to            kept in  state
    openai  https://api.openai.com  keyring  there
    ");
    assert_eq!(sandbox.files_with(CANARY), Vec::<std::path::PathBuf>::new());
    let removed =
        in_keyring_session(&sandbox, r#""$T" key list && "$T" key remove openai && "$T" key list"#);
    insta::assert_snapshot!(removed, @r"
    key     sent only to            kept in  state
    openai  https://api.openai.com  keyring  there
    removed the key `openai`
    No keys yet: `trysquare key set openai` keeps one in the system's keyring, for one origin.
    ");
}

#[test]
fn without_a_keyring_the_message_says_what_to_do() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run_with_input(&["key", "set", "openai"], CANARY);
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY));
    insta::assert_snapshot!(ran, @r"
    --- stderr
    error: this system has no keyring that answers: Platform failure: zbus error: Failed to connect to address `unix:path=[SANDBOX]/no-bus`: No such file or directory (os error 2)
      hint: start a keyring (on Linux: gnome-keyring or KWallet), or let the key come from an environment variable: `trysquare key set NAME --env VARIABLE`
    --- exit 2
    ");
    assert_eq!(sandbox.files_with(CANARY), Vec::<std::path::PathBuf>::new());
    insta::assert_snapshot!(sandbox.run(&["key", "list"]), @r"
    No keys yet: `trysquare key set openai` keeps one in the system's keyring, for one origin.
    --- exit 0
    ");
}
