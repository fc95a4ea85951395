use proptest::prelude::*;
use serde_json::Map;
use values::Timestamp;

use super::tests::{event, id};
use super::*;

fn category(number: u8, name: &str, replaces: &[u8]) -> LabelRow {
    LabelRow::Category(Category {
        id: id(number),
        time: Timestamp::from_unix_ms(i64::from(number)),
        labeller: "ana".to_owned(),
        name: name.to_owned(),
        sentence: format!("It is {name}."),
        replaces: replaces.iter().map(|number| id(*number)).collect(),
        other: Map::new(),
    })
}

fn sorting(number: u8, note: u8, categories: &[u8], replaces: &[u8]) -> LabelRow {
    LabelRow::Sorting(Sorting {
        id: id(number),
        time: Timestamp::from_unix_ms(i64::from(number)),
        labeller: "ana".to_owned(),
        sorts: id(note),
        categories: categories.iter().map(|number| id(*number)).collect(),
        replaces: replaces.iter().map(|number| id(*number)).collect(),
        other: Map::new(),
    })
}

fn names<'a>(categories: impl IntoIterator<Item = &'a Category>) -> Vec<&'a str> {
    categories.into_iter().map(|one| one.name.as_str()).collect()
}

fn of_note(rows: &[LabelRow], note: u8) -> Option<Vec<String>> {
    let categories = Categories::of(rows);
    Some(names(categories.of_note(id(note))?).into_iter().map(str::to_owned).collect())
}

