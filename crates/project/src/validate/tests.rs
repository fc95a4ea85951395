use std::path::PathBuf;

use document::Severity;

use super::*;

struct Folder {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Folder {
    fn new(contents: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (path, text) in contents {
            let target = root.join(path);
            files::create_folder(target.parent().unwrap()).unwrap();
            files::write_atomic(&target, text.as_bytes()).unwrap();
        }
        Self { _folder: folder, root }
    }

    fn findings(&self) -> String {
        let (project, mut found) = Project::open(&self.root).unwrap();
        found.extend(project.validate());
        let mut out = String::new();
        for one in found {
            let at = one.position.map(|at| format!(":{}:{}", at.line, at.column));
            let severity = if one.severity == Severity::Error { "error" } else { "warning" };
            out.push_str(&format!(
                "{}{} {severity}[{}] {}\n",
                one.file,
                at.unwrap_or_default(),
                one.code,
                one.message
            ));
        }
        out
    }
}

const PROMPT: &str = "---\nmodel: embedded/smollm2-135m\ninput:\n  schema:\n    message: string\n    \
                      order?: integer\n---\n{{>frame}}\n";

#[test]
fn a_new_project_is_sound_and_canonical() {
    let folder = Folder::new(&[]);
    let written = crate::init(&folder.root).unwrap();
    insta::assert_debug_snapshot!(written, @r#"
    [
        ".gitattributes",
        ".gitignore",
        "evalsets/order-number/cases.jsonl",
        "evalsets/order-number/evalset.yaml",
        "prompts/order-number.prompt",
        "trysquare.yaml",
    ]
    "#);
    assert_eq!(folder.findings(), "");
    let (project, _) = Project::open(&folder.root).unwrap();
    assert_eq!(project.to_reformat().unwrap().0, []);
    assert_eq!(project.config.defaults.margin, Some(0.05));
    let (set, _) = project.eval_set("order-number").unwrap();
    assert_eq!(set.set.unwrap().margin, Some(0.05));
    assert!(matches!(crate::init(&folder.root), Err(crate::InitError::Exists(_))));
}

#[test]
fn starting_a_project_replaces_nothing() {
    let folder = Folder::new(&[
        (".gitignore", "target/\n.trysquare/"),
        (".gitattributes", "* text=auto"),
        ("prompts/order-number.prompt", "Mine: {{message}}"),
    ]);
    crate::init(&folder.root).unwrap();
    let read = |path: &str| files::read_text(&folder.root.join(path)).unwrap();
    assert_eq!(read(".gitignore"), "target/\n.trysquare/");
    assert!(
        read(".gitattributes").starts_with("* text=auto\nevalsets/*/labels.jsonl merge=union\n")
    );
    assert_eq!(read("prompts/order-number.prompt"), "Mine: {{message}}");
}

#[test]
fn files_are_held_against_each_other() {
    let folder = Folder::new(&[
        (
            "trysquare.yaml",
            "programs:\n  lint: {command: [python3, lint.py]}\ntargets:\n  app: {program: lnt}\n\
             environments:\n  production:\n    prompts:\n      gone: '0123456789ab'\n",
        ),
        ("prompts/_frame.prompt", "Dear {{name}},\n{{message}} {{#if order}}{{order}}{{/if}}"),
        ("prompts/triage.prompt", PROMPT),
        ("prompts/bare.prompt", "{{message}}"),
        ("prompts/far.prompt", "---\nmodel: openia/gpt-5\n---\nHi"),
        (
            "evalsets/e/evalset.yaml",
            "variants:\n  triage: {config: {temperature: hot}}\n  traige:\n  bare:\n  app: {target: ap}\n\
             candidate: triage\njudges: [faithful]\nchecks:\n  - {name: same, kind: equals, value: '{{expected}}'}\n  \
             - {name: lint, kind: program, program: lin}\ngate: {required_cases: {ids: [z], tags: [must]}}\n",
        ),
        (
            "evalsets/e/cases.jsonl",
            "{\"id\":\"a\",\"inputs\":{\"message\":\"x\",\"name\":\"y\"},\"expected\":\"1\"}\n\
             {\"id\":\"b\",\"inputs\":{\"message\":\"x\",\"order\":\"seven\"}}\n\
             {\"id\":\"c\",\"inputs\":{\"message\":\"x\",\"order\":\"eight\"}}\n\
             {\"id\":\"d\",\"inputs\":{\"message\":\"x\",\"name\":\"y\"},\"expected\":1,\
             \"attachments\":[{\"name\":\"photo\",\"path\":\"../x\"}]}\n\
             oops\n",
        ),
        ("evalsets/stray/notes.txt", ""),
    ]);
    insta::assert_snapshot!(folder.findings(), @r#"
    trysquare.yaml:4:18 error[unknown-program] there is no program `lnt`
    trysquare.yaml:8:7 warning[unknown-prompt] this pins the prompt `gone`, which no file holds
    prompts/far.prompt:2:8 error[unknown-provider] there is no provider `openia`
    evalsets/stray warning[no-eval-set] this folder has no evalset.yaml, so it is no eval set
    evalsets/e/cases.jsonl:5:1 error[case-row] this is not JSON: expected value, found `o`
    evalsets/e/evalset.yaml:2:3 error[wrong-kind] `config` of `triage`: `temperature` of `config` must be a number, found text
    evalsets/e/evalset.yaml:3:3 error[unknown-prompt] there is no prompt `traige`
    evalsets/e/evalset.yaml:4:3 error[no-model] neither the variant `bare` nor its prompt names a model
    evalsets/e/evalset.yaml:5:17 error[unknown-target] there is no target `ap`
    evalsets/e/evalset.yaml:6:12 warning[no-margin] a candidate is named and there is no `margin`, so a gate cannot decide
    evalsets/e/evalset.yaml:6:12 error[unknown-case] the gate requires the case `z`, which does not exist
    evalsets/e/evalset.yaml:6:12 warning[unknown-tag] the gate requires cases with the tag `must`, which none has
    evalsets/e/evalset.yaml:7:10 error[unknown-judge] there is no judge `faithful`
    evalsets/e/evalset.yaml:9:12 error[check-value] the check `same` cannot be used: the check uses `{{expected}}`, but the case has no `expected` (case `b` and 1 more)
    evalsets/e/evalset.yaml:10:42 error[unknown-program] there is no program `lin`
    evalsets/e/cases.jsonl:4:1 error[attachment] the attachment `photo`: `../x` leads out of the project
    prompts/_frame.prompt:1:8 error[unbound-variable] the variable `name` is not bound (case `b` and 1 more), in the eval set `e`
    evalsets/e/cases.jsonl:2:1 error[case-input] the inputs do not fit the prompt `triage`: order: "seven" is not of types "null", "integer" (case `b` and 1 more)
    "#);
}

#[test]
fn a_variant_answers_for_its_own_config_and_no_more() {
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("prompts/own.prompt", "---\ndescription: embedded/x\nmodel: embeded/x\ntitel: x\n---\nHi"),
        ("prompts/fine.prompt", "---\nmodel: embedded/x\ntitel: x\n---\nHi"),
        (
            "evalsets/e/evalset.yaml",
            "variants:\n  own: {config: {temperature: 0}}\n  \
             fine: {config: {maxOutputToken: 9, temperature: -1}}\n",
        ),
        ("evalsets/e/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n"),
    ]);
    insta::assert_snapshot!(folder.findings(), @"
    prompts/fine.prompt:3:1 warning[unknown-key] unknown key `titel` in the front matter
    prompts/own.prompt:4:1 warning[unknown-key] unknown key `titel` in the front matter
    prompts/own.prompt:3:8 error[unknown-provider] there is no provider `embeded`
    evalsets/e/evalset.yaml:3:3 error[out-of-range] `config` of `fine`: `temperature` must be 0 or more
    evalsets/e/evalset.yaml:3:3 warning[unknown-parameter] `config` of `fine`: `maxOutputToken` is sent to the model as it is
    ");
}

#[test]
fn what_is_broken_does_not_hide_the_rest() {
    let folder = Folder::new(&[
        ("trysquare.yaml", "providers: [\n"),
        ("prompts/broken.prompt", "{{#if}"),
        ("prompts/fine.prompt", PROMPT),
        ("prompts/_frame.prompt", "{{message}}"),
        ("evalsets/broken/evalset.yaml", "a: [\n"),
        ("evalsets/broken/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n"),
        ("evalsets/fine/evalset.yaml", "variants: {fine: {}}\n"),
        ("evalsets/fine/cases.jsonl", "{\"id\":\"a\",\"inputs\":{\"message\":\"\"}}\n"),
    ]);
    let (project, found) = Project::open(&folder.root).unwrap();
    assert!(found.iter().any(|one| one.file == "trysquare.yaml"));
    assert!(project.prompts["fine"].linked.is_some());
    assert!(project.prompts["broken"].linked.is_none());
    let (broken, _) = project.eval_set("broken").unwrap();
    assert_eq!((broken.set.is_none(), broken.cases.len()), (true, 1));
    assert_eq!(project.eval_set("fine").unwrap().1, []);
    let files: Vec<_> = project.validate().into_iter().map(|one| one.file).collect();
    assert_eq!(files, ["evalsets/broken/evalset.yaml"]);
}

#[test]
fn formatting_twice_equals_once_and_leaves_yaml_alone() {
    let yaml = "variants:   {a: {}}  # as I like it\n";
    let rows = "{\"inputs\":{\"n\":1.0},\"id\":\"a\"}\r\n\r\noops\r\n{\"id\":\"b\", \"inputs\":{}}";
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("evalsets/e/evalset.yaml", yaml),
        ("evalsets/e/cases.jsonl", rows),
    ]);
    let (project, _) = Project::open(&folder.root).unwrap();
    let (changed, found) = project.to_reformat().unwrap();
    assert_eq!((changed.len(), found.len()), (1, 1));
    changed[0].write().unwrap();
    let read = |path: &str| files::read_text(&folder.root.join(path)).unwrap();
    let expected = "{\"id\":\"a\",\"inputs\":{\"n\":1}}\noops\n{\"id\":\"b\",\"inputs\":{}}\n";
    assert_eq!(read("evalsets/e/cases.jsonl"), expected);
    assert_eq!(read("evalsets/e/evalset.yaml"), yaml);
    assert_eq!(project.to_reformat().unwrap().0, []);
    assert!(changed[0].write().is_err(), "it changed since it was read");
}

