use proptest::prelude::*;

use super::*;

fn hash(text: &str) -> ContentHash {
    ContentHash::of_bytes(text.as_bytes())
}

fn hashes(prompt: &str) -> TrustHashes {
    TrustHashes {
        prompt: hash(prompt),
        model: "local/small".to_owned(),
        config: hash("config"),
        rubric: hash("rubric"),
        criterion: hash("criterion"),
    }
}

fn rate(right: u64, of: u64) -> CertifiedRate {
    let rate = (of > 0).then_some(0.9);
    CertifiedRate { right, of, rate, low: rate, high: rate, bound: rate, threshold: 0.8 }
}

fn entry(set: &str, prompt: &str, labels: &str, at: i64) -> TrustEntry {
    TrustEntry {
        set: set.to_owned(),
        criterion: "polite".to_owned(),
        state: JudgeState::Trusted,
        calibrated: Timestamp::from_unix_ms(at),
        hashes: hashes(prompt),
        test_labels: TestLabels { hash: hash(labels), passes: 60, fails: 50 },
        true_passes: rate(55, 60),
        true_fails: rate(45, 50),
        looks: Vec::new(),
        other: Map::new(),
    }
}

#[test]
fn a_certificate_reads_as_a_small_diff() {
    let mut certificate = Certificate::new("tone");
    certificate.record(entry("replies", "v1", "labels", 1_700_000_000_000));
    certificate.record(entry("replies", "v2", "labels", 1_700_000_060_000));
    insta::assert_snapshot!(certificate.to_text(), @r#"
    {
      "format": 1,
      "judge": "tone",
      "calibrations": [
        {
          "set": "replies",
          "criterion": "polite",
          "state": "trusted",
          "calibrated": "2023-11-14T22:14:20Z",
          "hashes": {
            "prompt": "fb04dcb6970e4c3d1873de51fd5a50d7bb46b3383113602665c350ec40b5f990",
            "model": "local/small",
            "config": "b79606fb3afea5bd1609ed40b622142f1c98125abcfe89a76a661b0e8e343910",
            "rubric": "49672f0ef3b3a542b3b86b475936cc9adf1ddf60369e9b120ba33900294c99d8",
            "criterion": "5f435b82e7e9e75e9819dcd54055941f2fabdc9356b034f6507ac9f70e447f5b"
          },
          "test_labels": {
            "hash": "d772ebb4590212c65cc31888ee55c3a893d866d8479f84a4c0ca36918a3fa75f",
            "passes": 60,
            "fails": 50
          },
          "true_passes": {
            "right": 55,
            "of": 60,
            "rate": 0.9,
            "low": 0.9,
            "high": 0.9,
            "bound": 0.9,
            "threshold": 0.8
          },
          "true_fails": {
            "right": 45,
            "of": 50,
            "rate": 0.9,
            "low": 0.9,
            "high": 0.9,
            "bound": 0.9,
            "threshold": 0.8
          },
          "looks": [
            {"version":"5b65c7390b013fd7dc959e19c960f6e88f646a66d63dfaff132c7eec3defe964","test_labels":"d772ebb4590212c65cc31888ee55c3a893d866d8479f84a4c0ca36918a3fa75f","first":"2023-11-14T22:13:20Z"},
            {"version":"b1fd9f63706df4c91dc2fed712ebe7d24235ad720a4b1f3e76340aff7ed7d99e","test_labels":"d772ebb4590212c65cc31888ee55c3a893d866d8479f84a4c0ca36918a3fa75f","first":"2023-11-14T22:14:20Z"}
          ]
        }
      ]
    }
    "#);
    assert_eq!(Certificate::read("tone.trust.json", &certificate.to_text()), Ok(certificate));
}

#[test]
fn every_version_that_saw_the_same_labels_counts_and_fresh_labels_reset_it() {
    let mut certificate = Certificate::new("tone");
    let uses = |certificate: &Certificate| certificate.calibrations[0].uses();
    for (time, (prompt, labels, expected)) in (0..).zip([
        ("v1", "old", 1),
        ("v1", "old", 1),
        ("v2", "old", 2),
        ("v3", "old", 3),
        ("v2", "old", 3),
        ("v3", "fresh", 1),
    ]) {
        certificate.record(entry("replies", prompt, labels, time));
        assert_eq!(uses(&certificate), expected, "{prompt} on {labels}");
    }
}

#[test]
fn a_calibration_that_finds_the_same_changes_no_byte() {
    let mut certificate = Certificate::new("tone");
    certificate.record(entry("replies", "v1", "labels", 1));
    let before = certificate.to_text();
    certificate.record(entry("replies", "v1", "labels", 2));
    assert_eq!(certificate.to_text(), before);
}

#[test]
fn a_judge_is_stale_when_anything_it_depends_on_is_another() {
    let entry = entry("replies", "v1", "labels", 1);
    assert_eq!(entry.state_of(&hashes("v1")), JudgeState::Trusted);
    assert_eq!(entry.state_of(&hashes("v2")), JudgeState::Stale);
    let other = [
        TrustHashes { model: "local/large".to_owned(), ..hashes("v1") },
        TrustHashes { config: hash("hotter"), ..hashes("v1") },
        TrustHashes { rubric: hash("kinder"), ..hashes("v1") },
        TrustHashes { criterion: hash("graded"), ..hashes("v1") },
    ];
    for (today, what) in
        other.into_iter().zip(["its model", "its config", "the rubric", "the criterion"])
    {
        assert_eq!(entry.state_of(&today), JudgeState::Stale);
        assert_eq!(entry.hashes.changes(&today), [what]);
    }
}

#[test]
fn labels_are_seen_by_versions_that_were_tried_after_them() {
    let mut certificate = Certificate::new("tone");
    certificate.record(entry("replies", "v1", "one", 10));
    certificate.record(entry("replies", "v2", "two", 20));
    let entry = &certificate.calibrations[0];
    assert_eq!(entry.seen_until(hashes("v2").version()), Some(Timestamp::from_unix_ms(10)));
    assert_eq!(entry.seen_until(hashes("v3").version()), Some(Timestamp::from_unix_ms(20)));
}

#[test]
fn what_is_no_certificate_is_refused_whole() {
    let message = |text: &str| Certificate::read("tone.trust.json", text).unwrap_err().to_string();
    let newer = r#"{"format": 2, "judge": "tone", "calibrations": {}}"#;
    assert_eq!(message(newer), "tone.trust.json: found format 2, expected 1: update Trysquare");
    assert!(message("{\n  \"format\": 1,\n}").starts_with("tone.trust.json: trailing comma"));
    let mut twice = Certificate::new("tone");
    twice.calibrations = vec![entry("replies", "v1", "a", 1), entry("replies", "v2", "a", 1)];
    let text = twice.to_text();
    assert_eq!(message(&text), "tone.trust.json: two calibrations on polite of replies");
}

fn any_entry() -> impl Strategy<Value = TrustEntry> {
    (".{0,6}", "[a-c]", 0i64..4_000_000_000_000, 0u64..1000, 0u32..=1_000_000, ".{0,4}").prop_map(
        |(set, prompt, at, count, micro, note)| {
            let share = f64::from(micro) / 1e6;
            let mut entry = entry(&set, &prompt, &prompt, at);
            entry.true_passes.rate = Some(share);
            entry.true_fails.right = count;
            entry.other.insert("x-note".to_owned(), note.into());
            entry
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_written_the_same(
        entries in prop::collection::vec(any_entry(), 0..8),
    ) {
        let mut certificate = Certificate::new("tone");
        for entry in entries {
            certificate.record(entry);
        }
        let text = certificate.to_text();
        let read = Certificate::read("tone.trust.json", &text).unwrap();
        prop_assert_eq!(&read.to_text(), &text);
        prop_assert_eq!(read, certificate);
    }

    #[test]
    fn the_order_of_calibrations_of_different_sets_leaves_the_same_file(
        entries in prop::collection::btree_map("[a-z]{1,3}", any_entry(), 0..6),
    ) {
        let entries: Vec<TrustEntry> =
            entries.into_iter().map(|(set, entry)| TrustEntry { set, ..entry }).collect();
        let written = |entries: &mut dyn Iterator<Item = TrustEntry>| {
            let mut certificate = Certificate::new("tone");
            entries.for_each(|entry| certificate.record(entry));
            certificate.to_text()
        };
        let forwards = written(&mut entries.clone().into_iter());
        prop_assert_eq!(forwards, written(&mut entries.into_iter().rev()));
    }
}
