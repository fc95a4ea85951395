use run::{Answer, AnswerSource, Outcome, RunState};
use score::Status;
use store::{NewAttempt, PendingQuery, Selection, SpendScope, StoreError, Tally, wait};
use values::ContentHash;

use crate::support::{
    answered, assert_sound, at, failed, failed_for_good, header, id, open, pending, plan, start,
};

#[test]
fn a_session_works_on_what_has_no_outcome_or_no_scores() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 6);
    wait(|done| store.record(failed(run, 0, 0), done)).unwrap();
    wait(|done| store.record(answered(run, 1, 0, "yes"), done)).unwrap();
    wait(|done| store.record(failed_for_good(run, 2, 0), done)).unwrap();
    let left = [(0, 1, false), (1, 1, true), (3, 0, false), (4, 0, false), (5, 0, false)];
    assert_eq!(pending(&store, run, Selection::Unfinished), left);
    assert_eq!(pending(&store, run, Selection::Failed), [(2, 1, false)]);
    assert_eq!(pending(&store, run, Selection::Answered), [(1, 1, true)]);
    let query = PendingQuery {
        run,
        selection: Selection::Unfinished,
        variants: Some(vec![1]),
        after: Some(1),
        limit: 1,
    };
    let page = store.pending_cells(&query).unwrap();
    assert_eq!(
        page.iter().map(|cell| cell.cell.clone()).collect::<Vec<_>>(),
        [plan(6).nth(3).unwrap()]
    );
    assert_sound(&store);
}

#[test]
fn a_retry_replaces_a_failure_but_nothing_replaces_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 1);
    wait(|done| store.record(failed_for_good(run, 0, 0), done)).unwrap();
    assert_eq!(store.cell(run, 0).unwrap().status, Some(Status::Error));
    wait(|done| store.record(answered(run, 0, 1, "yes"), done)).unwrap();
    assert_eq!(store.cell(run, 0).unwrap().status, None);
    wait(|done| store.record(failed_for_good(run, 0, 2), done)).unwrap();
    wait(|done| store.record(answered(run, 0, 3, "no"), done)).unwrap();
    assert_eq!(pending(&store, run, Selection::Answered), [(0, 4, true)]);
    let query =
        PendingQuery { run, selection: Selection::Answered, variants: None, after: None, limit: 1 };
    let cell = store.pending_cells(&query).unwrap().remove(0);
    assert_eq!(cell.answered, Some((*answered(run, 0, 1, "yes").attempt).clone()));
    assert_eq!(store.cell(run, 0).unwrap().attempts.len(), 4);
}

#[test]
fn the_same_attempt_again_changes_nothing_and_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 1);
    let first = NewAttempt { unpriced: true, ..answered(run, 0, 0, "yes") };
    wait(|done| store.record(first.clone(), done)).unwrap();
    wait(|done| store.record(first, done)).unwrap();
    assert_eq!(store.spend(SpendScope::Run(run)).unwrap().unpriced, 1);
    let other = wait(|done| store.record(answered(run, 0, 0, "no"), done));
    assert!(matches!(other, Err(StoreError::Conflict(_))));
    let nowhere = wait(|done| store.record(answered(run, 7, 0, "no"), done));
    assert!(matches!(nowhere, Err(StoreError::UnknownCell { cell: 7, .. })));
}

#[test]
fn a_write_that_is_refused_takes_no_other_of_its_group_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 40);
    let (sender, receiver) = std::sync::mpsc::channel();
    for cell in 0..40 {
        // Every third write contradicts the one before it.
        let new = answered(run, cell - u32::from(cell % 3 == 1), 0, &cell.to_string());
        let sender = sender.clone();
        store.record(new, Box::new(move |result| sender.send((cell, result)).unwrap()));
    }
    for (cell, result) in receiver.iter().take(40) {
        match result {
            Ok(_) => assert_ne!(cell % 3, 1),
            Err(error) => {
                assert_eq!(cell % 3, 1);
                assert!(matches!(error, StoreError::Conflict(_)), "{error}");
            }
        }
    }
    let open: Vec<_> = pending(&store, run, Selection::Unfinished)
        .into_iter()
        .filter(|(_, _, is_answered)| !is_answered)
        .collect();
    assert!(open.iter().all(|(cell, next, _)| cell % 3 == 1 && *next == 0));
    assert_eq!(open.len(), 13);
    assert_sound(&store);
}

#[test]
fn a_plan_that_is_not_numbered_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    for cells in [plan(4), Box::new(plan(5).skip(1)), plan(6)] {
        let refused = wait(|done| store.create_run(header(run, 5), cells, at(0), done));
        assert!(matches!(refused, Err(StoreError::Conflict(_))));
        assert!(matches!(store.run_header(run), Err(StoreError::UnknownRun(_))));
    }
    start(&store, run, 5);
    assert_eq!(store.run_header(run).unwrap(), header(run, 5));
}

#[test]
fn what_the_cache_answers_is_the_same_answer_marked_as_a_hit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 4);
    let key = ContentHash::of_bytes(b"call");
    let live = NewAttempt { cache_key: Some(key), ..answered(run, 0, 0, "yes") };
    let Outcome::Answered(paid) = live.attempt.outcome.clone() else { unreachable!() };
    wait(|done| store.record(live, done)).unwrap();
    let hit = store.cached(key, at(3)).unwrap().unwrap();
    assert_eq!(hit, Answer { source: AnswerSource::Cache, ..*paid });
    assert_eq!(store.are_cached(&[key, ContentHash::of_bytes(b"x")]).unwrap(), [true, false]);
}

#[test]
fn a_run_is_held_by_one_process_until_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    let path = folder.path().join("trysquare.db");
    let other = store::Store::open(&path, crate::support::options(2)).unwrap();
    let refused = wait(|done| other.claim_run(run, at(1), done));
    assert!(matches!(refused, Err(StoreError::Held { pid, .. }) if pid == std::process::id()));
    assert!(wait(|done| other.ask_to_stop(run, at(1), done)).unwrap());
    assert!(wait(|done| store.heartbeat(run, at(2), done)).unwrap());
    wait(|done| store.end_run(run, RunState::Stopped, at(2), done)).unwrap();
    let standing = wait(|done| other.claim_run(run, at(3), done)).unwrap();
    assert_eq!((standing.state, standing.generation), (RunState::Stopped, 1));
    assert_eq!(standing.tally, Tally { pending: 2, ..Tally::default() });
    let lost = wait(|done| store.heartbeat(run, at(4), done));
    assert!(matches!(lost, Err(StoreError::NotHeld(_))));
    assert_eq!(store.run_state(run).unwrap(), RunState::Running);
    other.close(at(4)).unwrap();
    assert_eq!(store.run_state(run).unwrap(), RunState::Stopped);
    assert!(matches!(wait(|done| other.claim_run(run, at(5), done)), Err(StoreError::Closed)));
}

#[test]
fn a_run_with_answers_made_elsewhere_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    let answers = |cells: &[u32]| -> Vec<_> {
        cells.iter().map(|cell| (*answered(run, *cell, 0, "yes").attempt).clone()).collect()
    };
    let create = |cells: &[u32]| {
        let (header, plan) = (header(run, 2), plan(2));
        wait(|done| store.create_answered_run(header, plan, answers(cells), at(1), done))
    };
    assert!(create(&[0, 7]).is_err(), "there is no cell 7");
    assert!(matches!(store.run_header(run), Err(StoreError::UnknownRun(_))));
    create(&[0, 1]).unwrap();
    assert_eq!(pending(&store, run, Selection::Answered), [(0, 1, true), (1, 1, true)]);
    assert_sound(&store);
}
