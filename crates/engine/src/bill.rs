//! What an attempt is booked as. Pure.

use catalog::Tariff;
use chat::Usage;
use run::{AnswerSource, Bill, LedgerState, Outcome};
use values::NanoDollars;

use crate::Costing;

/// How an attempt goes into the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Booking {
    /// What it was billed, or would have cost; `None` if unknown.
    pub(crate) cost: Option<NanoDollars>,
    /// What becomes of its reservation; `None` if it needs none.
    pub(crate) ledger: Option<LedgerState>,
    /// Whether it may have cost something at a price that nobody knows.
    pub(crate) unpriced: bool,
}

/// What is known of what a provider counted.
enum Counted {
    Nothing,
    Tokens(Usage),
    Unknown,
}

/// Books the outcome of an attempt that was sent, or of a cache hit.
pub(crate) fn book(outcome: &Outcome, costing: &Costing) -> Booking {
    let counted = counted(outcome);
    let live = is_live(outcome);
    match costing {
        Costing::Free { tariff } => Booking {
            cost: tariff.as_ref().and_then(|tariff| cost(&counted, tariff)),
            ledger: None,
            unpriced: false,
        },
        Costing::Priced { tariff, .. } => Booking {
            cost: cost(&counted, tariff),
            ledger: Some(match counted {
                Counted::Tokens(usage) if live => {
                    LedgerState::Settled { billed: tariff.cost(&usage) }
                }
                Counted::Unknown if live => LedgerState::PresumedSpent,
                _ => LedgerState::Released,
            }),
            unpriced: false,
        },
        Costing::Unknown { .. } => Booking {
            cost: None,
            ledger: None,
            unpriced: live && !matches!(counted, Counted::Nothing),
        },
    }
}

fn is_live(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(answer) => answer.source == AnswerSource::Live,
        Outcome::Failed(_) => true,
    }
}

fn counted(outcome: &Outcome) -> Counted {
    match outcome {
        Outcome::Answered(answer) => answer.reply.usage.map_or(Counted::Unknown, Counted::Tokens),
        Outcome::Failed(failure) => match failure.bill {
            Bill::Nothing => Counted::Nothing,
            Bill::Unknown => Counted::Unknown,
            Bill::Known { usage } => Counted::Tokens(usage),
        },
    }
}

fn cost(counted: &Counted, tariff: &Tariff) -> Option<NanoDollars> {
    match counted {
        Counted::Nothing => Some(NanoDollars::ZERO),
        Counted::Tokens(usage) => Some(tariff.cost(usage)),
        Counted::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chat::{FinishReason, Prices, Reply};
    use run::{Answer, Failure, FailureKind, Retry};
    use serde_json::Value;

    use super::*;

    const PRICES: Prices = Prices {
        input_uncached: 0,
        cache_read: 0,
        cache_write_5m: 0,
        cache_write_1h: 0,
        output_visible: 2_000_000,
        output_reasoning: 0,
    };
    const UNKNOWN: Costing = Costing::Unknown { why: catalog::Unbounded::Price };

    fn priced() -> Costing {
        let tariff = Arc::new(Tariff::of(PRICES));
        Costing::Priced { tariff, worst_case: NanoDollars::new(100) }
    }

    fn answered(usage: Option<u64>, source: AnswerSource) -> Outcome {
        let usage = usage.map(|tokens| Usage { output_visible: tokens, ..Usage::default() });
        let reply = Reply {
            text: String::new(),
            refusal: None,
            tool_calls: Vec::new(),
            finish: FinishReason::Complete,
            usage,
            raw_usage: Value::Null,
            served_model: None,
            request_id: None,
            logprobs: Vec::new(),
            extra: Value::Null,
        };
        Outcome::Answered(Box::new(Answer { reply, latency_ms: 1, first_token_ms: None, source }))
    }

    fn failed(bill: Bill) -> Outcome {
        Outcome::Failed(Failure {
            kind: FailureKind::ServerError,
            message: String::new(),
            hint: None,
            status: None,
            request_id: None,
            retry: Retry::Never,
            bill,
        })
    }

    #[test]
    fn an_answer_without_usage_is_presumed_spent() {
        let booking = book(&answered(None, AnswerSource::Live), &priced());
        assert_eq!((booking.cost, booking.ledger), (None, Some(LedgerState::PresumedSpent)));
    }

    #[test]
    fn a_known_bill_is_settled_whether_the_attempt_succeeded_or_not() {
        let billed = NanoDollars::new(14);
        let usage = Usage { output_visible: 7, ..Usage::default() };
        for outcome in [answered(Some(7), AnswerSource::Live), failed(Bill::Known { usage })] {
            let booking = book(&outcome, &priced());
            assert_eq!(booking.ledger, Some(LedgerState::Settled { billed }));
            assert_eq!(booking.cost, Some(billed));
        }
    }

    #[test]
    fn only_what_was_certainly_not_billed_is_released() {
        assert_eq!(book(&failed(Bill::Nothing), &priced()).ledger, Some(LedgerState::Released));
        assert_eq!(
            book(&failed(Bill::Unknown), &priced()).ledger,
            Some(LedgerState::PresumedSpent)
        );
    }

    #[test]
    fn a_hit_shows_what_it_would_have_cost_and_spends_nothing() {
        let booking = book(&answered(Some(7), AnswerSource::Cache), &priced());
        assert_eq!(booking.cost, Some(NanoDollars::new(14)));
        assert_eq!(booking.ledger, Some(LedgerState::Released));
    }

    #[test]
    fn an_unknown_price_is_never_zero() {
        let booking = book(&answered(Some(7), AnswerSource::Live), &UNKNOWN);
        assert_eq!(booking, Booking { cost: None, ledger: None, unpriced: true });
        assert!(!book(&answered(Some(7), AnswerSource::Cache), &UNKNOWN).unpriced);
    }
}
