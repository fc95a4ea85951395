use run::{CapScope, Caps, LedgerEntry, LedgerState, Spend};
use rusqlite::{Connection, OptionalExtension, Row, params};
use values::{Id, NanoDollars, Timestamp};

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::sql::{is_dangling, is_taken};
use crate::store::Store;
use crate::sums::{Change, Scope, day_of, sums, sums_with};
use crate::writer::Done;
use crate::writing::Writing;

/// Money that a call may cost at worst, to be held back before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// A fresh id.
    pub id: Id,
    /// The run; this process must hold it.
    pub run: Id,
    /// The cell's place in the plan.
    pub cell: u32,
    /// The worst case.
    pub worst_case: NanoDollars,
}

/// The answer to a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// The money is held back: the call may be sent.
    Granted,
    /// The call would go over a cap: nothing was held back.
    Refused(CapReached),
}

/// The cap that a call would go over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapReached {
    /// Which cap.
    pub scope: CapScope,
    /// The cap.
    pub cap: NanoDollars,
    /// What the ledger holds under it: billed, presumed spent and still reserved.
    pub spent: NanoDollars,
    /// The worst case of the call.
    pub asked: NanoDollars,
}

/// What settling showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// By how much the bill is above its reservation. It is booked in full; the run must stop.
    pub overrun: Option<NanoDollars>,
}

/// Whose spending is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendScope {
    /// One run's.
    Run(Id),
    /// All runs' on the UTC day of this instant, by the time of reservation.
    Day(Timestamp),
    /// All runs'.
    Project,
}

impl Store {
    /// Holds back the worst case of a call if no cap forbids it; the check and the entry are one
    /// transaction, also between processes. Once granted, the entry is durable.
    ///
    /// Fails with [`StoreError::NotHeld`] if this process does not hold the run.
    pub fn reserve(
        &self,
        reservation: Reservation,
        caps: Caps,
        now: Timestamp,
        done: Done<Reserved>,
    ) {
        let lease = self.lease().id;
        self.submit_shared(done, move |writing| {
            let run_no = runs::held(writing, reservation.run, lease)?;
            reserve(writing, run_no, &reservation, &caps, now)
        });
    }

    /// Settles a reservation whose attempt is not recorded with it ([`Store::record`] does both at
    /// once). A presumption gives way to a bill that arrives late; settling twice alike is no error.
    pub fn settle(&self, run: Id, reservation: Id, to: LedgerState, done: Done<Settled>) {
        self.submit_shared(done, move |writing| {
            let run_no = runs::number_once(writing, run)?;
            settle(writing, run, run_no, reservation, to)
        });
    }

