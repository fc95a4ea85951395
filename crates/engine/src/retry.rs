//! What follows from a failed attempt. Pure: the time and the seed are arguments.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use run::{Failure, FailureKind, Retry};
use values::Timestamp;

use crate::RetryPolicy;
use crate::pace::{Signal, later};

/// What follows from a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The failure is the cell's outcome.
    Close,
    /// The cell is tried again, not before this time.
    Again {
        /// The time.
        at: Timestamp,
    },
    /// It says nothing about the case, only that the provider cannot be used until the person has
    /// done something: the cell stays pending, and the provider gets nothing more.
    Unusable,
    /// The run was stopped: the cell stays pending.
    Stopped,
}

/// One failed attempt, as far as the decision needs it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failed<'a> {
    /// What happened.
    pub(crate) failure: &'a Failure,
    /// Attempts at this cell in this session, this one included.
    pub(crate) tries: u32,
    /// The cell's place in the plan.
    pub(crate) cell: u32,
    /// When it failed.
    pub(crate) at: Timestamp,
}

impl RetryPolicy {
    /// Decides what follows from a failed attempt.
    pub(crate) fn judge(&self, failed: Failed<'_>, seed: u64) -> Verdict {
        match (failed.failure.kind, failed.failure.retry) {
            (FailureKind::Cancelled, _) => Verdict::Stopped,
            (
                FailureKind::QuotaExhausted
                | FailureKind::Authentication
                | FailureKind::ConsentMissing
                | FailureKind::TrustMissing,
                _,
            ) => Verdict::Unusable,
            (_, Retry::After { ms }) if ms > self.longest_pause_ms => Verdict::Unusable,
            (_, Retry::Never) => Verdict::Close,
            _ if failed.tries > self.retries => Verdict::Close,
            (_, Retry::After { ms }) => Verdict::Again { at: later(failed.at, ms) },
            (_, Retry::Backoff) => {
                Verdict::Again { at: later(failed.at, self.backoff_ms(failed, seed)) }
            }
        }
    }

    /// Draws a waiting time evenly between 0 and the doubled base, both included.
    fn backoff_ms(&self, failed: Failed<'_>, seed: u64) -> u64 {
        let doublings = failed.tries.saturating_sub(1).min(32);
        let ceiling = self.base_ms.saturating_mul(1 << doublings).min(self.most_ms);
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..12].copy_from_slice(&failed.cell.to_le_bytes());
        key[12..16].copy_from_slice(&failed.tries.to_le_bytes());
        let word = ChaCha8Rng::from_seed(key).next_u64();
        let drawn = (u128::from(word) * (u128::from(ceiling) + 1)) >> 64;
        u64::try_from(drawn).expect("at most the ceiling, which is a u64")
    }
}

/// Returns what a failure says about its provider.
pub(crate) fn signal_of(failure: &Failure) -> Signal {
    let pause_ms = match failure.retry {
        Retry::After { ms } => Some(ms),
        Retry::Never | Retry::Backoff => None,
    };
    match (failure.kind, pause_ms) {
        (FailureKind::RateLimited | FailureKind::Overloaded, pause_ms) => {
            Signal::Congested { pause_ms }
        }
        (_, Some(ms)) => Signal::Pause { ms },
        (_, None) => Signal::Silent,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use run::Bill;

    use super::*;

    fn failure(kind: FailureKind, retry: Retry) -> Failure {
        Failure {
            kind,
            message: "m".to_owned(),
            hint: None,
            status: None,
            request_id: None,
            retry,
            bill: Bill::Unknown,
        }
    }

    fn judge(kind: FailureKind, retry: Retry, tries: u32) -> Verdict {
        let failure = failure(kind, retry);
        let at = Timestamp::from_unix_ms(1_000);
        RetryPolicy::default().judge(Failed { failure: &failure, tries, cell: 3, at }, 9)
    }

    #[test]
    fn what_would_fail_again_closes_at_once() {
        assert_eq!(judge(FailureKind::InvalidRequest, Retry::Never, 1), Verdict::Close);
        assert_eq!(judge(FailureKind::NotFound, Retry::Never, 1), Verdict::Close);
    }

    #[test]
    fn the_third_failure_closes_by_default() {
        for tries in [1, 2] {
            let verdict = judge(FailureKind::ServerError, Retry::Backoff, tries);
            assert!(matches!(verdict, Verdict::Again { .. }), "{verdict:?}");
        }
        assert_eq!(judge(FailureKind::ServerError, Retry::Backoff, 3), Verdict::Close);
    }

    #[test]
    fn the_time_that_a_provider_asks_for_is_kept_exactly() {
        let verdict = judge(FailureKind::RateLimited, Retry::After { ms: 7_000 }, 1);
        assert_eq!(verdict, Verdict::Again { at: Timestamp::from_unix_ms(8_000) });
    }

    #[test]
    fn a_provider_that_needs_the_person_is_unusable_and_says_nothing_about_the_case() {
        for kind in [FailureKind::Authentication, FailureKind::QuotaExhausted] {
            assert_eq!(judge(kind, Retry::Never, 3), Verdict::Unusable);
        }
        let hours = Retry::After { ms: 3_600_000 };
        assert_eq!(judge(FailureKind::RateLimited, hours, 1), Verdict::Unusable);
    }

    proptest! {
        #[test]
        fn back_off_stays_within_its_ceiling(tries in 1u32..=2, cell: u32, seed: u64) {
            let failure = failure(FailureKind::Timeout, Retry::Backoff);
            let at = Timestamp::from_unix_ms(0);
            let failed = Failed { failure: &failure, tries, cell, at };
            let verdict = RetryPolicy::default().judge(failed, seed);
            let ceiling = Timestamp::from_unix_ms(500 << (tries - 1));
            let within = matches!(verdict, Verdict::Again { at: then } if at <= then && then <= ceiling);
            prop_assert!(within, "{:?}", verdict);
        }
    }
}
