use document::Diagnostic;

use super::*;
use crate::Split;

fn read(text: &str) -> (Option<EvalSet>, Vec<Diagnostic>) {
    EvalSet::read("evalsets/e/evalset.yaml", text)
}

fn findings(text: &str) -> String {
    let mut out = String::new();
    for found in read(text).1 {
        let at = found.position.unwrap();
        let hint = found.hint.map(|hint| format!(" [{hint}]")).unwrap_or_default();
        out.push_str(&format!(
            "{}:{} {}: {}{hint}\n",
            at.line, at.column, found.code, found.message
        ));
    }
    out
}

const FULL: &str = r#"
format: 1
description: Finds the order number
variants:
  plain: {prompt: order-number.instruction, model: embedded/smollm2-135m, config: {temperature: 0}}
  order-number.examples:
  app: {target: shop}
candidate: order-number.examples
samples: 3
seed: 18446744073709551615
margin: 0.05
primary: exact
criteria:
  exact: {rubric: Only the number., combine: any}
  tone: {kind: graded, source: judge, combine: weighted, threshold: 0.7}
  topic: {kind: categorical, source: human, categories: [billing, other], pass: [billing]}
checks:
  - {name: same, kind: equals, value: "{{expected}}", criterion: exact}
  - {name: short, kind: word_count, max: 3}
judges:
  - faithful
  - {judge: tone-v2, name: polite, criterion: tone, weight: 2, threshold: 0.5, model: openai/gpt-5}
split: {seed: 4, train: 10, dev: 10}
gate:
  require: better
  confidence: 0.9
  required_cases: {tags: must, ids: [a, b]}
  regressions: {passes: 2, samples: 3}
  min_cases: 50
  max_cost_per_case_usd: 0.000000001
  max_p95_latency_ms: 3000
  not_enough: allow
  min_trust: [tone]
budget: {run_usd: 1.5, day_usd: "10"}
"#;

