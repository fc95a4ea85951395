use std::io::{self, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::GitError;

/// Runs a program to its end, or kills it.
pub(super) fn output_within(command: &mut Command, limit: Duration) -> Result<Output, GitError> {
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(GitError::NotStarted)?;
    let finished = finish(&mut child, started, limit);
    if finished.is_err() {
        // It may have ended meanwhile, which is all that is wanted.
        drop(child.kill());
        drop(child.wait());
    }
    finished
}

fn finish(child: &mut Child, started: Instant, limit: Duration) -> Result<Output, GitError> {
    let left = || limit.checked_sub(started.elapsed()).ok_or(GitError::TooSlow(limit));
    // Both pipes are read at once: a program that fills the one that nobody reads would wait for ever.
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let receive = |pipe: mpsc::Receiver<io::Result<Vec<u8>>>| {
        let bytes = pipe.recv_timeout(left()?).map_err(|_| GitError::TooSlow(limit))?;
        bytes.map_err(|error| GitError::Failed(error.to_string()))
    };
    let (stdout, stderr) = (receive(stdout)?, receive(stderr)?);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(GitError::NotStarted)? {
            break status;
        }
        // It has closed its pipes, so its end is a matter of moments.
        thread::sleep(left()?.min(Duration::from_millis(1)));
    };
    Ok(Output { status, stdout, stderr })
}

/// Reads a pipe to its end on a thread of its own. The thread ends with the pipe, also when nobody
/// waits for it any more.
fn drain(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes));
        // Whoever gave up waiting has dropped the receiver.
        drop(sender.send(read.map(|_| bytes)));
    });
    receiver
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests need programs that are slow or loud")]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let mut silent = Command::new("tail");
        silent.args(["-f", "/dev/null"]).stdin(Stdio::null());
        let refused = output_within(&mut silent, Duration::from_millis(50)).unwrap_err();
        assert_eq!(refused.to_string(), "git gave no answer within 0.05 s and was stopped");
    }

    #[test]
    fn a_program_that_closed_its_output_and_goes_on_is_killed() {
        let mut closed = Command::new("bash");
        closed.args(["-c", "exec >&- 2>&-; exec sleep 600"]).stdin(Stdio::null());
        let refused = output_within(&mut closed, Duration::from_millis(200));
        assert!(matches!(refused, Err(GitError::TooSlow(_))), "{refused:?}");
    }

    #[test]
    fn output_on_both_pipes_is_read_whole() {
        let mut loud = Command::new("bash");
        loud.args(["-c", "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; exit 3"]);
        let output = output_within(&mut loud, Duration::from_mins(1)).unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len()), (300_000, 300_000));
        assert_eq!(output.status.code(), Some(3));
    }
}