#[test]
fn categories_and_sortings_have_this_text_and_are_read_back() {
    let rows = [category(1, "invented facts", &[]), sorting(2, 9, &[1], &[7])];
    let text = write_labels(rows.clone());
    insta::assert_snapshot!(text, @r#"
    {"format":1,"id":"00000000-0001-7101-8101-010101010101","act":"category","name":"invented facts","sentence":"It is invented facts.","labeller":"ana","time":"1970-01-01T00:00:00.001Z"}
    {"format":1,"id":"00000000-0002-7202-8202-020202020202","act":"sort","sorts":"00000000-0009-7909-8909-090909090909","categories":["00000000-0001-7101-8101-010101010101"],"labeller":"ana","time":"1970-01-01T00:00:00.002Z","replaces":["00000000-0007-7707-8707-070707070707"]}
    "#);
    assert_eq!(read_labels(&text), (rows.to_vec(), Vec::new()));
}

#[test]
fn a_rename_keeps_what_was_sorted() {
    let rows = [category(1, "late", &[]), sorting(2, 9, &[1], &[]), category(3, "too late", &[1])];
    assert_eq!(names(Categories::of(&rows).current()), ["too late"]);
    assert_eq!(of_note(&rows, 9).unwrap(), ["too late"]);
}

#[test]
fn a_merge_makes_one_of_several_and_counts_a_note_once() {
    let rows = [
        category(1, "late", &[]),
        category(2, "slow", &[]),
        sorting(3, 9, &[1, 2], &[]),
        category(4, "late", &[1, 2]),
    ];
    assert_eq!(names(Categories::of(&rows).current()), ["late"]);
    assert_eq!(of_note(&rows, 9).unwrap(), ["late"]);
}

#[test]
fn a_merge_on_one_branch_and_a_rename_on_another_are_one_category() {
    let rows = [
        category(1, "late", &[]),
        category(2, "slow", &[]),
        category(4, "late or slow", &[1, 2]),
        category(5, "tardy", &[1]),
        sorting(6, 9, &[2], &[]),
        sorting(7, 8, &[5], &[]),
    ];
    let categories = Categories::of(&rows);
    assert_eq!(names(categories.current()), ["tardy"]);
    assert_eq!(names(categories.definitions(id(2))), ["late or slow", "tardy"]);
    assert_eq!(of_note(&rows, 9), of_note(&rows, 8));
    // The next rename takes the place of both.
    let settled = [&rows[..], &[category(8, "too slow", &[4, 5])]].concat();
    assert_eq!(names(Categories::of(&settled).definitions(id(1))), ["too slow"]);
}

#[test]
fn a_note_is_of_no_kind_or_several_or_not_sorted() {
    let known = [category(1, "late", &[]), category(2, "rude", &[])];
    let sorted = |sorting| of_note(&[&known[..], &[sorting]].concat(), 9);
    assert_eq!(of_note(&known, 9), None);
    assert_eq!(sorted(sorting(3, 9, &[], &[])).unwrap(), Vec::<String>::new());
    assert_eq!(sorted(sorting(3, 9, &[2, 1], &[])).unwrap(), ["late", "rude"]);
    // Its definition is on a branch that is not here.
    let elsewhere = [&known[..], &[sorting(3, 9, &[1, 7], &[])]].concat();
    assert_eq!(of_note(&elsewhere, 9).unwrap(), ["late"]);
    assert_eq!(Categories::of(&elsewhere).undefined_of_note(id(9)), [id(7)]);
}

#[test]
fn the_latest_sorting_counts_and_a_new_one_replaces_all_that_stand() {
    let mut rows = vec![category(1, "late", &[]), category(2, "rude", &[])];
    rows.extend([sorting(3, 9, &[1], &[]), sorting(4, 9, &[2], &[]), sorting(5, 9, &[1], &[4])]);
    assert_eq!(of_note(&rows, 9).unwrap(), ["late"]);
    assert_eq!(Categories::of(&rows).standing_sortings(id(9)), [id(3), id(5)]);
}

#[test]
fn what_was_purged_names_and_sorts_nothing() {
    let purge = LabelRow::Purge(Purge {
        id: id(8),
        time: Timestamp::from_unix_ms(8),
        labeller: "ana".to_owned(),
        purges: vec![id(2), id(3)],
        other: Map::new(),
    });
    let rows =
        [category(1, "late", &[]), category(2, "mr smith", &[1]), sorting(3, 9, &[1], &[]), purge];
    assert_eq!(names(Categories::of(&rows).current()), ["late"]);
    assert_eq!(of_note(&rows, 9), None);
    assert!(!write_labels(rows).contains("smith"));
}

#[test]
fn a_row_of_a_later_version_is_kept_as_it_was_and_replaces_what_it_says() {
    let label = event(1, "ana", Act::Label(LabelValue::Pass), &[]);
    let later = LabelRow::Event(Box::new(event(2, "ana", Act::Flag, &[1])));
    let later = later.row().replace("\"flag\"", "\"overrule\"").replace('}', ",\"more\":[1,null]}");
    let (mut rows, bad) = read_labels(&later);
    assert!(bad.is_empty());
    assert_eq!((rows[0].act_name(), rows[0].row()), ("overrule", later.clone()));
    rows.push(LabelRow::Event(Box::new(label.clone())));
    assert!(write_labels(rows.clone()).contains(&later));
    let labels = Labels::of(rows);
    assert!(labels.current(&label.subject).is_empty(), "a decision that was replaced counts");
}

fn any_row(number: u8) -> impl Strategy<Value = LabelRow> {
    let few = || prop::collection::vec(0u8..16, 0..3);
    prop_oneof![
        (few(), 0u8..3).prop_map(move |(replaces, name)| category(
            number,
            ["late", "rude", "wrong"][usize::from(name)],
            &replaces
        )),
        (few(), few(), 16u8..19).prop_map(move |(categories, replaces, note)| sorting(
            number,
            note,
            &categories,
            &replaces
        )),
        few().prop_map(move |purges| LabelRow::Purge(Purge {
            id: id(number),
            time: Timestamp::from_unix_ms(1),
            labeller: "ana".to_owned(),
            purges: purges.into_iter().take(1).map(id).collect(),
            other: Map::new(),
        })),
    ]
}

proptest! {
    #[test]
    fn diverged_copies_merge_to_the_same_categories_in_any_order(
        rows in (0u8..16).prop_flat_map(|count| (0..count).map(any_row).collect::<Vec<_>>()),
        mine in prop::collection::vec(any::<bool>(), 16),
        seed in any::<prop::sample::Index>(),
    ) {
        // What mine lacks, theirs has; both have every second row.
        let part = |is_mine: bool| -> Vec<LabelRow> {
            let keep = |at: usize| at.is_multiple_of(2) || mine[at] == is_mine;
            rows.iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, row)| row.clone()).collect()
        };
        let forth = [part(true), part(false)].concat();
        let mut back = [part(false), part(true)].concat();
        if !back.is_empty() {
            let at = seed.index(back.len());
            back.rotate_left(at);
        }
        prop_assert_eq!(Categories::of(&forth), Categories::of(&back));
        let file = write_labels(forth.clone());
        prop_assert_eq!(&file, &write_labels(back));
        let (read, bad) = read_labels(&file);
        prop_assert!(bad.is_empty());
        let merged = Categories::of(&read);
        // Every id of a category leads to one that stands, and every name is there once.
        for one in merged.current() {
            prop_assert_eq!(merged.category(one.id), Some(one));
            for old in &one.replaces {
                prop_assert_eq!(merged.category(*old).map(|it| it.id), Some(one.id));
            }
        }
    }
}
