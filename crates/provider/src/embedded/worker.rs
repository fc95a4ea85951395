use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;

use run::{Failure, FailureKind};
use tokio::sync::oneshot;

use super::batcher::{Batcher, Question};
use super::failure::{failure, interrupted};
use super::file::ModelFile;
use super::gguf::Gguf;
use super::{EmbeddedOptions, body::Body};

/// What the model's thread is asked to do.
pub(super) enum Job {
    /// Answer a request.
    Answer(Question),
    /// Count the tokens of a text.
    CountText { text: String, answer: oneshot::Sender<Result<u64, Failure>> },
    /// Count the prompt tokens of a request.
    CountPrompt { body: Body, answer: oneshot::Sender<Result<u64, Failure>> },
}

impl Job {
    fn refuse(self, failure: Failure) {
        match self {
            Self::Answer(question) => drop(question.answer.send(Err(failure))),
            Self::CountText { answer, .. } | Self::CountPrompt { answer, .. } => {
                drop(answer.send(Err(failure)));
            }
        }
    }
}

/// The thread that owns a model. Dropping it ends the thread at the next token and waits for that.
pub(super) struct Worker {
    // The queue is not bounded by itself: everyone who puts a job in waits for its answer, so it
    // is never longer than the number of calls in flight.
    jobs: Option<Sender<Job>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(file: ModelFile, options: EmbeddedOptions) -> Result<Self, Failure> {
        let (jobs, received) = mpsc::channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopping);
        let thread = std::thread::Builder::new()
            .name(format!("model {}", file.name))
            .spawn(move || work(&file, &options, &received, &flag))
            .map_err(|error| {
                let message = format!("failed to start the model's thread: {error}");
                failure(FailureKind::LocalModel, message, None)
            })?;
        Ok(Self { jobs: Some(jobs), stopping, thread: Some(thread) })
    }

    /// Queues a job. Its answer always comes: at worst, the job is dropped and with it the sender.
    pub(super) fn submit(&self, job: Job) {
        if let Some(jobs) = &self.jobs
            && let Err(mpsc::SendError(job)) = jobs.send(job)
        {
            job.refuse(interrupted("the model's thread has ended"));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // Panics are caught inside; there is no more to learn from the thread's result.
            drop(thread.join());
        }
    }
}

/// Serves jobs until the last sender is gone. A panic or a failure of llama.cpp ends one session;
/// the next job starts another.
fn work(
    file: &ModelFile,
    options: &EmbeddedOptions,
    jobs: &Receiver<Job>,
    stopping: &Arc<AtomicBool>,
) {
    while let Ok(first) = jobs.recv() {
        // A panic takes the jobs under way along; they answer by being dropped, see
        // `EmbeddedModel::ask`.
        let session = || serve(file, options, first, jobs, stopping);
        drop(catch_unwind(AssertUnwindSafe(session)));
    }
}

fn serve(
    file: &ModelFile,
    options: &EmbeddedOptions,
    first: Job,
    jobs: &Receiver<Job>,
    stopping: &Arc<AtomicBool>,
) {
    let flag = Arc::clone(stopping);
    let gguf = match Gguf::open(file, false, move || !flag.load(Ordering::Relaxed)) {
        Ok(gguf) => gguf,
        Err(failure) => return first.refuse(failure),
    };
    let mut batcher = match Batcher::new(&gguf, &file.name, options) {
        Ok(batcher) => batcher,
        Err(failure) => return first.refuse(failure),
    };
    let mut next = Some(first);
    while !stopping.load(Ordering::Relaxed) {
        if let Some(job) = next.take() {
            handle(&gguf, &mut batcher, job);
        }
        next = if batcher.is_idle() {
            match jobs.recv() {
                Ok(job) => Some(job),
                Err(_) => return,
            }
        } else {
            match jobs.try_recv() {
                Ok(job) => Some(job),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return,
            }
        };
        if next.is_none()
            && let Err(failure) = batcher.step()
        {
            return batcher.fail_all(&failure);
        }
    }
}

fn handle(gguf: &Gguf, batcher: &mut Batcher<'_>, job: Job) {
    match job {
        Job::Answer(question) => batcher.accept(question),
        Job::CountText { text, answer } => drop(answer.send(Ok(gguf.count(&text)))),
        Job::CountPrompt { body, answer } => {
            let count = gguf.tokenize_turns(&body.messages).map(|tokens| tokens.len() as u64);
            drop(answer.send(count));
        }
    }
}
