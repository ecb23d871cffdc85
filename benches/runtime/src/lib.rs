//! Futures that do as little as possible, so that what surrounds them can be measured; and what was measured.
//!
//! Measured on two cores of a virtual Xeon at 2.6 GHz, optimised build: `cargo bench --bench cost` and
//! `cargo bench --bench memory`. The first four rows are processor time of the process, with one thread in the pool,
//! the best of fifteen runs, less what plain async-std takes; the looks are the best of six.
//!
//! | what | reached | wanted |
//! |---|---|---|
//! | a wake and the poll after it, without events for timelines | 63 to 71 ns | 50 ns |
//! | the same with them | 88 to 114 ns | 75 ns |
//! | the same with the inspector off | under 1 ns | 3 ns |
//! | start and end of a task that is awaited | 290 to 330 ns | 150 ns |
//! | memory of a waiting task | about 460 bytes, one allocation | 160 bytes |
//! | allocations per poll | 0.04: what async-executor's queue takes for its blocks of 31 | none |
//! | a look at 100,000 tasks | 24 to 28 ms | 20 ms |
//! | a look at 1,000,000 tasks | 320 to 390 ms | 250 ms |
//! | an `.await` of a cell that pends, per poll | 12 to 17 ns | 8 ns |

use std::future::poll_fn;
use std::task::Poll;

/// Wakes itself and waits for that, `times` times.
pub async fn yield_often(times: u64) {
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
