use engine::SessionError;
use run::RunState;

use crate::script::{Provider, answers};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn a_record_that_fails_once_loses_nothing_but_ends_the_session() {
    let world = World::new(100, 4, vec![Provider::new(|_| answers(1))]);
    world.memory.fail_after(40, 1);
    let error = world.execute().await.unwrap_err();
    assert!(matches!(&error, SessionError::Record { source, lost: 0 }
        if source.message == "no space left"));
    let sent = world.providers[0].seen().calls.len();
    assert!(sent < 30, "{sent}");

    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.counts.pass), (RunState::Complete, 100));
    // What came back was recorded at the second try, so nothing is sent twice.
    assert_eq!(world.providers[0].seen().calls.len(), 100);
    assert_eq!(world.memory.spend().billed.get(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_keeps_failing_reports_what_is_lost_and_nothing_as_done() {
    let world = World::new(100, 4, vec![Provider::new(|_| answers(1))]);
    world.memory.fail_after(40, u32::MAX);
    let session = world.session();
    let events = session.events();
    let error = session.execute().await.unwrap_err();
    let SessionError::Record { lost, .. } = error else { panic!("{error}") };
    let recorded = world.memory.state().rows.iter().filter(|row| row.status.is_some()).count();
    let answered = world.providers[0].seen().calls.len();
    let kept = world.memory.state().rows.iter().filter(|row| !row.attempts.is_empty()).count();
    assert_eq!(kept + lost as usize, answered);
    assert!(lost > 0 && lost <= 8, "{lost}");
    let last = events.borrow();
    assert_eq!(last.progress().done() as usize, recorded);
    assert!(matches!(&*last, run::RunEvent::Finished(summary)
        if summary.state == RunState::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_port_ends_the_session_with_a_report() {
    let provider = Provider::new(|asked| {
        assert!(asked.cell != 5, "cell five is cursed");
        answers(1)
    });
    let world = World::new(100, 2, vec![provider]);
    let error = world.execute().await.unwrap_err();
    assert!(matches!(&error, SessionError::Panicked { message } if message.contains("cursed")));
    assert_eq!(world.memory.state().run, RunState::Stopped);
    assert!(world.providers[0].seen().calls.len() < 12);
}