/// A note of `ana` and a row of a later version, each with its place in time.
fn label_rows() -> [String; 2] {
    let row = |number: u8, rest: &str| {
        format!(
            "\"id\":\"00000000-000{number}-7101-8101-010101010101\",{rest},\"labeller\":\"ana\",\
             \"time\":\"1970-01-01T00:00:00.00{number}Z\"}}"
        )
    };
    let hash = "bbfcd4160a1e8674dac62292ae48be4785262ad7078f9ec11b74a254ce70fa06";
    let about = format!(
        "\"act\":\"note\",\"case\":\"a\",\"case_hash\":\"{hash}\",\"output\":\"{hash}\",\
         \"criterion\":\"c\",\"note\":\"odd\""
    );
    let note = format!("{{\"format\":1,{}", row(1, &about));
    let later = format!("{{ \"format\":1, {}", row(2, "\"act\":\"bookmark\",\"shade\":1.50"));
    [note, later]
}

fn with_labels(labels: &str) -> Folder {
    Folder::new(&[
        ("trysquare.yaml", ""),
        ("evalsets/e/evalset.yaml", ""),
        ("evalsets/e/cases.jsonl", ""),
        ("evalsets/e/labels.jsonl", labels),
    ])
}

#[test]
fn labels_are_formatted_and_what_a_later_version_wrote_stays_as_it_is() {
    let [note, later] = label_rows();
    let reordered = note.replacen("{\"format\":1,", "{", 1).replacen('}', ",\"format\":1}", 1);
    let folder = with_labels(&format!("{later}\r\n\n{reordered}\n{note}"));
    assert_eq!(folder.findings(), "");
    let (project, _) = Project::open(&folder.root).unwrap();
    let (changed, found) = project.to_reformat().unwrap();
    assert_eq!((changed.len(), found.as_slice()), (1, [].as_slice()));
    assert_eq!(changed[0].text, format!("{note}\n{later}\n"));
    changed[0].write().unwrap();
    assert_eq!(project.to_reformat().unwrap().0, []);
}

