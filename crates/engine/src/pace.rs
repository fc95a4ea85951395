//! How fast one provider is given calls. Pure: the time is an argument.
//!
//! Additive increase, multiplicative decrease: the first sign of congestion in a round halves the
//! number of calls at once, a round of successes raises it by one, up to what is configured. What
//! the provider says about its limits is obeyed by pausing it; other providers go on. A limit of
//! calls in a minute is kept by spacing them evenly: a burst followed by a long wait would be
//! refused by servers that look at seconds.

use std::num::NonZeroU32;

use provider::RateHints;
use values::Timestamp;

/// One provider's pace.
#[derive(Debug)]
pub(crate) struct Pace {
    most: u32,
    allowed: u32,
    in_flight: u32,
    /// Successes since the last change of `allowed`.
    successes: u32,
    /// The number of the next call.
    next: u64,
    /// Calls before this one were sent before the last cut and say nothing about it.
    cut_before: u64,
    longest_pause_ms: u64,
    paused_until: Option<Timestamp>,
    window: Option<Window>,
    meter: Option<Meter>,
}

/// Spaces calls evenly, so that no minute has more of them than it may.
#[derive(Debug, Clone, Copy)]
struct Meter {
    per_minute: i64,
    /// When the next call may start, in milliseconds since 1970 times `per_minute`: whole numbers,
    /// so that no limit is rounded.
    next: i64,
}

/// A minute's milliseconds.
const MINUTE_MS: i64 = 60_000;

impl Meter {
    fn new(per_minute: NonZeroU32) -> Self {
        Self { per_minute: i64::from(per_minute.get()), next: i64::MIN }
    }

    /// Returns the first whole millisecond at which a call may start.
    fn opens(&self) -> Timestamp {
        let floor = self.next.div_euclid(self.per_minute);
        Timestamp::from_unix_ms(floor + i64::from(self.next.rem_euclid(self.per_minute) > 0))
    }

    fn count(&mut self, now: Timestamp) {
        let now = now.unix_ms().saturating_mul(self.per_minute);
        // A call that starts in the millisecond that its turn falls into is not late.
        let is_late = now.saturating_sub(self.next) >= self.per_minute;
        let turn = if is_late { now } else { self.next };
        self.next = turn.saturating_add(MINUTE_MS);
    }
}

/// What the provider said it still takes.
#[derive(Debug, Clone, Copy)]
struct Window {
    left: u64,
    until: Timestamp,
}

/// Names one call on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u64);

/// What a finished call says about its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It has room.
    Fine,
    /// It has too much to do; `pause_ms` is how long it asks to be left alone.
    Congested {
        /// Milliseconds, where it said so.
        pause_ms: Option<u64>,
    },
    /// It asks to be left alone for other reasons.
    Pause {
        /// Milliseconds.
        ms: u64,
    },
    /// Nothing.
    Silent,
}

impl Pace {
    pub(crate) fn new(
        most: NonZeroU32,
        per_minute: Option<NonZeroU32>,
        longest_pause_ms: u64,
    ) -> Self {
        Self {
            most: most.get(),
            allowed: most.get(),
            in_flight: 0,
            successes: 0,
            next: 0,
            cut_before: 0,
            longest_pause_ms,
            paused_until: None,
            window: None,
            meter: per_minute.map(Meter::new),
        }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(crate) fn allowed(&self) -> u32 {
        self.allowed
    }

    /// Takes a place for one call, if it may be sent now.
    pub(crate) fn start(&mut self, now: Timestamp) -> Option<Ticket> {
        if self.in_flight >= self.allowed
            || self.paused_until(now).is_some()
            || self.metered_until(now).is_some()
        {
            return None;
        }
        if let Some(meter) = &mut self.meter {
            meter.count(now);
        }
        if let Some(window) = &mut self.window {
            window.left = window.left.saturating_sub(1);
        }
        self.in_flight += 1;
        self.next += 1;
        Some(Ticket(self.next - 1))
    }

    /// Returns when the limit of calls in a minute lets the next one go, if that is later than now.
    /// Unlike a pause this is the provider's ordinary pace, and says nothing about its state.
    pub(crate) fn metered_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.meter.map(|meter| meter.opens()).filter(|opens| *opens > now)
    }

    /// Returns until when the provider asked to be left alone, if that is later than now.
    pub(crate) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        let window = self.window.filter(|window| window.left == 0).map(|window| window.until);
        self.paused_until.max(window).filter(|until| *until > now)
    }

    /// Gives a place back, with what the call showed.
    pub(crate) fn finish(
        &mut self,
        ticket: Ticket,
        signal: Signal,
        hints: RateHints,
        now: Timestamp,
    ) {
        self.in_flight -= 1;
        match signal {
            Signal::Fine => self.raise(),
            Signal::Congested { pause_ms } => {
                self.cut(ticket);
                self.pause(pause_ms.unwrap_or(0), now);
            }
            Signal::Pause { ms } => self.pause(ms, now),
            Signal::Silent => {}
        }
        self.heed(hints, now);
    }

    fn raise(&mut self) {
        self.successes += 1;
        if self.successes >= self.allowed {
            self.successes = 0;
            self.allowed = self.most.min(self.allowed + 1);
        }
    }

    fn cut(&mut self, ticket: Ticket) {
        if ticket.0 >= self.cut_before {
            self.cut_before = self.next;
            self.successes = 0;
            self.allowed = (self.allowed / 2).max(1);
        }
    }

    fn pause(&mut self, ms: u64, now: Timestamp) {
        let until = later(now, ms.min(self.longest_pause_ms));
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Heeds rate headers. A provider counts a call when it arrives, so calls that are on their way
    /// may not be in its number yet: they are taken off.
    fn heed(&mut self, hints: RateHints, now: Timestamp) {
        if let (Some(left), Some(reset_ms)) = (hints.requests_left, hints.requests_reset_ms) {
            self.window = Some(Window {
                left: left.saturating_sub(u64::from(self.in_flight)),
                until: later(now, reset_ms.min(self.longest_pause_ms)),
            });
        }
        if let (Some(0), Some(reset_ms)) = (hints.tokens_left, hints.tokens_reset_ms) {
            self.pause(reset_ms, now);
        }
    }
}

