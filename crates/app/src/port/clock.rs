use std::time::Duration;

use async_trait::async_trait;
use engine::Clock;
use tokio::time::Instant;
use values::Timestamp;

/// The system's clock, made monotonic: a step of the wall clock moves nothing backwards.
#[derive(Debug)]
pub(crate) struct SystemClock {
    begin: Timestamp,
    instant: Instant,
}

impl SystemClock {
    /// Starts the clock at the time that the program says it is.
    pub(crate) fn starting(begin: Timestamp) -> Self {
        Self { begin, instant: Instant::now() }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.instant.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_ms(self.begin.unix_ms().saturating_add(passed))
    }

    async fn sleep_until(&self, time: Timestamp) {
        tokio::time::sleep(Duration::from_millis(time.ms_since(self.now()))).await;
    }
}
