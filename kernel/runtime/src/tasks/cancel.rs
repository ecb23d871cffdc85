//! Ending tasks by their number.

use crate::connection::questions;
use crate::running::cell::{self, Interrupted};
use crate::support::sync::lock;
use crate::tasks::{context, panics, record::Record, registry, site};
use loopbook_channel::{TaskId, TaskKind, TaskState, cell_label};
use std::any::Any;
use std::future::{Future, IntoFuture, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// Requests to end tasks: the task that has made the request, and the task that is to end.
static PENDING: Mutex<Vec<(Option<TaskId>, Arc<Record>)>> = Mutex::new(Vec::new());

/// Asks a task to end. It ends at its next `.await`, or in the next round of a loop of a cell, and its destructors run;
/// whoever awaits its handle panics with who cancelled it. The number of a cell's own task interrupts the cell.
///
/// Returns at once. `.await` what it returns to wait until the task has ended.
///
/// ```
/// use loopbook::{CancelOutcome, TaskState, cancel};
/// # use loopbook::facade as async_std;
/// # async_std::task::block_on(async {
/// let sleeper = async_std::task::spawn(async_std::task::sleep(std::time::Duration::from_secs(3600)));
/// let id = loopbook::all_tasks().last().expect("the sleeper").id;
/// cancel(id).await;
/// assert_eq!(loopbook::task(id).expect("remembered").state, TaskState::Cancelled);
/// assert_eq!(cancel(id), CancelOutcome::AlreadyFinished);
/// # drop(sleeper);
/// # });
/// ```
#[track_caller]
pub fn cancel(id: TaskId) -> CancelOutcome {
    let Some(record) = registry::record(id) else { return CancelOutcome::AlreadyFinished };
    request(&record, &asker(Location::caller()))
}

/// Asks everything to end that a cell has caused, by the cell's number: its tasks, and the cell itself if it still runs.
/// The task that asks is left out.
///
/// Tells the most that holds for any of them: [`CancelOutcome::InPoll`] with the longest poll, else
/// [`CancelOutcome::Requested`], else [`CancelOutcome::NotCancellable`]. `.await` it to wait for them all.
///
/// ```
/// use loopbook::{CancelOutcome, cancel_cell};
/// assert_eq!(cancel_cell(4_000_000), CancelOutcome::AlreadyFinished);
/// ```
#[track_caller]
pub fn cancel_cell(number: u32) -> CancelOutcome {
    request_cell(number, &asker(Location::caller()))
}

/// What [`cancel`] came to.
///
/// Awaiting it waits until all tasks have ended that the same task or cell has asked to end.
///
/// ```
/// use loopbook::{CancelOutcome, Loop, cancel};
/// let lab = Loop::new("lab");
/// let task = lab.create_task("waits", std::future::pending::<()>());
/// assert_eq!(cancel(task.id()), CancelOutcome::Requested);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It waits or is ready to run, and will end when it is polled next.
    Requested,
    /// It had ended before, or there never was such a task.
    AlreadyFinished,
    /// It is inside a poll, for this long so far. It ends when that does, or as soon as it computes in code of a cell
    /// rather than of a crate.
    InPoll(Duration),
    /// It is part of another task (a branch of `gather!`): cancel that one. Or it is a closure on a thread of its own
    /// (`spawn_blocking`), which nothing can stop from outside: let it look at a flag or a channel from time to time.
    NotCancellable,
}

impl IntoFuture for CancelOutcome {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let asker = context::current_task();
        let mine = lock(&PENDING).extract_if(.., |(by, _)| *by == asker).map(|(_, record)| record).collect();
        Box::pin(all_ended(mine))
    }
}

