use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use provider::{Client, ProgramCommand, ProgramTarget, Trusted, run_program};
use run::{Bill, FailureKind, Retry};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use values::ContentHash;

use crate::support::{LONG, SHORT, never};

fn hash() -> ContentHash {
    ContentHash::of_bytes(b"declaration")
}

/// The shell stands for any program; nothing but its own arguments reaches it.
fn script(text: &str) -> ProgramCommand {
    ProgramCommand {
        name: "check".to_owned(),
        command: ["/bin/sh", "-c", text].map(OsString::from).to_vec(),
        directory: std::env::temp_dir(),
        environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        time_limit: LONG,
        max_output_bytes: 10_000,
        declaration: hash(),
    }
}

async fn failure(program: &ProgramCommand) -> Box<run::Failure> {
    let trusted = Trusted::checked(hash());
    run_program(program, &trusted, &json!({}), never()).await.unwrap_err()
}

#[tokio::test]
async fn a_program_reads_one_line_of_json_and_its_output_comes_back() {
    let trusted = Trusted::checked(hash());
    let input = json!({"output": "a\nb", "n": 1});
    let ran = run_program(&script("cat; echo '\"end\"'"), &trusted, &input, never()).await.unwrap();
    assert_eq!(ran.stdout, "{\"output\":\"a\\nb\",\"n\":1}\n\"end\"\n");
}

#[tokio::test]
async fn arguments_are_not_expanded_and_the_environment_is_not_inherited() {
    let mut program = script("");
    program.command = ["/usr/bin/env"].map(OsString::from).to_vec();
    let trusted = Trusted::checked(hash());
    let ran = run_program(&program, &trusted, &json!(0), never()).await.unwrap();
    assert_eq!(ran.stdout, "PATH=/usr/bin:/bin\n");
    program.command = ["/bin/echo", "$HOME", "*", "; id"].map(OsString::from).to_vec();
    let ran = run_program(&program, &trusted, &json!(0), never()).await.unwrap();
    assert_eq!(ran.stdout, "$HOME * ; id\n");
}

#[tokio::test]
async fn a_crash_is_a_failure_with_the_end_of_standard_error() {
    let found = failure(&script("seq 1 9999 >&2; echo last words >&2; exit 3")).await;
    assert_eq!((found.kind, found.retry), (FailureKind::ProgramFailed, Retry::Never));
    assert!(found.message.starts_with("program `check` failed: exit status: 3"));
    assert!(found.message.ends_with("9999\nlast words"), "{}", found.message);
    assert!(found.message.len() < 3000);
    let killed = failure(&script("kill -SEGV $$")).await;
    assert!(killed.message.contains("signal: 11"), "{}", killed.message);
}

#[tokio::test]
async fn what_cannot_be_started_was_never_billed() {
    let mut program = script("");
    program.command = vec!["/nowhere/program".into()];
    let missing = failure(&program).await;
    assert_eq!((missing.kind, missing.bill), (FailureKind::ProgramFailed, Bill::Nothing));
    program.command = Vec::new();
    assert_eq!(failure(&program).await.kind, FailureKind::ProgramFailed);
}

#[tokio::test]
async fn trust_in_another_declaration_is_no_trust() {
    let trusted = Trusted::checked(ContentHash::of_bytes(b"as it was"));
    let touched = tempfile::tempdir().unwrap();
    let mark = touched.path().join("ran");
    let program = script(&format!("touch {}", mark.display()));
    let found = run_program(&program, &trusted, &json!({}), never()).await.unwrap_err();
    assert_eq!((found.kind, found.bill), (FailureKind::TrustMissing, Bill::Nothing));
    assert!(!mark.exists());
}

#[tokio::test]
async fn time_and_output_are_bounded() {
    let slow = ProgramCommand { time_limit: SHORT, ..script("echo started >&2; sleep 1000") };
    let slow = failure(&slow).await;
    assert_eq!((slow.kind, slow.bill), (FailureKind::Timeout, Bill::Unknown));
    let loud = failure(&script("yes")).await;
    assert_eq!(loud.kind, FailureKind::TooLarge);
    let trusted = Trusted::checked(hash());
    let exact = script("head -c 10000 /dev/zero | tr '\\0' x");
    let ran = run_program(&exact, &trusted, &json!({}), never()).await.unwrap();
    assert_eq!(ran.stdout.len(), 10_000);
}

#[tokio::test]
async fn an_input_that_is_not_read_and_an_output_that_fills_pipes_block_nobody() {
    let trusted = Trusted::checked(hash());
    let large = json!("x".repeat(1 << 20));
    let ran = run_program(&script("echo 1"), &trusted, &large, never()).await.unwrap();
    assert_eq!(ran.stdout, "1\n");
    let echo = ProgramCommand { max_output_bytes: 2 << 20, ..script("cat") };
    let ran = run_program(&echo, &trusted, &large, never()).await.unwrap();
    assert_eq!(ran.stdout.len(), (1 << 20) + 3);
}

