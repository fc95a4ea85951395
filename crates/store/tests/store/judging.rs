use run::{Judging, PlannedCell, RunHeader};
use store::{JudgedCell, StoreError, wait};
use values::Id;

use crate::support::{assert_sound, at, header, id, open, plan, start};

fn judging(run: Id, of: Id, cells: u32) -> RunHeader {
    RunHeader { judging: Some(Judging { run: of, again: None }), ..header(run, cells) }
}

fn judged(index: u32, of: &[u32]) -> JudgedCell {
    let cell = plan(index + 1).last().unwrap();
    JudgedCell { cell: PlannedCell { variant: 0, ..cell }, of: of.to_vec() }
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
    wait(|done| store.create_judging_run(header.clone(), cells.clone(), at(2), done)).unwrap();
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
    let write = |header: RunHeader| {
        wait(|done| store.create_judging_run(header, vec![judged(0, &[0])], at(1), done))
    };
    assert!(
        matches!(write(judging(run, nowhere, 1)), Err(StoreError::UnknownRun(of)) if of == nowhere)
    );
    assert!(matches!(write(header(run, 1)), Err(StoreError::Conflict(_))));
    assert!(matches!(store.run_header(run), Err(StoreError::UnknownRun(_))));
}
