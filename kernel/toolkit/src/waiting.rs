//! What a cell waits for with `.await` -> its value, on a runtime of the toolkit's.

use crate::display::stop;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long after the stop button a waiting cell may go on.
const LOOKS_EVERY: Duration = Duration::from_millis(50);

/// Runs what a cell waits for to its end, or until the analyst stops the cell. Tasks that the cell has spawned go on
/// behind it. The kernel wraps a cell in this where it has an `.await` of its own.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut value = None;
    let ended = async { value = Some(future.await) };
    // As a trait object: a cell then compiles nothing of the runtime.
    run(pin!(ended));
    match value {
        Some(value) => value,
        // Stopped: what was waited for is dropped, and the cell ends.
        None => std::panic::resume_unwind(Box::new("the cell was stopped")),
    }
}

fn run(future: Pin<&mut dyn Future<Output = ()>>) {
    let stopped = async {
        while !stop::requested() {
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    };
    runtime().block_on(async {
        tokio::select! {
            () = future => {}
            () = stopped => {}
        }
    });
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| match Builder::new_multi_thread().thread_name("cell").enable_all().build() {
        Ok(runtime) => runtime,
        #[expect(clippy::panic, reason = "a process that gets no thread cannot wait, and a panic is what ends a cell")]
        Err(error) => std::panic::panic_any(format!("no threads to wait with: {error}")),
    })
}
