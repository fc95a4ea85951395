use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rusqlite::Connection;

use crate::cache::CacheUse;
use crate::error::{Doing, StoreError};

/// What is told when a write is durable, or failed. It runs on the writer's thread, so it must be
/// quick and must not wait for another write.
pub type Done<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// The most writes that share a transaction.
const GROUP: usize = 512;
/// How long the writer rests before it tidies up.
const IDLE: Duration = Duration::from_secs(2);

/// A write, in the order in which they were submitted.
pub(crate) trait Job: Send {
    /// Writes inside the group's transaction and keeps its result.
    fn write(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Reports: the kept result once the group is durable, else why the group is not.
    fn report(self: Box<Self>, group: Result<(), StoreError>);
}

struct Write<T, W> {
    work: Option<W>,
    result: Option<Result<T, StoreError>>,
    done: Done<T>,
}

/// Makes a job of a function that writes and one that is told.
pub(crate) fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    done: Done<T>,
) -> Box<dyn Job> {
    Box::new(Write { work: Some(work), result: None, done })
}

impl<T: Send, W: FnOnce(&Connection) -> Result<T, StoreError> + Send> Job for Write<T, W> {
    fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let result = work(connection);
        let outcome = result.as_ref().map(drop).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn report(self: Box<Self>, group: Result<(), StoreError>) {
        (self.done)(match (group, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => {
                Err(StoreError::Conflict("the write ended in a panic and was undone".to_owned()))
            }
            // A write that was refused for itself has the better reason.
            (Err(_), Some(Err(own))) => Err(own),
            (Err(error), _) => Err(error),
        });
    }
}

/// Hands a job to the writer; without one, reports that the store is closed.
pub(crate) fn hand_over(jobs: Option<&Sender<Box<dyn Job>>>, job: Box<dyn Job>) {
    match jobs {
        Some(jobs) => {
            if let Err(refused) = jobs.send(job) {
                refused.0.report(Err(StoreError::Closed));
            }
        }
        None => job.report(Err(StoreError::Closed)),
    }
}

/// The one thread of this process that writes. While one group is being made durable the next
/// gathers, so that the busier it is, the more writes share an fsync.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) jobs: Receiver<Box<dyn Job>>,
    pub(crate) cache: Arc<CacheUse>,
}

