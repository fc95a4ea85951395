use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rusqlite::Connection;

use crate::cache::CacheUse;
use crate::error::{Doing, StoreError};
use crate::writing::Writing;

/// What is told when a write is durable, or failed. It runs on the writer's thread, so it must be
/// quick and must not wait for another write.
pub type Done<T> = Box<dyn FnOnce(Result<T, StoreError>) + Send>;

/// The most writes that share a transaction.
const GROUP: usize = 512;
/// How long the writer rests before it tidies up.
const IDLE: Duration = Duration::from_secs(2);

/// A write, in the order in which they were submitted.
pub(crate) trait Job: Send {
    /// Tells whether it may share a transaction, and so be written again after one was undone.
    fn shares(&self) -> bool;
    /// Writes inside the open transaction and keeps its result.
    fn write(&mut self, open: &Writing<'_>) -> Result<(), StoreError>;
    /// Reports: the kept result once the transaction is durable, else why it is not.
    fn report(self: Box<Self>, transaction: Result<(), StoreError>);
}

struct Write<T, W> {
    work: W,
    shares: bool,
    result: Option<Result<T, StoreError>>,
    done: Done<T>,
}

/// Makes a job that has a transaction of its own, of a function that writes and one that is told.
pub(crate) fn job<T: Send + 'static>(
    work: impl FnOnce(&Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    done: Done<T>,
) -> Box<dyn Job> {
    let mut work = Some(work);
    let work = move |open: &Writing<'_>| match work.take() {
        Some(work) => work(open),
        None => Err(StoreError::Conflict("the write was begun already".to_owned())),
    };
    Box::new(Write { work, shares: false, result: None, done })
}

/// Makes a job that shares a transaction with others. It is written again if another of them failed,
/// which undid them all; beside rows it must change nothing that this would change twice.
pub(crate) fn shared_job<T: Send + 'static>(
    work: impl FnMut(&Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    done: Done<T>,
) -> Box<dyn Job> {
    Box::new(Write { work, shares: true, result: None, done })
}

