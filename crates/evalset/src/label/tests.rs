use proptest::prelude::*;
use serde_json::Map;
use values::{ContentHash, Id, Timestamp};

use super::*;

pub(super) fn id(number: u8) -> Id {
    Id::new(Timestamp::from_unix_ms(i64::from(number)), [number; 10])
}

fn subject(output: &str) -> LabelSubject {
    LabelSubject {
        case: "m-1".to_owned(),
        case_hash: ContentHash::of_bytes(b"case"),
        output: LabelledOutput::One(ContentHash::of_bytes(output.as_bytes())),
        criterion: "exact".to_owned(),
    }
}

pub(super) fn event(number: u8, labeller: &str, act: Act, replaces: &[u8]) -> LabelEvent {
    LabelEvent {
        id: id(number),
        time: Timestamp::from_unix_ms(i64::from(number)),
        labeller: labeller.to_owned(),
        subject: subject("out"),
        act,
        note: None,
        replaces: replaces.iter().map(|number| id(*number)).collect(),
        rubric: None,
        drawn: None,
        dealt: None,
        blind: None,
        seconds: None,
        external: Vec::new(),
        other: Map::new(),
    }
}

fn labels(events: &[LabelEvent]) -> Labels {
    Labels::of(events.iter().cloned().map(Box::new).map(LabelRow::Event))
}

fn values(labels: &Labels) -> Vec<(String, LabelValue)> {
    let current = labels.current(&subject("out"));
    current.into_iter().map(|(who, label)| (who.to_owned(), label.value.clone())).collect()
}

