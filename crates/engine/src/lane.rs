//! One provider's cells on their way: which of them is where, and what happens next.
//!
//! A lane owns its state and shares none of it. Cells move
//! backlog → prepare → `ready` → reserve → `sendable` → send, record, score, and from a failure
//! that is worth repeating through `waiting` back to `ready`. The window bounds how many are
//! between the backlog and their end, so memory does not grow with the plan, and a slow cell takes
//! one place of it and holds up nobody. In each queue the earliest cell of the plan goes first, so
//! nobody starves and pairs complete together.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use values::Timestamp;

use crate::halt::Level;
use crate::pace::Pace;
use crate::prepare::prepare;
use crate::shared::Shared;
use crate::work::{self, Done, Freed, Job};
use crate::{LaneSettings, PendingCell, PendingQuery, RecordError};

/// One provider's lane.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    /// Its place in the settings.
    index: usize,
    settings: LaneSettings,
    provider: Arc<str>,
    pace: Pace,
    pages: Pages,
    /// Cells that are neither in the backlog nor at their end.
    in_window: u32,
    ready: BinaryHeap<Reverse<Queued>>,
    reserving: u32,
    sendable: BinaryHeap<Reverse<Queued>>,
    waiting: BinaryHeap<Reverse<(Timestamp, Queued)>>,
    tasks: JoinSet<Step>,
    freed: (mpsc::UnboundedSender<Freed>, mpsc::UnboundedReceiver<Freed>),
    unusable: Option<String>,
}

/// Where the lane is in its part of the plan.
#[derive(Default)]
struct Pages {
    backlog: VecDeque<PendingCell>,
    after: Option<u32>,
    is_loading: bool,
    is_at_end: bool,
}

/// What a task of the lane came to.
enum Step {
    Page(Result<Vec<PendingCell>, RecordError>),
    Cell(Done),
}

/// A job in a queue, ordered by its place in the plan.
struct Queued(Box<Job>);

