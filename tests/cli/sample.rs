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
fn replies_of_the_sample_are_judged_offline_and_its_judge_is_shown_to_be_poor() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["init", "--sample"]).code, 0);
    let ran = sandbox.run(&["run", "replies", "--replay"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stderr.contains("judging 324 outputs"), "{ran}");
    let counted = |variant: &str| {
        let line = ran.stdout.lines().rfind(|line| line.starts_with(variant)).unwrap();
        let words = line.split(" n ").nth(1).unwrap().split_whitespace();
        words.take(4).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(counted("examples "), ["161", "153", "8", "1"], "{ran}");
    assert_eq!(counted("form "), ["162", "135", "27", "0"], "{ran}");

    let certificate = sandbox.read("judges/helpful.trust.json");
    let calibrated = sandbox.run(&["calibrate", "helpful"]);
    let beginning: String = calibrated.stdout.split("\nBy tag").next().unwrap().to_owned();
    insta::assert_snapshot!(beginning, @r"
    helpful: not yet (16 more passes and 267 more fails without another error could be enough; or mend
      the judge)
      replies: 82 outputs of the test split
      Left out: 80 in another split
      Certificate: judges/helpful.trust.json
                               right     rate · 95 %     one-sided 95 %
      passes what people pass  16 of 19  84.2 % · 62–94  lower bound 66.4 %, needs 80.0 %
      fails what people fail   9 of 63   14.3 % · 5–23   lower bound 6.7 %, needs 80.0 %

    People against the judge
      people \ judge  fail  pass
      fail            9     54
      pass            3     16

    Agreement
                        outputs  agree           kappa                  AC1
      judge and people  82       30.5 % · 20–41  −0.01 (−0.10 to 0.09)  −0.38 (−0.59 to −0.17)
      MCC −0.02. For a judge read the two rates; kappa is for people against people.

    What sways it
      Length: beyond what people prefer, correlation −0.04 (p 0.690); judge −0.05, people +0.29

    Pass rates
      examples: judge says 95.0 %; judge not informative, rate not identifiable
      form: judge says 85.4 %; corrected with 82 human labels of this run: 23.2 % · 15–33
    ");
    assert_eq!(sandbox.read("judges/helpful.trust.json"), certificate, "it finds what it found");
    insta::assert_snapshot!(sandbox.run(&["judge", "show", "helpful"]), @r"
    helpful
    description  Says whether a reply helps the customer. The examples are cases of the train split.
    file         judges/helpful.prompt
    version      12d918593aaffeb61bff364329d5b8a96827fce8f1982e0c56ee0c14a577c425
    model        embedded/smollm2-135m
    sees         input.message, output
    answers      pass or fail
    certificate  judges/helpful.trust.json

    helpful of replies  not yet
    calibrated   2026-11-25, on 19 passes and 63 fails of people
                 passes 16 of the 19 that people pass; lower bound 66.4 %, needs 80.0 %
                 fails  9 of the 63 that people fail; lower bound 6.7 %, needs 80.0 %
    judged       324 outputs as it is today

    Next
      trysquare calibrate helpful --set replies --split dev    see where it errs, and mend its prompt
    --- exit 0
    ");
}

#[test]
fn examples_in_the_judge_of_the_sample_are_cases_of_the_train_split() {
    let (set, _) = evalset::EvalSet::read("evalset.yaml", file("evalset.yaml"));
    let set = set.unwrap();
    let cases = file("cases.jsonl");
    let prompt = std::fs::read_to_string(tests::root().join("judges/helpful.prompt")).unwrap();
    let mut shown = 0;
    for line in cases.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let message = row["inputs"]["message"].as_str().unwrap();
        if prompt.lines().any(|line| line.ends_with(&format!("The customer: {message}"))) {
            let (id, cluster) = (row["id"].as_str().unwrap(), row["cluster"].as_str());
            assert_eq!(set.split.derive(id, cluster), evalset::Split::Train, "{id}");
            shown += 1;
        }
    }
    assert_eq!(shown, 4);
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