#[test]
fn a_line_that_is_no_label_is_named_and_keeps_the_file_as_it_is() {
    let [note, later] = label_rows();
    let strange = note.replace("\"note\":\"odd\"", "\"note\":7");
    let folder = with_labels(&format!("{later}\n<<<<<<< ours\n{strange}\n"));
    insta::assert_snapshot!(folder.findings(), @"
    evalsets/e/labels.jsonl:2:1 error[label-row] this is not JSON: expected value
    evalsets/e/labels.jsonl:3:1 error[label-row] `note` must be a text, found 7
    ");
    let (project, _) = Project::open(&folder.root).unwrap();
    let found = project.validate();
    assert!(found.iter().all(|one| one.hint.as_deref().is_some_and(|hint| hint.contains("mend"))));
    let (changed, found) = project.to_reformat().unwrap();
    assert_eq!((changed.len(), found.len()), (0, 2));
}

#[test]
fn examples_of_a_judge_come_only_from_train() {
    let schema = "output:\n  schema:\n    reason: string\n    verdict(enum): [pass, fail]";
    let judge = format!(
        "---\nmodel: embedded/smollm2-135m\n{schema}\n---\nIs {{{{output}}}} polite? Polite is, for example:\n\
         - Thank you for asking,  dear customer.\n- Your parcel\n  left our house on Monday.\n{{{{>more}}}}\n"
    );
    let output = "We are sorry, it will come tomorrow.";
    let hash = values::ContentHash::of_bytes(output.as_bytes());
    let [note, _] = label_rows();
    let about = "bbfcd4160a1e8674dac62292ae48be4785262ad7078f9ec11b74a254ce70fa06";
    let label = note
        .replace("\"case\":\"a\"", "\"case\":\"dev\"")
        .replace(&format!("\"output\":\"{about}\""), &format!("\"output\":\"{hash}\""));
    let row = |id: &str, text: &str| {
        format!(
            "{{\"id\":\"{id}\",\"inputs\":{{\"mail\":{{\"text\":\"{text}\"}}}},\"split\":\"{id}\"}}\n"
        )
    };
    let cases = row("train", "Thank you for asking, dear customer.")
        + &row("dev", "Where is it?")
        + &row("test", "Your parcel left our house on Monday.")
        + &row("test", "too short").replacen("test", "test-2", 1);
    let outputs = format!("{{\"format\":1,\"hash\":\"{hash}\",\"text\":\"{output}\"}}\n");
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("judges/tone.prompt", judge.as_str()),
        ("judges/_more.prompt", "Or this, too short: We are sorry, it will come tomorrow."),
        ("evalsets/e/evalset.yaml", "judges: [tone]\n"),
        ("evalsets/e/cases.jsonl", cases.as_str()),
        ("evalsets/e/labels.jsonl", label.as_str()),
        ("evalsets/e/outputs.jsonl", outputs.as_str()),
    ]);
    insta::assert_snapshot!(folder.findings(), @r"
    judges/_more.prompt:1:21 error[example-split] this shows the case `dev` of the eval set `e`, which is in dev
    judges/tone.prompt:10:3 error[example-split] this shows the case `test` of the eval set `e`, which is in test
    ");
    let (project, _) = Project::open(&folder.root).unwrap();
    let found = project.validate();
    let hint = "examples may come only from the train split, as from `train`";
    assert!(found.iter().all(|one| one.hint.as_deref() == Some(hint)), "{found:?}");
    // A run does not hang on it: it is judged, and its judge is mended.
    let (set, _) = project.eval_set("e").unwrap();
    assert_eq!(project.check_eval_set(&set), []);
}

