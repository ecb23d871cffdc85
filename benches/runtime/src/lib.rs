//! Futures that do as little as possible, so that what surrounds them can be measured.

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
