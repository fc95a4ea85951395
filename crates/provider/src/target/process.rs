#![expect(clippy::disallowed_methods, reason = "starting trusted programs is this module's job")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use run::{Bill, Failure, FailureKind, Retry};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::Instant;
use values::ContentHash;

use crate::stop::stopped;

/// How much of a program's standard error a failure shows, in bytes.
const STDERR_TAIL: usize = 2048;

/// A program that a project declares, as it is started: no shell, no inherited environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramCommand {
    /// Its name in `trysquare.yaml`.
    pub name: String,
    /// The program and its arguments. Nothing in them is expanded.
    pub command: Vec<OsString>,
    /// The working directory: the project's folder.
    pub directory: PathBuf,
    /// The whole environment. Whoever calls decides what a program may know; keys do not belong
    /// here unless the person put them there.
    pub environment: Vec<(OsString, OsString)>,
    /// How long it may run.
    pub time_limit: Duration,
    /// The most bytes of standard output that are read.
    pub max_output_bytes: usize,
    /// The hash of its declaration and of every file in the project that the command names.
    pub declaration: ContentHash,
}

/// The proof that the person trusts a program's declaration as it stands.
///
/// Only who has compared the declaration with what the person trusted on this machine makes one:
/// `app`, with the trust that `settings` keeps. A program is refused whose declaration has another
/// hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted {
    declaration: ContentHash,
}

impl Trusted {
    /// States that trust in this declaration was checked.
    pub fn checked(declaration: ContentHash) -> Self {
        Self { declaration }
    }
}

/// What a program that ended well has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRun {
    /// Its standard output.
    pub stdout: String,
    /// Milliseconds from its start to its end.
    pub latency_ms: u64,
}

/// Runs a program once: `input` as one line of JSON on its standard input, its standard output back.
///
/// The program leads a process group of its own, and the whole group is killed when it ends, when
/// it takes too long or says too much, when `stop` turns true, and when the future is dropped.
///
/// # Errors
/// [`FailureKind::TrustMissing`] if the trust is for another declaration;
/// [`FailureKind::ProgramFailed`] if it cannot be started, ends with another status than 0, or
/// writes something else than UTF-8; [`FailureKind::Timeout`], [`FailureKind::TooLarge`],
/// [`FailureKind::Cancelled`]. The end of what it wrote to standard error is part of the message.
pub async fn run_program(
    program: &ProgramCommand,
    trusted: &Trusted,
    input: &Value,
    mut stop: watch::Receiver<bool>,
) -> Result<ProgramRun, Box<Failure>> {
    if trusted.declaration != program.declaration {
        return Err(untrusted(program));
    }
    if *stop.borrow() {
        return Err(cancelled(program, Bill::Nothing));
    }
    let mut line = input.to_string();
    line.push('\n');
    let started = Instant::now();
    let mut group = Group::start(program)?;
    let ended = {
        let running = group.converse(line, program.max_output_bytes);
        tokio::select! {
            biased;
            () = stopped(&mut stop) => Err(Broken::Stopped),
            ended = tokio::time::timeout(program.time_limit, running) => {
                ended.unwrap_or(Err(Broken::TooLong))
            }
        }
    };
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    group.kill();
    let stderr = std::mem::take(&mut group.stderr);
    let outcome = match ended {
        Ok(Ended { status, stdout }) => finished(program, status, stdout, latency_ms),
        Err(broken) => Err(broken.failure(program)),
    };
    outcome.map_err(|mut failure| {
        append_stderr(&mut failure.message, &stderr);
        failure
    })
}

/// A started program with everything that it starts in turn.
struct Group {
    child: Child,
    /// The group's id, which is the program's own; `None` once it was killed.
    id: Option<u32>,
    stderr: Vec<u8>,
}

struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
}

/// Why a program was not heard to its end.
enum Broken {
    Stopped,
    TooLong,
    TooMuch,
    Pipe(std::io::Error),
}

impl Group {
    fn start(program: &ProgramCommand) -> Result<Self, Box<Failure>> {
        let Some((name, arguments)) = program.command.split_first() else {
            return Err(not_started(program, "its command line is empty"));
        };
        let mut command = std::process::Command::new(name);
        command
            .args(arguments)
            .current_dir(&program.directory)
            .env_clear()
            .envs(program.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut command = Command::from(command);
        let child = command
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| not_started(program, &error.to_string()))?;
        let id = child.id();
        Ok(Self { child, id, stderr: Vec::new() })
    }

    /// Writes, reads and waits, all at once, so that no full pipe holds anyone up.
    async fn converse(&mut self, input: String, most: usize) -> Result<Ended, Broken> {
        let Self { child, id, stderr } = self;
        let stdin = child.stdin.take().expect("was piped");
        let stdout = child.stdout.take().expect("was piped");
        let errors = child.stderr.take().expect("was piped");
        let waiting = async {
            let status = child.wait().await.map_err(Broken::Pipe);
            // What the program left running in its group would hold the pipes open. The group's id
            // cannot belong to strangers yet: its leader was reaped this instant.
            kill_group(id.take());
            status
        };
        let (status, stdout, (), ()) = tokio::try_join!(
            waiting,
            read_at_most(stdout, most),
            write_all(stdin, input),
            read_tail(errors, stderr),
        )?;
        Ok(Ended { status, stdout })
    }

