use run::{RunState, StopCause};
use tokio::time::{Duration, Instant};

use crate::script::{Provider, Reaction, answers};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_graceful_stop_lets_calls_finish_and_sends_nothing_new() {
    let world = World::new(100, 4, vec![Provider::new(|_| answers(1).after(1_000))]);
    let session = world.session();
    let stopper = session.stopper();
    let running = tokio::spawn(session.execute());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    stopper.finish();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.state, summary.cause), (RunState::Stopped, Some(StopCause::Requested)));
    assert_eq!(summary.progress.counts.pass, 8);
    assert_eq!(world.providers[0].seen().calls.len(), 8);
    assert_eq!(world.memory.spend().billed.get(), 8);
    assert_eq!(world.memory.spend().presumed.get(), 0);

    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 100));
    assert_eq!(world.providers[0].seen().calls.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn stopping_at_once_breaks_calls_off_and_presumes_them_spent() {
    let world = World::new(100, 4, vec![Provider::new(|_| answers(1).after(1_000))]);
    let session = world.session();
    let stopper = session.stopper();
    let running = tokio::spawn(session.execute());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let moment = Instant::now();
    stopper.now();
    let summary = running.await.unwrap().unwrap();
    assert!(moment.elapsed() < Duration::from_millis(10));
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Stopped, 4));
    assert_eq!(world.providers[0].seen().cut_off, 4);
    assert_eq!(world.memory.spend().presumed.get(), 400);

    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 100));
    // The four that were broken off are sent again, and nothing else.
    assert_eq!(world.providers[0].seen().calls.len(), 104);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_does_not_break_off_is_abandoned() {
    let deaf = Provider::new(|_| Reaction { ignores_stop: true, ..answers(1).after(3_600_000) });
    let world = World::new(2, 2, vec![deaf]);
    let session = world.session();
    let stopper = session.stopper();
    let running = tokio::spawn(session.execute());
    tokio::time::sleep(Duration::from_millis(100)).await;
    stopper.now();
    let summary = running.await.unwrap().unwrap();
    assert_eq!(summary.state, RunState::Stopped);
    assert!(summary.elapsed_ms < 5_000, "{}", summary.elapsed_ms);
    assert_eq!(world.memory.spend().presumed.get(), 200);
}

#[tokio::test(start_paused = true)]
async fn stopping_at_once_leaves_an_answer_that_is_being_scored_to_be_scored_later() {
    let mut world = World::new(1, 1, vec![Provider::new(|_| answers(1))]);
    world.score_ms = 60_000;
    let session = world.session();
    let stopper = session.stopper();
    let running = tokio::spawn(session.execute());
    tokio::time::sleep(Duration::from_secs(1)).await;
    stopper.now();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.state, summary.progress.done()), (RunState::Stopped, 0));

    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 1));
    assert_eq!(world.providers[0].cells(), [0]);
    assert_eq!(world.memory.spend().billed.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_ends_the_session_as_complete_with_cells_left() {
    let world = World::new(100, 4, vec![Provider::new(|_| answers(1).after(1_000))]);
    let session = world.session();
    let stopper = session.stopper();
    let running = tokio::spawn(session.execute());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let decided = StopCause::Decided { verdict: "better".to_owned(), cases: 2, of: 100 };
    stopper.decided(decided.clone());
    // Whoever stops it meanwhile changes nothing about that.
    stopper.finish();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.state, summary.cause), (RunState::Complete, Some(decided)));
    assert_eq!(summary.progress.counts.pass, 8);
    assert_eq!(world.providers[0].seen().calls.len(), 8);
}
