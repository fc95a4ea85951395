use std::collections::BTreeMap;

use proptest::prelude::*;
use run::{CapScope, Caps, LedgerState, Spend};
use store::{
    CapReached, NewAttempt, Reservation, Reserved, Settled, SpendScope, Store, StoreError, wait,
};
use values::{Id, NanoDollars};

use crate::support::{answered, assert_sound, at, dollars, id, open, options, start};

fn settled(billed: i64) -> LedgerState {
    LedgerState::Settled { billed: dollars(billed) }
}

fn total(spend: Spend) -> NanoDollars {
    spend.billed + spend.presumed + spend.reserved
}

fn reserve(store: &Store, run: Id, number: u32, worst: i64, caps: Caps) -> Reserved {
    let reservation =
        Reservation { id: id(b'l', number), run, cell: 0, worst_case: dollars(worst) };
    wait(|done| store.reserve(reservation, caps, at(0), done)).unwrap()
}

#[test]
fn a_call_that_would_go_over_a_cap_is_refused_and_holds_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    let caps = Caps { request: Some(dollars(60)), run: Some(dollars(100)), ..Caps::default() };
    assert_eq!(reserve(&store, run, 1, 60, caps), Reserved::Granted);
    assert_eq!(reserve(&store, run, 2, 40, caps), Reserved::Granted);
    let refused = CapReached {
        scope: CapScope::Run,
        cap: dollars(100),
        spent: dollars(100),
        asked: dollars(1),
    };
    assert_eq!(reserve(&store, run, 3, 1, caps), Reserved::Refused(refused));
    let too_dear = reserve(&store, run, 3, 61, caps);
    assert!(matches!(too_dear, Reserved::Refused(CapReached { scope: CapScope::Request, .. })));
    wait(|done| store.settle(run, id(b'l', 1), settled(10), done)).unwrap();
    assert_eq!(reserve(&store, run, 3, 50, caps), Reserved::Granted);
    let spend = store.spend(SpendScope::Run(run)).unwrap();
    assert_eq!(
        (spend.billed, spend.reserved, spend.presumed),
        (dollars(10), dollars(90), dollars(0))
    );
    assert_eq!(store.spend(SpendScope::Project).unwrap(), spend);
    assert_eq!(store.spend(SpendScope::Day(at(0))).unwrap(), spend);
    assert_eq!(total(store.spend(SpendScope::Day(at(86_400))).unwrap()), NanoDollars::ZERO);
}

#[test]
fn a_bill_above_its_reservation_is_booked_in_full_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    reserve(&store, run, 1, 60, Caps::default());
    let billed =
        NewAttempt { settlement: Some((id(b'l', 1), settled(75))), ..answered(run, 0, 0, "yes") };
    let settled = wait(|done| store.record(billed, done)).unwrap();
    assert_eq!(settled, Settled { overrun: Some(dollars(15)) });
    assert_eq!(store.spend(SpendScope::Run(run)).unwrap().billed, dollars(75));
}

#[test]
fn a_settlement_whose_attempt_is_refused_is_undone_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    reserve(&store, run, 1, 60, Caps::default());
    wait(|done| store.record(answered(run, 0, 0, "yes"), done)).unwrap();
    let again =
        NewAttempt { settlement: Some((id(b'l', 1), settled(5))), ..answered(run, 0, 0, "no") };
    assert!(matches!(wait(|done| store.record(again, done)), Err(StoreError::Conflict(_))));
    assert_eq!(store.spend(SpendScope::Run(run)).unwrap().reserved, dollars(60));
}

#[test]
fn a_late_bill_replaces_a_presumption_and_nothing_replaces_a_bill() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let run = id(b'r', 1);
    start(&store, run, 2);
    reserve(&store, run, 1, 60, Caps::default());
    let settle = |to| wait(|done| store.settle(run, id(b'l', 1), to, done));
    settle(LedgerState::PresumedSpent).unwrap();
    assert_eq!(store.spend(SpendScope::Run(run)).unwrap().presumed, dollars(60));
    settle(settled(20)).unwrap();
    settle(settled(20)).unwrap();
    assert!(matches!(settle(LedgerState::Released), Err(StoreError::Conflict(_))));
    let spend = store.spend(SpendScope::Run(run)).unwrap();
    assert_eq!((spend.billed, total(spend)), (dollars(20), dollars(20)));
    let unknown = wait(|done| store.settle(run, id(b'l', 9), LedgerState::Released, done));
    assert!(matches!(unknown, Err(StoreError::UnknownReservation { .. })));
}