/// How a task ends that has thrown this, and the payload that its awaiter gets.
pub(crate) fn ending(task: &Record, payload: Box<dyn Any + Send>) -> (TaskState, Box<dyn Any + Send>) {
    if payload.is::<Interrupted>() {
        if let (TaskKind::Local | TaskKind::Loop | TaskKind::Task, (_, Some(cell))) = (task.kind, cell::here()) {
            task.ended_by(format!("the interrupt of {}", cell_label(cell)));
        }
        return (TaskState::Cancelled, payload);
    }
    if !payload.is::<Ended>() {
        return (TaskState::Panicked, payload);
    }
    // What a task polls or blocks on has not been asked itself.
    let payload = if task.is_to_end() { panics::of_nowhere(task.end_message()) } else { payload };
    (TaskState::Cancelled, payload)
}

/// Payload of the panic that takes a task off the stack which was asked to end.
pub(crate) struct Ended;

/// Asks the task of `record` to end, in the name of `by`.
pub(crate) fn request(record: &Arc<Record>, by: &str) -> CancelOutcome {
    let outcome = match record.kind {
        kind if why_not(kind).is_some() => CancelOutcome::NotCancellable,
        TaskKind::Cell => {
            questions::interrupt(record.cell);
            record.end_state()
        }
        _ => record.ask_to_end(by),
    };
    if matches!(outcome, CancelOutcome::Requested | CancelOutcome::InPoll(_)) {
        let mut pending = lock(&PENDING);
        pending.retain(|(_, record)| !record.is_finished());
        pending.push((context::current_task(), Arc::clone(record)));
    }
    outcome
}

/// Why tasks of this kind cannot be cancelled, and what to do instead; `None` if they can.
pub(crate) fn why_not(kind: TaskKind) -> Option<&'static str> {
    match kind {
        TaskKind::Blocking => Some(
            "a closure of `spawn_blocking` has a thread of its own, which nothing can stop from outside; let it look at a flag \
             (an `AtomicBool`) or a channel from time to time, and return",
        ),
        TaskKind::Branch => Some("a branch of `gather!` or its kin is part of another task; cancel that one"),
        _ => None,
    }
}

/// Asks all that the cell with this number has caused to end, in the name of `by`.
pub(crate) fn request_cell(number: u32, by: &str) -> CancelOutcome {
    let current = context::current_task();
    let caused = registry::records().into_iter().filter(|record| {
        record.number == Some(number) && record.kind != TaskKind::Branch && Some(record.id) != current
    });
    caused.map(|record| request(&record, by)).fold(CancelOutcome::AlreadyFinished, CancelOutcome::or)
}

impl CancelOutcome {
    /// What it shows as, as the value of a cell.
    pub(crate) fn line(self) -> String {
        let reasons = [TaskKind::Blocking, TaskKind::Branch].into_iter().filter_map(why_not).collect::<Vec<_>>();
        match self {
            Self::NotCancellable => format!("{self:?}: {}. Or: {}", reasons[0], reasons[1]),
            other => format!("{other:?}"),
        }
    }

    fn or(self, other: Self) -> Self {
        use CancelOutcome::{AlreadyFinished, InPoll, NotCancellable, Requested};
        match (self, other) {
            (InPoll(one), InPoll(other)) => InPoll(one.max(other)),
            (InPoll(time), _) | (_, InPoll(time)) => InPoll(time),
            (Requested, _) | (_, Requested) => Requested,
            (NotCancellable, _) | (_, NotCancellable) => NotCancellable,
            (AlreadyFinished, AlreadyFinished) => AlreadyFinished,
        }
    }
}

async fn all_ended(records: Vec<Arc<Record>>) {
    for record in records {
        poll_fn(|cx| if record.wake_at_end(cx.waker()) { Poll::Pending } else { Poll::Ready(()) }).await;
    }
}

/// The caller, for people: the cell or task, and where the call stands.
fn asker(location: &'static Location<'static>) -> String {
    let (site, elsewhere) = site::resolve(location);
    let place = match site {
        Some(site) => format!("{}, line {}", cell_label(site.cell), site.line),
        None => elsewhere.unwrap_or_default(),
    };
    match context::current() {
        Some(record) if record.kind != TaskKind::Cell => format!("{} at {place}", record.title()),
        _ => place,
    }
}
