use std::path::PathBuf;
use std::sync::Arc;

use values::Timestamp;

use super::*;
use crate::Host;

struct Folder {
    root: tempfile::TempDir,
    app: App,
}

impl Folder {
    fn new(contents: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in contents {
            let path = root.path().join(path);
            files::create_folder(path.parent().unwrap()).unwrap();
            files::write_atomic(&path, text.as_bytes()).unwrap();
        }
        let app = App::new(Host {
            settings_folder: root.path().join("settings"),
            smollm2_file: PathBuf::new(),
            environment: Arc::new(|_| None),
            now: || Timestamp::from_unix_ms(0),
            random: || [0; 10],
        });
        Self { root, app }
    }

    fn findings(&self) -> Vec<String> {
        let found = self.app.validate(Some(self.root.path())).unwrap();
        found.into_iter().map(|one| shown(&one)).collect()
    }
}

fn shown(found: &Diagnostic) -> String {
    let at = found.position.unwrap();
    format!("{}:{}:{} {}: {}", found.file, at.line, at.column, found.code, found.message)
}

/// The rows of two branches after a merge by union: in no order, and one twice.
fn merged() -> (String, String) {
    let row = |key: &str, text: &str| {
        format!(
            "{{\"format\":1,\"key\":\"{}\",\"protocol\":\"openai-chat\",\"model\":\"m\",\
             \"origin\":\"https://a.example\",\"adapter_version\":1,\"sample\":0,\
             \"recorded_at\":\"2025-11-20T09:30:00Z\",\"latency_ms\":1,\"reply\":{{\"text\":\"{text}\",\
             \"finish\":\"complete\",\"usage\":{{\"input_uncached\":1,\"cache_read\":0,\
             \"cache_write_5m\":0,\"cache_write_1h\":0,\"output_visible\":1,\
             \"output_reasoning\":0}},\"raw_usage\":null}}}}\n",
            key.repeat(64)
        )
    };
    let (a, b) = (row("a", "one"), row("b", "two"));
    let (read, bad) = run::read_recordings(&format!("{b}{a}{b}"));
    assert_eq!((read.len(), bad.len()), (3, 0), "{bad:?}");
    (format!("{b}{a}{b}"), run::write_recordings(read))
}

#[test]
fn recordings_are_formatted_like_every_file_of_rows() {
    let (merged, canonical) = merged();
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("evalsets/e/evalset.yaml", ""),
        ("evalsets/e/cases.jsonl", ""),
        ("evalsets/e/recorded.jsonl", &merged),
    ]);
    let path = folder.root.path().join("evalsets/e/recorded.jsonl");
    let format = |check_only| folder.app.format(Some(folder.root.path()), check_only).unwrap();
    let changed = vec![PathBuf::from("evalsets/e/recorded.jsonl")];
    assert_eq!(format(true), (changed.clone(), Vec::new()));
    assert_eq!(files::read_text(&path).unwrap(), merged);
    assert_eq!(format(false), (changed, Vec::new()));
    assert_eq!(files::read_text(&path).unwrap(), canonical);
    assert_eq!(format(true), (Vec::new(), Vec::new()));
}

#[test]
fn a_bad_line_of_recordings_is_reported_and_stays() {
    let (merged, _) = merged();
    let text = format!("{merged}oops\n");
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("evalsets/e/evalset.yaml", ""),
        ("evalsets/e/cases.jsonl", ""),
        ("evalsets/e/recorded.jsonl", &text),
    ]);
    let expected = "evalsets/e/recorded.jsonl:4:1 bad-recording: expected value";
    assert_eq!(folder.findings(), [expected]);
    let (changed, found) = folder.app.format(Some(folder.root.path()), false).unwrap();
    assert_eq!((changed, found.iter().map(shown).collect()), (vec![], vec![expected.to_owned()]));
    let path = folder.root.path().join("evalsets/e/recorded.jsonl");
    assert_eq!(files::read_text(&path).unwrap(), text);
}

#[test]
fn a_target_that_asks_for_what_a_case_does_not_bind_is_found() {
    let folder = Folder::new(&[
        (
            "trysquare.yaml",
            "targets:\n  app:\n    url: https://a.example/ask\n    answer: $.answer\n    \
             body: {q: '{{question}}', who: '{{customer.name}}'}\n  \
             broken: {url: https://a.example/ask, answer: $.answer, body: {q: '{{open'}}\n",
        ),
        ("evalsets/e/evalset.yaml", "variants: {app: {target: app}, again: {target: app}}\n"),
        (
            "evalsets/e/cases.jsonl",
            "{\"id\":\"a\",\"inputs\":{\"question\":\"?\",\"customer\":{\"name\":\"x\"}}}\n\
             {\"id\":\"b\",\"inputs\":{\"question\":\"?\"}}\n\
             {\"id\":\"c\",\"inputs\":{\"question\":\"?\",\"customer\":{}}}\n\
             {\"id\":\"d\",\"inputs\":{\"customer\":{\"name\":\"x\"}}}\n",
        ),
    ]);
    assert_eq!(
        folder.findings(),
        [
            "trysquare.yaml:5:11 unbound-variable: the target `app`: the case has no input \
             `customer.name`, which is asked for at `/who` of the request template (case `b` and 1 \
             more), in the eval set `e`",
            "trysquare.yaml:5:11 unbound-variable: the target `app`: the case has no input \
             `question`, which is asked for at `/q` of the request template (case `d`), in the eval \
             set `e`",
            "trysquare.yaml:6:64 target-body: the target `broken`: a `{{` is not closed at `/q` of \
             the request template",
        ]
    );
}

#[test]
fn a_prompt_that_a_run_would_refuse_is_not_rendered() {
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("prompts/p.prompt", "---\nmodel: embedded/m\ntools: [search]\n---\nHi"),
        ("evalsets/e/evalset.yaml", "variants: {p: {}}\n"),
        ("evalsets/e/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n"),
    ]);
    let error = folder.app.render_prompt(Some(folder.root.path()), "p", "a", None).unwrap_err();
    assert_eq!(error.message, "the prompt `p` cannot be used");
    let found: Vec<_> = error.diagnostics.iter().map(shown).collect();
    assert_eq!(found, ["prompts/p.prompt:3:9 unknown-tool: the tool `search` is not described"]);
}
