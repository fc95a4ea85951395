use chat::FinishReason;
use run::{Bill, FailureKind, Outcome, Retry, RunState, StopCause};
use score::Status;

use crate::script::{Provider, answer_with, answers, fails};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_repeated_and_every_attempt_is_recorded() {
    let flaky = Provider::new(|asked| match asked.before {
        0 | 1 => fails(FailureKind::ServerError, Retry::Backoff, Bill::Nothing),
        _ => answers(10),
    });
    let world = World::new(3, 2, vec![flaky]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::Complete);
    assert_eq!((summary.progress.counts.pass, summary.progress.retries), (3, 6));
    for cell in 0..3 {
        let attempts = world.memory.attempts(cell);
        let closes: Vec<_> = attempts.iter().map(|attempt| attempt.closes).collect();
        assert_eq!(closes, [false, false, true]);
        let starts: Vec<_> = attempts.iter().map(|attempt| attempt.started.unix_ms()).collect();
        assert!(starts[1] - starts[0] <= 50 + 500 && starts[2] - starts[1] <= 50 + 1_000);
    }
}

#[tokio::test(start_paused = true)]
async fn the_third_failure_is_the_outcome() {
    let broken = Provider::new(|_| fails(FailureKind::Timeout, Retry::Backoff, Bill::Unknown));
    let world = World::new(4, 4, vec![broken]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::Complete);
    assert_eq!(summary.progress.counts.error, 4);
    assert_eq!(world.providers[0].seen().calls.len(), 12);
    assert_eq!(world.memory.spend().presumed.get(), 12 * 100);
}

#[tokio::test(start_paused = true)]
async fn a_bad_request_is_sent_once() {
    let strict = Provider::new(|_| fails(FailureKind::InvalidRequest, Retry::Never, Bill::Nothing));
    let world = World::new(2, 1, vec![strict]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.progress.counts.error, 2);
    assert_eq!(world.providers[0].cells(), [0, 1]);
    assert_eq!(world.memory.spend(), run::Spend::default());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer_and_is_scored() {
    let prim = Provider::new(|_| answer_with(None, FinishReason::Refused));
    let world = World::new(1, 1, vec![prim]);
    let summary = world.execute().await.unwrap();
    assert_eq!(world.providers[0].cells(), [0]);
    assert_eq!(world.times_scored(), 1);
    assert_eq!(summary.progress.counts.pass, 1);
    // It gave no usage, so its bill is unknown.
    assert_eq!(world.memory.spend().presumed.get(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_its_provider_and_no_other_and_its_cells_stay_pending() {
    let locked = Provider::new(|_| fails(FailureKind::Authentication, Retry::Never, Bill::Nothing));
    let open = Provider::new(|_| answers(1));
    let mut world = World::new(50, 2, vec![locked, open]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::Stopped);
    assert!(matches!(summary.cause, Some(StopCause::ProviderUnusable { ref provider, .. })
        if provider == "provider-0"));
    assert_eq!((summary.progress.counts.pass, summary.progress.counts.error), (50, 0));
    assert!(world.providers[0].seen().calls.len() <= 2);
    assert!(summary.progress.providers[0].unusable.is_some());
    assert_eq!(world.memory.spend().billed.get(), 50);

    world.providers[0] = Provider::new(|_| answers(1)).into();
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 100));
}

#[tokio::test(start_paused = true)]
async fn a_cell_that_cannot_be_prepared_is_an_error_and_the_rest_goes_on() {
    let mut world = World::new(3, 1, vec![Provider::new(|_| answers(1))]);
    let failure = fails(FailureKind::InvalidRequest, Retry::Never, Bill::Nothing).outcome;
    world.unpreparable = Some((1, failure.unwrap_err()));
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.progress.counts.pass, summary.progress.counts.error), (2, 1));
    let state = world.memory.state();
    assert_eq!(state.rows[1].status, Some(Status::Error));
    assert!(matches!(state.rows[1].attempts[&0].outcome, Outcome::Failed(_)));
}