impl Writer {
    /// Works until every sender is gone and every job is done.
    pub(crate) fn work(mut self) {
        let mut resting = true;
        loop {
            let first = if resting {
                self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.jobs.recv_timeout(IDLE)
            };
            match first {
                Ok(first) => {
                    self.group(first);
                    resting = false;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.tidy_up();
                    resting = true;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.tidy_up();
    }

    fn group(&mut self, first: Box<dyn Job>) {
        let doing = "begin a group of writes";
        let mut written = Vec::new();
        let durable = match self.connection.execute_batch("BEGIN IMMEDIATE").doing(doing) {
            Ok(()) => self.fill(first, &mut written),
            Err(error) => {
                // What waits behind it would wait as long and fail as well.
                written.push(first);
                written.extend(self.jobs.try_iter());
                Err(error)
            }
        };
        let durable =
            durable.and_then(|()| self.connection.execute_batch("COMMIT").doing("commit"));
        if durable.is_err() && !self.connection.is_autocommit() {
            // Should even this fail, closing undoes it, and the next group cannot begin.
            drop(self.connection.execute_batch("ROLLBACK"));
        }
        for job in written {
            let verdict = durable.clone();
            // A caller's panic is the caller's: the writer serves the others.
            drop(catch_unwind(AssertUnwindSafe(|| job.report(verdict))));
        }
        if self.cache.wants_tidying() {
            // Repeated later if it fails; nothing depends on it.
            drop(self.cache.tidy(&mut self.connection));
        }
    }

    /// Writes what waits into the open transaction, until nothing waits or the group is full.
    fn fill(&self, first: Box<dyn Job>, written: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        let mut next = Some(first);
        while let Some(mut job) = next {
            let outcome = write_alone(&self.connection, job.as_mut());
            written.push(job);
            outcome?;
            next = (written.len() < GROUP).then(|| self.jobs.try_recv().ok()).flatten();
        }
        Ok(())
    }

    /// Writes down what can wait, and takes the WAL back into the database.
    fn tidy_up(&mut self) {
        // All of this is repeated at the next rest, and nothing depends on it.
        drop(self.cache.tidy(&mut self.connection));
        drop(checkpoint(&mut self.connection));
    }
}

/// Runs one job so that its failure takes nothing else of the group with it.
///
/// # Errors
/// If SQLite gave up the whole transaction (as it may when the disk is full).
fn write_alone(connection: &Connection, job: &mut dyn Job) -> Result<(), StoreError> {
    let doing = "write";
    run_cached(connection, "SAVEPOINT job").doing(doing)?;
    // A panic inside a job must not leave its half behind, nor end the writer.
    let outcome = catch_unwind(AssertUnwindSafe(|| job.write(connection)));
    if !matches!(outcome, Ok(Ok(()))) {
        if connection.is_autocommit() {
            return outcome.unwrap_or(Err(StoreError::Closed));
        }
        run_cached(connection, "ROLLBACK TO job").doing(doing)?;
    }
    run_cached(connection, "RELEASE job").doing(doing)
}

fn run_cached(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(()).map(drop)
}

fn checkpoint(connection: &mut Connection) -> rusqlite::Result<()> {
    // Readers are never waited for: what they keep back is taken at the next rest.
    connection.busy_timeout(Duration::ZERO)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    connection.busy_handler(Some(crate::open::wait_for_lock))?;
    done
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn with_writer(
        limit: Option<u32>,
        test: impl FnOnce(&dyn Fn(Box<dyn Job>)),
    ) -> (Connection, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trysquare.db");
        let connection =
            crate::open::open_writer(&path, &["CREATE TABLE t (a INTEGER UNIQUE, b BLOB)"])
                .unwrap();
        if let Some(pages) = limit {
            connection.pragma_update(None, "max_page_count", pages).unwrap();
        }
        let (sender, jobs) = channel();
        let writer = Writer { connection, jobs, cache: Arc::new(CacheUse::new(1000)) };
        let thread = std::thread::spawn(move || writer.work());
        test(&|job| sender.send(job).map_err(drop).unwrap());
        drop(sender);
        thread.join().unwrap();
        (Connection::open(path).unwrap(), folder)
    }

    fn insert(number: i64, size: i64, done: Done<()>) -> Box<dyn Job> {
        let work = move |connection: &Connection| {
            connection
                .execute("INSERT INTO t VALUES (?1, zeroblob(?2))", (number, size))
                .doing("insert")
                .map(drop)
        };
        job(work, done)
    }

    /// Fills a database by its page limit, which is how SQLite sees a full disk. (That a real disk
    /// does the same is shown where one can be mounted.)
    #[test]
    fn a_write_that_does_not_fit_is_refused_and_smaller_ones_still_go() {
        let (sender, results) = channel();
        let (connection, _folder) = with_writer(Some(40), |submit| {
            for (number, size) in [(1, 10), (2, 1 << 20), (3, 10)] {
                let sender = sender.clone();
                let done = move |result| sender.send((number, result)).unwrap();
                submit(insert(number, size, Box::new(done)));
                // One at a time, so that none shares the fate of another.
                let (_, result): (i64, Result<(), StoreError>) = results.recv().unwrap();
                match result {
                    Err(error) => {
                        assert_eq!(number, 2);
                        assert!(matches!(error, StoreError::DiskFull { doing: "insert", .. }));
                    }
                    Ok(()) => assert_ne!(number, 2),
                }
            }
        });
        let kept: i64 = connection.query_row("SELECT sum(a) FROM t", (), |row| row.get(0)).unwrap();
        assert_eq!(kept, 4);
        assert_eq!(crate::schema::faults(&connection).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_panic_in_one_write_is_undone_and_takes_no_other_with_it() {
        let (sender, results) = channel();
        let (connection, _folder) = with_writer(None, |submit| {
            for number in 0..3 {
                let work = move |connection: &Connection| {
                    connection
                        .execute("INSERT INTO t VALUES (?1, NULL)", [number])
                        .doing("insert")?;
                    assert_ne!(number, 1, "a bug");
                    Ok(())
                };
                let sender = sender.clone();
                submit(job(work, Box::new(move |result| sender.send((number, result)).unwrap())));
            }
        });
        drop(sender);
        for (number, result) in results {
            assert_eq!(result.is_err(), number == 1);
        }
        let kept: Vec<i64> = connection
            .prepare("SELECT a FROM t ORDER BY a")
            .unwrap()
            .query_map((), |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(kept, [0, 2]);
    }
}