#[test]
fn reservations_of_a_process_that_died_are_presumed_spent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trysquare.db");
    let mut dead = options(1);
    // A process that had this number before, so it has ended.
    "1".clone_into(&mut dead.process.started);
    let store = Store::open(&path, dead).unwrap();
    let run = id(b'r', 1);
    start(&store, run, 2);
    reserve(&store, run, 1, 60, Caps::default());
    let heir = Store::open(&path, options(2)).unwrap();
    assert_eq!(heir.run_state(run).unwrap(), run::RunState::Stopped);
    assert_eq!(heir.spend(SpendScope::Project).unwrap().presumed, dollars(60));
    let entries = heir.ledger(run, None, 10).unwrap();
    assert_eq!(entries[0].state, LedgerState::PresumedSpent);
    // Were it alive after all, it could not go on spending.
    let reservation = Reservation { id: id(b'l', 2), run, cell: 0, worst_case: dollars(1) };
    let late = wait(|done| store.reserve(reservation, Caps::default(), at(0), done));
    assert!(matches!(late, Err(StoreError::NotHeld(_))));
    // But what it paid for is kept.
    let paid =
        NewAttempt { settlement: Some((id(b'l', 1), settled(20))), ..answered(run, 0, 0, "yes") };
    wait(|done| store.record(paid, done)).unwrap();
    assert_eq!(total(heir.spend(SpendScope::Project).unwrap()), dollars(20));
    assert_sound(&heir);
}

#[derive(Debug, Clone)]
enum Step {
    Reserve { run: u8, worst: i64, day: i64 },
    Settle { which: prop::sample::Index, share: i64 },
    Presume { which: prop::sample::Index },
    Release { which: prop::sample::Index },
}

fn step() -> impl Strategy<Value = Step> {
    let which = any::<prop::sample::Index>;
    prop_oneof![
        4 => (0..2u8, 0..200i64, 0..3i64)
            .prop_map(|(run, worst, day)| Step::Reserve { run, worst, day }),
        2 => (which(), 0..=100i64).prop_map(|(which, share)| Step::Settle { which, share }),
        1 => which().prop_map(|which| Step::Presume { which }),
        1 => which().prop_map(|which| Step::Release { which }),
    ]
}

/// Sums the entries of a scope, as the store's own sums must.
fn resum(store: &Store, runs: &[Id], keep: impl Fn(Id, i64) -> bool) -> [i64; 3] {
    let mut sums = [0; 3];
    for &run in runs {
        for entry in store.ledger(run, None, 10_000).unwrap() {
            if !keep(run, entry.reserved_at.unix_ms() / 86_400_000) {
                continue;
            }
            match entry.state {
                LedgerState::Settled { billed } => sums[0] += billed.get(),
                LedgerState::Reserved => sums[1] += entry.reserved.get(),
                LedgerState::PresumedSpent => sums[2] += entry.reserved.get(),
                LedgerState::Released => {}
            }
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn billed_is_at_most_the_ledger_and_the_ledger_at_most_the_cap(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let runs = [id(b'r', 1), id(b'r', 2)];
        for run in runs {
            start(&store, run, 2);
        }
        let caps = Caps {
            request: Some(dollars(150)),
            run: Some(dollars(700)),
            day: Some(dollars(500)),
            project: Some(dollars(1000)),
        };
        let mut granted: Vec<(Id, Id, i64)> = Vec::new();
        let mut billed = BTreeMap::new();
        for (number, step) in (0u32..).zip(steps) {
            match step {
                Step::Reserve { run, worst, day } => {
                    let run = runs[usize::from(run)];
                    let id = id(b'l', number);
                    let reservation =
                        Reservation { id, run, cell: 1, worst_case: dollars(worst) };
                    let now = at(day * 86_400);
                    let answer =
                        wait(|done| store.reserve(reservation, caps, now, done)).unwrap();
                    if answer == Reserved::Granted {
                        granted.push((run, id, worst));
                    }
                }
                Step::Settle { which, share } if !granted.is_empty() => {
                    let (run, id, worst) = *which.get(&granted);
                    let bill = worst * share / 100;
                    let to = settled(bill);
                    if wait(|done| store.settle(run, id, to, done)).is_ok() {
                        billed.insert(id, bill);
                    }
                }
                Step::Presume { which } if !granted.is_empty() => {
                    let (run, id, _) = *which.get(&granted);
                    // Refused where the bill is known: then it stays.
                    drop(wait(|done| store.settle(run, id, LedgerState::PresumedSpent, done)));
                }
                Step::Release { which } if !granted.is_empty() => {
                    let (run, id, _) = *which.get(&granted);
                    if wait(|done| store.settle(run, id, LedgerState::Released, done)).is_ok() {
                        // What is released cannot have been billed: no bill comes for it.
                        granted.retain(|(_, other, _)| *other != id);
                    }
                }
                _ => {}
            }
        }
        let project = store.spend(SpendScope::Project).unwrap();
        prop_assert_eq!(project.billed.get(), billed.values().sum::<i64>());
        let today = at(0).unix_ms() / 86_400_000;
        let mut scopes = vec![(SpendScope::Project, resum(&store, &runs, |_, _| true), 1000)];
        for run in runs {
            scopes.push((SpendScope::Run(run), resum(&store, &runs, |of, _| of == run), 700));
        }
        for day in 0..3 {
            let sums = resum(&store, &runs, |_, of| of == today + day);
            scopes.push((SpendScope::Day(at(day * 86_400)), sums, 500));
        }
        for (scope, sums, cap) in scopes {
            let spend = store.spend(scope).unwrap();
            let kept = [spend.billed, spend.reserved, spend.presumed].map(NanoDollars::get);
            prop_assert_eq!(kept, sums, "{:?}", scope);
            prop_assert!(spend.billed <= total(spend) && total(spend) <= dollars(cap));
        }
    }
}