impl<T: Send, W: FnMut(&Writing<'_>) -> Result<T, StoreError> + Send> Job for Write<T, W> {
    fn shares(&self) -> bool {
        self.shares
    }

    fn write(&mut self, open: &Writing<'_>) -> Result<(), StoreError> {
        self.result = None;
        let result = (self.work)(open);
        let outcome = result.as_ref().map(drop).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn report(self: Box<Self>, transaction: Result<(), StoreError>) {
        (self.done)(match (transaction, self.result) {
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
///
/// The writes of a group share one transaction without savepoints, for which SQLite would copy each
/// page that a write is about to change. Where one fails, all are undone, and each is written again
/// in a transaction of its own: failures are rare, and take nothing else with them.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) jobs: Receiver<Box<dyn Job>>,
    pub(crate) cache: Arc<CacheUse>,
}

/// What came of writing a group.
enum Group {
    /// It is durable, or could not be made so.
    Ended(Result<(), StoreError>),
    /// One of its writes failed; nothing is written.
    Undone,
}

impl Writer {
    /// Works until every sender is gone and every job is done.
    pub(crate) fn work(mut self) {
        let mut resting = true;
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(job) => Ok(job),
                None if resting => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                None => self.jobs.recv_timeout(IDLE),
            };
            match first {
                Ok(first) => {
                    next = self.write(first);
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

    /// Writes a job with others that wait, and returns one that wants a transaction of its own.
    fn write(&mut self, first: Box<dyn Job>) -> Option<Box<dyn Job>> {
        let mut next = None;
        if first.shares() {
            let mut written = vec![first];
            match self.group(&mut written, &mut next) {
                Group::Ended(durable) => report(written, &durable),
                Group::Undone => written.into_iter().for_each(|job| self.alone(job)),
            }
        } else {
            self.alone(first);
        }
        if self.cache.wants_tidying() {
            // Repeated later if it fails; nothing depends on it.
            drop(self.cache.tidy(&mut self.connection));
        }
        next
    }

    /// Writes what waits in one transaction, until nothing waits, the group is full, or the next
    /// wants a transaction of its own.
    fn group(&self, written: &mut Vec<Box<dyn Job>>, next: &mut Option<Box<dyn Job>>) -> Group {
        let open = match self.begin() {
            Ok(open) => open,
            Err(error) => {
                // What waits behind it would wait as long and fail as well.
                written.extend(self.jobs.try_iter());
                return Group::Ended(Err(error));
            }
        };
        let mut at = 0;
        while let Some(job) = written.get_mut(at) {
            if !matches!(guarded(job.as_mut(), &open), Ok(Ok(()))) {
                self.undo();
                return Group::Undone;
            }
            at += 1;
            match (at < GROUP).then(|| self.jobs.try_recv()) {
                Some(Ok(job)) if job.shares() => written.push(job),
                Some(Ok(job)) => *next = Some(job),
                Some(Err(_)) | None => {}
            }
        }
        Group::Ended(self.commit(open))
    }

    /// Writes a job in a transaction of its own.
    fn alone(&self, mut job: Box<dyn Job>) {
        let durable = self.begin().and_then(|open| match guarded(job.as_mut(), &open) {
            Ok(Ok(())) => self.commit(open),
            Ok(Err(error)) => {
                self.undo();
                Err(error)
            }
            Err(_) => {
                // Its own report says that it panicked.
                self.undo();
                Ok(())
            }
        });
        report(vec![job], &durable);
    }

    fn begin(&self) -> Result<Writing<'_>, StoreError> {
        run_cached(&self.connection, "BEGIN IMMEDIATE").doing("begin a group of writes")?;
        Ok(Writing::new(&self.connection))
    }

    fn commit(&self, open: Writing<'_>) -> Result<(), StoreError> {
        open.finish()
            .and_then(|()| run_cached(&self.connection, "COMMIT").doing("commit"))
            .inspect_err(|_| self.undo())
    }

    /// Undoes the open transaction, if SQLite has not done so already.
    fn undo(&self) {
        if !self.connection.is_autocommit() {
            // Should even this fail, closing undoes it, and the next group cannot begin.
            drop(run_cached(&self.connection, "ROLLBACK"));
        }
    }

    /// Writes down what can wait, and takes the WAL back into the database.
    fn tidy_up(&mut self) {
        // All of this is repeated at the next rest, and nothing depends on it.
        drop(self.cache.tidy(&mut self.connection));
        drop(checkpoint(&mut self.connection));
    }
}

fn report(written: Vec<Box<dyn Job>>, durable: &Result<(), StoreError>) {
    for job in written {
        let verdict = durable.clone();
        // A caller's panic is the caller's: the writer serves the others.
        drop(catch_unwind(AssertUnwindSafe(|| job.report(verdict))));
    }
}

/// Writes a job; a panic inside it must not end the writer.
fn guarded(job: &mut dyn Job, open: &Writing<'_>) -> std::thread::Result<Result<(), StoreError>> {
    catch_unwind(AssertUnwindSafe(|| job.write(open)))
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
        let work = move |connection: &Writing<'_>| {
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

    /// Lets a first write wait until the others stand behind it, so that all share its group.
    #[test]
    fn a_write_that_fails_in_a_group_takes_no_other_with_it() {
        let (sender, results) = channel();
        let (connection, _folder) = with_writer(None, |submit| {
            let (go, gate) = channel::<()>();
            let wait = move |_: &Writing<'_>| {
                // Written again, it finds the gate open.
                gate.recv().ok();
                Ok(())
            };
            submit(shared_job(wait, Box::new(drop)));
            for (number, value) in [(0, 10), (1, 10), (2, 12), (3, 13)] {
                let work = move |connection: &Writing<'_>| {
                    assert_ne!(value, 12, "a bug");
                    let row = (value, number);
                    connection
                        .execute("INSERT INTO t VALUES (?1, ?2)", row)
                        .doing("insert")
                        .map(drop)
                };
                let sender = sender.clone();
                let done = Box::new(move |result| sender.send((number, result)).unwrap());
                submit(shared_job(work, done));
            }
            drop(go);
        });
        drop(sender);
        let told: Vec<(i64, bool)> =
            results.into_iter().map(|(number, result)| (number, result.is_ok())).collect();
        assert_eq!(told, [(0, true), (1, false), (2, false), (3, true)]);
        let kept: i64 = connection.query_row("SELECT sum(a) FROM t", (), |row| row.get(0)).unwrap();
        assert_eq!(kept, 23);
    }

    #[test]
    fn a_panic_in_one_write_is_undone_and_takes_no_other_with_it() {
        let (sender, results) = channel();
        let (connection, _folder) = with_writer(None, |submit| {
            for number in 0..3 {
                let work = move |connection: &Writing<'_>| {
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