    fn kill(&mut self) {
        kill_group(self.id.take());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
fn kill_group(id: Option<u32>) {
    let id = id.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(id) = id {
        // It fails if the group is gone already, which is what is wanted.
        rustix::process::kill_process_group(id, rustix::process::Signal::KILL).ok();
    }
}

/// Elsewhere only the program itself is killed, by its handle's `kill_on_drop`.
#[cfg(not(unix))]
fn kill_group(_id: Option<u32>) {}

async fn write_all(mut stdin: ChildStdin, input: String) -> Result<(), Broken> {
    // A program may end, or answer, without reading what it does not need.
    stdin.write_all(input.as_bytes()).await.ok();
    Ok(())
}

async fn read_at_most(mut pipe: impl AsyncRead + Unpin, most: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = (&mut pipe).take(limit).read_to_end(&mut bytes).await;
    read.map_err(Broken::Pipe)?;
    if bytes.len() > most { Err(Broken::TooMuch) } else { Ok(bytes) }
}

async fn read_tail(mut pipe: impl AsyncRead + Unpin, tail: &mut Vec<u8>) -> Result<(), Broken> {
    let mut piece = [0; 4096];
    loop {
        let n = pipe.read(&mut piece).await.map_err(Broken::Pipe)?;
        if n == 0 {
            return Ok(());
        }
        tail.extend_from_slice(&piece[..n]);
        let surplus = tail.len().saturating_sub(STDERR_TAIL);
        tail.drain(..surplus);
    }
}

fn finished(
    program: &ProgramCommand,
    status: ExitStatus,
    stdout: Vec<u8>,
    latency_ms: u64,
) -> Result<ProgramRun, Box<Failure>> {
    if !status.success() {
        let message = format!("program `{}` failed: {status}", program.name);
        return Err(failure(
            FailureKind::ProgramFailed,
            message,
            None,
            Retry::Never,
            Bill::Unknown,
        ));
    }
    let stdout = String::from_utf8(stdout).map_err(|_| {
        let message = format!("program `{}` wrote something else than UTF-8", program.name);
        failure(FailureKind::ProgramFailed, message, None, Retry::Never, Bill::Unknown)
    })?;
    Ok(ProgramRun { stdout, latency_ms })
}

impl Broken {
    fn failure(self, program: &ProgramCommand) -> Box<Failure> {
        let ProgramCommand { name, time_limit, max_output_bytes, .. } = program;
        let (kind, message, retry) = match self {
            Self::Stopped => return cancelled(program, Bill::Unknown),
            Self::TooLong => (
                FailureKind::Timeout,
                format!("program `{name}` took longer than {} s", time_limit.as_secs_f64()),
                Retry::Backoff,
            ),
            Self::TooMuch => (
                FailureKind::TooLarge,
                format!("program `{name}` wrote more than {max_output_bytes} bytes"),
                Retry::Never,
            ),
            Self::Pipe(error) => (
                FailureKind::ProgramFailed,
                format!("program `{name}` could not be heard: {error}"),
                Retry::Never,
            ),
        };
        failure(kind, message, None, retry, Bill::Unknown)
    }
}

pub(super) fn untrusted(program: &ProgramCommand) -> Box<Failure> {
    let message = format!("program `{}` is not trusted as it stands", program.name);
    let hint = "see what it runs and trust it with `trysquare trust`";
    failure(FailureKind::TrustMissing, message, Some(hint), Retry::Never, Bill::Nothing)
}

fn not_started(program: &ProgramCommand, reason: &str) -> Box<Failure> {
    let message = format!("program `{}` could not be started: {reason}", program.name);
    let hint = "check its command line in `trysquare.yaml`";
    failure(FailureKind::ProgramFailed, message, Some(hint), Retry::Never, Bill::Nothing)
}

fn cancelled(program: &ProgramCommand, bill: Bill) -> Box<Failure> {
    let message = format!("program `{}` was stopped", program.name);
    failure(FailureKind::Cancelled, message, None, Retry::Never, bill)
}

fn failure(
    kind: FailureKind,
    message: String,
    hint: Option<&str>,
    retry: Retry,
    bill: Bill,
) -> Box<Failure> {
    Box::new(Failure {
        kind,
        message,
        hint: hint.map(str::to_owned),
        status: None,
        request_id: None,
        retry,
        bill,
    })
}

fn append_stderr(message: &mut String, stderr: &[u8]) {
    let text = String::from_utf8_lossy(stderr);
    if !text.trim().is_empty() {
        message.push_str("; standard error ends with:\n");
        message.push_str(text.trim());
    }
}
