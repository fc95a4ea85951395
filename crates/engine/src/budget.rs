//! Waits for room under the caps.
//!
//! A reservation holds the worst case of a call, which is far above its bill. A run whose calls
//! fill the rest of its cap is therefore not at its cap yet: it waits for its own calls to settle,
//! and is at its cap only when a call does not fit while none is on its way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use run::CapScope;
use tokio::sync::Notify;
use values::Id;

use crate::halt::{Halt, Level};
use crate::{Record, RecordError, Reservation, Reserved};

/// What came of asking for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// The ledger's line.
    Granted(Id),
    /// It will not fit, however long one waits.
    OverCap(CapScope),
    /// The session came to its end first.
    Stopped,
}

/// The reservations of this session.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Reservations that are asked for or held.
    open: u32,
    /// How often one was given back.
    given_back: u64,
}

enum Refused {
    Final,
    AskAgain,
    Wait,
}

impl Budget {
    /// Reserves, waiting while calls on their way may still make room.
    pub(crate) async fn reserve(
        &self,
        record: &dyn Record,
        halt: &Halt,
        wish: Reservation,
    ) -> Result<Room, RecordError> {
        loop {
            let seen = self.ask();
            match record.reserve(wish).await {
                Ok(Reserved::Granted(id)) => {
                    // What one call gave back may be enough for several.
                    self.freed.notify_one();
                    return Ok(Room::Granted(id));
                }
                Ok(Reserved::OverCap(scope)) => match self.refused(seen, scope) {
                    Refused::Final => return Ok(Room::OverCap(scope)),
                    Refused::AskAgain => {}
                    Refused::Wait => tokio::select! {
                        () = self.freed.notified() => {}
                        () = halt.reached(Level::Finish) => return Ok(Room::Stopped),
                    },
                },
                Err(error) => {
                    self.give_back();
                    return Err(error);
                }
            }
        }
    }

    /// Tells that a reservation is settled in the ledger.
    pub(crate) fn give_back(&self) {
        let mut state = self.state();
        state.open -= 1;
        state.given_back += 1;
        drop(state);
        self.freed.notify_one();
    }

    fn ask(&self) -> u64 {
        let mut state = self.state();
        state.open += 1;
        state.given_back
    }

    fn refused(&self, seen: u64, scope: CapScope) -> Refused {
        let mut state = self.state();
        state.open -= 1;
        if scope == CapScope::Request {
            Refused::Final
        } else if state.given_back != seen {
            Refused::AskAgain
        } else if state.open == 0 {
            Refused::Final
        } else {
            Refused::Wait
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, so what is inside is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