#[test]
fn trust_covers_what_the_programs_name() {
    let settings = "programs:\n  lint: {command: [python3, ./tools/lint.py, --rules=tools/rules.txt, /bin/sh]}\n  \
                    shell: {command: [sh, -c, \"cd . && RULES='tools/a b' python3 tools/run.py --in=tools/in.txt;\"]}\n\
                    providers: {embedded: {models: {mine: {file: m.gguf}}}}\n";
    let folder = Folder::new(&[
        ("trysquare.yaml", settings),
        ("tools/lint.py", "print()"),
        ("tools/rules.txt", "one"),
        ("tools/run.py", "print()"),
        ("tools/in.txt", "one"),
        ("m.gguf", "weights"),
    ]);
    let block = || Project::open(&folder.root).unwrap().0.trust_block().unwrap();
    let write = |path: &str, text: &str| {
        files::write_atomic(&folder.root.join(path), text.as_bytes()).unwrap();
    };
    let first = block();
    assert!(!first.is_empty());
    let named = &first.shown["programs"]["lint"]["files"];
    let paths: Vec<_> = named.as_object().unwrap().keys().cloned().collect();
    assert_eq!(paths, ["./tools/lint.py", "tools/rules.txt"]);
    let named = &first.shown["programs"]["shell"]["files"];
    let paths: Vec<_> = named.as_object().unwrap().keys().cloned().collect();
    assert_eq!(paths, ["tools/run.py", "tools/in.txt"]);
    let mut seen = vec![first.hash];
    for (path, text) in [
        ("tools/lint.py", "import os"),
        ("tools/rules.txt", "two"),
        ("tools/run.py", "import os"),
        ("m.gguf", "other weights"),
        ("trysquare.yaml", &settings.replace("python3", "python")),
    ] {
        write(path, text);
        let now = block();
        assert!(!seen.contains(&now.hash), "{path}");
        seen.push(now.hash);
    }
    write("trysquare.yaml", "name: nothing to run\n");
    assert!(block().is_empty());
}