/// Reads a pipe that a grandchild holds open: the end comes only when the grandchild is gone.
fn watch_grandchild(pipe: &Path) -> std::thread::JoinHandle<usize> {
    let pipe = pipe.to_owned();
    std::thread::spawn(move || {
        let mut open = std::fs::File::open(pipe).unwrap();
        open.read_to_end(&mut Vec::new()).unwrap()
    })
}

fn make_pipe(folder: &Path, name: &str) -> PathBuf {
    let pipe = folder.join(name);
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    pipe
}

/// A program whose own child holds `pipe` open and never ends. It says on `ready` when it does.
fn parent(pipe: &Path, ready: &Path, then: &str) -> ProgramCommand {
    let (pipe, ready) = (pipe.display(), ready.display());
    script(&format!("sh -c 'exec 3>{pipe}; echo >{ready}; exec sleep 1000' & {then}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_kills_the_whole_process_group() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, ready) = (make_pipe(folder.path(), "pipe"), make_pipe(folder.path(), "ready"));
    let grandchild = watch_grandchild(&pipe);
    let program = parent(&pipe, &ready, "wait");
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(async move {
        run_program(&program, &Trusted::checked(hash()), &json!({}), stopped).await
    });
    tokio::task::spawn_blocking(move || std::fs::read(ready)).await.unwrap().unwrap();
    stop.send_replace(true);
    let found = running.await.unwrap().unwrap_err();
    assert_eq!((found.kind, found.bill), (FailureKind::Cancelled, Bill::Unknown));
    assert_eq!(grandchild.join().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_future_kills_the_whole_process_group() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, ready) = (make_pipe(folder.path(), "pipe"), make_pipe(folder.path(), "ready"));
    let grandchild = watch_grandchild(&pipe);
    let program = parent(&pipe, &ready, "wait");
    let running = tokio::spawn(async move {
        run_program(&program, &Trusted::checked(hash()), &json!({}), never()).await
    });
    tokio::task::spawn_blocking(move || std::fs::read(ready)).await.unwrap().unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(grandchild.join().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_leaves_behind_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, ready) = (make_pipe(folder.path(), "pipe"), make_pipe(folder.path(), "ready"));
    let grandchild = watch_grandchild(&pipe);
    // The grandchild keeps standard output open, which must not keep the caller waiting.
    let then = format!("read line <{}; echo 1", ready.display());
    let trusted = Trusted::checked(hash());
    let program = parent(&pipe, &ready, &then);
    let ran = run_program(&program, &trusted, &json!({}), never()).await.unwrap();
    assert_eq!(ran.stdout, "1\n");
    assert_eq!(grandchild.join().unwrap(), 0);
}

fn inputs(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_program_target_answers_a_case() {
    let text = r#"read -r line; printf '{"answer": %s, "usage": {"output_visible": 3}, "documents": ["d"], "tool_calls": [{"name": "look", "arguments": {"q": 1}}]}' "$line""#;
    let target = ProgramTarget::new("app", script(text), Trusted::checked(hash()));
    let call = target.prepare_case(&inputs(&json!({"q": "it's \"so\""})));
    let answer = target.send(&call, never()).await.outcome.unwrap();
    assert_eq!(answer.reply.text, r#"{"format":1,"inputs":{"q":"it's \"so\""}}"#);
    assert_eq!(answer.reply.usage.unwrap().output_visible, 3);
    assert_eq!(answer.reply.extra, json!({"documents": ["d"]}));
    assert_eq!(answer.reply.tool_calls[0].name, "look");
}

#[tokio::test]
async fn a_program_target_without_trust_prepares_and_never_starts() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let text = format!("touch {}", started.display());
    let target = ProgramTarget::new("app", script(&text), None);
    let call = target.prepare_case(&inputs(&json!({"q": 1})));
    let refused = target.send(&call, never()).await.outcome.unwrap_err();
    assert_eq!((refused.kind, refused.bill), (FailureKind::TrustMissing, Bill::Nothing));
    assert!(!started.exists());
}

#[tokio::test]
async fn a_program_target_that_breaks_its_contract_says_how() {
    for (text, kind, expected) in [
        ("echo nonsense", FailureKind::BadResponse, "found `nonsense`"),
        ("echo '{\"text\": 1}'", FailureKind::BadResponse, "without `answer`"),
        ("echo '{\"error\": \"no index\"}'", FailureKind::ProgramFailed, "says: no index"),
        ("exit 1", FailureKind::ProgramFailed, "exit status: 1"),
    ] {
        let target = ProgramTarget::new("app", script(text), Trusted::checked(hash()));
        let call = target.prepare_case(&Map::new());
        let found = target.send(&call, never()).await.outcome.unwrap_err();
        assert_eq!(found.kind, kind, "{text}");
        assert!(found.message.contains(expected), "{}", found.message);
    }
}
