//! How long the program takes to start.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::process::{measure, median_wall, program};
use crate::table::{Table, milliseconds, ms};

/// Measures `trysquare --version`.
pub(crate) fn section() -> Result<()> {
    let path = program("trysquare")?;
    let version = || {
        let mut command = Command::new(&path);
        command.arg("--version");
        command
    };
    let first = measure(version())?;
    ensure!(first.stdout.starts_with("trysquare "), "it printed {:?}", first.stdout);
    let mut table = Table::new("start (median of 51)");
    table.row("trysquare --version", ms(median_wall(51, version)?), 15.0, milliseconds);
    table.print();
    Ok(())
}
