use rusqlite::{Connection, params};
use values::{Id, Timestamp};

use crate::error::{Doing, StoreError};
use crate::ledger;
use crate::process::{Life, ProcessIdentity};
use crate::runs;
use crate::store::Store;
use crate::writer::Done;
use crate::writing::Writing;

/// How long a process that cannot be looked at is believed to live after its last heartbeat.
const PATIENCE_MS: u64 = 60_000;

/// The right of one opened store to work on runs.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) id: Id,
    pub(crate) process: ProcessIdentity,
    pub(crate) opened: Timestamp,
}

impl Store {
    /// Says that this process still works on a run; to be called about every ten seconds.
    ///
    /// Reports whether somebody, perhaps in another process, asked the run to stop. Fails with
    /// [`StoreError::NotHeld`] if another process has taken the run over.
    pub fn heartbeat(&self, run: Id, now: Timestamp, done: Done<bool>) {
        let lease = self.lease();
        self.submit(done, move |connection| {
            let doing = "record a heartbeat";
            let run_no = runs::held(connection, run, lease.id)?;
            connection
                .prepare_cached("UPDATE lease SET heartbeat_at = ?2 WHERE id = ?1")
                .and_then(|mut update| update.execute(params![lease.id.as_bytes(), now.unix_ms()]))
                .doing(doing)?;
            connection
                .prepare_cached("SELECT cancel_at IS NOT NULL FROM run WHERE run_no = ?1")
                .and_then(|mut select| select.query_row([run_no], |row| row.get(0)))
                .doing(doing)
        });
    }

    /// Stops the runs of processes that died: their open reservations become presumed spent.
    ///
    /// Reports the runs that it stopped.
    pub fn stop_dead_runs(&self, now: Timestamp, done: Done<Vec<Id>>) {
        let own = self.lease().id;
        self.submit(done, move |connection| {
            let mut stopped = Vec::new();
            for lease in leases(connection).doing("look for runs of dead processes")? {
                if lease.id != own && !lease.is_alive(now) {
                    stopped.extend(end(connection, lease.id, now)?);
                }
            }
            Ok(stopped)
        });
    }

    pub(crate) fn end_lease(&self, now: Timestamp, done: Done<()>) {
        let own = self.lease().id;
        self.submit(done, move |connection| end(connection, own, now).map(drop));
    }
}

/// Tells whether any process works on runs, or died while it did.
pub(crate) fn any(connection: &Connection) -> Result<bool, StoreError> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM lease)", (), |row| row.get(0))
        .doing("look for other processes")
}

/// Writes this opening's lease, or notes that its process lives: it may have had no run to say so
/// for since the lease was written.
pub(crate) fn ensure(
    connection: &Connection,
    lease: &Lease,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO lease (id, pid, started, host, opened_at, heartbeat_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                lease.id.as_bytes(),
                lease.process.pid,
                lease.process.started,
                lease.process.host,
                lease.opened.unix_ms(),
                now.unix_ms(),
            ])
        })
        .doing("take the lease on a run")
        .map(drop)
}

/// Returns the process of a lease, if it lives.
pub(crate) fn alive(
    connection: &Connection,
    lease: Id,
    now: Timestamp,
) -> Result<Option<u32>, StoreError> {
    let all = leases(connection).doing("look for the process of a run")?;
    let held = all.into_iter().find(|held| held.id == lease);
    Ok(held.filter(|held| held.is_alive(now)).map(|held| held.process.pid))
}

struct Held {
    id: Id,
    process: ProcessIdentity,
    heartbeat: Timestamp,
}

impl Held {
    fn is_alive(&self, now: Timestamp) -> bool {
        match self.process.life() {
            Life::Alive => true,
            Life::Dead => false,
            Life::Unknown => now.ms_since(self.heartbeat) < PATIENCE_MS,
        }
    }
}

fn leases(connection: &Connection) -> rusqlite::Result<Vec<Held>> {
    let mut statement =
        connection.prepare("SELECT id, pid, started, host, heartbeat_at FROM lease")?;
    let rows = statement.query_map((), |row| {
        Ok(Held {
            id: Id::from_bytes(row.get(0)?),
            process: ProcessIdentity { pid: row.get(1)?, started: row.get(2)?, host: row.get(3)? },
            heartbeat: Timestamp::from_unix_ms(row.get(4)?),
        })
    })?;
    rows.collect()
}

/// Stops all runs of a lease and removes it.
pub(crate) fn end(
    connection: &Writing<'_>,
    lease: Id,
    now: Timestamp,
) -> Result<Vec<Id>, StoreError> {
    let doing = "stop the runs of a process";
    let mut statement =
        connection.prepare_cached("SELECT run_no, id FROM run WHERE lease = ?1").doing(doing)?;
    let rows = statement
        .query_map([lease.as_bytes()], |row| Ok((row.get(0)?, Id::from_bytes(row.get(1)?))))
        .doing(doing)?;
    let runs: Vec<(i64, Id)> = rows.collect::<Result<_, _>>().doing(doing)?;
    for (run_no, _) in &runs {
        ledger::presume_all(connection, *run_no)?;
    }
    connection
        .execute(
            "UPDATE run SET state = 'stopped', lease = NULL, state_at = ?2, cancel_at = NULL
             WHERE lease = ?1",
            params![lease.as_bytes(), now.unix_ms()],
        )
        .doing(doing)?;
    connection.execute("DELETE FROM lease WHERE id = ?1", [lease.as_bytes()]).doing(doing)?;
    Ok(runs.into_iter().map(|(_, id)| id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_is_taken_again_is_as_fresh_as_a_new_one() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../migrations/0001.sql")).unwrap();
        let at = |seconds: i64| Timestamp::from_unix_ms(seconds * 1_000);
        // A process that cannot be looked at from here: only its heartbeat tells.
        let process =
            ProcessIdentity { pid: 1, started: "then".to_owned(), host: "elsewhere".to_owned() };
        let lease = Lease { id: Id::new(at(0), [1; 10]), process, opened: at(0) };
        ensure(&connection, &lease, at(0)).unwrap();
        assert_eq!(alive(&connection, lease.id, at(100)).unwrap(), None);
        ensure(&connection, &lease, at(100)).unwrap();
        assert_eq!(alive(&connection, lease.id, at(101)).unwrap(), Some(1));
    }
}
