#[cfg(feature = "embedded-model")]
use crate::sandbox::Sandbox;

use std::collections::BTreeMap;

use evalset::{Act, LabelRow, LabelValue, LabelledOutput};

fn file(name: &str) -> String {
    std::fs::read_to_string(tests::root().join("evalsets/replies").join(name)).unwrap()
}

#[test]
fn labels_of_the_sample_are_of_outputs_that_are_there_and_say_whose_they_are() {
    let (rows, bad) = evalset::read_labels(&file("labels.jsonl"));
    assert_eq!(bad, []);
    assert_eq!(evalset::write_labels(rows.clone()), file("labels.jsonl"), "canonical");
    let outputs = file("outputs.jsonl");
    let mut values = BTreeMap::new();
    for row in rows {
        let LabelRow::Event(label) = row else { panic!("a purge: {row:?}") };
        assert_eq!(label.labeller, "sample");
        let LabelledOutput::One(output) = label.subject.output else { panic!("{label:?}") };
        assert!(outputs.contains(&format!("\"hash\":\"{output}\"")), "{label:?}");
        let Act::Label(value) = &label.act else { panic!("{label:?}") };
        assert_eq!(*value == LabelValue::Fail, label.note.is_some(), "a fail says why: {label:?}");
        *values.entry(format!("{value:?}")).or_insert(0) += 1;
    }
    assert_eq!(values, BTreeMap::from([("Fail".to_owned(), 133), ("Pass".to_owned(), 29)]));
}

/// Replaying needs the embedded model's adapter, though not its file.
#[cfg(feature = "embedded-model")]
#[test]
fn replies_of_the_sample_replay_offline_and_nothing_decides_them_yet() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "--sample"]).code, 0);
    let ran = sandbox.run(&["run", "replies", "--replay"]);
    assert_eq!(ran.code, 0, "{ran}");
    let counted = |variant: &str| {
        let line = ran.stdout.lines().rfind(|line| line.starts_with(variant)).unwrap();
        line.split_whitespace().skip(1).take(4).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(counted("examples "), ["–", "0", "0", "162"], "{ran}");
    assert_eq!(counted("form "), ["–", "0", "0", "162"], "{ran}");
}

/// Labels that were made by hand come beside those of the sample, which are all current.
#[cfg(feature = "embedded-model")]
#[test]
fn forty_replies_of_the_sample_are_labelled_by_keyboard() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "--sample"]).code, 0);
    assert_eq!(sandbox.run(&["run", "replies", "--replay"]).code, 0);
    let keys = "1".repeat(10) + &"2says nothing of the order\n".repeat(30) + "q";
    let labelled = sandbox.run_with_input(&["label", "replies", "--labeller", "ana"], &keys);
    assert_eq!(labelled.code, 0, "{labelled}");

    let (rows, bad) = evalset::read_labels(&sandbox.read("evalsets/replies/labels.jsonl"));
    assert_eq!(bad, []);
    let by = |name: &str, value: &LabelValue| {
        let is_theirs = |row: &&LabelRow| {
            let LabelRow::Event(label) = row else { return false };
            label.labeller == name && label.act == Act::Label(value.clone())
        };
        rows.iter().filter(is_theirs).count()
    };
    assert_eq!((by("ana", &LabelValue::Pass), by("ana", &LabelValue::Fail)), (10, 30));
    assert_eq!((by("sample", &LabelValue::Pass), by("sample", &LabelValue::Fail)), (29, 133));
    insta::assert_snapshot!(sandbox.run(&["label", "stats", "replies"]), @r"
    replies
    helpful: 151 decided, 0 adjudicated, 11 conflicts, 0 outdated labels
    202 labels drawn at random, 0 otherwise

    labeller  labels  values             deferred  pass rate
    ana           40  30 fail, 10 pass          0  25.0 % · 14–40
    sample       162  133 fail, 29 pass         0  17.9 % · 13–25

    both labelled    n   agree  kappa                 AC1
    ana and sample  40  72.5 %  0.04 (-0.22 to 0.31)  0.62 (0.37 to 0.87)
    --- exit 0
    ");
}
