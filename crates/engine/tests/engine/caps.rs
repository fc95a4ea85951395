use catalog::Unbounded;
use engine::Costing;
use run::{Bill, CapScope, FailureKind, Outcome, Retry, RunState, StopCause};
use values::NanoDollars;

use crate::script::{Provider, answer_with, answers, fails};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_run_stops_at_its_cap_and_goes_on_with_a_higher_one() {
    let mut world = World::new(100, 8, vec![Provider::new(|_| answers(20))]);
    world.cap(1_000);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::StoppedAtCap);
    assert_eq!(summary.cause, Some(StopCause::Cap { scope: CapScope::Run }));
    // A call needs room for 100, so the last that fits is sent at 900 at most: 46 calls.
    assert_eq!(world.providers[0].seen().calls.len(), 46);
    assert_eq!(summary.progress.spend.billed.get(), 920);
    assert_eq!(summary.progress.spend.reserved, NanoDollars::ZERO);

    world.cap(10_000);
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 100));
    assert_eq!(world.memory.spend().billed.get(), 2_000);
    assert_eq!(world.providers[0].seen().calls.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn calls_on_their_way_are_awaited_before_a_cap_counts_as_met() {
    // Ten worst cases fill the cap, but all forty bills fit under it.
    let mut world = World::new(40, 40, vec![Provider::new(|_| answers(20))]);
    world.cap(1_000);
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 40));
}

#[tokio::test(start_paused = true)]
async fn a_bill_above_its_reservation_is_booked_in_full_and_stops_the_run() {
    let greedy = Provider::new(|asked| answers(if asked.cell == 3 { 250 } else { 10 }));
    let world = World::new(100, 1, vec![greedy]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::StoppedAtOverrun);
    let (reserved, billed) = (NanoDollars::new(100), NanoDollars::new(250));
    assert_eq!(summary.cause, Some(StopCause::Overrun { cell: 3, reserved, billed }));
    assert_eq!(summary.progress.spend.billed.get(), 280);
    assert_eq!(world.providers[0].cells(), [0, 1, 2, 3]);
    assert_eq!(world.memory.spend(), summary.progress.spend);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_about_to_be_sent_when_the_run_stops_are_not_sent() {
    // The first of four calls that start together comes back before the others are on their way.
    let provider = Provider::new(|_| answers(250).after(0));
    let world = World::new(100, 4, vec![provider]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::StoppedAtOverrun);
    assert_eq!(world.providers[0].seen().calls.len(), 1);
    let spend = world.memory.spend();
    assert_eq!((spend.billed.get(), spend.presumed.get(), spend.reserved.get()), (250, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_above_the_cap_of_one_request_waits_for_a_higher_one_and_the_rest_goes_on() {
    let mut world = World::new(5, 1, vec![Provider::new(|_| answers(1))]);
    world.settings.caps.request = Some(NanoDollars::new(99));
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::StoppedAtCap);
    assert_eq!(summary.cause, Some(StopCause::Cap { scope: CapScope::Request }));
    assert_eq!(world.providers[0].seen().calls.len(), 0);

    world.settings.caps.request = Some(NanoDollars::new(100));
    assert_eq!(world.execute().await.unwrap().state, RunState::Complete);
}

#[tokio::test(start_paused = true)]
async fn under_a_cap_a_call_without_a_price_is_not_sent() {
    let mut world = World::new(2, 1, vec![Provider::new(|_| answers(1))]);
    world.costing = Costing::Unknown { why: Unbounded::Price };
    world.cap(1_000);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.progress.counts.error, 2);
    assert_eq!(world.providers[0].seen().calls.len(), 0);
    let attempts = world.memory.attempts(0);
    assert!(matches!(&attempts[0].outcome, Outcome::Failed(failure)
        if failure.kind == FailureKind::Unbounded));
}

#[tokio::test(start_paused = true)]
async fn without_a_cap_or_when_allowed_a_call_without_a_price_is_sent_and_counted_apart() {
    for allowed in [false, true] {
        let mut world = World::new(2, 1, vec![Provider::new(|_| answers(1))]);
        world.costing = Costing::Unknown { why: Unbounded::Price };
        world.settings.allow_unpriced = allowed;
        if allowed {
            world.cap(1_000);
        }
        let summary = world.execute().await.unwrap();
        assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 2));
        assert_eq!(summary.progress.spend.unpriced, 2);
        assert_eq!(world.memory.attempts(0)[0].cost, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_have_been_billed_is_released_and_the_rest_is_presumed() {
    let provider = Provider::new(|asked| match asked.cell {
        0 => fails(FailureKind::InvalidRequest, Retry::Never, Bill::Nothing),
        1 => fails(FailureKind::Truncated, Retry::Never, Bill::Unknown),
        2 => answer_with(None, chat::FinishReason::Complete),
        _ => answers(30),
    });
    let world = World::new(4, 4, vec![provider]);
    let summary = world.execute().await.unwrap();
    let spend = summary.progress.spend;
    assert_eq!((spend.billed.get(), spend.presumed.get()), (30, 200));
    assert_eq!(world.memory.spend(), spend);
}

#[tokio::test(start_paused = true)]
async fn a_free_call_needs_no_ledger() {
    let mut world = World::new(3, 1, vec![Provider::new(|_| answers(30))]);
    world.costing = Costing::Free { tariff: None };
    world.cap(0);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::Complete);
    assert!(world.memory.state().ledger.is_empty());
}
