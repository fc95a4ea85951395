//! Everything that a session needs, with the knobs that tests turn.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chat::{Prices, Protocol};
use engine::{
    Answered, CacheUse, Calls, Clock, Costing, LaneSettings, Ports, PreparedCell, RetryPolicy,
    Scored, Scorer, Selection, Session, SessionError, Settings,
};
use run::{Call, Caps, Endpoint, Failure, PlannedCell, Summary};
use score::Status;
use serde_json::json;
use tokio::time::{Duration, Instant};
use values::{ContentHash, Id, NanoDollars, Timestamp};

use crate::memory::Memory;
use crate::script::Provider;

/// One nano-dollar for each token of output.
pub(crate) const PRICES: Prices = Prices {
    input_uncached: 0,
    cache_read: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    output_visible: 1_000_000,
    output_reasoning: 1_000_000,
};

/// Every call may cost a hundred nano-dollars at worst.
pub(crate) fn priced() -> Costing {
    let tariff = Arc::new(catalog::Tariff::of(PRICES));
    Costing::Priced { tariff, worst_case: NanoDollars::new(100) }
}

pub(crate) struct World {
    pub(crate) memory: Arc<Memory>,
    pub(crate) providers: Vec<Arc<Provider>>,
    pub(crate) settings: Settings,
    pub(crate) costing: Costing,
    /// Cells that cannot be prepared.
    pub(crate) unpreparable: Option<(u32, Failure)>,
    /// From this cell on answers are drawn anew.
    pub(crate) anew_from: u32,
    pub(crate) score_ms: u64,
    pub(crate) scored: Arc<AtomicU32>,
}

impl World {
    /// A plan in which variant `v` goes to provider `v`, and every case has one cell for each.
    pub(crate) fn new(cases: u32, concurrency: u32, providers: Vec<Provider>) -> Self {
        let variants = u32::try_from(providers.len()).unwrap();
        let plan: Vec<_> = (0..cases * variants)
            .map(|index| PlannedCell {
                index,
                case_id: format!("case-{}", index / variants),
                case_hash: ContentHash::of_bytes(b"case"),
                cluster: None,
                variant: index % variants,
                sample: 0,
            })
            .collect();
        let lanes = (0..variants)
            .map(|variant| LaneSettings {
                provider: format!("provider-{variant}"),
                variants: Arc::from([variant]),
                concurrency: NonZeroU32::new(concurrency).unwrap(),
                requests_per_minute: None,
            })
            .collect();
        let settings = Settings {
            run: Id::new(Timestamp::from_unix_ms(0), [0; 10]),
            planned: cases * variants,
            lanes,
            selection: Selection::Unfinished,
            caps: Caps::default(),
            allow_unpriced: false,
            cache: CacheUse::Off,
            retry: RetryPolicy::default(),
            seed: 7,
        };
        Self {
            memory: Arc::new(Memory::new(plan)),
            providers: providers.into_iter().map(Arc::new).collect(),
            settings,
            costing: priced(),
            unpreparable: None,
            anew_from: u32::MAX,
            score_ms: 0,
            scored: Arc::default(),
        }
    }

    pub(crate) fn cap(&mut self, nano_dollars: i64) {
        self.settings.caps.run = Some(NanoDollars::new(nano_dollars));
    }

    pub(crate) fn session(&self) -> Session {
        let ports = Ports {
            clock: Arc::new(VirtualClock { started: Instant::now() }),
            calls: Arc::new(Renderer {
                providers: self.providers.clone(),
                costing: self.costing.clone(),
                unpreparable: self.unpreparable.clone(),
                anew_from: self.anew_from,
            }),
            cache: Arc::clone(&self.memory) as _,
            record: Arc::clone(&self.memory) as _,
            scorer: Arc::new(Passes { ms: self.score_ms, scored: Arc::clone(&self.scored) }),
        };
        Session::new(self.settings.clone(), ports)
    }

    pub(crate) async fn execute(&self) -> Result<Summary, SessionError> {
        self.session().execute().await
    }

    pub(crate) fn times_scored(&self) -> u32 {
        self.scored.load(Ordering::Relaxed)
    }
}

/// The runtime's own time, which tests pause.
struct VirtualClock {
    started: Instant,
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(i64::try_from(self.started.elapsed().as_millis()).unwrap())
    }

    async fn sleep_until(&self, time: Timestamp) {
        let ms = u64::try_from(time.unix_ms()).unwrap();
        tokio::time::sleep_until(self.started + Duration::from_millis(ms)).await;
    }
}

struct Renderer {
    providers: Vec<Arc<Provider>>,
    costing: Costing,
    unpreparable: Option<(u32, Failure)>,
    anew_from: u32,
}

#[async_trait]
impl Calls for Renderer {
    async fn prepare(&self, cell: &PlannedCell) -> Result<PreparedCell, Box<Failure>> {
        if let Some((index, failure)) = &self.unpreparable
            && *index == cell.index
        {
            return Err(Box::new(failure.clone()));
        }
        let rendered = Call {
            protocol: Protocol::OpenaiChat,
            endpoint: Endpoint::Remote { origin: "http://p".to_owned(), path: "/".to_owned() },
            model: "m".to_owned(),
            body: json!({"cell": cell.index}),
            seed: None,
            adapter_version: 1,
        };
        Ok(PreparedCell {
            call: Arc::new(rendered),
            client: Arc::clone(&self.providers[cell.variant as usize]) as _,
            costing: self.costing.clone(),
        })
    }

    fn is_drawn_anew(&self, cell: &PlannedCell) -> bool {
        cell.index >= self.anew_from
    }
}

struct Passes {
    ms: u64,
    scored: Arc<AtomicU32>,
}

#[async_trait]
impl Scorer for Passes {
    async fn score(&self, _answered: Answered<'_>) -> Scored {
        tokio::time::sleep(Duration::from_millis(self.ms)).await;
        self.scored.fetch_add(1, Ordering::Relaxed);
        Scored { status: Status::Pass, scores: Vec::new() }
    }
}
