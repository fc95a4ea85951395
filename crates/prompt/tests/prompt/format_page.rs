//! The examples of docs/formats/prompt.md are true.
#![expect(clippy::disallowed_methods, reason = "the page is read from the repository")]

use std::sync::Arc;

use document::SourceText;
use prompt::{LinkedPrompt, Partials, Schemas};
use values::{ContentHash, canonical_json};

/// A fenced block of the page: what follows its fence, and its content.
struct Fenced<'p> {
    info: &'p str,
    content: String,
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/prompt.md");
    std::fs::read_to_string(path).expect("the page is a part of the repository")
}

fn fenced(page: &str) -> Vec<Fenced<'_>> {
    let mut blocks: Vec<Fenced<'_>> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                open = true;
                blocks.push(Fenced { info, content: String::new() });
            }
            None if open => {
                let block = blocks.last_mut().expect("a block is open");
                block.content.push_str(line);
                block.content.push('\n');
            }
            None => {}
        }
    }
    blocks
}

fn linked(prompt: &Fenced<'_>, partials: &[&Fenced<'_>]) -> LinkedPrompt {
    let source = |block: &Fenced<'_>| {
        SourceText::new(block.info.trim_start_matches("prompt "), block.content.as_str())
    };
    let (parsed, found) = prompt::parse(&source(prompt), &Schemas::new());
    assert!(found.is_empty(), "{found:?}");
    let mut reached = Partials::new();
    for block in partials {
        let (partial, found) = prompt::parse_partial(&source(block));
        let name = block.info.rsplit_once('_').expect("a partial's file starts with _").1;
        let partial = partial.unwrap_or_else(|| panic!("{found:?}"));
        reached.insert(name.trim_end_matches(".prompt").to_owned(), Arc::new(partial));
    }
    let (linked, found) = prompt::link(parsed.expect("nothing was found"), &reached);
    linked.unwrap_or_else(|| panic!("{found:?}"))
}

#[test]
fn the_examples_of_the_page_are_right() {
    let page = page();
    let blocks = fenced(&page);
    let (partials, prompts): (Vec<_>, Vec<_>) = blocks
        .iter()
        .filter(|block| block.info.starts_with("prompt "))
        .partition(|block| block.info.contains("/_"));
    assert!(prompts.len() >= 4 && partials.len() == 1);
    for prompt in prompts {
        linked(prompt, &partials);
    }
}

#[test]
fn the_worked_hashes_of_the_page_hold() {
    let page = page();
    let start = page.find("## Versions").expect("the page has this section");
    let blocks = fenced(&page[start..]);
    let [hello, hello_json, reply, tone, reply_json] = &blocks[..] else {
        panic!("found {} blocks", blocks.len())
    };
    for (example, json) in [(linked(hello, &[]), hello_json), (linked(reply, &[tone]), reply_json)]
    {
        let (text, hash) = json.content.trim_end().rsplit_once('\n').expect("JSON, then the hash");
        assert_eq!(canonical_json(&example.identity()), text);
        let bytes = format!("trysquare-prompt-v1\n{text}");
        let hash: ContentHash = hash.parse().unwrap();
        assert_eq!(ContentHash::of_bytes(bytes.as_bytes()), hash);
        assert_eq!(example.version(), hash);
    }
}
