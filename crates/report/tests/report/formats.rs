use analysis::{GateContext, RuleChange, compare_all, gate};
use evalset::{GateSpec, Preference};

use quick_xml::Reader;
use quick_xml::events::Event;
use report::{Replayed, Section};

use crate::fixture::{
    by_checks, by_judge, compared, now, options, pairs, report, results, rich, section,
};

/// Counts elements by name while checking that the whole text is well-formed.
pub(crate) fn elements(xml: &str) -> std::collections::BTreeMap<String, usize> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut counts = std::collections::BTreeMap::new();
    let mut depth = 0usize;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                depth += 1;
                count(&mut counts, &start);
            }
            Event::Empty(start) => count(&mut counts, &start),
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "every element is closed");
    counts
}

fn count(
    counts: &mut std::collections::BTreeMap<String, usize>,
    start: &quick_xml::events::BytesStart<'_>,
) {
    for attribute in start.attributes() {
        attribute.unwrap();
    }
    let name = start.name().as_ref().to_owned();
    *counts.entry(name).or_default() += 1;
}

#[test]
fn text_reads_from_the_verdict_down() {
    insta::assert_snapshot!(report::text(&rich(), 80, false));
}

#[test]
fn colours_change_nothing_but_colours() {
    let (plain, coloured) = (report::text(&rich(), 80, false), report::text(&rich(), 80, true));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn no_line_of_text_is_wider_than_the_terminal() {
    for width in [40, 60, 80, 120] {
        for line in report::text(&rich(), width, false).lines().filter(|line| !line.contains('|')) {
            let is_diff = line.starts_with("  ") && line.contains("prompt");
            assert!(is_diff || line.chars().count() <= width.max(60) + 20, "{width}: {line}");
        }
    }
}

#[test]
fn markdown_has_the_verdict_a_square_and_lists_that_fold() {
    insta::assert_snapshot!(report::markdown(&rich()));
}

#[test]
fn a_replayed_report_says_so_first() {
    let mut report = rich();
    report.replayed = Some(Replayed { from: "2026-11-18T08:00:00Z".parse().ok(), to: Some(now()) });
    let line = "replayed: recorded on 2026-11-18 to 2026-11-20";
    assert!(report::text(&report, 80, false).starts_with(line));
    assert!(report::markdown(&report).starts_with(&format!("> **{line}**")));
    let html = report::html(&report);
    assert!(html.find(line).unwrap() < html.find("<h1").unwrap());
}

/// One case of each status.
fn statuses() -> Section {
    section(("p p p p p p pp", "p f e u s - ."))
}

#[test]
fn junit_keeps_errors_failures_and_skipped_apart() {
    let xml = report::junit(&report(statuses()));
    insta::assert_snapshot!(xml);
    let counts = elements(&xml);
    assert_eq!(counts["testcase"], 7);
    assert_eq!((counts["failure"], counts["error"], counts["skipped"]), (1, 3, 2));
}

#[test]
fn csv_has_a_row_for_each_case_and_criterion() {
    insta::assert_snapshot!(report::csv(&report(statuses())).replace("\r\n", "\n"));
    assert_eq!(report::csv(&rich()).lines().count(), 1 + 3 * 120);
}

#[test]
fn json_says_its_format_and_reads_back() {
    let value: serde_json::Value = serde_json::from_str(&report::json(&rich())).unwrap();
    assert_eq!(value["format"], 1);
    assert_eq!(value["made"], "2026-11-20T09:30:00Z");
    assert_eq!(value["sections"][0]["comparison"]["criteria"][0]["decision"]["verdict"], "better");
    assert_eq!(value["sections"][0]["rows"].as_array().unwrap().len(), 360);
    assert_eq!(value["sections"][0]["figures"][0]["candidate"]["cases"], 120);
}

#[test]
fn html_is_well_formed_and_needs_nothing_else() {
    let html = report::html(&rich());
    let counts = elements(&html);
    assert_eq!((counts["main"], counts["header"], counts["footer"]), (1, 1, 1));
    assert_eq!((counts["title"], counts["style"]), (1 + counts["svg"], 1));
    for absent in ["script", "img", "link", "iframe", "object", "form", "base", "a"] {
        assert!(!counts.contains_key(absent), "{absent}");
    }
    for absent in ["url(", "@import", "https:"] {
        assert!(!html.contains(absent), "{absent}");
    }
    // The one address is the name of SVG's elements, which nothing fetches.
    assert_eq!(html.matches("http:").count(), counts["svg"]);
    assert!(html.contains("<html lang=\"en\">"));
    assert!(html.contains("default-src &#39;none&#39;; style-src &#39;sha256-"));
}

#[test]
fn the_policy_allows_exactly_the_style_sheet_of_the_page() {
    let html = report::html(&rich());
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = values::ContentHash::of_bytes(style.as_bytes());
    let allowed = html.split_once("sha256-").unwrap().1.split_once("&#39;").unwrap().0;
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, allowed).unwrap();
    assert_eq!(bytes, hash.as_bytes());
}