#[test]
fn saving_cases_changes_one_line_and_never_hides_what_somebody_else_wrote() {
    let rows = "{\"id\": \"a\", \"inputs\": {}}\n{\"id\": \"b\", \"inputs\": {}}\n";
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("evalsets/e/evalset.yaml", ""),
        ("evalsets/e/cases.jsonl", rows),
    ]);
    let (project, _) = Project::open(&folder.root).unwrap();
    let (mut set, _) = project.eval_set("e").unwrap();
    let mut case = set.cases.get("b").unwrap();
    case.expected = Some("7".into());
    set.cases.replace("b", &case).unwrap();
    set.save_cases().unwrap();
    let path = folder.root.join("evalsets/e/cases.jsonl");
    let expected =
        "{\"id\": \"a\", \"inputs\": {}}\n{\"id\":\"b\",\"inputs\":{},\"expected\":\"7\"}\n";
    assert_eq!(files::read_text(&path).unwrap(), expected);
    files::write_atomic(&path, b"theirs").unwrap();
    set.cases.remove("a").unwrap();
    let refused = set.save_cases().unwrap_err();
    assert!(matches!(refused.problem, files::FileProblem::Changed));
    files::write_atomic(&path, b"\xff").unwrap();
    let (mut unreadable, found) = project.eval_set("e").unwrap();
    assert_eq!(found[0].code, "unreadable-file");
    assert!(unreadable.save_cases().is_err());
}

#[test]
fn a_judge_that_is_none_or_has_no_model_is_found() {
    let schema = "output:\n  schema:\n    verdict(enum): [pass, fail]\n    reason: string";
    let judge = format!("---\n{schema}\n---\n{{{{mail}}}}");
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("judges/tone.prompt", judge.as_str()),
        ("evalsets/e/evalset.yaml", "judges: [tone]\n"),
        ("evalsets/e/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n"),
    ]);
    insta::assert_snapshot!(folder.findings(), @r"
    judges/tone.prompt:2:1 error[judge-variable] this judge does not look at the output
    judges/tone.prompt:2:1 error[judge-output] `reason` stands after `verdict`
    judges/tone.prompt:7:3 error[judge-variable] a judge sees no variable `mail`
    evalsets/e/evalset.yaml:1:10 error[no-model] neither the eval set nor the prompt of the judge `tone` names a model
    ");
}

