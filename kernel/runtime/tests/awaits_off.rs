//! Without trees of awaits. A program of its own: the switch is for all tasks.
#![deny(warnings)]

use loopbook::__private::{at, watch_awaits};
use loopbook::facade::task;
use std::time::Duration;

#[test]
fn what_is_switched_off_is_not_told_and_what_was_there_goes_away() {
    let wait = |place| async move { at(task::sleep(Duration::from_millis(50)), place).await };
    let stands = || loopbook::current_task().map(|task| task.awaits.len());
    task::block_on(async move {
        let mut before = std::pin::pin!(wait(&(1, 1, 1, "before")));
        assert!(futures::poll!(before.as_mut()).is_pending());
        assert_eq!(stands(), Some(1));
        watch_awaits(false);
        let mut after = std::pin::pin!(wait(&(1, 2, 1, "after")));
        assert!(futures::poll!(after.as_mut()).is_pending());
        assert_eq!(stands(), Some(1));
        futures::join!(before.as_mut(), after.as_mut());
        assert_eq!(stands(), Some(0));
        watch_awaits(true);
    });
}
