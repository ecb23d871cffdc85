//! Lints that show only in a look at all tasks, which the monitor takes from time to time.

use super::{Show, deadlock, found, rules};
use crate::running::cell;
use crate::support::units;
use crate::tasks::{record::Record, registry, threads};
use crate::{TaskId, TaskKind, TaskState};
use loopbook_channel::{cell_label, counted};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

const NEVER_YIELDED: Duration = Duration::from_secs(1);
const LOST: Duration = Duration::from_millis(250);
const FROZEN: Duration = Duration::from_secs(1);
/// Living tasks of one line from which on a leak is possible, and for how many cells in a row they must have grown.
const LEAK: usize = 100;
const GROWING: u32 = 3;
/// Looks take at most this part of the time.
const PART: u32 = 20;
/// So much is told of single tasks, and then no more: it would be the same again.
const TOLD: usize = 10_000;

/// What the watcher remembers from one look to the next.
#[derive(Default)]
pub(crate) struct Watch {
    /// What was told of which task.
    told: HashSet<(&'static str, TaskId)>,
    /// By cell and line: how many tasks there were when the last cell began, and for how many cells they have grown.
    places: HashMap<(u32, u32), (usize, u32)>,
    cell: Option<u64>,
    next: Option<Instant>,
}

impl Watch {
    /// Looks at all tasks, unless the last look was so long that it is too early for another.
    pub(crate) fn look(&mut self) {
        let began = Instant::now();
        self.never_yielded();
        if self.next.is_some_and(|next| began < next) {
            return;
        }
        let records = registry::records();
        for record in &records {
            self.look_at(record);
        }
        deadlock::look(&records, |lint, task| self.first(lint, task));
        self.leaks(&records);
        self.next = Some(began + began.elapsed() * PART);
    }

    fn first(&mut self, lint: &'static str, task: TaskId) -> bool {
        self.told.len() < TOLD && self.told.insert((lint, task))
    }

    fn never_yielded(&mut self) {
        for thread in threads::all().iter().filter(|thread| threads::is_worker(&thread.name)) {
            let Some((task, since)) = thread.work().task else { continue };
            if since.elapsed() < NEVER_YIELDED {
                continue;
            }
            let Some(record) = registry::record(task).filter(|record| record.polls() <= 1) else { continue };
            if !self.first("never_yielded", task) {
                continue;
            }
            let message = format!(
                "{} has been running for over {} and has not waited once: nothing else runs on its thread. Put what \
                 computes or blocks into `task::spawn_blocking`, or write `task::yield_now().await` between its parts.",
                record.describe(),
                units::duration(NEVER_YIELDED)
            );
            found("never_yielded", &[&record], record.line, message, Show::Once);
        }
    }

    fn look_at(&mut self, record: &Arc<Record>) {
        match record.state_now() {
            TaskState::Idle if record.is_lost(LOST) && self.first("lost_waker", record.id) => {
                let message = format!(
                    "{} waits for ever: nobody has a waker of it, so nothing can wake it. Whatever it waits for has \
                     dropped its waker, or its `poll` gave `Pending` without keeping one.",
                    record.describe()
                );
                found("lost_waker", &[record], record.line, message, Show::Once);
            }
            TaskState::Scheduled if self.is_frozen(record) => {
                let message = format!(
                    "{} is ready and stands still: local tasks run only while a cell runs. Await it in a cell, or use \
                         `task::spawn`, whose tasks go on between cells.",
                    record.describe()
                );
                found("frozen_local", &[record], record.line, message, Show::Once);
            }
            _ => {}
        }
        let (wakes, self_wakes) = record.wakes();
        if self_wakes * 2 > wakes && !self.told.contains(&("self_wakes", record.id)) {
            rules::self_woken(record, wakes, self_wakes);
            if wakes >= 20 {
                self.first("self_wakes", record.id);
            }
        }
    }

    fn is_frozen(&mut self, record: &Record) -> bool {
        let stands = record.kind == TaskKind::Local && !cell::is_running() && record.ready_for() >= FROZEN;
        stands && self.first("frozen_local", record.id)
    }

    /// Counts, when a cell has begun since the last look.
    fn leaks(&mut self, records: &[Arc<Record>]) {
        let latest = cell::latest();
        if self.cell.replace(latest) == Some(latest) {
            return;
        }
        let mut counts: HashMap<(u32, u32), (usize, &Record)> = HashMap::new();
        for record in records {
            let Some(site) = record.site() else { continue };
            let place = (site.cell, site.line);
            counts.entry(place).and_modify(|(count, _)| *count += 1).or_insert((1, record));
        }
        let mut places = HashMap::new();
        for (place, (count, record)) in counts {
            let (before, growing) = self.places.get(&place).copied().unwrap_or((0, 0));
            let growing = if count > before { growing + 1 } else { 0 };
            places.insert(place, (count, growing));
            if count < LEAK || growing < GROWING {
                continue;
            }
            let message = format!(
                "{}, line {} has started {} that have not ended, more with each of the last {growing} cells: \
                 {} is one of them. Await them, end them, or `:cancel` them.",
                cell_label(place.0),
                place.1,
                counted(count, "task"),
                record.title()
            );
            found("leak", &[record], Some(place.1), message, Show::Once);
        }
        self.places = places;
    }
}