#[test]
fn a_full_set_is_read() {
    let (set, found) = read(FULL);
    assert!(found.is_empty(), "{found:?}");
    let set = set.unwrap();
    let names: Vec<_> = set.criteria.iter().map(|criterion| criterion.name.as_str()).collect();
    assert_eq!(names, ["exact", "tone", "topic", "short", "faithful"]);
    assert_eq!(set.criterion("faithful").unwrap().source, ScoreSource::Judge);
    assert_eq!(set.criterion("short").unwrap().source, ScoreSource::Code);
    let VariantSource::Prompt(prompt) = &set.variants[1].source else { panic!("a prompt") };
    assert_eq!(prompt.name, "order-number.examples");
    assert_eq!(set.variants[0].config["temperature"], 0);
    assert!(matches!(&set.variants[2].source, VariantSource::Target(name) if name.name == "shop"));
    assert_eq!(set.seed, u64::MAX);
    assert_eq!(set.split.shares.percent(Split::Test), 80);
    assert_eq!(set.gate.max_cost_per_case.unwrap().get(), 1, "no digit is rounded");
    assert_eq!(set.budget.run.unwrap().get(), 1_500_000_000);
    assert_eq!(set.gate.required_cases.as_ref().unwrap().tags, ["must"]);
    let judges =
        set.judges.iter().map(|judge| (judge.name.as_str(), judge.criterion.name.as_str()));
    assert_eq!(judges.collect::<Vec<_>>(), [("faithful", "faithful"), ("polite", "tone")]);
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let text = "\
descripton: x
format: 2
variants:
  a: {prompt: p, target: t}
  'b/c':
  d: {model: gpt-5}
candidate: aa
samples: 0
margin: 5
primary: exat
criteria:
  exact: {kind: binry, combine: weighted}
  topic: {kind: categorical, categories: [x], pass: [y]}
checks:
  - {name: one, kind: equals, value: a, criterion: exct}
  - {name: two, kind: json_valid}
judges:
  - {judge: two, weight: 0}
  - {name: nobody}
split: {train: 50, dev: 60}
gate: {confidence: 95, regressions: {passes: 4, samples: 3}, min_trust: [none]}
budget: {run_usd: 1e-3}
";
    insta::assert_snapshot!(findings(text), @r#"
    1:1 unknown-key: unknown key `descripton` in an eval set [did you mean `description`?]
    2:9 format: found format 2, expected 1 [a newer Trysquare wrote this file; update yours]
    4:15 variant: the variant `a` names both a prompt and a target
    5:3 name: `b/c` cannot name a variant [use letters, digits, `.`, `_`, `-` and inner spaces, up to 100 bytes]
    6:14 model: `gpt-5` does not name a model: expected `provider/model`
    7:12 unknown-variant: there is no variant `aa` [did you mean `a`?]
    8:10 out-of-range: `samples` must be 1 or more
    9:9 out-of-range: `margin` must lie between 0 and 1, found 5 [0.05 is five points]
    10:10 unknown-criterion: there is no criterion `exat` [did you mean `exact`?]
    12:3 criterion: the criterion `exact` combines by weight and has no threshold [add `threshold: 0.5`]
    12:17 unknown-word: `kind` cannot be `binry` [did you mean `binary`?]
    13:3 criterion: the criterion `topic` needs at least two `categories`
    13:3 criterion: `pass` of the criterion `topic` names `y`, which is no category
    15:12 unknown-criterion: there is no criterion `exct` [did you mean `exact`?]
    18:13 duplicate-name: the name `two` is used by two checks, judges or juries
    18:26 out-of-range: `weight` must be a number above 0, found 0
    19:5 missing-key: a judge needs the key `judge`
    20:8 out-of-range: `train`, `dev` and `test` of `split` must be whole percents that add up to 100
    21:20 out-of-range: `confidence` must lie between 0.5 and 1, found 95
    21:37 out-of-range: 4 of 3 samples cannot pass
    21:74 unknown-criterion: there is no criterion `none` [there are exact, topic, two]
    22:19 wrong-kind: `run_usd` must be dollars as a plain decimal such as 0.25, with at most nine decimals
    "#);
}

#[test]
fn one_rule_holds_for_all_names() {
    let text = "\
variants: {a/b: {}}
criteria: {b/c: {}}
checks: [{name: c/d, kind: json_valid}, {name: e, kind: json_valid, criterion: e/f}]
judges: [f/g, {judge: g/h}, {judge: g/h, name: fine}, {judge: h, name: 'h:i'}]
";
    let found = read(text).1;
    let names: Vec<_> =
        found.iter().filter(|one| one.code == "name").map(|one| one.message.as_str()).collect();
    assert_eq!(
        names,
        [
            "`a/b` cannot name a variant",
            "`b/c` cannot name a criterion",
            "`c/d` cannot name a check",
            "`e/f` cannot name a criterion",
            "`f/g` cannot name a judge",
            "`g/h` cannot name a judge",
            "`h:i` cannot name a judge",
        ]
    );
    assert_eq!(found.len(), names.len(), "{found:?}");
}

#[test]
fn shares_of_any_size_are_refused_without_overflow() {
    for split in [
        "{train: 18446744073709551615, dev: 1}",
        "{train: 18446744073709551615, dev: 1, test: 100}",
    ] {
        let found = read(&format!("split: {split}\n")).1;
        assert_eq!((found.len(), found[0].code.as_str()), (1, "out-of-range"), "{split}");
    }
}

#[test]
fn what_is_open_follows_the_project() {
    let text = "margin: 0.1\ngate: {min_cases: 10}\nbudget: {run_usd: 2}\n";
    let mut set = read(text).0.unwrap();
    let mut defaults =
        Defaults { margin: Some(0.05), samples: NonZeroU32::new(2), ..Defaults::default() };
    defaults.gate.confidence = Some(0.9);
    defaults.gate.min_cases = std::num::NonZeroU64::new(99);
    defaults.budget.day = values::NanoDollars::parse_dollars("5");
    defaults.budget.run = values::NanoDollars::parse_dollars("1");
    set.apply_defaults(&defaults);
    assert_eq!((set.margin, set.samples_or_one().get()), (Some(0.1), 2));
    assert_eq!((set.gate.confidence, set.gate.min_cases.unwrap().get()), (Some(0.9), 10));
    assert_eq!(set.budget.run.unwrap().to_string(), "$2.00");
    assert_eq!(set.budget.day.unwrap().to_string(), "$5.00");
}

#[test]
fn text_that_is_no_mapping_has_no_set() {
    assert!(read("- a\n").0.is_none());
    assert!(read("a: [\n").0.is_none());
    assert!(read("").0.unwrap().variants.is_empty());
}

#[test]
fn hashes_count_what_is_decided_and_nothing_else() {
    let (full, _) = read(FULL);
    let full = full.unwrap();
    let (cases, _) = CaseFile::read("c", "{\"id\":\"a\",\"inputs\":{}}\n");
    let other = FULL
        .replace("Finds the order number", "Another description")
        .replace("candidate: order-number.examples", "candidate: app")
        .replace("margin: 0.05", "margin: 0.01");
    let other = read(&other).0.unwrap();
    assert_eq!(full.content_hash(&cases), other.content_hash(&cases));
    let stricter = read(&FULL.replace("Only the number.", "Only digits.")).0.unwrap();
    assert_ne!(full.content_hash(&cases), stricter.content_hash(&cases));
    assert_ne!(
        full.criterion("exact").unwrap().rubric_hash(),
        stricter.criterion("exact").unwrap().rubric_hash()
    );
}

const PAGE: &str = include_str!("../../../../docs/formats/evalset.md");

#[test]
fn the_documentation_shows_what_is_read_and_its_hashes() {
    let blocks: Vec<_> = PAGE.split("```yaml\n").skip(1).collect();
    assert!(blocks.len() >= 2);
    for block in &blocks {
        let yaml = block.split("```").next().unwrap();
        let (set, found) = read(yaml);
        assert!(set.is_some() && found.is_empty(), "{found:?}");
    }
    let set = read(blocks[blocks.len() - 1].split("```").next().unwrap()).0.unwrap();
    let row = "{\"id\":\"a\",\"inputs\":{\"message\":\"Where is order 4711?\"}}\n";
    assert!(PAGE.contains(row.trim_end()));
    let exact = set.criterion("exact").unwrap();
    let cases = CaseFile::read("c", row).0;
    for hash in
        [exact.content_hash(), exact.rubric_hash(), set.checks[0].hash(), set.content_hash(&cases)]
    {
        assert!(PAGE.contains(&format!("`{hash}`")), "{hash}");
    }
}

#[test]
fn a_judge_of_several_criteria_is_a_judge_for_each() {
    let text = "\
judges:
  - {judge: tone, criteria: [polite, complete], threshold: 0.5, weight: 2}
  - {judge: tone, name: short-ish, reads: short, criterion: polite}
";
    let (set, found) = read(text);
    assert!(found.is_empty(), "{found:?}");
    let judges = set.unwrap().judges;
    let shown: Vec<_> = judges
        .iter()
        .map(|one| {
            let reads = one.reads.as_ref().map_or("", |reads| reads.name.as_str());
            (one.name.as_str(), one.judge.name.as_str(), one.criterion.name.as_str(), reads)
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("polite", "tone", "polite", "polite"),
            ("complete", "tone", "complete", "complete"),
            ("short-ish", "tone", "polite", "short"),
        ]
    );
    assert_eq!((judges[1].threshold, judges[2].threshold), (Some(0.5), None));
    insta::assert_snapshot!(
        findings("judges:\n  - {judge: tone, criteria: [polite, polite], name: x}"),
        @r"
    2:38 duplicate-name: the name `polite` is used by two checks, judges or juries
    2:53 judge: `criteria` gives each judge its name, criterion and what it reads [for another name, add an item with `reads`]
    "
    );
}

#[test]
fn a_jury_is_of_judges_that_serve_its_criterion() {
    let judges = "\
judges:
  - {judge: strict, criterion: panel}
  - {judge: kind, criterion: panel}
  - {judge: kind, name: third, model: a/b, criterion: panel}
  - other
";
    let (set, found) =
        read(&format!("{judges}juries:\n  panel: {{members: [strict, kind, third]}}"));
    assert!(found.is_empty(), "{found:?}");
    let set = set.unwrap();
    assert_eq!(set.jury_of("third").map(|jury| jury.name.as_str()), Some("panel"));
    assert!(set.jury_of("other").is_none());
    assert_eq!(set.criterion("panel").unwrap().source, ScoreSource::Judge);
    assert_eq!((set.juries[0].rule, set.juries[0].threshold), (JuryRule::Majority, None));
    let wrong = format!(
        "{judges}juries:
  panel: {{members: [strict, kind], threshold: 0.5}}
  other: {{members: [kind, nobody]}}
  alone: {{members: [strict, strict], rule: vote, criterion: panel}}
"
    );
    insta::assert_snapshot!(findings(&wrong), @r"
    7:20 jury: the jury `panel` has an even number of members and may be split [a split jury decides nothing: the cell is `skipped`]
    7:47 jury: the jury `panel` decides by majority, which has no `threshold` [add `rule: mean`]
    8:3 duplicate-name: the name `other` is used by two checks, judges or juries
    8:20 jury: the jury `other` has an even number of members and may be split [a split jury decides nothing: the cell is `skipped`]
    8:21 jury: `kind` serves the criterion `panel`, and its jury `other` serves `other` [give the judge `criterion: other`]
    8:21 jury: `kind` sits in two juries: `panel` and `other`
    8:27 unknown-judge: there is no judge `nobody` [there are strict, kind, third, other]
    9:20 jury: the jury `alone` has an even number of members and may be split [a split jury decides nothing: the cell is `skipped`]
    9:21 jury: `strict` sits in two juries: `panel` and `alone`
    9:29 jury: `strict` is a member of the jury `alone` twice
    9:44 unknown-word: `rule` cannot be `vote` [expected one of majority, mean]
    ");
}
