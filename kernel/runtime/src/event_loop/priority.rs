//! Priorities of a loop's tasks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// How urgent a task is: of those that are ready, one with a higher number is polled first, always. Equal numbers take
/// turns: first ready, first polled. Callbacks, `create_task` and the future of `run_until_complete` have
/// [`Priority::NORMAL`].
///
/// So a task that is always ready keeps all below it from running. asyncio has no priorities.
///
/// ```
/// use loopbook::Priority;
/// assert!(Priority::HIGH > Priority::NORMAL && Priority::from(-5) < Priority::LOW);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Priority(pub i32);

impl Priority {
    /// Before all others: 1.
    pub const HIGH: Self = Self(1);
    /// Like everybody: 0.
    pub const NORMAL: Self = Self(0);
    /// After all others: -1.
    pub const LOW: Self = Self(-1);
}

impl From<i32> for Priority {
    fn from(priority: i32) -> Self {
        Self(priority)
    }
}

/// What is ready, in the order in which it is to run.
pub(super) struct Ready<T> {
    lanes: BTreeMap<Reverse<Priority>, VecDeque<T>>,
    len: usize,
}

impl<T> Ready<T> {
    pub(super) const fn new() -> Self {
        Self { lanes: BTreeMap::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Behind everything of the same priority.
    pub(super) fn push(&mut self, priority: Priority, item: T) {
        self.len += 1;
        self.lanes.entry(Reverse(priority)).or_default().push_back(item);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        // A lane that is empty stays: it will be used again, and there are few.
        let item = self.lanes.values_mut().find_map(VecDeque::pop_front)?;
        self.len -= 1;
        Some(item)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.lanes.values().flatten()
    }

    /// Everything, in order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.len = 0;
        std::mem::take(&mut self.lanes).into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_goes_first_and_equals_keep_their_order() {
        let mut ready = Ready::new();
        for (priority, item) in [(0, "a"), (-1, "low"), (0, "b"), (7, "first"), (0, "c")] {
            ready.push(Priority(priority), item);
        }
        assert_eq!(ready.len(), 5);
        assert_eq!(ready.pop(), Some("first"));
        assert_eq!(ready.iter().copied().collect::<Vec<_>>(), ["a", "b", "c", "low"]);
        assert_eq!(ready.take().collect::<Vec<_>>(), ["a", "b", "c", "low"]);
        assert_eq!((ready.len(), ready.pop()), (0, None));
    }
}
