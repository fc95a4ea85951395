//! What differs between two prompts.

use std::fmt::Write as _;

use prompt::{LineKind, PartialChange, diff};
use serde_json::json;

use crate::support::linked;

const OLD: &str = "---
model: openai/gpt-5
config: {temperature: 0.7, topP: 1.0}
tools: [a, b]
output:
  schema:
    reason: string
---
You are a clerk.
Answer in one short line.
One.
Two.
Three.
{{> tone}}
";

const NEW: &str = "---
# A comment does not count.
config: {topP: 1, temperature: 0}
model: openai/gpt-5
tools: [a]
output:
  schema:
    reason: string
    verdict(enum): [pass, fail]
---
You are a clerk.
Answer in one long line.
One.
Two.
Three.
{{> tone}}{{> style}}
";

#[test]
fn front_matter_differs_by_key_and_text_by_line() {
    let old = linked(OLD, &[("tone", "Be kind.\n")]);
    let new = linked(NEW, &[("tone", "Be brief.\n"), ("style", "No lists.")]);
    let found = diff(&old, &new);
    let changes: Vec<_> = found
        .front_matter
        .iter()
        .map(|change| (change.path.as_str(), &change.old, &change.new))
        .collect();
    assert_eq!(
        changes,
        [
            ("config.temperature", &Some(json!(0.7)), &Some(json!(0))),
            ("tools[1]", &Some(json!("b")), &None),
            ("output.schema[\"verdict(enum)\"]", &None, &Some(json!(["pass", "fail"]))),
        ]
    );
    assert_eq!(found.partials[0].kind, PartialChange::Added);
    assert_eq!(found.partials[1].kind, PartialChange::Changed);
    let lines = &found.template.lines[1..3];
    assert_eq!((lines[0].old_line, lines[0].new_line), (Some(10), None));
    assert_eq!((lines[1].old_line, lines[1].new_line), (None, Some(12)));
    let word = |at: usize| {
        lines[at].fragments.iter().filter(|f| f.changed).map(|f| f.text.clone()).collect::<String>()
    };
    assert_eq!((word(0).as_str(), word(1).as_str()), ("short", "long"));
    let text = found.to_text(1);
    insta::assert_snapshot!(text, @r#"
    --- prompts/p.prompt 2aac40d011ec
    +++ prompts/p.prompt c996ac5e64d9

    front matter
      ~ config.temperature: 0.7 → 0
      - tools[1]: "b"
      + output.schema["verdict(enum)"]: ["pass","fail"]

    template
       9   11   You are a clerk.
      10      - Answer in one short line.
           12 + Answer in one long line.
      11   13   One.
             ⋮
      13   15   Three.
      14      - {{> tone}}
           16 + {{> tone}}{{> style}}

    partial style, now included
            1 + No lists.

    partial tone, changed
       1      - Be kind.
            1 + Be brief.
    "#);
}

#[test]
fn nothing_differs_between_spellings_of_one_version() {
    let new = linked(&OLD.replace('\n', "\r\n"), &[("tone", "x\r\n")]);
    let found = diff(&linked(OLD, &[("tone", "x\n")]), &new);
    assert!(found.is_empty(), "{found:?}");
    assert!(found.to_text(3).ends_with("no differences\n"));
}

#[test]
fn colours_mark_changed_words_and_files_cannot_forge_them() {
    let old = linked("Say hello to all of them\n", &[]);
    let new = linked("Say \u{1b}[2J to all of them\n\tand\u{202e} more\n", &[]);
    let text = diff(&old, &new).to_ansi(3);
    assert!(text.contains("\u{1b}[7mhello\u{1b}[0m"), "{text}");
    assert!(text.contains("\\u{1b}[2J") && !text.contains("\u{1b}[2J"), "{text}");
    assert!(text.contains("\\u{202e}") && !text.contains('\u{202e}'), "{text}");
    assert!(text.contains("+ \tand"), "{text}");
}

#[test]
fn huge_texts_are_compared_coarsely() {
    let mut texts = [String::new(), String::new()];
    for line in 0..5000 {
        writeln!(texts[0], "old {line}").unwrap();
        writeln!(texts[1], "new {}", line * 7 % 5003).unwrap();
    }
    let found = diff(&linked(&texts[0], &[]), &linked(&texts[1], &[]));
    assert!(found.template.coarse);
    let removed = found.template.lines.iter().filter(|line| line.kind == LineKind::Removed);
    assert_eq!(removed.count(), 5000);
    let one_line = |word: &str| linked(&format!("{word} ").repeat(20_000), &[]);
    assert!(diff(&one_line("a"), &one_line("b")).template.coarse);
}