impl Queued {
    fn place(&self) -> u32 {
        self.0.pending.cell.index
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Queued {}

impl Lane {
    pub(crate) fn new(shared: Arc<Shared>, index: usize) -> Self {
        let settings = shared.settings.lanes[index].clone();
        Self {
            index,
            provider: Arc::from(settings.provider.as_str()),
            pace: Pace::new(
                settings.concurrency,
                settings.requests_per_minute,
                shared.settings.retry.longest_pause_ms,
            ),
            pages: Pages::default(),
            in_window: 0,
            ready: BinaryHeap::new(),
            reserving: 0,
            sendable: BinaryHeap::new(),
            waiting: BinaryHeap::new(),
            tasks: JoinSet::new(),
            freed: mpsc::unbounded_channel(),
            unusable: None,
            settings,
            shared,
        }
    }

    /// Works until every cell of the lane has an outcome, or the session is to end.
    pub(crate) async fn run(mut self) {
        let mut level = self.shared.halt.watch();
        loop {
            let now = self.shared.now();
            if self.is_closed() {
                self.give_up_unsent();
            } else {
                self.advance(now);
            }
            self.publish(now);
            if self.is_over() {
                return;
            }
            self.await_event(now, &mut level).await;
        }
    }

    /// Tells whether nothing new may be sent.
    fn is_closed(&self) -> bool {
        self.unusable.is_some() || !self.shared.halt.is_going()
    }

    fn is_over(&self) -> bool {
        let nothing_left = self.pages.is_at_end
            && self.pages.backlog.is_empty()
            && self.ready.is_empty()
            && self.sendable.is_empty()
            && self.waiting.is_empty();
        self.tasks.is_empty() && (nothing_left || self.is_closed())
    }

    /// How many cells may be between the backlog and their end: those on their way, as many again
    /// that are being prepared, recorded, scored or waiting, and a few for small lanes.
    fn window(&self) -> u32 {
        self.settings.concurrency.get().saturating_mul(2).saturating_add(16)
    }

    /// How many jobs hold a reservation before it is their turn, so that the ledger's commit and
    /// the provider's answer overlap. Few, because a killed run presumes all of them spent.
    fn reserved_ahead(&self) -> u32 {
        self.settings.concurrency.get() / 4 + 1
    }

    /// Starts all that may be started now.
    fn advance(&mut self, now: Timestamp) {
        self.wake(now);
        self.load();
        self.admit();
        self.launch(now);
        if self.pace.paused_until(now).is_none() {
            self.reserve();
        }
    }

    fn wake(&mut self, now: Timestamp) {
        while self.waiting.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            if let Some(Reverse((_, job))) = self.waiting.pop() {
                self.enqueue(job);
            }
        }
    }

    fn enqueue(&mut self, job: Queued) {
        let queue = if job.0.needs_reservation() { &mut self.ready } else { &mut self.sendable };
        queue.push(Reverse(job));
    }

    /// Fetches the next page before the backlog runs dry.
    fn load(&mut self) {
        let limit = self.window();
        let pages = &mut self.pages;
        if pages.is_at_end || pages.is_loading || pages.backlog.len() > limit as usize / 2 {
            return;
        }
        pages.is_loading = true;
        let query = PendingQuery {
            run: self.shared.settings.run,
            selection: self.shared.settings.selection,
            variants: Arc::clone(&self.settings.variants),
            after: pages.after,
            limit,
        };
        let record = Arc::clone(&self.shared.ports.record);
        self.tasks.spawn(async move { Step::Page(record.pending(&query).await) });
    }

    fn admit(&mut self) {
        while self.in_window < self.window() {
            let Some(mut pending) = self.pages.backlog.pop_front() else { return };
            self.in_window += 1;
            let shared = Arc::clone(&self.shared);
            if let Some(attempt) = pending.answered.take() {
                self.spawn(work::score_recorded(shared, pending, attempt));
            } else {
                self.spawn(prepare(shared, Arc::clone(&self.provider), pending));
            }
        }
    }

    fn reserve(&mut self) {
        while self.reserving.saturating_add(count(&self.sendable)) < self.reserved_ahead() {
            let Some(Reverse(Queued(job))) = self.ready.pop() else { return };
            self.reserving += 1;
            self.spawn(work::reserve(Arc::clone(&self.shared), job));
        }
    }

    fn launch(&mut self, now: Timestamp) {
        while !self.sendable.is_empty() {
            let Some(ticket) = self.pace.start(now) else { return };
            if let Some(Reverse(Queued(job))) = self.sendable.pop() {
                let (shared, provider) = (Arc::clone(&self.shared), Arc::clone(&self.provider));
                self.spawn(work::send(shared, provider, job, ticket, self.freed.0.clone()));
            }
        }
    }

    fn spawn(&mut self, work: impl Future<Output = Done> + Send + 'static) {
        self.tasks.spawn(async move { Step::Cell(work.await) });
    }

    /// Leaves everything that is not sent to the next session.
    fn give_up_unsent(&mut self) {
        self.pages.backlog.clear();
        self.ready.clear();
        self.waiting.clear();
        for Reverse(Queued(job)) in std::mem::take(&mut self.sendable) {
            self.spawn(work::release(Arc::clone(&self.shared), job));
        }
    }

    /// Waits for something to happen, and takes in all that has.
    async fn await_event(&mut self, now: Timestamp, level: &mut watch::Receiver<Level>) {
        let timer = self.next_timer(now);
        let clock = Arc::clone(&self.shared.ports.clock);
        let is_closed = self.is_closed();
        tokio::select! {
            Some(freed) = self.freed.1.recv() => self.call_came_back(freed),
            Some(step) = self.tasks.join_next() => self.step_ended(step),
            () = async { clock.sleep_until(timer.unwrap_or(now)).await }, if timer.is_some() => {}
            // The sender lives as long as the session.
            _ = level.changed(), if !is_closed => {}
        }
        while let Ok(freed) = self.freed.1.try_recv() {
            self.call_came_back(freed);
        }
        while let Some(step) = self.tasks.try_join_next() {
            self.step_ended(step);
        }
    }

    /// Returns when something is due without anything happening.
    fn next_timer(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_closed() {
            return None;
        }
        let retry = self.waiting.peek().map(|Reverse((at, _))| *at);
        let is_blocked = !self.ready.is_empty() || !self.sendable.is_empty();
        let resume = self.pace.paused_until(now).filter(|_| is_blocked);
        let metered = self.pace.metered_until(now).filter(|_| !self.sendable.is_empty());
        [retry, resume.max(metered)].into_iter().flatten().min()
    }

    fn call_came_back(&mut self, freed: Freed) {
        let now = self.shared.now();
        self.pace.finish(freed.ticket, freed.signal, freed.hints, now);
        if let Some(cause) = freed.unusable
            && self.unusable.is_none()
        {
            if let run::StopCause::ProviderUnusable { message, .. } = &cause {
                self.unusable = Some(message.clone());
            }
            self.shared.halt.note(cause);
        }
    }

    fn step_ended(&mut self, step: Result<Step, JoinError>) {
        match step {
            Ok(Step::Page(page)) => self.page_came(page),
            Ok(Step::Cell(done)) => self.cell_moved(done),
            Err(error) => self.shared.halt.panicked(panic_message(error)),
        }
    }

    fn page_came(&mut self, page: Result<Vec<PendingCell>, RecordError>) {
        self.pages.is_loading = false;
        match page {
            Ok(cells) => {
                self.pages.is_at_end = cells.len() < self.window() as usize;
                self.pages.after = cells.last().map(|last| last.cell.index).or(self.pages.after);
                self.pages.backlog.extend(cells);
            }
            Err(error) => self.shared.halt.record_failed(error),
        }
    }

    fn cell_moved(&mut self, done: Done) {
        match done {
            Done::Prepared(job) => self.enqueue(Queued(job)),
            Done::Reserved(job) => {
                self.reserving -= 1;
                self.sendable.push(Reverse(Queued(job)));
            }
            Done::NotReserved => {
                self.reserving -= 1;
                self.in_window -= 1;
            }
            Done::Again(job, at) => self.waiting.push(Reverse((at, Queued(job)))),
            Done::Over => self.in_window -= 1,
        }
    }

    /// Shows how the provider is doing.
    fn publish(&self, now: Timestamp) {
        let mut tally = self.shared.tally();
        let shown = tally.provider(self.index);
        shown.in_flight = self.pace.in_flight();
        shown.concurrency = self.pace.allowed();
        shown.paused_until = self.pace.paused_until(now);
        shown.unusable.clone_from(&self.unusable);
        drop(tally);
        self.shared.changed.notify_one();
    }
}

fn count<T>(queue: &BinaryHeap<T>) -> u32 {
    u32::try_from(queue.len()).unwrap_or(u32::MAX)
}

fn panic_message(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "a task was aborted".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
