use evalset::{
    Act, LabelEvent, LabelLine, LabelRow, LabelSubject, LabelValue, LabelledOutput, Purge,
};
use store::{LabelFile, LabelOrigin, Store, wait};
use values::{ContentHash, Id};

use crate::child;
use crate::support::{answered, assert_sound, at, id, open, options, start};

fn label(number: u32, labeller: &str) -> LabelRow {
    LabelRow::Event(Box::new(LabelEvent {
        id: id(b'l', number),
        time: at(i64::from(number)),
        labeller: labeller.to_owned(),
        subject: LabelSubject {
            case: format!("case-{number}"),
            case_hash: ContentHash::of_bytes(b"case"),
            output: LabelledOutput::One(ContentHash::of_bytes(&number.to_be_bytes())),
            criterion: "exact".to_owned(),
        },
        act: Act::Label(LabelValue::Pass),
        note: Some("secret-4711".to_owned()),
        replaces: Vec::new(),
        rubric: None,
        drawn: None,
        dealt: None,
        blind: Some(true),
        seconds: Some(3),
        external: Vec::new(),
        other: serde_json::Map::new(),
    }))
}

fn tombstone(number: u32, purges: &[u32]) -> LabelRow {
    LabelRow::Purge(Purge {
        id: id(b'p', number),
        time: at(9),
        labeller: "ana".to_owned(),
        purges: purges.iter().map(|number| id(b'l', *number)).collect(),
        other: serde_json::Map::new(),
    })
}

fn add(store: &Store, rows: &[LabelRow], origin: LabelOrigin) -> u32 {
    wait(|done| store.add_labels("triage", rows.to_vec(), origin, done)).unwrap()
}

fn ids(rows: &[LabelRow]) -> Vec<Id> {
    rows.iter().map(LabelRow::id).collect()
}

#[test]
fn labels_are_added_once_and_wait_until_the_file_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (mine, theirs) = ([label(1, "ana"), label(2, "ana")], [label(3, "bo")]);
    assert_eq!(add(&store, &mine, LabelOrigin::Here), 2);
    assert_eq!(add(&store, &theirs, LabelOrigin::File), 1);
    assert_eq!(add(&store, &mine[..1], LabelOrigin::Here), 0);
    assert_eq!(store.labels("triage").unwrap(), [&mine[..], &theirs[..]].concat());
    assert_eq!(ids(&store.labels_to_write("triage").unwrap()), ids(&mine));
    let file = LabelFile { hash: ContentHash::of_bytes(b"file"), is_canonical: true };
    assert_eq!(store.label_file("triage").unwrap(), None);
    let written = ids(&mine[..1]);
    let lines = vec![LabelLine::of(label(4, "bo"))];
    wait(|done| store.note_label_file("triage", file, lines, written, done)).unwrap();
    assert_eq!(store.label_file("triage").unwrap(), Some(file));
    assert_eq!(store.label_file("other").unwrap(), None);
    assert_eq!(ids(&store.labels_to_write("triage").unwrap()), ids(&mine[1..]));
    // A reading that contains it is as good, and being made here again takes nothing back.
    add(&store, &mine[1..], LabelOrigin::File);
    add(&store, &mine, LabelOrigin::Here);
    assert_eq!(store.labels_to_write("triage").unwrap(), []);
    assert_eq!(store.labels("triage").unwrap().len(), 4);
    assert_eq!(store.labels("other").unwrap(), []);
    assert_sound(&store);
}

#[test]
fn the_texts_of_outputs_are_found_by_their_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    wait(|done| store.record(answered(run, 0, 1, "A-58213"), done)).unwrap();
    let (known, unknown) = (ContentHash::of_bytes(b"A-58213"), ContentHash::of_bytes(b"none"));
    let texts = store.output_texts([known, unknown]).unwrap();
    assert_eq!(texts.into_iter().collect::<Vec<_>>(), [(known, "A-58213".to_owned())]);
}

#[test]
fn what_is_purged_is_gone_from_the_file_of_the_database_and_stays_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, &[label(1, "ana"), label(2, "ana")], LabelOrigin::Here);
    assert_eq!(add(&store, &[tombstone(5, &[1, 2])], LabelOrigin::Here), 1);
    assert_eq!(add(&store, &[label(2, "ana")], LabelOrigin::File), 0);
    assert_eq!(store.labels("triage").unwrap(), [tombstone(5, &[1, 2])]);
    assert_eq!(store.label_tombstones("triage").unwrap(), [tombstone(5, &[1, 2])]);
    assert_eq!(store.purged_labels("triage").unwrap().len(), 2);
    assert_sound(&store);
    store.close(at(9)).unwrap();
    let bytes = std::fs::read(folder.path().join("trysquare.db")).unwrap();
    assert!(!bytes.windows(11).any(|window| window == b"secret-4711"));
}

#[test]
fn many_labels_are_kept_in_one_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let rows: Vec<_> = (0..20_000).map(|number| label(number, "ana")).collect();
    assert_eq!(add(&store, &rows, LabelOrigin::Here), 20_000);
    assert_eq!(store.labels("triage").unwrap().len(), 20_000);
}

#[test]
fn one_process_adds_its_labels() {
    if let Some((folder, number)) = child::assignment() {
        let store = Store::open(&folder.join("trysquare.db"), options(number)).unwrap();
        for count in 0..40 {
            add(&store, &[label(number * 100 + count, "ana")], LabelOrigin::Here);
        }
        store.close(at(2)).unwrap();
        return child::say(40);
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(add(&open(folder.path()), &[label(1, "ana")], LabelOrigin::Here), 1);
}

#[test]
fn two_processes_that_label_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close(at(0)).unwrap();
    let test = "labels::one_process_adds_its_labels";
    let children = [1, 2].map(|number| child::spawn(test, folder.path(), number));
    for (mut child, said) in children {
        assert_eq!(said.into_iter().sum::<u32>(), 40);
        assert!(child.wait().unwrap().success());
    }
    let store = open(folder.path());
    assert_eq!(store.labels("triage").unwrap().len(), 80);
    assert_sound(&store);
}
