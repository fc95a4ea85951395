use std::num::NonZeroU32;
use std::sync::Arc;

use run::Caps;
use values::Id;

use crate::Selection;

/// Milliseconds between two renewals of a run's lease.
pub const HEARTBEAT_MS: u64 = 5_000;

/// What a session of a run is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The run.
    pub run: Id,
    /// The number of cells in its plan.
    pub planned: u32,
    /// The providers with their cells. Every variant belongs to exactly one.
    pub lanes: Vec<LaneSettings>,
    /// Which cells.
    pub selection: Selection,
    /// The most that may be spent.
    pub caps: Caps,
    /// Whether calls without a known price are sent although a cap is set.
    pub allow_unpriced: bool,
    /// How the response cache is used.
    pub cache: CacheUse,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Seeds the jitter of waiting times; the run's.
    pub seed: u64,
}

/// One provider and the cells that go to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneSettings {
    /// The provider's or target's name.
    pub provider: String,
    /// Its variants, as indices into the header's list.
    pub variants: Arc<[u32]>,
    /// How many calls it may be given at once.
    pub concurrency: NonZeroU32,
    /// How many calls it may be given in a minute, retries included; `None` is as many as it takes.
    pub requests_per_minute: Option<NonZeroU32>,
}

/// How the response cache is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheUse {
    /// Looked up and filled.
    #[default]
    On,
    /// Filled, not looked up: `--refresh`.
    Refresh,
    /// Neither: `--no-cache`.
    Off,
}

/// When a failed attempt is repeated. The client decides which failures are worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a cell is tried again in one session after its first attempt.
    pub retries: u32,
    /// Milliseconds of the first back-off; it doubles with each try. The wait is drawn evenly
    /// between 0 and it ("full jitter").
    pub base_ms: u64,
    /// Milliseconds that a back-off is at most.
    pub most_ms: u64,
    /// Milliseconds that a provider may ask to be left alone and is waited for. One that asks for
    /// longer gets nothing more in this session.
    pub longest_pause_ms: u64,
}

impl Default for RetryPolicy {
    /// Three attempts, 0.5 s doubling to 8 s, and pauses of at most two minutes, as the vendors'
    /// own clients do.
    fn default() -> Self {
        Self { retries: 2, base_ms: 500, most_ms: 8_000, longest_pause_ms: 120_000 }
    }
}
