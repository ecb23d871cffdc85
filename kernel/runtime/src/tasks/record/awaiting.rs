//! The `.await`s of code in cells at which a task stands.

use super::Record;
use crate::support::{clock::Moment, sync::lock};
use crate::tasks::await_sites::{Key, Place};

impl Record {
    /// A future of the task is pending, inside of the one that `parent` stands for.
    pub(crate) fn join_await(&self, place: &'static Place, parent: Key) -> Key {
        lock(&self.details).awaits.add(place, parent, Moment::now())
    }

    /// Another future of the task awaits this one now.
    pub(crate) fn move_await(&self, key: Key, parent: Key) -> Key {
        lock(&self.details).awaits.set_parent(key, parent);
        key
    }

    /// A future of the task is done or dropped.
    pub(crate) fn leave_await(&self, key: Key) {
        lock(&self.details).awaits.remove(key);
    }
}
