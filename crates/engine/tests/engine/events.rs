use run::{Bill, FailureKind, Progress, Retry, RunEvent, RunState};
use tokio::time::Duration;
use values::Timestamp;

use crate::script::{Provider, answers, fails};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn events_are_at_most_thirty_a_second_and_the_last_is_the_summary() {
    let world = World::new(
        2_000,
        8,
        vec![Provider::new(|asked| answers(1).after(3 + u64::from(asked.cell % 5)))],
    );
    let session = world.session();
    let mut events = session.events();
    let watcher = tokio::spawn(async move {
        let mut seen = Vec::new();
        while events.changed().await.is_ok() {
            seen.push(events.borrow_and_update().clone());
        }
        seen
    });
    let summary = session.execute().await.unwrap();
    let seen = watcher.await.unwrap();
    let most = summary.elapsed_ms * 30 / 1_000 + 2;
    assert!(seen.len() > 10 && seen.len() as u64 <= most, "{} of {most}", seen.len());
    let done: Vec<_> = seen.iter().map(|event| event.progress().done()).collect();
    assert!(done.is_sorted());
    assert_eq!(seen.last(), Some(&RunEvent::Finished(summary)));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_looks_only_at_the_end_still_sees_the_summary() {
    let world = World::new(50, 2, vec![Provider::new(|_| answers(1))]);
    let session = world.session();
    let mut events = session.events();
    session.execute().await.unwrap();
    assert!(events.changed().await.is_ok());
    assert!(matches!(&*events.borrow_and_update(), RunEvent::Finished(summary)
        if summary.state == RunState::Complete && summary.progress.done() == 50));
}

#[tokio::test(start_paused = true)]
async fn progress_shows_rate_time_left_money_and_providers() {
    let mut world = World::new(400, 10, vec![Provider::new(|_| answers(2).after(1_000))]);
    world.cap(1_000_000);
    let session = world.session();
    let events = session.events();
    let running = tokio::spawn(session.execute());
    tokio::time::sleep(Duration::from_millis(20_500)).await;
    let progress = events.borrow().progress().clone();
    assert_eq!((progress.planned, progress.done(), progress.in_flight), (400, 200, 10));
    assert_eq!((progress.spend.billed.get(), progress.cap.unwrap().get()), (400, 1_000_000));
    // Ten in flight and three reserved ahead.
    assert_eq!(progress.spend.reserved.get(), 1_300);
    let rate = progress.cells_per_second.unwrap();
    assert!((9.0..11.0).contains(&rate), "{rate}");
    let eta_ms = progress.eta_ms.unwrap();
    assert!((18_000..22_500).contains(&eta_ms), "{eta_ms}");
    assert_eq!(progress.providers[0].concurrency, 10);
    assert_eq!(running.await.unwrap().unwrap().progress.eta_ms, Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_visible_while_it_lasts() {
    let busy = Provider::new(|asked| match asked.at_ms {
        0 => fails(FailureKind::RateLimited, Retry::After { ms: 20_000 }, Bill::Nothing),
        _ => answers(1),
    });
    let world = World::new(2, 1, vec![busy]);
    let session = world.session();
    let events = session.events();
    let running = tokio::spawn(session.execute());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let paused = events.borrow().progress().providers[0].paused_until;
    assert_eq!(paused, Some(Timestamp::from_unix_ms(20_050)));
    let summary = running.await.unwrap().unwrap();
    assert_eq!(summary.progress.providers[0].paused_until, None);
}

#[tokio::test(start_paused = true)]
async fn the_newest_failures_are_shown_with_their_number() {
    let broken = Provider::new(|_| fails(FailureKind::BadResponse, Retry::Never, Bill::Nothing));
    let world = World::new(20, 1, vec![broken]);
    let summary = world.execute().await.unwrap();
    let numbers: Vec<_> = summary.progress.failures.iter().map(|notice| notice.number).collect();
    assert_eq!(numbers.len(), Progress::NEWEST_FAILURES);
    assert_eq!((numbers[0], numbers[7]), (13, 20));
    let last = &summary.progress.failures[7];
    assert_eq!((last.case_id.as_str(), last.provider.as_str()), ("case-19", "provider-0"));
}