/// Returns the instant `ms` milliseconds after `time`.
pub(crate) fn later(time: Timestamp, ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(time.unix_ms().saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    fn pace(most: u32) -> Pace {
        Pace::new(NonZeroU32::new(most).unwrap(), None, 120_000)
    }

    fn start_all(pace: &mut Pace, now: Timestamp) -> Vec<Ticket> {
        std::iter::from_fn(|| pace.start(now)).collect()
    }

    const CONGESTED: Signal = Signal::Congested { pause_ms: None };

    #[test]
    fn it_starts_at_what_is_configured() {
        assert_eq!(start_all(&mut pace(5), at(0)).len(), 5);
    }

    #[test]
    fn one_round_of_refusals_halves_once() {
        let mut pace = pace(16);
        for ticket in start_all(&mut pace, at(0)) {
            pace.finish(ticket, CONGESTED, RateHints::default(), at(1));
        }
        assert_eq!(pace.allowed(), 8);
        for ticket in start_all(&mut pace, at(2)) {
            pace.finish(ticket, CONGESTED, RateHints::default(), at(3));
        }
        assert_eq!(pace.allowed(), 4);
    }

    #[test]
    fn it_never_falls_below_one_and_never_rises_above_what_is_configured() {
        let mut pace = pace(2);
        for _ in 0..5 {
            let ticket = pace.start(at(0)).unwrap();
            pace.finish(ticket, CONGESTED, RateHints::default(), at(0));
        }
        assert_eq!(pace.allowed(), 1);
        for _ in 0..20 {
            let ticket = pace.start(at(0)).unwrap();
            pace.finish(ticket, Signal::Fine, RateHints::default(), at(0));
        }
        assert_eq!(pace.allowed(), 2);
    }

    #[test]
    fn a_round_of_successes_raises_by_one() {
        let mut pace = pace(8);
        let ticket = pace.start(at(0)).unwrap();
        pace.finish(ticket, CONGESTED, RateHints::default(), at(0));
        for expected in [5, 6] {
            for ticket in start_all(&mut pace, at(1)) {
                pace.finish(ticket, Signal::Fine, RateHints::default(), at(2));
            }
            assert_eq!(pace.allowed(), expected);
        }
    }

    #[test]
    fn a_pause_ends_when_the_provider_said_and_is_never_shortened() {
        let mut pace = pace(2);
        let (first, second) = (pace.start(at(0)).unwrap(), pace.start(at(0)).unwrap());
        let asks = |ms| Signal::Congested { pause_ms: Some(ms) };
        pace.finish(first, asks(5_000), RateHints::default(), at(100));
        pace.finish(second, asks(1_000), RateHints::default(), at(200));
        assert_eq!(pace.paused_until(at(200)), Some(at(5_100)));
        assert!(pace.start(at(5_099)).is_none());
        assert!(pace.start(at(5_100)).is_some());
    }

    #[test]
    fn calls_are_spaced_so_that_no_minute_has_more_than_it_may() {
        // Seven does not divide a minute into whole milliseconds.
        let mut pace = Pace::new(NonZeroU32::new(50).unwrap(), NonZeroU32::new(7), 120_000);
        let mut starts: Vec<i64> = Vec::new();
        let mut now = at(1_000);
        while starts.len() < 30 {
            if let Some(until) = pace.metered_until(now) {
                assert!(pace.start(now).is_none(), "sent before its time");
                now = until;
            } else {
                assert!(pace.start(now).is_some());
                starts.push(now.unix_ms());
            }
        }
        assert!(starts.windows(8).all(|eight| eight[7] - eight[0] >= MINUTE_MS), "{starts:?}");
        assert_eq!(starts[28] - starts[0], 4 * MINUTE_MS, "and no minute has fewer");
    }

    #[test]
    fn time_without_calls_is_not_saved_up() {
        let mut pace = Pace::new(NonZeroU32::new(9).unwrap(), NonZeroU32::new(60), 120_000);
        assert!(pace.start(at(0)).is_some());
        assert!(pace.start(at(30_000)).is_some());
        assert!(pace.start(at(30_999)).is_none());
        assert!(pace.start(at(31_000)).is_some());
    }

    #[test]
    fn an_empty_window_of_requests_holds_back_until_its_reset() {
        let mut pace = pace(4);
        let tickets = start_all(&mut pace, at(0));
        let left = |left| RateHints {
            requests_left: Some(left),
            requests_reset_ms: Some(1_000),
            ..RateHints::default()
        };
        // Three calls are on their way, so of five that are left only two are known to be free.
        pace.finish(tickets[0], Signal::Fine, left(5), at(10));
        assert_eq!(pace.start(at(11)).map(|_| ()), Some(()));
        pace.finish(tickets[1], Signal::Fine, left(3), at(20));
        assert!(pace.start(at(21)).is_none());
        assert_eq!(pace.paused_until(at(21)), Some(at(1_020)));
        assert!(pace.start(at(1_020)).is_some());
    }
}
