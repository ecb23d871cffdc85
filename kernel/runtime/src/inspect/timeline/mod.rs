//! Timelines: when which task ran, was ready and waited, put together from the events that threads remember.

mod build;
mod chrome;
mod drawing;
mod folded;
mod glyphs;
mod pdf;
mod svg;
mod text;

#[cfg(test)]
mod tests;

use crate::support::clock::{self, Moment};
use crate::tasks::{context, probe};
use crate::{TaskId, TaskKind, TaskState};
use serde::Serialize;
use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

/// What happened on the loop, as data; as the value of a cell it shows as a figure. Times are seconds since the loop began.
///
/// Made by [`timeline`] and [`trace`].
///
/// ```
/// # use loopbook::facade::task;
/// # task::block_on(async {
/// let (_, timeline) = loopbook::trace(async { task::spawn(async {}).await }).await;
/// for lane in &timeline.lanes {
///     println!("{:?} {}: {} spans", lane.name, lane.task, lane.spans.len());
/// }
/// assert!(timeline.lanes.len() >= 2, "the future and the task that it started");
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Timeline {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// A lane for each task, in the order in which they were started.
    pub lanes: Vec<Lane>,
    /// A lane for each thread: what it polled.
    pub workers: Vec<Worker>,
    /// What woke whom.
    pub wakes: Vec<Wake>,
    /// Events that are forgotten: threads remember the last 131,072 each.
    pub lost: u64,
}

/// One task in a [`Timeline`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Lane {
    /// The task.
    pub task: TaskId,
    /// Its name, if it has one that is still known.
    pub name: Option<String>,
    /// What sort of work it is.
    pub kind: TaskKind,
    /// Execution count of the cell that caused it.
    pub cell: Option<u32>,
    /// The line in that cell.
    pub line: Option<u32>,
    /// The task that started it.
    pub parent: Option<TaskId>,
    /// What it did, one after the other. While a branch of it is polled there is a gap: then the branch runs.
    pub spans: Vec<Span>,
    /// How it ended, if it did.
    pub end: Option<TaskState>,
}

/// For some time a task did one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Span {
    /// `Running`, `Scheduled` or `Idle`.
    pub state: TaskState,
    /// From when.
    pub from: f64,
    /// To when.
    pub to: f64,
    /// If it ran, on which thread: the index into [`Timeline::workers`].
    pub worker: Option<usize>,
    /// If it waited, for what: `sleep`, `timeout`, `task 7`, `lock #5`, `send #3`, `receive #3` and so on. Nothing if
    /// that is not known.
    pub waits: Option<String>,
}

/// One thread in a [`Timeline`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// Part of the time that it spent in polls, from 0 to 1.
    pub utilization: f64,
}

/// A task was woken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Wake {
    /// When.
    pub at: f64,
    /// Who was woken.
    pub task: TaskId,
    /// By which task; nothing if it was the reactor or a thread without tasks.
    pub by: Option<TaskId>,
}

/// What happened on the loop so far, as far as it is remembered. As the value of a cell it shows as a figure.
///
/// ```
/// # use loopbook::facade::task;
/// use std::time::Duration;
/// # task::block_on(async {
/// loopbook::gather!(task::sleep(Duration::from_millis(20)), task::sleep(Duration::from_millis(30)));
/// let recently = loopbook::timeline().last(Duration::from_secs(5));
/// println!("{}", recently.to_text());
/// # });
/// ```
pub fn timeline() -> Timeline {
    build::timeline()
}

