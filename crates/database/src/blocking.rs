//! Work that blocks its thread, such as files, processes and servers that start: not on the threads that requests are on.

use std::future::pending;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{JoinError, block_in_place, spawn_blocking};

/// Does it on a thread of its own, and waits for it without blocking. A panic there is one here.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work)
        .await
        .map_err(JoinError::try_into_panic)
    {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime ends, and nobody goes on.
        Err(Err(_)) => pending().await,
    }
}

/// Does it at once, where nobody can wait for it or it borrows something: other work of this thread goes to another one
/// meanwhile, if the runtime has more than one.
pub fn in_place<T>(work: impl FnOnce() -> T) -> T {
    let handle = Handle::try_current();
    let has_others = |handle: &Handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread;
    if handle.as_ref().is_ok_and(has_others) {
        block_in_place(work)
    } else {
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LONG: Duration = Duration::from_millis(300);

    /// How often a thread with one task on it comes round while another task does something.
    async fn ticks_beside(work: impl Future<Output = ()> + Send + 'static) -> usize {
        let work = tokio::spawn(work);
        let mut ticks = 0;
        while !work.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ticks += 1;
        }
        ticks
    }

    #[tokio::test]
    async fn the_only_thread_goes_on_while_something_blocks_aside() {
        let sleep = || std::thread::sleep(LONG);
        assert!(ticks_beside(aside(sleep)).await > 10);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_only_worker_is_replaced_while_something_blocks_in_place() {
        let work = async { in_place(|| std::thread::sleep(LONG)) };
        let ticks = tokio::spawn(ticks_beside(work)).await.unwrap();
        assert!(ticks > 10, "{ticks}");
    }

    #[test]
    fn without_a_runtime_the_work_is_done_as_it_is() {
        assert_eq!(in_place(|| 1), 1);
    }

    #[tokio::test]
    async fn without_other_threads_the_work_is_done_as_it_is() {
        assert_eq!(in_place(|| 1), 1);
    }

    #[tokio::test]
    async fn a_panic_aside_is_a_panic_here() {
        let panicked = tokio::spawn(aside(|| panic!("the cat"))).await;
        assert!(panicked.unwrap_err().is_panic());
    }
}