#[test]
fn rows_have_this_text_and_are_read_back() {
    let mut label = event(1, "ana", Act::Label(LabelValue::Fail), &[]);
    label.note = Some("wrong number".to_owned());
    label.rubric = Some(ContentHash::of_bytes(b"rubric"));
    label.drawn = Some(Drawn::Random { probability: 0.25 });
    label.dealt = Some(Dealt { split: crate::Split::Test, cluster: Some("late".to_owned()) });
    label.blind = Some(true);
    label.seconds = Some(12);
    let adjudicates = vec![id(1)];
    let rows = [
        LabelRow::Event(Box::new(label)),
        LabelRow::Event(Box::new(event(2, "ana", Act::Retract, &[1]))),
        LabelRow::Event(Box::new(event(
            3,
            "eve",
            Act::Adjudicate { value: LabelValue::Category("late".to_owned()), adjudicates },
            &[],
        ))),
        LabelRow::Purge(Purge {
            id: id(4),
            time: Timestamp::from_unix_ms(4),
            labeller: "eve".to_owned(),
            purges: vec![id(9)],
            other: Map::new(),
        }),
        LabelRow::Split(Dealing {
            id: id(5),
            time: Timestamp::from_unix_ms(5),
            labeller: "trysquare".to_owned(),
            policy: crate::SplitPolicy { seed: 7, shares: crate::SplitShares::default() },
            replaces: vec![id(3)],
            other: Map::new(),
        }),
    ];
    let text = write_labels(rows.clone());
    insta::assert_snapshot!(text, @r#"
    {"format":1,"id":"00000000-0001-7101-8101-010101010101","act":"label","case":"m-1","case_hash":"bbfcd4160a1e8674dac62292ae48be4785262ad7078f9ec11b74a254ce70fa06","output":"762069bc07a6e1b5df123a5ae7bd91c10daa04694fbaa17fba0cd6a8dcce8f22","criterion":"exact","value":"fail","note":"wrong number","labeller":"ana","time":"1970-01-01T00:00:00.001Z","rubric":"49672f0ef3b3a542b3b86b475936cc9adf1ddf60369e9b120ba33900294c99d8","drawn":{"how":"random","probability":0.25},"split":"test","cluster":"late","blind":true,"seconds":12}
    {"format":1,"id":"00000000-0002-7202-8202-020202020202","act":"retract","case":"m-1","case_hash":"bbfcd4160a1e8674dac62292ae48be4785262ad7078f9ec11b74a254ce70fa06","output":"762069bc07a6e1b5df123a5ae7bd91c10daa04694fbaa17fba0cd6a8dcce8f22","criterion":"exact","labeller":"ana","time":"1970-01-01T00:00:00.002Z","replaces":["00000000-0001-7101-8101-010101010101"]}
    {"format":1,"id":"00000000-0003-7303-8303-030303030303","act":"adjudicate","case":"m-1","case_hash":"bbfcd4160a1e8674dac62292ae48be4785262ad7078f9ec11b74a254ce70fa06","output":"762069bc07a6e1b5df123a5ae7bd91c10daa04694fbaa17fba0cd6a8dcce8f22","criterion":"exact","category":"late","labeller":"eve","time":"1970-01-01T00:00:00.003Z","adjudicates":["00000000-0001-7101-8101-010101010101"]}
    {"format":1,"id":"00000000-0004-7404-8404-040404040404","act":"purge","purges":["00000000-0009-7909-8909-090909090909"],"labeller":"eve","time":"1970-01-01T00:00:00.004Z"}
    {"format":1,"id":"00000000-0005-7505-8505-050505050505","act":"split","seed":7,"train":20,"dev":30,"labeller":"trysquare","time":"1970-01-01T00:00:00.005Z","replaces":["00000000-0003-7303-8303-030303030303"]}
    "#);
    let (read, bad) = read_labels(&text);
    assert_eq!((read.as_slice(), bad.as_slice()), (rows.as_slice(), [].as_slice()));
}

#[test]
fn a_bad_line_is_named_and_the_others_are_used() {
    let good = LabelRow::Event(Box::new(event(1, "ana", Act::Defer, &[]))).row();
    let strange = good.replace("\"labeller\":\"ana\"", "\"labeller\":7");
    let text = format!(
        "{good}\n\nnot json\n{strange}\n{}\n",
        good.replace("\"format\":1", "\"format\":2")
    );
    let (rows, bad) = read_labels(&text);
    assert_eq!(rows.len(), 1);
    let told: Vec<_> = bad.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    line 3, column 2: this is not JSON: expected ident
    line 4, column 1: `labeller` must be a text, found 7
    line 5, column 1: the row has format 2, and this program reads 1
    ");
}

#[test]
fn a_row_of_a_later_version_stays_byte_for_byte() {
    let later = "{\"act\":\"bookmark\", \"format\":1,\"shade\":1.50,\"labeller\":\"\\u0061na\",\
                 \"id\":\"00000000-0001-7101-8101-010101010101\",\"time\":\"1970-01-01T00:00:00Z\"}";
    let (rows, bad) = read_labels(&format!(" {later}\r\n"));
    assert_eq!(bad, []);
    assert_eq!((rows[0].act_name(), rows[0].labeller()), ("bookmark", "ana"));
    assert_eq!(write_labels(rows), format!("{later}\n"));
}

#[test]
fn a_changed_mind_replaces_and_a_withdrawn_label_is_none() {
    let first = event(1, "ana", Act::Label(LabelValue::Pass), &[]);
    let second = event(2, "ana", Act::Label(LabelValue::Fail), &[1]);
    let changed = labels(&[first.clone(), second.clone()]);
    assert_eq!(values(&changed), [("ana".to_owned(), LabelValue::Fail)]);
    let noted = labels(&[first.clone(), event(3, "ana", Act::Note, &[])]);
    assert_eq!(values(&noted), [("ana".to_owned(), LabelValue::Pass)]);
    let flag = event(4, "ana", Act::Flag, &[]);
    let unflagged = labels(&[first.clone(), flag.clone(), event(5, "ana", Act::Retract, &[4])]);
    assert_eq!(values(&unflagged), [("ana".to_owned(), LabelValue::Pass)]);
    let withdrawn = labels(&[first, second, flag, event(3, "ana", Act::Retract, &[2])]);
    assert_eq!(values(&withdrawn), []);
}

#[test]
fn an_output_that_lies_elsewhere_keeps_where_and_how_long_it_is() {
    let elsewhere =
        ExternalOutput { source: "bench".to_owned(), id: "q7".to_owned(), length: Some(812) };
    let mut label = event(1, "ana", Act::Label(LabelValue::Pass), &[]);
    label.subject.output = LabelledOutput::One(elsewhere.hash());
    label.external = vec![elsewhere];
    let row = LabelRow::Event(Box::new(label));
    let text = write_labels([row.clone()]);
    assert!(text.contains(r#""external":[{"source":"bench","id":"q7","length":812}]"#), "{text}");
    assert_eq!(read_labels(&text), (vec![row], Vec::new()));
    let (_, bad) = read_labels(&text.replace("q7", "q8"));
    assert_eq!(bad[0].problem, "`external` names `q8`, whose hash is none of the row");
}

#[test]
fn the_reference_needs_agreement_a_majority_or_a_decision() {
    let label = |number, who, value| event(number, who, Act::Label(value), &[]);
    let (ana, bo) = (label(1, "ana", LabelValue::Pass), label(2, "bo", LabelValue::Fail));
    let reference = |events: &[LabelEvent]| labels(events).reference(&subject("out"));
    assert_eq!(reference(&[]), Reference::Unlabelled);
    assert_eq!(reference(std::slice::from_ref(&ana)), Reference::Shared(LabelValue::Pass));
    assert_eq!(reference(&[ana.clone(), bo.clone()]), Reference::Conflict);
    let cy = label(3, "cy", LabelValue::Pass);
    let three = [ana.clone(), bo.clone(), cy.clone()];
    assert_eq!(reference(&three), Reference::Majority(LabelValue::Pass));
    let di = label(4, "di", LabelValue::Fail);
    assert_eq!(reference(&[&three[..], &[di]].concat()), Reference::Conflict);
    let decided = event(
        5,
        "eve",
        Act::Adjudicate { value: LabelValue::Fail, adjudicates: vec![id(1), id(2), id(3)] },
        &[],
    );
    let adjudicated = [&three[..], &[decided]].concat();
    assert_eq!(reference(&adjudicated), Reference::Adjudicated(LabelValue::Fail));
    // Agreement between people is still computed from what they said.
    assert_eq!(values(&labels(&adjudicated)).len(), 3);
}

#[test]
fn a_purged_event_is_brought_back_by_no_copy() {
    let secret = LabelRow::Event(Box::new(event(1, "ana", Act::Label(LabelValue::Pass), &[])));
    let tombstone = LabelRow::Purge(Purge {
        id: id(2),
        time: Timestamp::from_unix_ms(2),
        labeller: "ana".to_owned(),
        purges: vec![id(1)],
        other: Map::new(),
    });
    let merged = write_labels([tombstone.clone(), secret.clone()]);
    assert_eq!(merged, tombstone.row() + "\n");
    assert_eq!(values(&Labels::of([secret, tombstone])), []);
}

#[test]
fn a_label_is_outdated_when_case_or_rubric_changed() {
    let mut label = event(1, "ana", Act::Label(LabelValue::Pass), &[]);
    label.rubric = Some(ContentHash::of_bytes(b"rubric"));
    let (case, rubric) = (ContentHash::of_bytes(b"case"), ContentHash::of_bytes(b"rubric"));
    assert!(!label.is_outdated(case, rubric));
    assert!(label.is_outdated(rubric, rubric));
    assert!(label.is_outdated(case, case));
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Label(LabelValue::Pass)),
        Just(Act::Label(LabelValue::Fail)),
        Just(Act::Label(LabelValue::Prefers(Preference::Tie))),
        (0u32..=100).prop_map(|percent| Act::Label(LabelValue::Number(f64::from(percent) / 100.0))),
        Just(Act::Defer),
        Just(Act::Flag),
        Just(Act::Note),
        Just(Act::Retract),
        (any::<bool>(), prop::collection::vec(0u8..20, 0..3)).prop_map(|(pass, events)| {
            Act::Adjudicate {
                value: if pass { LabelValue::Pass } else { LabelValue::Fail },
                adjudicates: events.into_iter().map(id).collect(),
            }
        }),
    ]
}

prop_compose! {
    fn any_row(number: u8)(
        act in any_act(),
        who in 0u8..3,
        output in 0u8..2,
        replaces in prop::collection::vec(0u8..20, 0..2),
        time in 0i64..5,
        purge in prop::bool::weighted(0.1),
    ) -> LabelRow {
        let mut event = event(number, &format!("p{who}"), act, &replaces);
        event.subject = subject(&format!("out{output}"));
        event.time = Timestamp::from_unix_ms(time);
        if purge {
            let (id, time, labeller) = (event.id, event.time, event.labeller);
            let purges = event.replaces;
            return LabelRow::Purge(Purge { id, time, labeller, purges, other: Map::new() });
        }
        LabelRow::Event(Box::new(event))
    }
}

fn any_rows() -> impl Strategy<Value = Vec<LabelRow>> {
    (0u8..20).prop_flat_map(|count| (0..count).map(any_row).collect::<Vec<_>>())
}

fn rows_of(text: &str) -> Vec<LabelRow> {
    read_labels(text).0
}

proptest! {
    #[test]
    fn two_diverged_copies_merge_to_the_same_labels_in_any_order(
        rows in any_rows(),
        mine in prop::collection::vec(any::<bool>(), 20),
        theirs in prop::collection::vec(any::<bool>(), 20),
        seed in any::<prop::sample::Index>(),
    ) {
        let part = |keep: &[bool]| -> Vec<LabelRow> {
            rows.iter().zip(keep).filter(|(_, keep)| **keep).map(|(row, _)| row.clone()).collect()
        };
        let (mine, theirs) = (part(&mine), part(&theirs));
        let one = write_labels([mine.clone(), theirs.clone()].concat());
        let mut turned = [theirs, mine].concat();
        if !turned.is_empty() {
            let at = seed.index(turned.len());
            turned.rotate_left(at);
        }
        prop_assert_eq!(&one, &write_labels(turned.clone()));
        let (read, bad) = read_labels(&one);
        prop_assert!(bad.is_empty());
        prop_assert_eq!(write_labels(read.clone()), one.clone());
        let (merged, straight) = (Labels::of(read), Labels::of(turned));
        for output in ["out0", "out1"] {
            let subject = subject(output);
            prop_assert_eq!(merged.current(&subject), straight.current(&subject));
            prop_assert_eq!(merged.reference(&subject), straight.reference(&subject));
        }
        let purged: Vec<Id> = rows_of(&one).iter().flat_map(|row| row.purges().to_vec()).collect();
        prop_assert!(merged.events().all(|event| !purged.contains(&event.id)));
    }

    #[test]
    fn adding_to_the_text_is_adding_to_the_rows(
        rows in any_rows(),
        is_there in prop::collection::vec(any::<bool>(), 20),
        later in any::<bool>(),
    ) {
        let mut standing = Vec::new();
        let mut new = Vec::new();
        for (row, is_there) in rows.into_iter().zip(is_there) {
            if is_there { standing.push(row) } else { new.push(row) }
        }
        if later {
            let odd = id(30);
            let row = format!(
                "{{\"act\":\"bookmark\",\"id\":\"{odd}\",\"format\":1,\"labeller\":\"a\",\
                 \"time\":\"1970-01-01T00:00:00Z\"}}"
            );
            standing.extend(rows_of(&row));
        }
        let lines: Vec<_> = new.iter().cloned().map(LabelLine::of).collect();
        let file = write_labels(standing.clone());
        let mut text = LabelText::of_canonical(&file);
        for line in &lines {
            text.add(line);
        }
        prop_assert!(new.iter().all(|row| text.holds(row.id())));
        prop_assert_eq!(text.into_text(), write_labels([standing, new].concat()));
    }

    #[test]
    fn the_quick_reader_reads_what_the_thorough_one_does(
        row in any_row(7),
        at in any::<prop::sample::Index>(),
        put in prop::sample::select(vec![
            "", "\"", ":null", ":[]", ",\"value\":1", ",\"pair\":[]", ",\"adjudicates\":[]",
            "\\u0041", "e3", " ", "{}", ",\"drawn\":{\"how\":\"random\",\"probability\":0.5}",
            ",\"split\":\"dev\"", ",\"cluster\":\"c\"", ",\"split\":\"x\"", ",\"seconds\":-0", ",\"seconds\":3", ",\"blind\":true", ",\"rubric\":\"x\"", "0", "é",
        ]),
        cut in 0usize..3,
    ) {
        let text = row.row();
        let mut start = at.index(text.len());
        // Between two keys most changes leave a row that can be read.
        if start % 2 == 0 {
            start = text[start..].find(",\"").map_or(start, |comma| start + comma);
        }
        let end = (start + cut).min(text.len());
        let changed = format!("{}{put}{}", &text[..start], &text[end..]);
        for text in [&text, &changed] {
            if let Some(event) = super::quick::event(text) {
                prop_assert_eq!(
                    super::read::thorough(text),
                    Ok(LabelRow::Event(Box::new(event))),
                    "{}", text
                );
            }
        }
        let is_event = matches!(row, LabelRow::Event(_));
        prop_assert_eq!(super::quick::event(&text).is_some(), is_event, "{}", text);
    }

    #[test]
    fn no_line_of_labels_panics(text in ".{0,200}") {
        let (rows, bad) = read_labels(&text);
        prop_assert!(rows.len() + bad.len() <= text.lines().count());
    }
}
