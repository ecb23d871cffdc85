//! Locks, channels and what else tasks wait for that has a number: `#5` in tables and messages.
//!
//! A channel has its number from the start. A lock, a condition variable or a barrier gets one when a task first has to
//! wait there: until then it costs nothing, however many there are. What is dropped leaves the table.
//!
//! A lock is async-std's own around `()`, with the value next to it, and notes its owner in itself: so most of its code is
//! compiled here and not with each cell.

mod channel;
mod condvar_barrier;
mod lock;

pub(crate) use channel::Channel;
pub(crate) use condvar_barrier::{CondvarBarrier, Sort};
pub(crate) use lock::{Lock, Mode, SLOTS, again, word};

use crate::support::sync::lock;
use crate::tasks::{events::WaitKind, site};
use loopbook_channel::{ObjectId, TaskId, TaskInfo, WaitingOn, cell_label};
use serde::Serialize;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

static OBJECTS: Mutex<BTreeMap<ObjectId, Weak<dyn Object>>> = Mutex::new(BTreeMap::new());
static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// Something that can be waited for; see [`resources`](crate::resources).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Resource {
    /// What sort: `timer`, `mutex`, `rwlock`, `channel`, `condvar`, `barrier`, `socket`, `pipe` or what Linux calls it.
    pub kind: String,
    /// Which: the time left; number, state and place; the addresses, the descriptor.
    pub what: String,
    /// What is waited for: `to fire`, `to be let in`, `to send`, `to receive`, `to read` and so on, or nothing at the
    /// moment.
    pub waits: Option<String>,
    /// The tasks that wait, as far as that is known.
    pub tasks: Vec<TaskId>,
}

/// Something with a number that tasks wait for.
pub(crate) trait Object: Send + Sync {
    /// Its number and where it was made.
    fn number(&self) -> &Number;

    /// What a task that waits here waits for; `how` is the code that the object has put into [`Wait`](super::record::Wait).
    fn waiting(&self, how: u32) -> WaitingOn;

    /// The same for timelines.
    fn wait_kind(&self, how: u32) -> WaitKind;

    /// What `:resources` shows; `waiters` are the tasks that wait.
    fn resource(&self, waiters: Vec<TaskId>) -> Resource;
}

/// The number of an object; the table has the object until this is dropped.
pub(crate) struct Number {
    pub(crate) id: ObjectId,
    made_at: &'static Location<'static>,
}

impl Number {
    /// Where the object was made: `In[3], line 2`, or `src/x.rs:2:9` outside of cells.
    pub(crate) fn place(&self) -> String {
        match site::resolve(self.made_at) {
            (Some(site), _) => format!("{}, line {}", cell_label(site.cell), site.line),
            (None, elsewhere) => elsewhere.unwrap_or_default(),
        }
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let gone = lock(&OBJECTS).remove(&self.id);
        // Nothing but memory, and that not under the lock.
        drop(gone);
    }
}

/// Enters an object, which `make` makes around its number.
pub(crate) fn enter<T: Object + 'static>(
    made_at: &'static Location<'static>,
    make: impl FnOnce(Number) -> T,
) -> Arc<T> {
    let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
    let object = Arc::new(make(Number { id, made_at }));
    let weak: Weak<T> = Arc::downgrade(&object);
    lock(&OBJECTS).insert(id, weak);
    object
}

/// All that live, by number.
pub(crate) fn all() -> Vec<Arc<dyn Object>> {
    lock(&OBJECTS).values().filter_map(Weak::upgrade).collect()
}

/// Where the object with this number was made, if it lives.
pub(crate) fn place(id: ObjectId) -> Option<String> {
    let object = lock(&OBJECTS).get(&id).and_then(Weak::upgrade)?;
    Some(object.number().place())
}

/// What `:resources` shows of all that live.
pub(crate) fn resources(tasks: &[TaskInfo]) -> Vec<Resource> {
    let mut waiters: BTreeMap<ObjectId, Vec<TaskId>> = BTreeMap::new();
    for task in tasks {
        for id in task.waiting_on.iter().filter_map(object_of) {
            waiters.entry(id).or_default().push(task.id);
        }
    }
    let of = |object: Arc<dyn Object>| object.resource(waiters.remove(&object.number().id).unwrap_or_default());
    all().into_iter().map(of).collect()
}

fn object_of(wait: &WaitingOn) -> Option<ObjectId> {
    match wait {
        WaitingOn::Lock { id, .. }
        | WaitingOn::Channel { id, .. }
        | WaitingOn::Condvar { id }
        | WaitingOn::Barrier { id, .. } => Some(*id),
        _ => None,
    }
}
