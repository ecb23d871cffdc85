//! Answers the kernel's questions, on a thread of its own: also while a cell computes, and while every worker is stuck.

use crate::connection;
use crate::executor::pool;
use crate::facade::tokio_task;
use crate::inspect::{graph, loop_stats, resources, timeline};
use crate::show::views;
use crate::support::bundle;
use crate::tasks::{
    cancel::{self, CancelOutcome},
    lints, registry, watching,
};
use loopbook_channel::{
    Living, MimeBundle, Query, TaskInfo, TaskKind, TaskOrder, ToKernel, cell_label, counted, grouped,
};
use serde::Serialize;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// The most spans that a timeline's JSON is made of: it has to fit into a message.
const MOST_SPANS: usize = 50_000;

static QUESTIONS: OnceLock<Sender<Question>> = OnceLock::new();

/// Its number, the question, and whether the answer is to have data.
type Question = (u64, Query, bool);

/// Puts a question; the answer goes to the kernel, with JSON if `data` is true.
pub(crate) fn ask(id: u64, query: Query, data: bool) {
    let asked = QUESTIONS.get().map(|questions| questions.send((id, query, data)));
    if !matches!(asked, Some(Ok(()))) {
        let answer = Err("the inspector has not started".into());
        connection::send(&ToKernel::Answer { id, answer, living: Living::default() });
    }
}

/// Starts the thread.
///
/// # Errors
/// If the system has no thread for it.
pub(crate) fn start() -> std::io::Result<()> {
    let (sender, receiver) = channel();
    std::thread::Builder::new().name("loopbook-inspector".into()).spawn(move || run(&receiver))?;
    // Attached twice: the first inspector goes on.
    let _ = QUESTIONS.set(sender);
    Ok(())
}

fn run(questions: &Receiver<Question>) {
    for (id, query, data) in questions {
        let mut living = Living::default();
        let answer = std::panic::catch_unwind(AssertUnwindSafe(|| answer(&query, data, &mut living)))
            .map_err(|_| "the inspector failed; please report this with what you asked".to_owned());
        connection::send(&ToKernel::Answer { id, answer, living });
    }
}

fn answer(query: &Query, data: bool, living: &mut Living) -> MimeBundle {
    match query {
        Query::Tasks { all, cell, sort } => {
            let tasks = tasks(*all, *cell);
            *living = count(&tasks);
            table(&tasks, *all, *cell, *sort, data)
        }
        Query::Task { id } => match registry::task(*id) {
            Some(task) => with_data(views::task(&task), data, &task),
            None => bundle::text(format!("there is no task {id}: it is forgotten, or there never was one")),
        },
        Query::Tree { id: None } => {
            let graphs = graph::roots();
            with_data(views::trees(&graphs), data, &graphs)
        }
        Query::Tree { id: Some(id) } => match graph::call_graph(*id) {
            Some(graph) => with_data(views::trees(std::slice::from_ref(&graph)), data, &[graph]),
            None => bundle::text(format!("there is no task {id} that waits: it has ended, or there never was one")),
        },
        Query::Loop => {
            let stats = loop_stats::loop_stats();
            with_data(views::loop_stats(&stats), data, &stats)
        }
        Query::Threads { count } => bundle::text(pool::resize(*count)),
        Query::Watch { on } => {
            watching::watch_tasks(*on);
            bundle::text(format!("tasks that are started from now on are {}watched", if *on { "" } else { "not " }))
        }
        Query::Resources => {
            let resources = resources::resources();
            with_data(views::resources(&resources), data, &resources)
        }
        Query::Timeline { cell, last } => {
            let mut timeline = timeline::timeline();
            if let Some(cell) = *cell {
                timeline = timeline.cell(cell);
            }
            if let Some(last) = last.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
                timeline = timeline.last(last);
            }
            with_data(views::timeline(&timeline), data && timeline.spans() <= MOST_SPANS, &timeline)
        }
        Query::Lints => {
            let lints = lints::lints();
            with_data(views::lints(&lints), data, &lints)
        }
        Query::Cancel { id } => bundle::text(match registry::record(*id) {
            Some(record) => {
                outcome(&record.describe(), cancel::request(&record, "`:cancel`"), cancel::why_not(record.kind))
            }
            None => format!("there is no task {id} that could be cancelled: it has ended, or there never was one"),
        }),
        Query::CancelCell { cell } => bundle::text(outcome(
            &format!("what {} has started", cell_label(*cell)),
            cancel::request_cell(*cell, "`:cancel`"),
            cancel::why_not(TaskKind::Blocking),
        )),
    }
}

/// Those that are asked for, in the order of their numbers.
fn tasks(all: bool, cell: Option<u32>) -> Vec<TaskInfo> {
    let mut tasks = if all { registry::finished_and_living() } else { registry::all_tasks() };
    tasks.retain(|task| cell.is_none() || task.cell == cell);
    tasks.sort_by_key(|task| task.id);
    tasks
}

/// The table of tasks, and what it leaves out.
fn table(tasks: &[TaskInfo], all: bool, cell: Option<u32>, sort: Option<TaskOrder>, data: bool) -> MimeBundle {
    let mut bundle = with_data(views::tasks(tasks, sort), data, tasks);
    if all && registry::forgotten_tasks() > 0 {
        note(
            &mut bundle,
            &match registry::forgotten_tasks() {
                1 => "1 older task is forgotten".to_owned(),
                several => format!("{} are forgotten", counted(several as usize, "older task")),
            },
        );
    }
    let listed = tasks.iter().filter(|task| task.kind == TaskKind::Tokio && !task.state.is_finished()).count();
    let others = tokio_task::living().saturating_sub(listed);
    if cell.is_none() && others > 0 {
        note(&mut bundle, &format!("and {} of tokio that were not started by `tokio::spawn`", grouped(others as u64)));
    }
    bundle
}

fn count(tasks: &[TaskInfo]) -> Living {
    let living = || tasks.iter().filter(|task| !task.state.is_finished());
    let is_independent = |task: &&TaskInfo| !matches!(task.kind, TaskKind::Cell | TaskKind::Branch);
    Living { all: living().count(), independent: living().filter(is_independent).count() }
}

/// Adds what programs read, if they have asked for it.
fn with_data(mut bundle: MimeBundle, wanted: bool, data: &(impl Serialize + ?Sized)) -> MimeBundle {
    if wanted && let Ok(json) = serde_json::to_value(data) {
        bundle.insert("application/json".to_owned(), json);
    }
    bundle
}

/// What came of the request to cancel, for people; `why_not` is why, if that is not possible.
fn outcome(what: &str, outcome: CancelOutcome, why_not: Option<&str>) -> String {
    match outcome {
        CancelOutcome::Requested => format!("{what}: ends at the next `.await`"),
        CancelOutcome::AlreadyFinished => format!("{what}: has ended already"),
        CancelOutcome::InPoll(time) => {
            format!(
                "{what}: has been running for {:.1} s without an `.await`, and ends at the next, or when it is in a loop \
                 or function of a cell",
                time.as_secs_f64()
            )
        }
        CancelOutcome::NotCancellable => {
            format!("{what}: cannot be cancelled: {}", why_not.unwrap_or("it is no task of its own"))
        }
    }
}

/// Adds a sentence below what people read.
fn note(bundle: &mut MimeBundle, sentence: &str) {
    for (mime, text) in bundle {
        match (mime.as_str(), text) {
            ("text/plain", Value::String(text)) => text.push_str(&format!("\n{sentence}")),
            ("text/html", Value::String(text)) => text.push_str(&format!("<p>{sentence}</p>")),
            _ => {}
        }
    }
}
