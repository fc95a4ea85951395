use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use run::Answer;
use store::{Store, StoreError};
use tokio::sync::oneshot;
use values::{ContentHash, Timestamp};

/// Lookups in the response cache. Those that come while one is under way are answered together next,
/// by the same thread: handing each to a thread of its own costs more than to answer it.
pub(crate) struct Lookups {
    store: Store,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    asked: Vec<Question>,
    /// Whether a thread answers, and looks for more before it ends.
    is_answering: bool,
}

struct Question {
    key: ContentHash,
    answer: oneshot::Sender<Result<Option<Answer>, StoreError>>,
}

impl Lookups {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, waiting: Mutex::default() }
    }

    /// Returns the answer of a key, and notes that it was used at this time.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(crate) async fn find(
        self: &Arc<Self>,
        key: ContentHash,
        now: Timestamp,
    ) -> Result<Option<Answer>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let must_start = {
            let mut waiting = self.waiting();
            waiting.asked.push(Question { key, answer });
            !std::mem::replace(&mut waiting.is_answering, true)
        };
        if must_start {
            let lookups = Arc::clone(self);
            // Its end is seen by whoever waits for an answer.
            drop(tokio::task::spawn_blocking(move || lookups.answer_all(now)));
        }
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    fn answer_all(&self, now: Timestamp) {
        let _ended = Ended(self);
        loop {
            let asked = {
                let mut waiting = self.waiting();
                if waiting.asked.is_empty() {
                    waiting.is_answering = false;
                    return;
                }
                std::mem::take(&mut waiting.asked)
            };
            let keys: Vec<_> = asked.iter().map(|question| question.key).collect();
            match self.store.cached_all(&keys, now) {
                Ok(found) => {
                    for (question, found) in asked.into_iter().zip(found) {
                        // Whoever asked may have been dropped.
                        drop(question.answer.send(Ok(found)));
                    }
                }
                Err(error) => {
                    for question in asked {
                        drop(question.answer.send(Err(error.clone())));
                    }
                }
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held, so what is inside is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets nobody wait for a thread that ended in a panic.
struct Ended<'a>(&'a Lookups);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.waiting();
            waiting.is_answering = false;
            waiting.asked.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use store::OpenOptions;
    use tokio::task::JoinSet;
    use values::Id;

    use super::*;

    #[test]
    fn whoever_asks_while_others_are_answered_is_answered_too() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_unix_ms(1);
        let options = OpenOptions::new(now, Id::new(now, [1; 10]));
        let store = Store::open(&folder.path().join("trysquare.db"), options).unwrap();
        let lookups = Arc::new(Lookups::new(store));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answers = runtime.block_on(async {
            let mut asked = JoinSet::new();
            for number in 0..500_u32 {
                let lookups = Arc::clone(&lookups);
                let key = ContentHash::of_bytes(&number.to_le_bytes());
                asked.spawn(async move { lookups.find(key, now).await });
            }
            asked.join_all().await
        });
        assert_eq!(answers.len(), 500);
        assert!(answers.into_iter().all(|answer| matches!(answer, Ok(None))));
        assert!(!lookups.waiting().is_answering);
    }
}