#[test]
fn a_judge_is_used_by_what_it_answers() {
    let single = "---\nmodel: openai/gpt-5-mini-2026-03-01\noutput:\n  schema:\n    reason: string\n    \
                  verdict(enum): [pass, fail]\n---\n{{output}}";
    let several = "---\nmodel: openai/gpt-5-mini-2026-03-01\noutput:\n  schema:\n    criteria(object):\n      \
                   polite(object):\n        reason: string\n        verdict(enum): [pass, fail]\n      \
                   short(object):\n        reason: string\n        verdict(enum): [pass, fail]\n---\n{{output}}";
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("judges/one.prompt", single),
        ("judges/tone.prompt", several),
        (
            "evalsets/e/evalset.yaml",
            "judges:\n  - {judge: one, threshold: 0.5}\n  - tone\n  - {judge: tone, criteria: [polite, \
             complete]}\n  - {judge: one, name: two, criterion: polite, reads: polite}\n",
        ),
        ("evalsets/e/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n"),
    ]);
    insta::assert_snapshot!(folder.findings(), @r"
    evalsets/e/evalset.yaml:2:13 warning[judge] `threshold` changes nothing: the judge `one` gives a verdict
    evalsets/e/evalset.yaml:3:5 error[judge] the judge `tone` answers on several criteria
    evalsets/e/evalset.yaml:4:38 error[judge] the judge `tone` does not answer on `complete`
    evalsets/e/evalset.yaml:5:55 error[judge] the judge `one` gives one answer, and none by name
    ");
}

#[test]
fn a_judge_of_pairs_decides_no_output_and_a_jury_has_a_name_of_its_own() {
    let judge = |schema: &str, sees: &str| {
        format!(
            "---\nmodel: openai/gpt-5-mini-2026-03-01\noutput:\n  schema:\n    reason: string\n    \
             {schema}\n---\n{sees}"
        )
    };
    let one = judge("verdict(enum): [pass, fail]", "{{output}}");
    let two = judge("preference(enum): [a, b, tie]", "{{output_a}} {{output_b}}");
    let folder = Folder::new(&[
        ("trysquare.yaml", ""),
        ("judges/one.prompt", &one),
        ("judges/two.prompt", &two),
        (
            "evalsets/e/evalset.yaml",
            "primary: better\njudges:\n  - {judge: one, criterion: two}\n  - {judge: two, name: better}\n  - \
             {judge: two, name: other, criterion: two}\njuries:\n  two: {members: [one, other]}\n",
        ),
        ("evalsets/e/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n"),
    ]);
    insta::assert_snapshot!(folder.findings(), @r"
    evalsets/e/evalset.yaml:7:18 warning[jury] the jury `two` has an even number of members and may be split
    evalsets/e/evalset.yaml:1:10 error[judge] `better` is decided for pairs, and no output passes it
    evalsets/e/evalset.yaml:5:42 error[judge] judges of one output and of pairs serve the criterion `two`
    evalsets/e/evalset.yaml:7:3 error[jury] a jury and a judge in judges/ have the name `two`
    ");
}

#[test]
fn a_judge_asks_a_model_for_what_its_protocol_gives() {
    let judge = |model: &str, config: &str| {
        format!(
            "---\nmodel: {model}\nconfig: {{{config}}}\noutput:\n  schema:\n    reason: string\n    \
             verdict(enum): [pass, fail]\n---\n{{{{output}}}}"
        )
    };
    let folder = Folder::new(&[
        (
            "trysquare.yaml",
            "providers:\n  decide: {protocol: system-one, base_url: \"http://127.0.0.1:9\"}\n",
        ),
        ("judges/sure.prompt", &judge("decide/jev-1.13.0", "")),
        ("judges/odds.prompt", &judge("anthropic/claude-haiku-4-5-20251001", "logprobs: 5")),
        ("evalsets/e/evalset.yaml", "judges: [sure, odds]\n"),
        ("evalsets/e/cases.jsonl", "{\"id\":\"a\",\"inputs\":{}}\n"),
    ]);
    insta::assert_snapshot!(folder.findings(), @r"
    evalsets/e/evalset.yaml:1:10 error[judge] the judge `sure` asks for a `verdict`, and decide/jev-1.13.0 is a decision model, which gives probabilities
    evalsets/e/evalset.yaml:1:16 error[judge] the judge `odds` asks for log-probabilities, and anthropic/claude-haiku-4-5-20251001 gives none
    ");
}
