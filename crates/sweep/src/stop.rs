//! Being asked to stop: `^C`, or what a CI sends to a job that it cancels.

use std::future::{Future, pending};

use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody asks. From the call on the signals no longer end the process by themselves.
pub fn asked() -> impl Future<Output = ()> + Send + use<> {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
            // Without handlers the signals end the process themselves.
            return pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
