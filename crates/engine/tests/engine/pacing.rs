use std::num::NonZeroU32;

use provider::RateHints;
use run::{Bill, FailureKind, Retry, RunState};

use crate::script::{Provider, Reaction, answers, fails};
use crate::world::World;

fn limited(retry: Retry) -> Reaction {
    fails(FailureKind::RateLimited, retry, Bill::Nothing).after(5)
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_pauses_its_provider_as_long_as_it_asks_and_no_other() {
    let busy = Provider::new(|asked| match asked.at_ms {
        0..10 => limited(Retry::After { ms: 30_000 }),
        _ => answers(1),
    });
    let free = Provider::new(|_| answers(1));
    let world = World::new(20, 4, vec![busy, free]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.progress.counts.pass, 40);
    let starts: Vec<_> = world.providers[0].seen().calls.iter().map(|call| call.at_ms).collect();
    assert!(starts[4..].iter().all(|start| *start >= 30_005), "{starts:?}");
    let last_free = world.providers[1].seen().calls.last().unwrap().at_ms;
    assert!(last_free < 1_000, "{last_free}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_window_in_the_headers_is_awaited_without_a_refusal() {
    // Ten requests a minute, and the provider says so.
    let metered = Provider::new(|asked| {
        let used = asked.cell % 10 + 1;
        let rate = RateHints {
            requests_left: Some(u64::from(10 - used)),
            requests_reset_ms: Some(60_000 - asked.at_ms % 60_000 - 50),
            ..RateHints::default()
        };
        Reaction { rate, ..answers(1) }
    });
    let world = World::new(30, 1, vec![metered]);
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.progress.counts.pass, summary.progress.retries), (30, 0));
    let calls = &world.providers[0].seen().calls;
    let minute = |n: usize| calls[n].at_ms / 60_000;
    assert_eq!((minute(9), minute(10), minute(19), minute(20)), (0, 1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_calls_in_a_minute_is_kept_by_retries_too_and_holds_up_no_other() {
    let metered = Provider::new(|asked| match asked.before {
        0 if asked.cell % 4 == 0 => fails(FailureKind::Connect, Retry::Backoff, Bill::Nothing),
        _ => answers(1),
    });
    let free = Provider::new(|_| answers(1));
    let mut world = World::new(40, 8, vec![metered, free]);
    world.settings.lanes[0].requests_per_minute = NonZeroU32::new(20);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.progress.counts.pass, 80);
    let starts: Vec<_> = world.providers[0].seen().calls.iter().map(|call| call.at_ms).collect();
    assert_eq!(starts.len(), 60, "40 cells, half of them twice");
    let gaps: Vec<_> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap == 3_000), "one every three seconds: {gaps:?}");
    let last_free = world.providers[1].seen().calls.last().unwrap().at_ms;
    assert!(last_free < 1_000, "{last_free}");
}

#[tokio::test(start_paused = true)]
async fn concurrency_halves_under_overload_and_recovers_by_one_a_round() {
    // It takes four at once for a second, and anything after that.
    let weak = Provider::new(|asked| {
        if asked.at_ms < 1_000 && asked.in_flight > 4 {
            fails(FailureKind::Overloaded, Retry::Backoff, Bill::Nothing).after(5)
        } else {
            answers(1)
        }
    });
    let mut world = World::new(2_000, 16, vec![weak]);
    world.settings.retry.retries = 20;
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.progress.counts.pass, 2_000);
    let calls = &world.providers[0].seen().calls;
    let most = |from: u64, to: u64| {
        let within = calls.iter().filter(|call| (from..to).contains(&call.at_ms));
        within.map(|call| call.in_flight).max().unwrap()
    };
    assert_eq!(most(0, 1), 16);
    assert!(most(200, 1_000) <= 8, "{}", most(200, 1_000));
    assert_eq!(most(2_500, 10_000), 16);
    assert_eq!(summary.progress.providers[0].concurrency, 16);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_hours_is_left_alone_and_the_run_can_be_resumed() {
    let closed = Provider::new(|_| limited(Retry::After { ms: 3_600_000 }));
    let world = World::new(10, 2, vec![closed]);
    let summary = world.execute().await.unwrap();
    assert_eq!(summary.state, RunState::Stopped);
    assert_eq!(summary.progress.done(), 0);
    assert!(summary.elapsed_ms < 1_000, "{}", summary.elapsed_ms);
}

#[tokio::test(start_paused = true)]
async fn one_slow_case_holds_up_nobody() {
    let provider = Provider::new(|asked| match asked.cell {
        0 => answers(1).after(600_000),
        _ => answers(1),
    });
    let world = World::new(500, 4, vec![provider]);
    world.execute().await.unwrap();
    let calls = &world.providers[0].seen().calls;
    // 499 calls of 50 ms over the three other places.
    assert!(calls.last().unwrap().at_ms < 500 * 50 / 3 + 1_000, "{:?}", calls.last());
}

#[tokio::test(start_paused = true)]
async fn cells_that_are_repeated_go_before_those_that_are_new() {
    let provider = Provider::new(|asked| match (asked.cell, asked.before) {
        (0, 0) => fails(FailureKind::Connect, Retry::After { ms: 100 }, Bill::Nothing),
        _ => answers(1),
    });
    let world = World::new(100, 1, vec![provider]);
    world.execute().await.unwrap();
    let cells = world.providers[0].cells();
    let repeated = cells.iter().rposition(|cell| *cell == 0).unwrap();
    assert!(repeated <= 4, "{cells:?}");
}
