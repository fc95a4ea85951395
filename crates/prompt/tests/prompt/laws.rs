//! What holds for all prompts.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fuzz_target::render_anything;
use crate::support::linked;

/// Pieces that templates are made of, right and wrong.
const PIECES: [&str; 56] = [
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{~",
    "~}}",
    "{{#",
    "{{/",
    "{{^",
    "{{>",
    "{{!",
    "{{!--",
    "--}}",
    "{{else}}",
    "{{#if a}}",
    "{{/if}}",
    "{{#each l}}",
    "{{/each}}",
    "{{#each l as |x i|}}",
    "{{else if b}}",
    "{{#with o}}",
    "{{/with}}",
    "{{#unless a}}",
    "{{/unless}}",
    "{{> p}}",
    "{{> q a=b}}",
    "{{#> p}}",
    "{{/p}}",
    "{{> @partial-block}}",
    "{{#*inline \"p\"}}",
    "{{/inline}}",
    "{{a}}",
    "{{a.b.c}}",
    "{{../a}}",
    "{{@index}}",
    "{{@state.x}}",
    "{{this}}",
    "{{json this indent=2}}",
    "{{role \"system\"}}",
    "{{role a}}",
    "{{history}}",
    "{{section a}}",
    "{{media url=a}}",
    "{{#ifEquals a b}}",
    "{{/ifEquals}}",
    "{{#a}}",
    "{{/a}}",
    "{{^a}}",
    "(",
    "(lookup l 0)",
    "\\{{",
    "\\\\{{",
    "\n",
    "  ",
    "ä\u{feff}\r\n",
    "---\n",
];

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => select(&PIECES[..]).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Templates whose blocks are closed, so that more of them get past the parser.
fn balanced() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(&["{{a}}", "{{../l.0}}", "{{@root.o}}", "{{> p}}", "{{history}}", "\n", " x "][..])
            .prop_map(str::to_owned),
        select(
            &["{{json .}}", "{{role \"user\"}}", "{{@key}}", "{{media url=a}}", "\n  {{> q}}\n"][..]
        )
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let blocks = [
            ("{{#if a}}", "{{/if}}"),
            ("{{#each l}}", "{{/each}}"),
            ("{{#with o}}\n", "{{/with}}\n"),
            ("{{#each o as |v k|}}{{k}}", "{{else}}{{v}}{{/each}}"),
            ("{{^a}}", "{{else}}{{.}}{{/a}}"),
            ("{{#> q x=a}}", "{{/q}}"),
            ("{{#*inline \"p\"}}", "{{/inline}}{{> p}}"),
        ];
        (select(blocks.to_vec()), prop::collection::vec(inner, 0..4))
            .prop_map(|((open, close), inner)| format!("{open}{}{close}", inner.concat()))
    })
}

const INPUT: &str =
    r#"{"a": "<{{b}}>", "b": 0, "l": [1, [], {"a": null}], "o": {"x": {"a": true}}}"#;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_can_be_parsed_and_rendered_to_an_end(
        prompt in prop_oneof![template(), balanced()],
        p in prop_oneof![template(), balanced()],
        q in prop_oneof![template(), balanced()],
    ) {
        let parts = [&prompt, &p, &q, INPUT, r#"{"state": {"x": 1}}"#];
        render_anything(parts.join("\n=====\n").as_bytes());
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        render_anything(&bytes);
    }

    #[test]
    fn a_version_does_not_depend_on_comments_key_order_or_line_ends(
        lines in subsequence(
            vec![
                "model: openai/gpt-5", "name: x", "config: {temperature: 0.5, topK: 3}",
                "metadata: {b: 1, a: [x, 2.50]}", "team.owner: 'me'", "description: \"é\"",
            ],
            0..6,
        ).prop_shuffle(),
        body in "[a-z {}\n]{0,40}".prop_filter("it parses", |body| !body.contains("{{")),
        comment in "[a-z #]{0,10}",
    ) {
        let mut sorted = lines.clone();
        sorted.sort_unstable();
        let plain = format!("---\n{}\n---\n{body}", sorted.join("\n"));
        let other = format!("---\n# {comment}\n{} # c\n---\n{body}", lines.join(" # {comment}\n"));
        let version = linked(&plain, &[]).version();
        prop_assert_eq!(version, linked(&other, &[]).version());
        prop_assert_eq!(version, linked(&other.replace('\n', "\r\n"), &[]).version());
        prop_assert_ne!(version, linked(&format!("{plain}x"), &[]).version());
    }

    #[test]
    fn a_value_comes_out_as_it_went_in(value in ".{0,60}") {
        let variables = serde_json::json!({ "v": value });
        let text = crate::support::render("[{{v}}]", &[], variables);
        prop_assert_eq!(text, format!("[{value}]"));
    }
}