/// Runs a future and gives its output, and the timeline of it and of all that it started.
///
/// ```
/// # use loopbook::facade::task;
/// use std::time::Duration;
/// # task::block_on(async {
/// let (output, timeline) = loopbook::trace(async {
///     task::sleep(Duration::from_millis(20)).await;
///     7
/// })
/// .await;
/// assert_eq!(output, 7);
/// assert!(timeline.to - timeline.from >= 0.02);
/// # });
/// ```
#[track_caller]
pub fn trace<F: Future>(future: F) -> impl Future<Output = (F::Output, Timeline)> {
    let branch = probe::branch(
        async {
            let me = context::current_task();
            (future.await, me)
        },
        Some("trace"),
        std::panic::Location::caller(),
    );
    async move {
        let began = seconds(Moment::now());
        let (output, me) = branch.await;
        let mut timeline = build::timeline().between(began, seconds(Moment::now()));
        if let Some(me) = me {
            timeline.keep_descendants(me);
        }
        (output, timeline)
    }
}

/// Turns the recording of what happens on or off; it is on from the start. Off, a poll costs some nanoseconds less, and
/// [`timeline`] shows only what happened before.
///
/// ```
/// loopbook::record_timeline(false);
/// loopbook::record_timeline(true);
/// ```
pub fn record_timeline(on: bool) {
    crate::tasks::events::set_recording(on);
}

impl Timeline {
    /// Only what the cell with this number has caused.
    ///
    /// ```
    /// let timeline = loopbook::timeline().cell(3);
    /// assert!(timeline.lanes.iter().all(|lane| lane.cell == Some(3)));
    /// ```
    #[must_use]
    pub fn cell(mut self, number: u32) -> Self {
        self.lanes.retain(|lane| lane.cell == Some(number));
        self.keep_wakes();
        self.shrink();
        self
    }

    /// Only the last part, of this length.
    ///
    /// ```
    /// let timeline = loopbook::timeline().last(std::time::Duration::from_secs(2));
    /// assert!(timeline.to - timeline.from <= 2.0);
    /// ```
    #[must_use]
    pub fn last(self, duration: Duration) -> Self {
        let (from, to) = (self.to - duration.as_secs_f64(), self.to);
        let from = from.max(self.from);
        self.between(from, to)
    }

    /// How many tasks were in this state at one moment, at most: of `Running`, `Scheduled` and `Idle`. Tasks that have
    /// started others among these lanes are not counted: they wait for those, and the cell around them always does.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// use loopbook::TaskState;
    /// use std::time::Duration;
    /// # task::block_on(async {
    /// let two = async { loopbook::gather!(task::sleep(Duration::from_millis(20)), task::sleep(Duration::from_millis(20))) };
    /// let (_, timeline) = loopbook::trace(two).await;
    /// assert_eq!(timeline.most_at_once(TaskState::Idle), 2);
    /// # });
    /// ```
    pub fn most_at_once(&self, state: TaskState) -> usize {
        let parents: HashSet<TaskId> = self.lanes.iter().filter_map(|lane| lane.parent).collect();
        let leaves = self.lanes.iter().filter(|lane| !parents.contains(&lane.task));
        let spans = leaves.flat_map(|lane| &lane.spans).filter(|span| span.state == state);
        let nanoseconds = |seconds: f64| (seconds * 1e9).round() as i64;
        let mut changes: Vec<(i64, isize)> =
            spans.flat_map(|span| [(nanoseconds(span.from), 1), (nanoseconds(span.to), -1)]).collect();
        // Who leaves at the same moment leaves first.
        changes.sort_unstable();
        let mut now = 0;
        changes.into_iter().fold(0, |most, (_, change)| {
            now += change;
            most.max(now.unsigned_abs())
        })
    }

