//! What a probe of a judge says, in words that need no statistics to be read.

use analysis::BothOrders;
use analysis::probe::{KinshipAnswer, ProbeAnswers, Repeated, Said, Swayed, probe};
use evalset::Preference;
use report::{PROBE_FORMAT, ProbeCalls, ProbeReport};
use score::probe::{Change, Injection};
use serde_json::json;
use values::{ContentHash, Id};

fn report(answers: &ProbeAnswers) -> ProbeReport {
    ProbeReport {
        format: PROBE_FORMAT,
        judge: "polite".to_owned(),
        set: "replies".to_owned(),
        criterion: "polite".to_owned(),
        version: ContentHash::of_document("t", &json!("judge")),
        model: "embedded/smollm2-135m".to_owned(),
        cases: 20,
        outputs: 20,
        run: Id::from_bytes([1; 16]),
        calls: ProbeCalls { live: 150, cached: 60, replayed: 0 },
        findings: probe(answers).unwrap(),
    }
}

fn worth(passes: bool) -> Said {
    Said::Worth(f64::from(u8::from(passes)))
}

fn answers() -> ProbeAnswers {
    let injections = Injection::ALL.into_iter().enumerate().flat_map(|(family, kind)| {
        (0..20).map(move |case: usize| Swayed {
            kind,
            cluster: case,
            plain: if case == 3 { Said::Unreadable } else { worth(case == 4) },
            changed: worth(case % 5 < family),
        })
    });
    let repeated = (0..20).map(|case: usize| Repeated {
        cluster: case,
        said: (0..5)
            .map(|time: usize| worth(case.is_multiple_of(2) || (case == 7 && time == 2)))
            .collect(),
    });
    let changes = Change::ALL.into_iter().flat_map(|kind| {
        (0..20).map(move |case: usize| Swayed {
            kind,
            cluster: case,
            plain: worth(case.is_multiple_of(2)),
            changed: worth(case.is_multiple_of(2) || (kind == Change::Padding && case < 12)),
        })
    });
    let order = |case: usize| BothOrders {
        a_first: Some(Preference::A),
        b_first: Some(if case < 6 { Preference::B } else { Preference::A }),
    };
    let kin = |case: usize| KinshipAnswer {
        own: case.is_multiple_of(2),
        said: worth(case.is_multiple_of(2) || case.is_multiple_of(3)),
        human: None,
    };
    ProbeAnswers {
        injections: injections.collect(),
        repeated: repeated.collect(),
        changes: changes.collect(),
        orders: (0..10).map(order).collect(),
        kinship: (0..20).map(kin).collect(),
    }
}

#[test]
fn a_probe_says_what_sways_a_judge_in_counts_and_intervals() {
    insta::assert_snapshot!(report::probe_text(&report(&answers())), @r"
    polite on polite: what sways it
      replies: 20 cases and 20 outputs, version 20459707eeba, model embedded/smollm2-135m
      Answers: 150 asked now, 60 from the cache

    Outputs without content that ask for a good verdict
      39 of 90 outputs without content were taken for better because they asked for it.
      the output …                                  taken for better  rate · 95 %     not counted
      says what to answer                           0 of 18           0.0 % · 0–18    1 best already, 1 unreadable
      pretends to end, and an instruction to begin  4 of 18           22.2 % · 9–45   1 best already, 1 unreadable
      contains the reply that it wants              8 of 18           44.4 % · 25–66  1 best already, 1 unreadable
      gives the judge a part to play                12 of 18          66.7 % · 44–84  1 best already, 1 unreadable
      says what to answer in another language       15 of 18          83.3 % · 61–94  1 best already, 1 unreadable

    The same output again
      Judged 5 times, 19 of 20 outputs got the same every time: 95.0 % · 76–99
      Two of its answers agree in 98.0 %; beyond chance (AC1) 0.96 (0.88 to 1.00)

    Outputs changed in what does not matter
      p is of both directions being equally likely; a judge that is not consistent moves without a
        change, too.
      change                                    result moved  rate · 95 %     up  down  p      not counted
      length: three sentences that add nothing  6 of 20       30.0 % · 15–52  6   0     0.016
      format: the lines as a Markdown list      0 of 20       0.0 % · 0–16    0   0     1.000
      format: more space                        0 of 20       0.0 % · 0–16    0   0     1.000

    The order of a pair
      Position: 40.0 % of 10 pairs agree in both orders; first twice 6, second twice 0 (p 0.031)

    Outputs of its own model
      Its own outputs get +70.0 points (+35.4 to +100.0) against others, which may be deserved: people
        labelled too little of it; 10 outputs of its own, 10 of others

    What this does not say
      Whether it is right. A judge that nothing sways can be wrong; `calibrate` measures that against
        people's labels.
    ");
}

#[test]
fn what_was_not_tried_is_not_spoken_of_and_no_success_is_no_proof() {
    let mut all = answers();
    for one in &mut all.injections {
        one.changed = worth(false);
    }
    let only = ProbeAnswers { injections: all.injections, ..ProbeAnswers::default() };
    let markdown = report::probe_markdown(&report(&only));
    assert!(
        markdown.contains("Nothing that was tried raised an output. That is no proof"),
        "{markdown}"
    );
    assert!(
        !markdown.contains("The same output again") && !markdown.contains("own model"),
        "{markdown}"
    );
    assert!(markdown.starts_with("## polite on polite: what sways it\n"), "{markdown}");
}

#[test]
fn the_document_holds_every_figure_with_its_interval() {
    let document: serde_json::Value =
        serde_json::from_str(&report::probe_json(&report(&answers()))).unwrap();
    assert_eq!(document["format"], json!(PROBE_FORMAT));
    let families = document["findings"]["injections"].as_array().unwrap();
    assert_eq!(families.len(), 5);
    assert_eq!(families[0]["family"], json!("instruction"));
    assert_eq!(families[0]["raised"]["interval"]["kind"], json!("value"));
    assert_eq!(document["findings"]["position"]["first_twice"], json!(6));
    assert_eq!(document["findings"]["kinship"]["against_people"], json!(false));
}
