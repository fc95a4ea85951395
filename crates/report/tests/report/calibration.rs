//! What a calibration says, in each format.

use analysis::calibration::{
    CalibrationOptions, Draw, JudgeAnswer, JudgedItem, Scale, Thresholds, calibrate, corrected_rate,
};
use evalset::{LabelValue, LabelledOutput, Reference, Split};
use report::{CalibrationReport, calibration_html, calibration_json, calibration_markdown};
use values::ContentHash;

fn value(passes: bool) -> LabelValue {
    if passes { LabelValue::Pass } else { LabelValue::Fail }
}

fn items(both: usize, people: usize, judge: usize, neither: usize) -> Vec<JudgedItem> {
    let kinds =
        [(both, true, true), (people, true, false), (judge, false, true), (neither, false, false)];
    let all =
        kinds.into_iter().flat_map(|(n, human, judge)| std::iter::repeat_n((human, judge), n));
    let made = all.enumerate().map(|(number, (human, judge))| {
        let case = format!("case {number}");
        JudgedItem {
            cluster: None,
            split: Split::Test,
            tags: vec![],
            variant: "terse".to_owned(),
            output: LabelledOutput::One(ContentHash::of_bytes(case.as_bytes())),
            judge: JudgeAnswer::Decided(value(judge)),
            probability: Some(if judge { 0.9 } else { 0.2 }),
            reason: Some("<script>alert(1)</script> | it is kind".to_owned()),
            orders: None,
            labels: vec![("ann".to_owned(), value(human))],
            reference: Reference::Shared(value(human)),
            draw: Draw::Random(1.0),
            outdated: false,
            seen: false,
            length: None,
            own_family: None,
            case,
        }
    });
    made.collect()
}

fn report(items: &[JudgedItem]) -> CalibrationReport {
    let options = CalibrationOptions {
        scale: Scale::Binary,
        split: Split::Test,
        thresholds: Thresholds::default(),
        epsilon: 0.15,
        seed: 1,
    };
    CalibrationReport {
        format: report::CALIBRATION_FORMAT,
        judge: "polite".to_owned(),
        set: "replies".to_owned(),
        criterion: "polite".to_owned(),
        calibration: calibrate(items, &options).unwrap(),
        rates: vec![corrected_rate(&Scale::Binary, "terse", items, &[]).unwrap()],
        uses: Some(3),
        changed: vec!["its prompt"],
        certificate: Some("judges/polite.trust.json".to_owned()),
    }
}

#[test]
fn a_terminal_reads_the_state_first() {
    let text = report::calibration_text(&report(&items(58, 2, 2, 48)));
    assert!(text.starts_with("polite: trusted\n"), "{text}");
    for part in [
        "replies: 110 outputs of the test split",
        "3rd use of these test labels: optimistic",
        "Changed since the last calibration: its prompt",
        "58 of 60",
        "48 of 50",
        "false pass case 60 (people fail, judge pass)",
        "corrected with 110 human labels of this run",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let dangerous = text.find("false pass").zip(text.find("false fail"));
    assert!(dangerous.is_some_and(|(first, second)| first < second), "{text}");
}

#[test]
fn each_state_says_what_is_missing() {
    let said = |all: &[JudgedItem]| report::state_sentence(&report(all));
    assert_eq!(said(&items(58, 2, 5, 45)), "polite: trusted");
    assert_eq!(said(&items(30, 0, 0, 7)), "polite: too few labels (4 more fails needed at least)");
    assert!(said(&items(58, 2, 6, 44)).starts_with("polite: not yet ("));
}

#[test]
fn no_format_lets_a_reason_become_markup() {
    let found = report(&items(58, 2, 2, 48));
    assert!(!calibration_html(&found).contains("<script>"));
    assert!(!calibration_markdown(&found).contains("<script>"));
    assert!(calibration_html(&found).contains("<title>Reliability</title>"));
    let json: serde_json::Value = serde_json::from_str(&calibration_json(&found)).unwrap();
    assert_eq!(json["calibration"]["standing"]["state"], "trusted");
    assert_eq!(json["calibration"]["disagreements"].as_array().unwrap().len(), 4);
}