    /// A drawing, as the text of an SVG file of at most 200 kB: a lane for each thread and each task, at most 60.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// let (_, timeline) = task::block_on(loopbook::trace(task::yield_now()));
    /// assert!(timeline.to_svg().starts_with("<svg"));
    /// ```
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }

    /// The same drawing as a PDF file of one page, for LaTeX.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// let (_, timeline) = task::block_on(loopbook::trace(task::yield_now()));
    /// assert!(timeline.to_pdf().starts_with(b"%PDF"));
    /// ```
    pub fn to_pdf(&self) -> Vec<u8> {
        pdf::draw(self)
    }

    /// The lanes in plain ASCII: `#` runs, `=` is ready, `.` waits.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// let (_, timeline) = task::block_on(loopbook::trace(task::yield_now()));
    /// assert!(timeline.to_text().is_ascii());
    /// ```
    pub fn to_text(&self) -> String {
        text::draw(self)
    }

    /// All of it for Chrome's `about:tracing` and for Perfetto, as the text of a JSON file.
    ///
    /// ```
    /// # use loopbook::facade::task;
    /// let (_, timeline) = task::block_on(loopbook::trace(task::yield_now()));
    /// assert!(timeline.to_chrome_json().contains("traceEvents"));
    /// ```
    pub fn to_chrome_json(&self) -> String {
        chrome::json(self)
    }

    /// What a lane waits for, with a task by the name that its own lane has.
    fn called(&self, waits: &str) -> String {
        let task = waits.strip_prefix("task ").and_then(|id| id.parse::<TaskId>().ok());
        let lane = task.and_then(|task| self.lane(task));
        lane.map_or_else(|| waits.to_owned(), Lane::title)
    }

    fn lane(&self, task: TaskId) -> Option<&Lane> {
        self.lanes.binary_search_by_key(&task, |lane| lane.task).ok().map(|at| &self.lanes[at])
    }

    /// How many parts it has.
    pub(crate) fn spans(&self) -> usize {
        self.lanes.iter().map(|lane| lane.spans.len()).sum()
    }

    /// The drawing with its caption, and the text for those who do not see it.
    pub(crate) fn to_html(&self) -> String {
        svg::figure(self)
    }

    fn between(mut self, from: f64, to: f64) -> Self {
        for lane in &mut self.lanes {
            lane.spans.retain_mut(|span| {
                span.from = span.from.max(from);
                span.to = span.to.min(to);
                span.from < span.to
            });
        }
        self.lanes.retain(|lane| !lane.spans.is_empty());
        self.wakes.retain(|wake| (from..=to).contains(&wake.at));
        (self.from, self.to) = (from, to);
        self.keep_wakes();
        self.measure();
        self
    }

    fn keep_descendants(&mut self, of: TaskId) {
        let mut kept = HashSet::from([of]);
        // Parents come before their children.
        self.lanes.retain(|lane| {
            let descends = lane.task == of || lane.parent.is_some_and(|parent| kept.contains(&parent));
            if descends {
                kept.insert(lane.task);
            }
            descends
        });
        self.keep_wakes();
    }

    fn keep_wakes(&mut self) {
        let shown: HashSet<TaskId> = self.lanes.iter().map(|lane| lane.task).collect();
        self.wakes.retain(|wake| shown.contains(&wake.task));
    }

    /// Lets it begin and end with its lanes.
    fn shrink(&mut self) {
        let spans = || self.lanes.iter().flat_map(|lane| &lane.spans);
        let from = spans().map(|span| span.from).fold(f64::INFINITY, f64::min);
        let to = spans().map(|span| span.to).fold(f64::NEG_INFINITY, f64::max);
        if from <= to {
            (self.from, self.to) = (from, to);
        }
        self.measure();
    }

    /// Works out how busy the threads were.
    fn measure(&mut self) {
        let mut busy = vec![0.0; self.workers.len()];
        for span in self.lanes.iter().flat_map(|lane| &lane.spans) {
            if let (TaskState::Running, Some(worker)) = (span.state, span.worker) {
                busy[worker] += span.to - span.from;
            }
        }
        for (worker, busy) in self.workers.iter_mut().zip(busy) {
            worker.utilization = (busy / (self.to - self.from).max(1e-9)).min(1.0);
        }
    }
}

impl Lane {
    /// How figures call it.
    fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("task {}", self.task))
    }
}

fn seconds(moment: Moment) -> f64 {
    moment.since(clock::began()).as_secs_f64()
}
