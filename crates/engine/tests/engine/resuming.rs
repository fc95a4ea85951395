use engine::Selection;
use run::{Bill, FailureKind, Retry, RunState};
use tokio::time::Duration;

use crate::script::{Provider, answers, fails};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_killed_run_sends_again_what_was_on_its_way_and_nothing_that_is_recorded() {
    let world = World::new(60, 5, vec![Provider::new(|_| answers(10))]);
    let mut kills = 0;
    loop {
        let running = tokio::spawn(world.session().execute());
        tokio::time::sleep(Duration::from_millis(175)).await;
        if running.is_finished() {
            assert_eq!(running.await.unwrap().unwrap().state, RunState::Complete);
            break;
        }
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        world.memory.kill();
        kills += 1;
    }
    assert!(kills >= 3, "{kills}");
    let state = world.memory.state();
    assert!(state.rows.iter().all(|row| row.attempts.len() == 1));
    // Each kill catches five calls.
    assert_eq!(world.providers[0].seen().calls.len(), 60 + kills * 5);
    let spend = state.spend();
    assert_eq!(spend.billed.get(), 600);
    assert!(spend.presumed.get() >= i64::try_from(kills).unwrap() * 500);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_numbered_on_over_sessions_and_tries_start_anew() {
    let broken = Provider::new(|_| fails(FailureKind::ServerError, Retry::Backoff, Bill::Nothing));
    let mut world = World::new(1, 1, vec![broken]);
    world.execute().await.unwrap();
    world.settings.selection = Selection::Failed;
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.error), (RunState::Complete, 1));
    let numbers: Vec<_> = world.memory.attempts(0).iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_sends_the_failures_and_nothing_else() {
    let provider = Provider::new(|asked| match (asked.cell % 3, asked.before) {
        (0, 0) => fails(FailureKind::BadResponse, Retry::Never, Bill::Nothing),
        _ => answers(1),
    });
    let mut world = World::new(9, 2, vec![provider]);
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.progress.counts.pass, summary.progress.counts.error), (6, 3));

    world.settings.selection = Selection::Failed;
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.progress.counts.pass, summary.progress.counts.error), (9, 0));
    assert_eq!(summary.progress.finished_now, 3);
    assert_eq!(world.providers[0].cells()[9..], [0, 3, 6]);
}

#[tokio::test(start_paused = true)]
async fn scoring_again_sends_nothing_and_leaves_the_state_as_it_was() {
    let mut world = World::new(30, 1, vec![Provider::new(|_| answers(50))]);
    world.cap(1_000);
    let before = world.execute().await.unwrap();
    assert_eq!(before.state, RunState::StoppedAtCap);
    let sent = world.providers[0].seen().calls.len();

    world.settings.selection = Selection::Answered;
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::StoppedAtCap);
    assert_eq!(summary.progress.counts, before.progress.counts);
    assert_eq!(summary.progress.finished_now as usize, sent);
    assert_eq!(world.times_scored() as usize, 2 * sent);
    assert_eq!(world.providers[0].seen().calls.len(), sent);
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_while_nothing_else_happens() {
    let world = World::new(1, 1, vec![Provider::new(|_| answers(1).after(60_000))]);
    world.execute().await.unwrap();
    assert_eq!(world.memory.state().heartbeats, 12);
}
