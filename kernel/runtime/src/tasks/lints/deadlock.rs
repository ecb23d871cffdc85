//! Tasks that wait for each other, or for a lock that nobody will let go of.
//!
//! A task is considered only if tasks and locks are all that it waits for, and these hold all its wakers. One that also
//! has a timer or a socket can wake by itself, so it is never reported.

use super::{Show, cycles, found};
use crate::tasks::{objects, record::Record, registry, sockets::Watched};
use crate::{TaskId, TaskInfo, TaskKind, WaitingOn};
use loopbook_channel::{LockKind, ObjectId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// So long a task waits for a lock of a task that has ended before that is told.
const KEPT: Duration = Duration::from_secs(1);

/// Looks at all tasks; `first` tells whether a lint is the first of its sort for a task.
pub(super) fn look(records: &[Arc<Record>], mut first: impl FnMut(&'static str, TaskId) -> bool) {
    for record in records.iter().filter(|record| record.waits_for_a_lock(KEPT)) {
        let info = record.info(&Watched::default());
        let abandoned = info.waiting_on.iter().find_map(|wait| match wait {
            WaitingOn::Lock { id, owner: Some(owner), abandoned: true, .. } => Some((*id, *owner)),
            _ => None,
        });
        if let Some((lock, owner)) = abandoned.filter(|_| first("lock_not_released", record.id)) {
            found("lock_not_released", &[record], record.line, not_released(record, lock, owner), Show::Once);
        }
    }
    let (waiting, others) = waiting(records);
    let mut seen = infos(&waiting);
    for record in others {
        let mut info = record.info(&Watched::default());
        info.waiting_on.push(WaitingOn::Other { what: "something else".into() });
        seen.push(info);
    }
    for circle in cycles::cycles(&seen) {
        let tasks: Vec<&Arc<Record>> =
            circle.iter().filter_map(|id| waiting.iter().find(|record| record.id == *id)).copied().collect();
        // Tasks were asked one after the other. If none of them has run between two looks, what both saw was true at once.
        let polls = |tasks: &[&Arc<Record>]| tasks.iter().map(|task| task.polls()).collect::<Vec<_>>();
        let before = polls(&tasks);
        let again = infos(&tasks);
        if polls(&tasks) != before || cycles::cycles(&again).is_empty() || !first("deadlock", circle[0]) {
            continue;
        }
        let records: Vec<&Record> = tasks.iter().map(|task| task.as_ref()).collect();
        let line = records.first().and_then(|task| task.line);
        found("deadlock", &records, line, deadlock(&records, &again), Show::Once);
    }
}

/// The tasks that wait for nothing but tasks and locks; and, of tasks made of branches, the branches that do not.
fn waiting(records: &[Arc<Record>]) -> (Vec<&Arc<Record>>, Vec<&Arc<Record>>) {
    let mut branches: HashMap<TaskId, usize> = HashMap::new();
    for parent in records.iter().filter(|record| record.kind == TaskKind::Branch).filter_map(|record| record.parent()) {
        *branches.entry(parent).or_default() += 1;
    }
    let waits = |record: &&Arc<Record>| record.waits_for_tasks_only(branches.get(&record.id).copied().unwrap_or(0));
    let (waiting, others): (Vec<_>, Vec<_>) = records.iter().partition(waits);
    let keeps = |record: &&Arc<Record>| record.kind == TaskKind::Branch;
    (waiting, others.into_iter().filter(keeps).collect())
}

fn infos(records: &[&Arc<Record>]) -> Vec<TaskInfo> {
    records.iter().map(|record| record.info(&Watched::default())).collect()
}

fn deadlock(tasks: &[&Record], infos: &[TaskInfo]) -> String {
    let ids: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
    let next = |at: usize| tasks[(at + 1) % tasks.len()];
    let locks: Vec<Option<(ObjectId, LockKind)>> = (0..tasks.len())
        .map(|at| {
            let info = infos.iter().find(|info| info.id == ids[at])?;
            info.waiting_on.iter().find_map(|wait| wanted(wait, next(at).id))
        })
        .collect();
    let end = format!("End one of them with `:cancel {}`", ids[0]);
    if locks.iter().all(Option::is_none) {
        let names: Vec<String> = tasks.iter().map(|task| task.describe()).collect();
        return format!(
            "{} wait for each other and will for ever. {end}, and let one of them not await the other.",
            names.join(" and ")
        );
    }
    if let ([task], [Some(lock)]) = (tasks, &locks[..]) {
        return format!(
            "{} waits for ever for {}, which it holds itself. Drop the first guard before it locks again, or hand the \
             guard on. End it with `:cancel {}`.",
            task.describe(),
            named(*lock),
            task.id
        );
    }
    let part = |at: usize| match locks[at] {
        Some(lock) => format!("{} waits for {}, which {} holds", tasks[at].describe(), named(lock), next(at).title()),
        None if next(at).kind == TaskKind::Branch => {
            format!("{} waits for its branch {}", tasks[at].describe(), next(at).title())
        }
        None => format!("{} awaits {}", tasks[at].describe(), next(at).title()),
    };
    let parts: Vec<String> = (0..tasks.len()).map(part).collect();
    format!(
        "{}: so they wait for each other, and will for ever. Have all tasks take locks in the same order, and await no task \
         while a guard lives that it needs. {end}.",
        parts.join("; ")
    )
}

/// The lock that a wait is for, if `holder` holds it or comes first.
fn wanted(wait: &WaitingOn, holder: TaskId) -> Option<(ObjectId, LockKind)> {
    match wait {
        WaitingOn::Lock { id, kind, owners, held, .. } if !held || owners.contains(&holder) => Some((*id, *kind)),
        _ => None,
    }
}

/// `lock #5 (mutex, made at In[2], line 1)`.
fn named((id, kind): (ObjectId, LockKind)) -> String {
    match objects::place(id) {
        Some(place) => format!("lock #{id} ({}, made at {place})", kind.word()),
        None => format!("lock #{id} ({})", kind.word()),
    }
}

fn not_released(record: &Record, lock: ObjectId, owner: TaskId) -> String {
    let place = objects::place(lock).map(|place| format!(", made at {place}")).unwrap_or_default();
    let holder = registry::task(owner);
    let (who, why) = match holder {
        Some(TaskInfo { kind: TaskKind::Cell, name: Some(name), .. }) => (
            name,
            "the guard is in a variable, or went to a task. `drop` it, or lock only for as long as one `{ … }` lasts",
        ),
        other => {
            let name = other.and_then(|task| task.name).map(|name| format!(" \"{name}\"")).unwrap_or_default();
            (
                format!("task {owner}{name}"),
                "its guard was forgotten (`mem::forget`), is in a variable, or went to another task. Let it be dropped",
            )
        }
    };
    format!(
        "{} waits for lock #{lock}{place}, which {who} has locked, has not let go of, and is over: {why}.",
        record.describe()
    )
}
