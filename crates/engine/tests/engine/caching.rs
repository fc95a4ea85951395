use engine::CacheUse;
use run::{AnswerSource, Bill, FailureKind, Outcome, Retry, RunState};

use crate::memory::Memory;
use crate::script::{Provider, answers, fails};
use crate::world::World;

/// Starts the same plan anew, with the cache that the first run filled.
fn anew(world: &World) -> Memory {
    let state = world.memory.state();
    let fresh = Memory::new(state.plan.clone());
    fresh.state().cache.clone_from(&state.cache);
    fresh
}

#[tokio::test(start_paused = true)]
async fn a_hit_is_marked_costs_nothing_and_counts_as_saved() {
    let mut world = World::new(10, 2, vec![Provider::new(|_| answers(7))]);
    world.settings.cache = CacheUse::On;
    world.execute().await.unwrap();

    world.memory = anew(&world).into();
    // Not even a cap of nothing is in the way of a hit.
    world.cap(0);
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.state, summary.progress.hits), (RunState::Complete, 10));
    let spend = summary.progress.spend;
    assert_eq!((spend.saved.get(), spend.billed.get()), (70, 0));
    assert_eq!(world.providers[0].seen().calls.len(), 10);
    let attempt = &world.memory.attempts(0)[0];
    assert!(matches!(&attempt.outcome, Outcome::Answered(answer)
        if answer.source == AnswerSource::Cache && answer.latency_ms == 50));
    assert_eq!(world.memory.spend(), spend);
}

#[tokio::test(start_paused = true)]
async fn refreshing_sends_again_and_fills_the_cache_and_without_a_cache_nothing_is_kept() {
    for (cache, kept) in [(CacheUse::Refresh, 3), (CacheUse::Off, 0)] {
        let mut world = World::new(3, 2, vec![Provider::new(|_| answers(7))]);
        world.settings.cache = cache;
        world.execute().await.unwrap();
        world.memory = anew(&world).into();
        world.execute().await.unwrap();
        assert_eq!(world.providers[0].seen().calls.len(), 6);
        assert_eq!(world.memory.state().cache.len(), kept);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_drawn_anew_is_sent_again_and_not_kept() {
    let mut world = World::new(5, 2, vec![Provider::new(|_| answers(7))]);
    world.settings.cache = CacheUse::On;
    world.anew_from = 3;
    world.execute().await.unwrap();
    assert_eq!(world.memory.state().cache.len(), 3);
    world.memory = anew(&world).into();
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.progress.hits, world.providers[0].seen().calls.len()), (3, 7));
}

#[tokio::test(start_paused = true)]
async fn failures_are_never_cached() {
    let broken = Provider::new(|_| fails(FailureKind::BadResponse, Retry::Never, Bill::Unknown));
    let mut world = World::new(3, 2, vec![broken]);
    world.settings.cache = CacheUse::On;
    world.execute().await.unwrap();
    assert!(world.memory.state().cache.is_empty());
}

#[tokio::test(start_paused = true)]
async fn hits_are_not_held_up_by_a_provider_that_is_slow() {
    let slow = Provider::new(|_| answers(1).after(60_000));
    let mut world = World::new(10, 1, vec![slow]);
    world.settings.cache = CacheUse::On;
    world.execute().await.unwrap();
    let memory = anew(&world);
    let first = *memory.state().cache.keys().min().unwrap();
    memory.state().cache.remove(&first);
    world.memory = memory.into();
    let summary = world.execute().await.unwrap();
    assert_eq!((summary.progress.hits, world.providers[0].seen().calls.len()), (9, 11));
    assert!(summary.elapsed_ms < 61_000, "{}", summary.elapsed_ms);
}
