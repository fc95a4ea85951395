//! Texts of models, cases and people that try to be more than text.

use report::{Report, Section};

use crate::fixture::{by_checks, compared, detail, report, results};
use crate::formats::elements;

const EVIL: &str = "<script>alert(1)</script> <img src=x onerror=alert(1)> \
    [a](http://evil.example) ![b](https://evil.example/b.png) www.evil.example @octocat #12 \
    a|b `c` ``` ```` ~~~ </details> </pre> <!-- --> ]]> &lt; \u{202e}txt\u{2066} \u{1b}[31m \u{0} \
    \n# heading\n> quote\n```\n</details>\n</code></pre>\n| a | b |\n=1+1";

/// A report in which every text of others is hostile.
fn hostile() -> Report {
    let mut baseline = results("instruction", &[(by_checks(EVIL), "p p f f p")]);
    let mut candidate = results("examples", &[(by_checks(EVIL), "f p p f p")]);
    candidate.variant.name = EVIL.into();
    candidate.eval_set = EVIL.into();
    for side in [&mut baseline, &mut candidate] {
        side.cases[0].id = EVIL.into();
        side.cases[0].tags = vec![EVIL.to_owned()];
    }
    let mut section = Section::new(compared(&baseline, &candidate), &baseline, &candidate);
    let mut case = detail(EVIL, [EVIL; 4], EVIL);
    for reason in case.candidate.iter_mut().flat_map(|output| &mut output.reasons) {
        reason.criterion = EVIL.into();
    }
    section.cases = vec![case];
    section.prompt_diff = Some(EVIL.to_owned());
    let mut report = report(section);
    report.title = EVIL.into();
    report
}

/// A report with a case of which every text is one line of a megabyte.
fn huge() -> Report {
    let mut report = report(crate::fixture::section(("p p f", "f p p")));
    let long = "lorem <b> ".repeat(100_000);
    report.sections[0].cases = vec![detail("case-0", [&long; 4], &long)];
    report.sections[0].prompt_diff = Some(long);
    report
}

fn every_format(report: &Report) -> [(&'static str, String); 5] {
    [
        ("text", report::text(report, 80, false)),
        ("markdown", report::markdown(report)),
        ("html", report::html(report)),
        ("junit", report::junit(report)),
        ("csv", report::csv(report)),
    ]
}

#[test]
fn nothing_hidden_or_of_control_reaches_any_format() {
    for (format, text) in every_format(&hostile()) {
        let hidden = |character: char| {
            let is_control = character.is_control() && !matches!(character, '\n' | '\t' | '\r');
            is_control || ('\u{202a}'..='\u{202e}').contains(&character) || character == '\u{2066}'
        };
        assert!(!text.contains(hidden), "{format}");
        assert!(text.contains("\\u{202e}"), "{format} says what it replaced");
    }
}

#[test]
fn html_holds_no_element_of_a_text() {
    let html = report::html(&hostile());
    let counts = elements(&html);
    for absent in ["script", "img", "a", "code"] {
        assert!(!counts.contains_key(absent), "{absent}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn junit_stays_well_formed() {
    let counts = elements(&report::junit(&hostile()));
    assert_eq!(counts["testcase"], 5);
}

/// What of Markdown is outside its fenced blocks.
fn outside_fences(markdown: &str) -> String {
    let mut outside = String::new();
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let run = line.chars().take_while(|character| *character == '`').count();
        match fence {
            Some(open) if run >= open && line.len() == run => fence = None,
            Some(_) => {}
            None if run >= 3 => fence = Some(run),
            None => outside.push_str(&format!("{line}\n")),
        }
    }
    assert_eq!(fence, None, "every fence is closed");
    outside
}

#[test]
fn markdown_holds_no_markup_link_or_mention_of_a_text() {
    let outside = outside_fences(&report::markdown(&hostile()));
    let unescaped = outside.replace("\\]", "").replace("\\[", "").replace("\\`", "");
    assert!(!unescaped.contains([']', '[', '`']), "{unescaped}");
    for absent in ["<script", "<img", "://", "www.", "@octocat", "#12", "</pre", "\n# heading"] {
        assert!(!outside.contains(absent), "{absent} in\n{outside}");
    }
    let count = |what: &str| outside.matches(what).count();
    assert_eq!(count("<details>"), count("</details>"));
    let rows = outside.lines().filter(|line| line.starts_with("| ") && line.contains("better"));
    for row in rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 9, "{row}");
    }
}

#[test]
fn csv_holds_no_formula() {
    let mut report = hostile();
    for row in &mut report.sections[0].rows {
        row.case = "=HYPERLINK(\"http://evil.example\")".to_owned();
    }
    let csv = report::csv(&report);
    assert!(csv.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""));
    assert!(!csv.contains(",=") && !csv.contains(",\"="));
}

#[test]
fn markdown_fits_into_a_comment_however_many_cases_there_are() {
    let many = "p ".repeat(400);
    let mut report = report(crate::fixture::section((&many, &many.replace('p', "f"))));
    let long = "lorem ipsum ".repeat(200);
    let texts = [long.as_str(); 4];
    let section = &mut report.sections[0];
    section.cases = (0..400).map(|n| detail(&format!("case-{n}"), texts, &long)).collect();
    section.prompt_diff = Some(long.repeat(10));
    report.sections = vec![report.sections[0].clone(); 4];
    let length = report::markdown(&report).len();
    assert!((40_000..65_536).contains(&length), "{length}");
}

#[test]
fn a_line_of_a_megabyte_is_bounded_and_says_so() {
    let report = huge();
    for (format, text) in every_format(&report) {
        assert!(text.len() < 200_000, "{format}: {}", text.len());
    }
    assert!(report::html(&report).contains("… 998,000 more characters"));
    assert!(report::markdown(&report).contains("… 999,400 more characters"));
}
