//! How a call is made again, and after which pauses.

use std::time::Duration;

use super::error::Trouble;
use super::target::Target;

/// Calls; as nothing is changed by it, it is tried again whatever went wrong on the way.
pub(super) async fn patiently<T>(target: &Target, call: impl AsyncFn() -> Result<T, Trouble>) -> Result<T, Trouble> {
    let mut pauses = Pauses::new(target);
    loop {
        let result = call().await;
        let again = match &result {
            Err(Trouble::Later(Some(seconds), _)) => pauses.said(*seconds),
            Err(Trouble::Later(None, _) | Trouble::NotSent(_) | Trouble::Lost(_)) => pauses.own(),
            _ => None,
        };
        let Some(pause) = again else { return result };
        tokio::time::sleep(pause).await;
    }
}

/// The pauses between tries of one call.
pub(super) struct Pauses {
    left: u32,
    next: Duration,
    longest: Duration,
}

impl Pauses {
    pub(super) fn new(target: &Target) -> Pauses {
        let patience = &target.patience;
        Pauses { left: patience.tries.saturating_sub(1), next: patience.pause, longest: patience.longest_pause }
    }

    /// As long as the tracker wants, if that is not too long.
    pub(super) fn said(&mut self, seconds: u64) -> Option<Duration> {
        self.own()?;
        Some(Duration::from_secs(seconds)).filter(|wanted| *wanted <= self.longest)
    }

    /// Longer each time.
    pub(super) fn own(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let pause = self.next.min(self.longest);
        self.next = self.next.saturating_mul(2);
        Some(pause)
    }
}
