use std::collections::BTreeMap;
use std::path::Path;

use store::{LookMethod, NewLook, Store, wait};
use values::ContentHash;

use crate::child;
use crate::support::{assert_sound, at, id, open, options, start};

fn variant(name: &str) -> ContentHash {
    ContentHash::of_bytes(name.as_bytes())
}

fn cases(count: u32) -> BTreeMap<String, ContentHash> {
    (0..count).map(|n| (format!("case-{n}"), ContentHash::of_bytes(&n.to_be_bytes()))).collect()
}

fn look(candidate: &str, count: u32) -> NewLook {
    NewLook {
        candidate: variant(candidate),
        baseline: variant("old"),
        eval_set: "triage".to_owned(),
        criterion: "exact".to_owned(),
        cases: cases(count),
        answers: cases(count),
        candidate_run: Some(id(b'r', 1)),
        baseline_run: None,
        method: LookMethod::Fixed,
        verdict: "better".to_owned(),
    }
}

#[test]
fn showing_the_same_again_is_no_new_look_and_more_cases_are_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    start(&store, id(b'r', 1), 2);
    let show = |looks: Vec<NewLook>, seconds| {
        wait(|done| store.record_looks(looks, at(seconds), done)).unwrap()
    };
    assert_eq!(show(vec![look("new", 2)], 1), 1);
    let again = NewLook { verdict: "worse".to_owned(), ..look("new", 2) };
    assert_eq!(show(vec![again], 2), 0);
    assert_eq!(show(vec![look("new", 3), look("other", 3)], 3), 2);
    let anew = NewLook { answers: cases(1), ..look("new", 2) };
    assert_eq!(show(vec![anew.clone(), anew], 3), 1, "other answers of the same cases are a look");
    let unknown = NewLook { candidate_run: Some(id(b'r', 9)), ..look("third", 3) };
    assert_eq!(show(vec![unknown], 4), 1);

    let looks = store.looks(variant("new"), variant("old"), "triage").unwrap();
    let seen: Vec<_> = looks.iter().map(|look| (look.case_count, look.first)).collect();
    assert_eq!(seen, [(2, at(1)), (3, at(3)), (2, at(3))]);
    let answers = |place: usize| store.look_answers(looks[place].answers.unwrap()).unwrap();
    assert_eq!((answers(0), answers(2)), (cases(2), cases(1)));
    assert_eq!((looks[0].verdict.as_str(), looks[0].method), ("better", LookMethod::Fixed));
    assert_eq!((looks[0].candidate_run, looks[0].baseline_run), (Some(id(b'r', 1)), None));
    assert_eq!(store.look_cases(looks[1].cases).unwrap(), cases(3));
    assert_eq!(looks[1].cases, NewLook::cases_hash(&cases(3)));
    assert!(store.looks(variant("new"), variant("old"), "other").unwrap().is_empty());
    let tried = store.candidates_tried(variant("old"), "triage").unwrap();
    assert_eq!(tried, ["new", "other", "third"].map(variant));
    assert!(store.look_cases(variant("none")).is_err());
    assert_sound(&store);
}

fn look_often(folder: &Path, number: u32) -> u32 {
    let store = Store::open(&folder.join("trysquare.db"), options(number)).unwrap();
    let mut new = 0;
    for count in 0..40 {
        new += wait(|done| store.record_looks(vec![look("new", count)], at(1), done)).unwrap();
    }
    store.close(at(2)).unwrap();
    new
}

#[test]
fn one_process_counts_each_look_once() {
    if let Some((folder, number)) = child::assignment() {
        return child::say(look_often(&folder, number));
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!((look_often(folder.path(), 1), look_often(folder.path(), 2)), (40, 0));
}

#[test]
fn two_processes_that_show_the_same_make_one_look_of_it() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close(at(0)).unwrap();
    let test = "looks::one_process_counts_each_look_once";
    let children = [1, 2].map(|number| child::spawn(test, folder.path(), number));
    let mut new = Vec::new();
    for (mut child, said) in children {
        new.extend(said);
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(new.iter().sum::<u32>(), 40);
    let store = Store::open(&folder.path().join("trysquare.db"), options(9)).unwrap();
    assert_eq!(store.looks(variant("new"), variant("old"), "triage").unwrap().len(), 40);
    assert_sound(&store);
}
