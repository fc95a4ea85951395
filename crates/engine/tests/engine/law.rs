//! The laws of the ledger and of the record, under random outcomes, stops and kills.

use chat::{FinishReason, Usage};
use proptest::prelude::*;
use run::{Bill, FailureKind, Outcome, Retry, RunState};
use tokio::time::Duration;

use crate::script::{Asked, Provider, Reaction, answer_with, answers, fails};
use crate::world::World;

/// What may happen to a call; chosen by cell and try, so that a failing case can be replayed.
fn react(asked: Asked, salt: u64, bills_are_known: bool) -> Reaction {
    let mixed = (u64::from(asked.cell) * 31 + u64::from(asked.before) * 17 + salt)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let tokens = mixed >> 40 & 63;
    let after_ms = 1 + (mixed >> 20 & 127);
    let bill = if bills_are_known { Bill::Nothing } else { Bill::Unknown };
    let usage = Usage { output_visible: tokens, ..Usage::default() };
    let reaction = match mixed >> 59 {
        0..3 => fails(FailureKind::ServerError, Retry::Backoff, bill),
        3..5 => fails(FailureKind::RateLimited, Retry::After { ms: tokens * 10 }, Bill::Nothing),
        5..7 => fails(FailureKind::Truncated, Retry::Backoff, Bill::Known { usage }),
        7 => fails(FailureKind::InvalidRequest, Retry::Never, Bill::Nothing),
        8 if !bills_are_known => answer_with(None, FinishReason::Complete),
        9 if !bills_are_known => fails(FailureKind::Timeout, Retry::Backoff, Bill::Unknown),
        _ => answers(tokens),
    };
    reaction.after(after_ms)
}

#[derive(Debug, Clone, Copy)]
enum End {
    Kill,
    Now,
    Finish,
    None,
}

async fn session(world: &World, end: End, after_ms: u64) -> Option<RunState> {
    let session = world.session();
    let stopper = session.stopper();
    let mut running = tokio::spawn(session.execute());
    tokio::select! {
        done = &mut running => return Some(done.unwrap().unwrap().state),
        () = tokio::time::sleep(Duration::from_millis(after_ms)) => {}
    }
    match end {
        End::Kill => {
            running.abort();
            drop(running.await);
            world.memory.kill();
            return None;
        }
        End::Now => stopper.now(),
        End::Finish => stopper.finish(),
        End::None => {}
    }
    Some(running.await.unwrap().unwrap().state)
}

/// Checks what holds between sessions.
fn check(world: &World, cap: i64) {
    let state = world.memory.state();
    let spend = state.spend();
    let ledger = (spend.billed + spend.presumed + spend.reserved).get();
    let billed = i64::try_from(world.providers[0].seen().billed).unwrap();
    assert!(billed <= ledger, "billed {billed}, ledger {ledger}");
    assert!(ledger <= cap, "ledger {ledger}, cap {cap}");
    for row in &state.rows {
        let answers =
            row.attempts.values().filter(|attempt| matches!(attempt.outcome, Outcome::Answered(_)));
        assert!(answers.count() <= 1, "an answer is recorded once and its cell not sent again");
        let closing = row.attempts.values().filter(|attempt| attempt.closes).count();
        assert!(closing <= 1);
    }
}

fn run_to_its_end(
    cells: u32,
    concurrency: u32,
    salt: u64,
    cap: i64,
    bills_are_known: bool,
    ends: &[(End, u64)],
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let provider = Provider::new(move |asked| react(asked, salt, bills_are_known));
        let mut world = World::new(cells, concurrency, vec![provider]);
        world.cap(cap);
        for &(end, after_ms) in ends {
            session(&world, end, after_ms).await;
            check(&world, cap);
        }
        let mut state = session(&world, End::None, 0).await;
        check(&world, cap);
        let mut raised = cap;
        while state == Some(RunState::StoppedAtCap) {
            raised += 10_000;
            world.cap(raised);
            state = session(&world, End::None, 0).await;
            check(&world, raised);
        }
        assert_eq!(state, Some(RunState::Complete));
        let spend = world.memory.spend();
        assert_eq!(spend.reserved.get(), 0);
        let broken_off = ends.iter().any(|(end, _)| matches!(end, End::Kill | End::Now));
        if bills_are_known && !broken_off {
            let billed = i64::try_from(world.providers[0].seen().billed).unwrap();
            assert_eq!((spend.billed.get(), spend.presumed.get()), (billed, 0));
        }
    });
}

fn end() -> impl Strategy<Value = (End, u64)> {
    let kinds = prop_oneof![Just(End::Kill), Just(End::Now), Just(End::Finish)];
    (kinds, 0u64..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn billed_is_at_most_the_ledger_and_the_ledger_at_most_the_cap(
        cells in 1u32..60,
        concurrency in 1u32..12,
        salt: u64,
        cap in 100i64..4_000,
        bills_are_known: bool,
        ends in prop::collection::vec(end(), 0..4),
    ) {
        run_to_its_end(cells, concurrency, salt, cap, bills_are_known, &ends);
    }
}
