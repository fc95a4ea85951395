use evalset::LabelledOutput;
use score::Outcome;
use store::{Judgement, Store, wait};
use values::ContentHash;

use crate::support::{assert_sound, at, id, open};

fn hash(text: &str) -> ContentHash {
    ContentHash::of_bytes(text.as_bytes())
}

fn judgement(case: &str, output: LabelledOutput) -> Judgement {
    Judgement {
        case: case.to_owned(),
        case_hash: hash(case),
        output,
        criterion: "tone".to_owned(),
        judge: "tone".to_owned(),
        version: hash("judge"),
        swapped: false,
        sample: 0,
        outcome: Outcome::Pass,
        probability: Some(0.75),
        reason: "kind".to_owned(),
        raw: Some((id(b'r', 1), 3)),
        judged: at(5),
    }
}

fn one(case: &str) -> Judgement {
    judgement(case, LabelledOutput::One(hash("output")))
}

fn add(store: &Store, rows: &[Judgement]) {
    wait(|done| store.add_judgements("replies", rows.to_vec(), done)).unwrap();
}

#[test]
fn what_judges_said_is_read_as_it_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let pair = LabelledOutput::Pair(hash("a"), hash("b"));
    let category = |name: &str| Outcome::Category { name: name.to_owned() };
    let rows = [
        one("c1"),
        Judgement { sample: 1, outcome: Outcome::Unreadable, probability: None, ..one("c1") },
        Judgement { outcome: category("a"), raw: None, ..judgement("c2", pair) },
        Judgement { outcome: category("tie"), swapped: true, ..judgement("c2", pair) },
        Judgement { outcome: Outcome::Number { value: 0.5 }, ..one("c3") },
    ];
    add(&store, &rows);
    assert_eq!(store.judgements("replies").unwrap(), rows);
    assert!(store.judgements("other").unwrap().is_empty());
    assert_sound(&store);
}

#[test]
fn of_the_same_judging_the_later_stands_in_any_order_and_another_version_is_kept_beside_it() {
    let early = Judgement { outcome: Outcome::Fail, judged: at(4), ..one("c1") };
    let other = Judgement { version: hash("changed"), judged: at(9), ..one("c1") };
    let orders =
        [[early.clone(), one("c1"), other.clone()], [other.clone(), one("c1"), early.clone()]];
    for rows in orders {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        add(&store, &rows);
        assert_eq!(store.judgements("replies").unwrap(), [one("c1"), other.clone()]);
    }
}

#[test]
fn rows_are_kept_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let impossible = Judgement { probability: Some(1.5), ..one("c2") };
    let result = wait(|done| store.add_judgements("replies", vec![one("c1"), impossible], done));
    assert!(result.is_err());
    assert!(store.judgements("replies").unwrap().is_empty());
}