/// The colours that a style sheet names, of its light or of its dark half.
fn colours(style: &str) -> std::collections::BTreeMap<&str, [f64; 3]> {
    let channel = |hex: &str| f64::from(u8::from_str_radix(hex, 16).unwrap()) / 255.0;
    let linear = |value: f64| {
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let lines = style.lines().filter_map(|line| line.trim().strip_prefix("--"));
    lines
        .filter_map(|line| line.split_once(": #"))
        .map(|(name, hex)| (name, [0, 2, 4].map(|at| linear(channel(&hex[at..at + 2])))))
        .collect()
}

#[test]
fn every_text_has_contrast_in_light_and_in_dark() {
    let html = report::html(&rich());
    let (light, dark) = html.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let dark = dark.split_once("* { box-sizing").unwrap().0;
    for scheme in [colours(light), colours(dark)] {
        assert_eq!(scheme.len(), 11);
        let luminance = |name: &str| {
            let [red, green, blue] = scheme[name];
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        for (text, ground) in [
            ("text", "ground"),
            ("text", "raised"),
            ("text", "improved-ground"),
            ("text", "regressed-ground"),
            ("text", "note-ground"),
            ("faint", "ground"),
            ("faint", "raised"),
            ("improved", "ground"),
            ("improved", "improved-ground"),
            ("regressed", "ground"),
            ("regressed", "regressed-ground"),
        ] {
            let (a, b) = (luminance(text), luminance(ground));
            let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(ratio >= 4.5, "{text} on {ground}: {ratio:.2}");
        }
    }
}

#[test]
fn html_has_no_attribute_that_runs_styles_or_loads() {
    let html = report::html(&rich());
    for tag in html.split('<').filter(|tag| !tag.starts_with(['/', '!'])) {
        let tag = tag.split('>').next().unwrap();
        for name in tag.split(' ').filter_map(|part| part.split_once("=\"")).map(|(name, _)| name) {
            let loads = ["style", "href", "src", "action", "data"].contains(&name);
            assert!(!loads && !name.starts_with("on"), "{name} in {tag}");
        }
    }
}

#[test]
fn several_candidates_stand_in_one_table_at_the_level_of_their_step() {
    let side = |name, cases: &str| results(name, &[(by_checks("correct"), cases)]);
    let ((before, first), (_, second)) = (pairs(60, 18, 5, 37), pairs(60, 9, 5, 46));
    let baseline = side("instruction", &before);
    let candidates = [side("examples", &first), side("examples-schema", &second)];
    let [one, two] = &candidates;
    let all = compare_all(&baseline, &[one, two], &options(), &[]).unwrap();
    let mut report = report::Report::new("orders", now());
    report.candidates = all.rows;
    for (comparison, candidate) in all.comparisons.into_iter().zip(&candidates) {
        report.sections.push(Section::new(comparison, &baseline, candidate));
    }
    let text = report::text(&report, 120, false);
    insta::assert_snapshot!(text.lines().take(8).collect::<Vec<_>>().join("\n"));
    let html = report::html(&report);
    assert!(html.contains("Cost against quality") && elements(&html)["section"] == 2);
}

#[test]
fn samples_are_counted_by_case_with_flaky_ones_marked() {
    let mut report = report(section(("ppp ppf pff fff", "ppp ppp ppf pff")));
    report.sections[0].cases =
        vec![crate::fixture::detail("case-2", ["a", "b", "c", "d"], "not b")];
    let text = report::text(&report, 80, false);
    assert!(text.contains("case-2  1 of 3 → 2 of 3 · flaky"), "{text}");
    assert!(text.contains("pass^3: all pass"), "{text}");
    assert!(text.contains("score higher and lower than before"), "{text}");
}

#[test]
fn a_gate_shows_its_rules_what_changed_and_what_blocks() {
    let (baseline, candidate) = pairs(44, 12, 10, 34);
    let baseline = results("instruction", &[(by_checks("correct"), &baseline)]);
    let candidate = results("examples", &[(by_checks("correct"), &candidate)]);
    let comparison = compared(&baseline, &candidate);
    let context = GateContext {
        changes: vec![RuleChange {
            key: "margin".to_owned(),
            was: Some("0.02".to_owned()),
            is: Some("0.05".to_owned()),
        }],
        ..GateContext::default()
    };
    let outcome = gate(&GateSpec::default(), &baseline, &candidate, &comparison, &context).unwrap();
    let mut report = report(Section::new(comparison, &baseline, &candidate));
    report.gate = Some(outcome);
    let text = report::text(&report, 100, false);
    insta::assert_snapshot!(text.lines().take(7).collect::<Vec<_>>().join("\n"));
    let counts = elements(&report::junit(&report));
    assert_eq!(counts["testsuite"], 2);
}

#[test]
fn a_row_of_the_candidates_is_that_of_its_place_even_where_hashes_are_the_same() {
    let (before, after) = pairs(60, 18, 0, 22);
    let of = |name: &str, cases: &str| results(name, &[(by_judge("polite", "tone"), cases)]);
    let baseline = of("before", &before);
    let (mut same, better) = (of("again", &before), of("after", &after));
    same.variant.hash = better.variant.hash;
    let both = [&better, &same];
    let found = analysis::compare_all(&baseline, &both, &options(), &[]).unwrap();
    let mut report = report::Report::new("two", now());
    report.candidates = found.rows;
    for (comparison, candidate) in found.comparisons.into_iter().zip(both) {
        report.sections.push(Section::new(comparison, &baseline, candidate));
    }
    let markdown = report::markdown(&report);
    let row = |name: &str| {
        let start = format!("| {name} |");
        markdown.lines().find(|line| line.starts_with(&start)).unwrap_or_default().to_owned()
    };
    assert!(row("after").contains("better according to judge tone"), "{markdown}");
    assert!(row("again").contains("no worse according to judge tone"), "{markdown}");
}

#[test]
fn a_summary_of_markdown_is_html_and_shows_no_backslash() {
    let (before, after) = pairs(60, 18, 5, 37);
    let of = |name: &str, cases: &str| results(name, &[(by_checks("is_polite*"), cases)]);
    let (a, b) = (of("before", &before), of("after", &after));
    let markdown = report::markdown(&report(Section::new(compared(&a, &b), &a, &b)));
    let summaries: Vec<_> = markdown.lines().filter(|line| line.contains("<summary>")).collect();
    assert!(
        summaries.iter().any(|line| line.contains("on is&#x5f;polite&#x2a;</summary>")),
        "{markdown}"
    );
    assert!(summaries.iter().all(|line| !line.contains('\\')), "{markdown}");
}

#[test]
fn judged_pairs_put_all_variants_in_an_order() {
    let pair = |variants, said, cluster| {
        let said = Some(said);
        analysis::ComparedPair { variants, said, cluster }
    };
    let both = |one| analysis::BothOrders { a_first: Some(one), b_first: Some(one) };
    let first =
        |case: usize| both(if case.is_multiple_of(4) { Preference::B } else { Preference::A });
    let mut pairs: Vec<_> = (0..40).map(|case| pair([1, 0], first(case), case)).collect();
    let by_position =
        analysis::BothOrders { a_first: Some(Preference::A), b_first: Some(Preference::B) };
    pairs.extend((0..40).map(|case| pair([1, 2], by_position, case)));
    let missing = analysis::BothOrders { a_first: None, ..by_position };
    pairs.push(pair([0, 2], missing, 40));
    let names = ["before", "after|x", "again"].map(str::to_owned);
    let mut report = rich();
    let found = analysis::judged_order(("better", false), &names, &pairs, stats::Level::P95, 1);
    report.orders = found.unwrap().into_iter().collect();
    let markdown = report::markdown(&report);
    let caption = "**Order by judged pairs, according to better (not trusted)**";
    assert!(markdown.contains(caption), "{markdown}");
    assert!(markdown.contains("first twice 40, second twice 0"), "{markdown}");
    assert!(markdown.contains("1 pair left out"), "{markdown}");
    assert!(markdown.contains("| after\\|x | 1 | "), "{markdown}");
    assert!(markdown.contains("80 judged pairs of 40 clusters"), "{markdown}");
    assert!(report::html(&report).contains("Order by judged pairs"));
    assert!(report::text(&report, 100, false).contains("Order by judged pairs"));
}

#[test]
fn warnings_stand_above_the_verdict_and_what_is_left_out_is_listed_in_every_format() {
    let report = report(statuses());
    let texts = [
        report::text(&report, 100, false),
        report::markdown(&report),
        report::html(&report),
        report::junit(&report),
        report::csv(&report),
    ];
    for text in texts {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let place = |what: &str| words.find(what).unwrap_or_else(|| panic!("no {what}: {text}"));
        let warning = place("retry errors before");
        assert!(warning < place("not enough evidence yet"), "{text}");
        for status in ["error", "unreadable", "skipped", "no checks", "missing"] {
            assert!(words.contains(status), "no {status}: {text}");
        }
    }
    let text = report::text(&report, 200, false);
    let listed = "case-2 (pass → error), case-3 (pass → unreadable), case-4 (pass → skipped), case-5 \
                  (pass → no checks), case-6 (pass → missing)";
    assert!(text.contains("5 cases left out on correct") && text.contains(listed), "{text}");
    let value: serde_json::Value = serde_json::from_str(&report::json(&report)).unwrap();
    let compared = &value["sections"][0]["comparison"];
    assert_eq!(compared["criteria"][0]["left_out"].as_array().unwrap().len(), 5);
    assert_eq!(compared["warnings"][0]["kind"], "many_left_out");
}

#[test]
fn input_that_cannot_be_used_is_said_in_every_format() {
    let mut report = report::Report::new("orders: no answer", now());
    report.unusable = Some(report::Unusable {
        message: "the files of the eval set `orders` have errors".to_owned(),
        hint: Some("mend <them>".to_owned()),
        findings: vec!["evalsets/orders/cases.jsonl:3:1: the id `a` stands twice".to_owned()],
    });
    let sentence = "No answer, because the input cannot be used: the files of the eval set `orders` have errors.";
    let text = report::text(&report, 200, false);
    assert!(
        text.contains(sentence) && text.contains("cases.jsonl:3:1: the id `a` stands"),
        "{text}"
    );
    let markdown = report::markdown(&report);
    assert!(markdown.contains("No answer") && markdown.contains("mend &lt;them&gt;"), "{markdown}");
    let html = report::html(&report);
    assert!(html.contains("No answer") && html.contains("stands twice"), "{html}");
    elements(&html);
    let xml = report::junit(&report);
    let counts = elements(&xml);
    assert_eq!((counts["testsuite"], counts["testcase"], counts["error"]), (1, 1, 1), "{xml}");
    assert!(xml.contains("errors=\"1\"") && xml.contains("stands twice"), "{xml}");
    let value: serde_json::Value = serde_json::from_str(&report::json(&report)).unwrap();
    assert_eq!(value["unusable"]["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn whose_opinion_a_verdict_is_stands_wherever_the_verdict_does() {
    let (before, after) = pairs(60, 18, 0, 22);
    let of = |name: &str, cases: &str| {
        let criteria = [(by_judge("polite", "tone"), cases), (by_judge("short", "tone"), cases)];
        results(name, &criteria)
    };
    let (baseline, candidate) = (of("before", &before), of("after", &after));
    let comparison = compared(&baseline, &candidate);
    let one = std::num::NonZeroU32::MIN;
    let spec = GateSpec {
        regressions: Some(evalset::RegressionRule { passes: one, samples: one }),
        ..GateSpec::default()
    };
    let outcome = gate(&spec, &baseline, &candidate, &comparison, &GateContext::default()).unwrap();
    let mut report = report(Section::new(comparison, &baseline, &candidate));
    report.gate = Some(outcome);
    let whose = "according to judge tone (not trusted)";
    let rules = [
        format!("has to be no worse: it is better ({whose})"),
        format!("must still pass: none is broken ({whose})"),
    ];
    let plain = |text: String| text.replace('\\', "").replace("<!-- -->", "");
    let texts = [
        report::text(&report, 200, false),
        plain(report::markdown(&report)),
        report::html(&report),
    ];
    for text in &texts {
        for rule in &rules {
            assert!(text.contains(rule), "no {rule}: {text}");
        }
        assert!(text.contains("According to judge tone (not trusted), after is better"), "{text}");
    }
    let xml = report::junit(&report);
    assert!(xml.contains("According to judge tone (not trusted), after is better"), "{xml}");
    assert!(report::csv(&report).contains(&format!("better {whose}")));
    let value: serde_json::Value = serde_json::from_str(&report::json(&report)).unwrap();
    assert_eq!(value["gate"]["rules"][0]["opinion_of"], serde_json::json!(["tone"]));
}
