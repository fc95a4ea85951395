use run::{ExportRow, Judging, PlannedCell, RunHeader};
use store::{JudgedCell, Store, StoreError, wait};
use values::Id;

use crate::support::{assert_sound, at, header, id, open, plan, start};

fn judging(run: Id, of: Id, cells: u32) -> RunHeader {
    RunHeader {
        judging: Some(Judging { run: of, again: None, probe: false }),
        ..header(run, cells)
    }
}

fn judged(index: u32, of: &[u32]) -> JudgedCell {
    let cell = plan(index + 1).last().unwrap();
    JudgedCell { cell: PlannedCell { variant: 0, ..cell }, of: of.to_vec() }
}

fn create(
    store: &Store,
    header: &RunHeader,
    cells: &[JudgedCell],
    known: &[Id],
) -> Result<bool, StoreError> {
    let (header, cells, known) = (header.clone(), cells.to_vec(), known.to_vec());
    wait(|done| store.create_judging_run(header, cells, known, at(2), done))
}

#[test]
fn a_judging_run_is_found_by_what_it_judges_and_is_no_run_of_the_set() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let made = id(b'r', 1);
    start(&store, made, 3);
    let asked = id(b'r', 2);
    let cells = vec![judged(0, &[2]), judged(1, &[0, 1])];
    let header = judging(asked, made, 2);
    assert!(create(&store, &header, &cells, &[]).unwrap());
    assert_eq!(store.judging_runs(made).unwrap(), [header]);
    assert_eq!(store.judging_runs(asked).unwrap(), []);
    assert_eq!(store.judged_cells(asked).unwrap(), cells);
    let listed: Vec<Id> = store.list_runs(None, 9).unwrap().iter().map(|run| run.id).collect();
    assert_eq!(listed, [made]);
    assert_eq!(store.run_headers(None, None, 9).unwrap().len(), 1);
    assert_eq!(store.run_summary(asked).unwrap().id, asked);
    assert_sound(&store);
}

#[test]
fn a_run_judges_a_run_that_exists_or_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (run, nowhere) = (id(b'r', 1), id(b'r', 9));
    let write = |header: RunHeader| create(&store, &header, &[judged(0, &[0])], &[]);
    assert!(
        matches!(write(judging(run, nowhere, 1)), Err(StoreError::UnknownRun(of)) if of == nowhere)
    );
    assert!(matches!(write(header(run, 1)), Err(StoreError::Conflict(_))));
    assert!(matches!(store.run_header(run), Err(StoreError::UnknownRun(_))));
}

#[test]
fn a_run_that_another_process_began_to_judge_is_not_judged_by_an_older_plan() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let made = id(b'r', 1);
    start(&store, made, 3);
    let (first, second) = (id(b'r', 2), id(b'r', 3));
    let cells = [judged(0, &[0])];
    assert!(create(&store, &judging(first, made, 1), &cells, &[]).unwrap());
    assert!(!create(&store, &judging(second, made, 1), &cells, &[]).unwrap());
    assert_eq!(store.judging_run_ids(made).unwrap(), [first]);
    assert!(matches!(store.run_header(second), Err(StoreError::UnknownRun(_))));
    assert!(create(&store, &judging(second, made, 1), &cells, &[first]).unwrap());
    assert_eq!(store.judging_run_ids(made).unwrap(), [first, second]);
}

#[test]
fn a_judging_run_is_named_by_its_whole_id_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (made, asked) = (id(b'r', 1), id(b'r', 2));
    start(&store, made, 1);
    assert!(create(&store, &judging(asked, made, 1), &[judged(0, &[0])], &[]).unwrap());
    let shared = &asked.to_string()[..8];
    assert!(made.to_string().starts_with(shared));
    assert_eq!(store.find_runs(shared, 9).unwrap(), [made]);
    assert_eq!(store.find_runs(&asked.to_string(), 9).unwrap(), [asked]);
}

#[test]
fn the_export_of_a_run_holds_the_runs_that_judge_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (made, asked) = (id(b'r', 1), id(b'r', 2));
    start(&store, made, 3);
    let cells = [judged(0, &[2]), judged(1, &[0, 1])];
    assert!(create(&store, &judging(asked, made, 2), &cells, &[]).unwrap());
    let mut rows = Vec::new();
    let mut keep = |row| {
        rows.push(row);
        Ok::<_, StoreError>(())
    };
    store.export(made, &mut keep).unwrap();
    let runs: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            ExportRow::Run { header, judged_by, .. } => Some((header.id, judged_by.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(runs, [(made, vec![asked]), (asked, vec![])]);
    let begins = rows.iter().position(|row| matches!(row, ExportRow::End { .. })).unwrap();
    let judges: Vec<_> = rows
        .split_off(begins)
        .into_iter()
        .filter_map(|row| match row {
            ExportRow::Cell { judges, .. } => Some(judges),
            _ => None,
        })
        .collect();
    assert_eq!(judges, [vec![2], vec![0, 1]]);
}