    /// Returns what was spent, as the ledger says, and what its amounts do not hold.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn spend(&self, scope: SpendScope) -> Result<Spend, StoreError> {
        self.read(|connection| {
            let scope = match scope {
                SpendScope::Run(run) => Scope::Run(runs::number(connection, run)?),
                SpendScope::Day(time) => Scope::Day(day_of(time)),
                SpendScope::Project => Scope::Project,
            };
            sums(connection, scope).map(|sums| sums.spend)
        })
    }

    /// Returns a page of a run's ledger, by id: at most `limit` entries after `after`.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn ledger(
        &self,
        run: Id,
        after: Option<Id>,
        limit: u32,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read(|connection| {
            let run_no = runs::number(connection, run)?;
            let doing = "read the ledger";
            let mut statement = connection
                .prepare_cached(
                    "SELECT id, cell, reserved_at, reserved, state, billed FROM ledger
                     WHERE run_no = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                )
                .doing(doing)?;
            let after = after.map_or(Vec::new(), |id| id.as_bytes().to_vec());
            let rows = statement
                .query_map(params![run_no, after, limit], |row| entry(row, run))
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}

/// Returns the entries of one cell, by id.
pub(crate) fn of_cell(
    connection: &Connection,
    run: Id,
    run_no: i64,
    cell: u32,
) -> Result<Vec<LedgerEntry>, StoreError> {
    let doing = "read the ledger";
    let mut statement = connection
        .prepare_cached(
            "SELECT id, cell, reserved_at, reserved, state, billed FROM ledger
             WHERE run_no = ?1 AND cell = ?2 ORDER BY id",
        )
        .doing(doing)?;
    let rows = statement.query_map(params![run_no, cell], |row| entry(row, run)).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

fn entry(row: &Row<'_>, run: Id) -> rusqlite::Result<LedgerEntry> {
    Ok(LedgerEntry {
        id: Id::from_bytes(row.get(0)?),
        run,
        cell: row.get(1)?,
        reserved_at: Timestamp::from_unix_ms(row.get(2)?),
        reserved: NanoDollars::new(row.get(3)?),
        state: state_of(row.get_ref(4)?.as_str()?, row.get(5)?),
    })
}

/// Settles an entry and moves its amount between the sums.
pub(crate) fn settle(
    writing: &Writing<'_>,
    run: Id,
    run_no: i64,
    reservation: Id,
    after: LedgerState,
) -> Result<Settled, StoreError> {
    let doing = "settle a reservation";
    let entry = writing
        .prepare_cached(
            "SELECT day, reserved, state, billed FROM ledger WHERE run_no = ?1 AND id = ?2",
        )
        .and_then(|mut select| {
            select
                .query_row(params![run_no, reservation.as_bytes()], |row| {
                    let state = state_of(row.get_ref(2)?.as_str()?, row.get(3)?);
                    Ok((row.get::<_, i64>(0)?, NanoDollars::new(row.get(1)?), state))
                })
                .optional()
        })
        .doing(doing)?;
    let (day, reserved, before) =
        entry.ok_or(StoreError::UnknownReservation { run, reservation })?;
    let overrun = match after {
        LedgerState::Settled { billed } if billed > reserved => Some(billed - reserved),
        _ => None,
    };
    match (before, after) {
        (before, after) if before == after => return Ok(Settled { overrun }),
        (_, LedgerState::Reserved) => {
            return Err(StoreError::Conflict(
                "a reservation is not settled by reserving".to_owned(),
            ));
        }
        (LedgerState::Reserved, _)
        | (LedgerState::PresumedSpent | LedgerState::Released, LedgerState::Settled { .. }) => {}
        _ => {
            return Err(StoreError::Conflict(format!(
                "reservation {reservation} was already settled in another way"
            )));
        }
    }
    let (name, billed) = columns_of(after);
    writing
        .prepare_cached("UPDATE ledger SET state = ?3, billed = ?4 WHERE run_no = ?1 AND id = ?2")
        .and_then(|mut update| {
            update.execute(params![run_no, reservation.as_bytes(), name, billed])
        })
        .doing(doing)?;
    let change = Change::between(reserved, Some(before), after);
    change.book(writing, run_no, day);
    Ok(Settled { overrun })
}

/// Presumes spent whatever a run still has reserved.
pub(crate) fn presume_all(writing: &Writing<'_>, run_no: i64) -> Result<(), StoreError> {
    let doing = "presume open reservations spent";
    let mut statement = writing
        .prepare_cached(
            "SELECT day, sum(reserved) FROM ledger WHERE run_no = ?1 AND state = 'reserved'
             GROUP BY day",
        )
        .doing(doing)?;
    let rows = statement.query_map([run_no], |row| Ok((row.get(0)?, row.get(1)?))).doing(doing)?;
    let days: Vec<(i64, i64)> = rows.collect::<Result<_, _>>().doing(doing)?;
    for (day, reserved) in days {
        let change = Change { reserved: -reserved, presumed: reserved, ..Change::default() };
        change.book(writing, run_no, day);
    }
    writing
        .prepare_cached(
            "UPDATE ledger SET state = 'presumed_spent' WHERE run_no = ?1 AND state = 'reserved'",
        )
        .and_then(|mut update| update.execute([run_no]))
        .doing(doing)
        .map(drop)
}

fn reserve(
    writing: &Writing<'_>,
    run_no: i64,
    reservation: &Reservation,
    caps: &Caps,
    now: Timestamp,
) -> Result<Reserved, StoreError> {
    let doing = "reserve money for a call";
    let asked = reservation.worst_case;
    let day = day_of(now);
    let scopes = [
        (CapScope::Request, caps.request, None),
        (CapScope::Run, caps.run, Some(Scope::Run(run_no))),
        (CapScope::Day, caps.day, Some(Scope::Day(day))),
        (CapScope::Project, caps.project, Some(Scope::Project)),
    ];
    for (scope, cap, of) in scopes {
        let Some(cap) = cap else { continue };
        let spent = match of {
            Some(of) => sums_with(writing, of)?.total(),
            None => NanoDollars::ZERO,
        };
        if spent + asked > cap {
            return Ok(Reserved::Refused(CapReached { scope, cap, spent, asked }));
        }
    }
    writing
        .prepare_cached(
            "INSERT INTO ledger (run_no, id, cell, reserved_at, day, reserved, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'reserved')",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                run_no,
                reservation.id.as_bytes(),
                reservation.cell,
                now.unix_ms(),
                day,
                asked.get(),
            ])
        })
        .map_err(|error| match error {
            error if is_taken(&error) => {
                StoreError::Conflict(format!("reservation {} exists already", reservation.id))
            }
            error if is_dangling(&error) => {
                StoreError::UnknownCell { run: reservation.run, cell: reservation.cell }
            }
            error => StoreError::sql(doing, error),
        })?;
    let change = Change::between(asked, None, LedgerState::Reserved);
    change.book(writing, run_no, day);
    Ok(Reserved::Granted)
}

fn columns_of(state: LedgerState) -> (&'static str, Option<i64>) {
    match state {
        LedgerState::Reserved => ("reserved", None),
        LedgerState::Settled { billed } => ("settled", Some(billed.get())),
        LedgerState::PresumedSpent => ("presumed_spent", None),
        LedgerState::Released => ("released", None),
    }
}

/// The table allows only these texts, and a bill exactly with the first.
fn state_of(name: &str, billed: Option<i64>) -> LedgerState {
    match (name, billed) {
        (_, Some(billed)) => LedgerState::Settled { billed: NanoDollars::new(billed) },
        ("presumed_spent", None) => LedgerState::PresumedSpent,
        ("released", None) => LedgerState::Released,
        _ => LedgerState::Reserved,
    }
}
