//! Counts what a session does, for those who watch. Everything in it is recorded already.

use std::collections::VecDeque;

use run::{Failure, FailureNotice, LedgerState, PlannedCell, Progress, ProviderProgress};
use score::Status;
use values::{NanoDollars, Timestamp};

use crate::bill::Booking;
use crate::settings::LaneSettings;
use crate::{Selection, Settings, Standing};

/// Milliseconds over which the rate is measured, and between two points of it.
const RATE_SPAN_MS: u64 = 30_000;
const RATE_STEP_MS: u64 = 500;

/// The counts of a session.
#[derive(Debug)]
pub(crate) struct Tally {
    progress: Progress,
    selection: Selection,
    failures: u64,
    newest: VecDeque<FailureNotice>,
    /// When how many cells were finished, oldest first.
    points: VecDeque<(Timestamp, u32)>,
    /// Attempts that could not be recorded.
    unrecorded: u32,
}

impl Tally {
    pub(crate) fn new(settings: &Settings, now: Timestamp) -> Self {
        let providers = settings.lanes.iter().map(idle).collect();
        let progress = Progress {
            run: settings.run,
            at: now,
            planned: settings.planned,
            counts: run::StatusCounts::default(),
            finished_now: 0,
            in_flight: 0,
            hits: 0,
            retries: 0,
            spend: run::Spend::default(),
            cap: settings.caps.run,
            cells_per_second: None,
            eta_ms: None,
            providers,
            failures: Vec::new(),
        };
        Self {
            progress,
            selection: settings.selection,
            failures: 0,
            newest: VecDeque::new(),
            points: VecDeque::new(),
            unrecorded: 0,
        }
    }

    /// Starts from what earlier sessions did.
    pub(crate) fn open(&mut self, standing: &Standing) {
        self.progress.counts = standing.counts;
        self.progress.spend = standing.spend;
        self.progress.hits = standing.hits;
    }

    pub(crate) fn reserved(&mut self, amount: NanoDollars) {
        let spend = &mut self.progress.spend;
        spend.reserved = spend.reserved + amount;
    }

    /// Books an attempt that is recorded, or a reservation that is settled.
    pub(crate) fn booked(&mut self, booking: &Booking, reserved: Option<NanoDollars>) {
        let spend = &mut self.progress.spend;
        let amount = reserved.unwrap_or(NanoDollars::ZERO);
        spend.reserved = spend.reserved - amount;
        match booking.ledger {
            Some(LedgerState::Settled { billed }) => spend.billed = spend.billed + billed,
            Some(LedgerState::PresumedSpent) => spend.presumed = spend.presumed + amount,
            Some(LedgerState::Released | LedgerState::Reserved) | None => {}
        }
        spend.unpriced += u32::from(booking.unpriced);
    }

    pub(crate) fn hit(&mut self, saved: Option<NanoDollars>) {
        self.progress.hits += 1;
        let spend = &mut self.progress.spend;
        spend.saved = spend.saved + saved.unwrap_or(NanoDollars::ZERO);
    }

    /// Takes a cell out of the count of its status, because it has a new answer.
    pub(crate) fn reopened(&mut self, status: Option<Status>) {
        if let Some(status) = status {
            let count = self.progress.counts.of_mut(status);
            *count = count.saturating_sub(1);
        }
    }

    /// Counts a finished cell; `before` is the status that it was counted under.
    pub(crate) fn finished(&mut self, before: Option<Status>, status: Status) {
        self.reopened(before);
        *self.progress.counts.of_mut(status) += 1;
        self.progress.finished_now += 1;
    }

    pub(crate) fn failed(
        &mut self,
        cell: &PlannedCell,
        provider: &str,
        failure: &Failure,
        again: bool,
    ) {
        self.failures += 1;
        self.progress.retries += u32::from(again);
        if self.newest.len() == Progress::NEWEST_FAILURES {
            self.newest.pop_front();
        }
        self.newest.push_back(FailureNotice {
            number: self.failures,
            cell: cell.index,
            case_id: cell.case_id.clone(),
            variant: cell.variant,
            provider: provider.to_owned(),
            kind: failure.kind,
            message: failure.message.clone(),
            hint: failure.hint.clone(),
            again,
        });
    }

    pub(crate) fn unrecorded(&mut self) {
        self.unrecorded += 1;
    }

    /// Returns how many attempts could not be recorded.
    pub(crate) fn lost(&self) -> u32 {
        self.unrecorded
    }

    pub(crate) fn provider(&mut self, lane: usize) -> &mut ProviderProgress {
        &mut self.progress.providers[lane]
    }

    pub(crate) fn unfinished(&self) -> u32 {
        self.progress.planned.saturating_sub(self.progress.done())
    }

    /// Returns how far the session is.
    pub(crate) fn snapshot(&mut self, now: Timestamp) -> Progress {
        self.measure(now);
        self.progress.at = now;
        self.progress.in_flight = self.progress.providers.iter().map(|lane| lane.in_flight).sum();
        Progress { failures: self.newest.iter().cloned().collect(), ..self.progress.clone() }
    }

    fn measure(&mut self, now: Timestamp) {
        let finished = self.progress.finished_now;
        if self.points.back().is_none_or(|(last, _)| now.ms_since(*last) >= RATE_STEP_MS) {
            self.points.push_back((now, finished));
        }
        while self.points.len() > 2 && now.ms_since(self.points[1].0) >= RATE_SPAN_MS {
            self.points.pop_front();
        }
        let (from, before) = self.points[0];
        let elapsed_ms = now.ms_since(from);
        let rate = f64::from(finished - before) * 1_000.0 / elapsed_ms as f64;
        let known = elapsed_ms >= RATE_STEP_MS && finished > before;
        self.progress.cells_per_second = known.then_some(rate);
        self.progress.eta_ms = self.progress.cells_per_second.and_then(|rate| self.eta_ms(rate));
    }

    fn eta_ms(&self, rate: f64) -> Option<u64> {
        let millis = f64::from(self.unfinished()) * 1_000.0 / rate;
        // A century is as good as never, and keeps the conversion exact.
        let sensible = self.selection == Selection::Unfinished && millis < 3.2e12;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "finite, not negative and small, as checked on the line before"
        )]
        sensible.then_some(millis as u64)
    }
}

fn idle(lane: &LaneSettings) -> ProviderProgress {
    ProviderProgress {
        provider: lane.provider.clone(),
        in_flight: 0,
        concurrency: lane.concurrency.get(),
        paused_until: None,
        unusable: None,
    }
}
