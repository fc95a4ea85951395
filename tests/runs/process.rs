//! The program while it runs: wait for it, signal it, kill it.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use test_provider::{Counts, TestProvider};
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::ChildStderr;
use tokio::runtime::Runtime;

use crate::project::Ran;

/// A started program.
pub(crate) struct Process {
    runtime: Runtime,
    child: tokio::process::Child,
    stderr: BufReader<ChildStderr>,
    said: Vec<u8>,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(command: Command) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        let mut child = runtime.block_on(async { command.spawn() }).unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { runtime, child, stderr, said: Vec::new() }
    }

    /// Waits until a server's counts are enough, or the program has ended; tells whether it ended.
    pub(crate) fn ends_before(
        &mut self,
        server: &TestProvider,
        enough: impl FnMut(&Counts) -> bool,
    ) -> bool {
        let child = &mut self.child;
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                status = child.wait() => { status.unwrap(); true }
                _ = server.wait_until(enough) => false,
            }
        })
    }

    /// Waits until a server's counts are enough; the program must still be at work then.
    #[track_caller]
    pub(crate) fn works_until(
        &mut self,
        server: &TestProvider,
        enough: impl FnMut(&Counts) -> bool,
    ) {
        assert!(!self.ends_before(server, enough), "the program ended early");
    }

    /// Waits until it has said this on standard error.
    #[track_caller]
    pub(crate) fn waits_for_words(&mut self, words: &str) {
        let Self { runtime, stderr, said, .. } = self;
        while !String::from_utf8_lossy(said).contains(words) {
            let byte = runtime.block_on(stderr.read_u8());
            said.push(byte.unwrap_or_else(|_| {
                panic!("it ended without `{words}`:\n{}", String::from_utf8_lossy(said))
            }));
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Kills it without warning and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.runtime.block_on(self.child.kill()).unwrap();
    }

    /// Waits for its end and returns what it printed.
    pub(crate) fn finish(self) -> Ran {
        let Self { runtime, child, mut stderr, mut said } = self;
        let rest = async {
            let mut rest = Vec::new();
            stderr.read_to_end(&mut rest).await.unwrap();
            rest
        };
        let (output, rest) =
            runtime.block_on(async { tokio::join!(child.wait_with_output(), rest) });
        let output = output.unwrap();
        said.extend(rest);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(said) }
    }
}
