//! Starts a program, waits for its end, and takes its measure.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// How often the peak of the memory is read. What a program takes in its last moment is not seen.
const PEAK_INTERVAL: Duration = Duration::from_millis(5);

/// What a program needed until its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// From its start until it had ended.
    pub(crate) wall: Duration,
    /// User and system time of all its threads, in the system's steps (10 ms on Linux).
    pub(crate) cpu: Duration,
    /// The most memory that was resident, in bytes.
    pub(crate) peak_bytes: u64,
    /// What it printed.
    pub(crate) stdout: String,
}

/// Returns the program of this name that was built beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.parent().and_then(Path::parent).context("this program is in no folder")?;
    let path = folder.join(name);
    ensure!(path.exists(), "{} is not built; scripts/bench builds it", path.display());
    Ok(path)
}

/// Returns this program, to be started in another part.
pub(crate) fn this_as(part: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(part);
    Ok(command)
}

/// Runs a program to its end, which must be a success.
pub(crate) fn measure(mut command: Command) -> Result<Measured> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let is_over = AtomicBool::new(false);
    let (wall, peak_bytes) = thread::scope(|scope| {
        let peak = scope.spawn(|| watch_peak(child.id(), &is_over));
        let wall = until_over(&child).map(|()| start.elapsed());
        is_over.store(true, Ordering::Relaxed);
        (wall, peak.join().unwrap_or_default())
    });
    let cpu = cpu_of(child.id());
    let status = child.wait()?;
    let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
    ensure!(status.success(), "{command:?} ended with {status}\n{stdout}\n{stderr}");
    Ok(Measured { wall: wall?, cpu: cpu?, peak_bytes, stdout })
}

/// Runs a program several times and returns the time that lies in the middle.
pub(crate) fn median_wall(times: usize, command: impl Fn() -> Command) -> Result<Duration> {
    let runs = (0..times).map(|_| measure(command())).collect::<Result<Vec<_>>>()?;
    Ok(median(runs.iter().map(|run| run.wall)))
}

/// Returns the value in the middle.
pub(crate) fn median<T: Ord + Copy + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was printed before an error is what there is to show.
            pipe.read_to_end(&mut bytes).ok();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for a process and leaves it to be asked what it needed.
fn until_over(child: &Child) -> Result<()> {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process id")?;
    waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    Ok(())
}

fn watch_peak(id: u32, is_over: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !is_over.load(Ordering::Relaxed) {
        peak = peak_of(id).unwrap_or(peak);
        thread::sleep(PEAK_INTERVAL);
    }
    peak
}

/// Returns the most memory that was resident so far; `None` once the process has ended.
fn peak_of(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// Returns the user and system time of a process that has ended and was not waited for.
fn cpu_of(id: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))
        .context("this measures with the help of Linux's /proc")?;
    // The name, which may contain anything, ends with the last parenthesis.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|n| n.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}
