/// Which process this is, so that others can tell whether it still lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Its number.
    pub pid: u32,
    /// When it started, in a form that only a process on the same host compares. It tells apart two
    /// processes that had the same number.
    pub started: String,
    /// Where its number means something: this boot of this machine, in this namespace of processes.
    pub host: String,
}

/// What can be said of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    Dead,
    /// It lives elsewhere, or this system cannot tell: its heartbeat decides.
    Unknown,
}

impl ProcessIdentity {
    /// Returns the identity of the calling process.
    pub fn current() -> Self {
        let pid = std::process::id();
        Self { pid, started: start_of(pid).unwrap_or_default(), host: host() }
    }

    pub(crate) fn life(&self) -> Life {
        if self.host == host() { self.life_here() } else { Life::Unknown }
    }

    #[cfg(target_os = "linux")]
    fn life_here(&self) -> Life {
        if start_of(self.pid).as_ref() == Some(&self.started) { Life::Alive } else { Life::Dead }
    }

    #[cfg(all(unix, not(target_os = "linux")))]
    fn life_here(&self) -> Life {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        match pid.map(rustix::process::test_kill_process) {
            Some(Err(rustix::io::Errno::SRCH)) | None => Life::Dead,
            _ => Life::Unknown,
        }
    }

    #[cfg(not(unix))]
    fn life_here(&self) -> Life {
        Life::Unknown
    }
}

/// Returns the start of a process in clock ticks since boot, `None` if it is gone or a zombie.
#[cfg(target_os = "linux")]
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the fields after it start with the state.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18).map(str::to_owned) }
}

#[cfg(not(target_os = "linux"))]
fn start_of(_pid: u32) -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
fn host() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {}", boot.trim(), namespace.display())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives() {
        assert_eq!(ProcessIdentity::current().life(), Life::Alive);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_reused_number_is_another_process() {
        let other = ProcessIdentity { started: "1".to_owned(), ..ProcessIdentity::current() };
        assert_eq!(other.life(), Life::Dead);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_killed_process_is_dead_even_before_it_is_waited_for() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let identity = ProcessIdentity { pid, started: start_of(pid).unwrap(), host: host() };
        assert_eq!(identity.life(), Life::Alive);
        child.kill().unwrap();
        // The kernel may take a moment to take it down; waiting would also reap it.
        while start_of(pid).is_some() {
            std::thread::yield_now();
        }
        assert_eq!(identity.life(), Life::Dead);
        child.wait().unwrap();
    }

    #[test]
    fn a_process_elsewhere_is_unknown() {
        let other = ProcessIdentity { host: "moon".to_owned(), ..ProcessIdentity::current() };
        assert_eq!(other.life(), Life::Unknown);
    }
}
