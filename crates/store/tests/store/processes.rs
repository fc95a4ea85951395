use run::{Caps, LedgerState, RunState};
use store::{Reservation, Reserved, SpendScope, Store, wait};

use crate::child;
use crate::support::{assert_sound, at, dollars, id, open, options, start};

const CAP: i64 = 3_000;
const WORST: i64 = 10;

/// Reserves until the cap forbids it and settles every second call at half its worst case.
fn spend_all(folder: &std::path::Path, number: u32) -> u32 {
    let store = Store::open(&folder.join("trysquare.db"), options(number)).unwrap();
    let run = id(b'r', number);
    start(&store, run, 1);
    let caps = Caps { project: Some(dollars(CAP)), ..Caps::default() };
    let mut granted = 0;
    loop {
        let held = Reservation {
            id: child::reservation(number, granted),
            run,
            cell: 0,
            worst_case: dollars(WORST),
        };
        if wait(|done| store.reserve(held, caps, at(0), done)).unwrap() != Reserved::Granted {
            break;
        }
        granted += 1;
        if granted % 2 == 0 {
            let half = LedgerState::Settled { billed: dollars(WORST / 2) };
            wait(|done| store.settle(run, held.id, half, done)).unwrap();
        }
    }
    wait(|done| store.end_run(run, RunState::StoppedAtCap, at(1), done)).unwrap();
    store.close(at(1)).unwrap();
    granted
}

#[test]
fn one_process_spends_up_to_a_cap_and_no_further() {
    if let Some((folder, number)) = child::assignment() {
        return child::say(spend_all(&folder, number));
    }
    let folder = tempfile::tempdir().unwrap();
    let granted = spend_all(folder.path(), 1);
    let spend = open(folder.path()).spend(SpendScope::Project).unwrap();
    let total = spend.billed + spend.presumed;
    assert!(total <= dollars(CAP) && total > dollars(CAP - WORST), "{total} by {granted} calls");
}

#[test]
fn two_processes_that_race_for_a_cap_never_go_over_it() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close(at(0)).unwrap();
    let test = "processes::one_process_spends_up_to_a_cap_and_no_further";
    let children = [1, 2].map(|number| child::spawn(test, folder.path(), number));
    let mut granted = Vec::new();
    for (mut child, said) in children {
        granted.extend(said);
        assert!(child.wait().unwrap().success());
    }
    let store = Store::open(&folder.path().join("trysquare.db"), options(9)).unwrap();
    let spend = store.spend(SpendScope::Project).unwrap();
    let total = spend.billed + spend.presumed;
    assert!(total <= dollars(CAP) && total > dollars(CAP - WORST), "{total} by {granted:?} calls");
    let entries: usize = [1, 2]
        .map(|number| store.ledger(id(b'r', number), None, 10_000).unwrap().len())
        .iter()
        .sum();
    assert_eq!(entries, granted.iter().sum::<u32>() as usize);
    assert_sound(&store);
}

#[test]
fn two_processes_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close(at(0)).unwrap();
    let test = "crash::a_writer_says_only_what_is_recorded";
    let children = [1, 2].map(|number| child::spawn(test, folder.path(), number));
    for (mut child, said) in children {
        assert_eq!(said.count(), 500);
        assert!(child.wait().unwrap().success());
    }
    let store = Store::open(&folder.path().join("trysquare.db"), options(9)).unwrap();
    for number in [1, 2] {
        let all = store.run_summary(id(b'r', number)).unwrap().tally;
        assert_eq!((all.unscored, all.pending), (500, 0));
    }
    assert_eq!(store.spend(SpendScope::Project).unwrap().billed, dollars(2 * 500 * 7));
    assert_sound(&store);
}
