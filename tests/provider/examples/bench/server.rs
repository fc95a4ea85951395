//! The test provider, in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::process::program;

/// A test provider that echoes, until it is dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) origin: String,
}

impl Server {
    /// Starts one whose answers take this long.
    pub(crate) fn start(delay_ms: u16) -> Result<Self> {
        let mut child = Command::new(program("test-provider")?)
            .args(["0", &delay_ms.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().context("its output is piped")?);
        let mut origin = String::new();
        stdout.read_line(&mut origin)?;
        Ok(Self { child, stdout, origin: origin.trim().to_owned() })
    }

    /// Ends it; it must have billed as many calls as were to be made.
    pub(crate) fn end_after(mut self, calls: u32) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.context("a process id")?, Signal::INT)?;
        let mut billed = String::new();
        self.stdout.read_line(&mut billed)?;
        ensure!(billed.starts_with(&format!("{calls} calls billed")), "{calls} calls: {billed}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
