//! Errors as Jupyter shows them, from whatever went wrong.

use super::colours::{self, renderer};
use super::death::Death;
use super::diagnostics::{Diagnostic, Source, Sources, byte_offset};
use crate::evaluator::build::dependencies::Change;
use crate::evaluator::cell::Problem;
use crate::evaluator::cell::changed_types::Redefined;
use crate::evaluator::support::process_state::ProcessState;
use crate::evaluator::{Event, Outcome, Report};
use annotate_snippets::{AnnotationKind, Group, Level, Snippet};
use loopbook_channel::{CellId, CellOutcome, DisplayKind, Failure, FailureKind, MimeBundle, Site, TaskId, cell_label};
use serde_json::Map;

/// What a second interrupt does.
const SECOND_INTERRUPT: &str = "Interrupt a second time to restart the process that runs the cells: variables and tasks \
    will be lost; functions, types, `use` and dependencies are kept.";

/// What the user is told when a running cell goes on after an interrupt. `state` is that of its process.
pub fn does_not_yield(state: ProcessState) -> String {
    let why = match state {
        ProcessState::Stopped => {
            "The process that runs the cells is stopped, as by `kill -STOP`. It has been told to go on, and does not."
        }
        ProcessState::Traced => {
            "The process that runs the cells is stopped by a debugger. The cell ends when that lets it go on."
        }
        ProcessState::Blocked => {
            "The process that runs the cells waits inside the system, as for a disk or a network file system that does not \
             answer. The cell ends when that is over."
        }
        ProcessState::Runs => {
            "The cell goes on, since it is in code that does not look for interrupts: compiled code of a crate, a call that \
             blocks its thread, `unsafe` code, a destructor, a macro, or a cell compiled with `:opt 2`. It ends when it \
             comes out of there, to an `.await`, a loop or a function of a cell."
        }
    };
    format!("{why} {SECOND_INTERRUPT}\n")
}

/// What the user is told when an interrupt has found the process of the cells stopped.
pub const GOES_ON: &str = "The process that runs the cells was stopped, as by `kill -STOP`. The interrupt has let it go \
    on, so that the cell can end.\n";

/// So many changes of the runtime are named.
const NAMED_CHANGES: usize = 4;

/// An interrupted cell; `when` completes "The cell was interrupted: …".
pub fn interrupted(when: &str) -> Report {
    plain("Interrupted", &format!("the cell was interrupted: {when}"), &[])
}

/// A command that failed, or was refused.
pub fn command(message: &str, cell: u32, line: u32) -> Report {
    let (first, more) = message.split_once('\n').unwrap_or((message, ""));
    let more: Vec<_> = more.lines().map(str::to_owned).collect();
    plain("CommandError", &format!("{first} ({}, line {line})", cell_label(cell)), &more)
}

/// Why crates are not added: the runtime would be another one, and `names` and as many tasks would go with the present one.
pub fn changes_runtime(crates: &str, changes: &[Change], names: &[String], tasks: usize) -> String {
    let mut lost = Vec::new();
    if !names.is_empty() {
        lost.push(quoted(names));
    }
    match tasks {
        0 => {}
        1 => lost.push("1 background task".to_owned()),
        several => lost.push(format!("{several} background tasks")),
    }
    format!(
        "{crates} would change the runtime that all cells share: it would be compiled with {}. The loop would have to be \
         restarted, and {} would be lost. Nothing was changed. To add it all the same, put the `:dep` into the first cell \
         of the notebook and restart the kernel; or run `:restart`, which loses them, and then this cell again",
        listed(changes),
        lost.join(" and "),
    )
}

/// What to say while the runtime is compiled anew, with nothing to lose.
pub fn runtime_is_rebuilt(changes: &[Change]) -> String {
    format!(
        "The runtime is compiled anew, with {}. Nothing is lost: there are no variables and no tasks yet.",
        listed(changes)
    )
}

/// Names the first few changes.
fn listed(changes: &[Change]) -> String {
    let mut texts: Vec<_> = changes.iter().take(NAMED_CHANGES).map(ToString::to_string).collect();
    if changes.len() > NAMED_CHANGES {
        texts.push(format!("{} more", changes.len() - NAMED_CHANGES));
    }
    texts.join(", ")
}

/// Nothing can be run. `why` says what to do about it, and `then` what comes after that.
pub fn no_compiler(why: &str, then: &str) -> Report {
    let more = format!("{then} `loopbook doctor` looks at everything that the kernel needs.");
    plain("CompileError", &format!("cells cannot be compiled: {why}"), &[more])
}

/// The working directory was removed under the kernel and cannot be made again.
pub fn no_place(why: &str) -> Report {
    let evalue = format!("the kernel's working directory was removed, and cannot be made again: {why}");
    plain("CompileError", &evalue, &["Variables and tasks are still there. Then run the cell again.".to_owned()])
}

/// There is no room for what cargo and rustc make of a cell.
pub fn disk_full() -> Report {
    let next = "Free some space and run the cell again. Variables and tasks are still there.".to_owned();
    plain("CompileError", "the disk on which cells are compiled is full", &[next])
}

/// The process that runs the cells has died. `lost` are the variables that died with it.
pub fn child_died(death: &Death, lost: &[String], interrupted: bool) -> Report {
    let variables = match lost {
        [] => "No variables were lost.".to_owned(),
        names => format!("Lost variables: {}.", names.join(", ")),
    };
    let kept = "Background tasks ended with it. Functions, types, `use` and dependencies are kept; a new process runs \
        the next cell.";
    let (ename, evalue) = if interrupted {
        ("Interrupted", "the process that runs the cells was restarted by the second interrupt".to_owned())
    } else {
        ("ChildDied", format!("the process that runs the cells ended: {}", death.how))
    };
    let help = death.help.clone().filter(|_| !interrupted);
    let more: Vec<_> = help.into_iter().chain([variables, kept.to_owned()]).collect();
    plain(ename, &evalue, &more)
}

/// A cell that cannot be loaded into the process that runs the cells, which goes on.
pub fn not_loaded(reason: &str) -> Report {
    let (why, help) = if reason.contains("Too many open files") {
        (
            "the process that runs the cells has opened all files and sockets that it may",
            "End what holds them: `:tasks` lists the tasks, and `:cancel ID` ends one.",
        )
    } else if ["Cannot allocate memory", "failed to map", "cannot map"].iter().any(|words| reason.contains(words)) {
        (
            "there is no memory for it in the process that runs the cells",
            "End what holds it: `:tasks` lists the tasks, and `:cancel ID` ends one.",
        )
    } else {
        (reason, "Run the cell again; if that does not help, `:restart` starts a new process, without variables.")
    };
    let nothing = "It has not run. Variables and tasks are as they were.".to_owned();
    plain("CompileError", &format!("the cell cannot be loaded: {why}"), &[nothing, help.to_owned()])
}

/// A cell of a subshell ended because its process has.
pub fn child_died_under_subshell(death: &Death, interrupted: bool) -> Report {
    let (ename, evalue) = if interrupted {
        ("Interrupted", "the process that runs the cells was restarted by the second interrupt".to_owned())
    } else {
        let evalue = "the process that runs the cells ended while this cell of a subshell ran in it";
        let how = if death.how.is_empty() { String::new() } else { format!(": {}", death.how) };
        ("ChildDied", format!("{evalue}{how}"))
    };
    plain(ename, &evalue, &["The next cell of the main shell says which variables were lost.".to_owned()])
}

/// A cell of a subshell has no process to run in.
pub fn no_child() -> Report {
    let evalue = "the process that runs the cells has ended, and the next one begins with the main shell's next cell";
    plain("ChildDied", evalue, &["Run a cell in the main shell first.".to_owned()])
}

/// A cell of a subshell was compiled with crates that are not those of the loaded cells.
pub fn crates_have_changed(crates: &[String]) -> Report {
    let evalue = format!("{} has changed since the main shell's last cell", crates_named(crates));
    plain("CompileError", &evalue, &["Run a cell in the main shell first: it says what the change costs.".to_owned()])
}

/// Variables that had to go, and statics that begin anew, because a cell has changed types, or crates have changed.
pub fn given_up(redefined: &Redefined) -> MimeBundle {
    let Redefined { types, crates, variables, statics } = redefined;
    let mut text = String::new();
    if !variables.is_empty() {
        text += &format!("{}: {}. ", colours::painted(colours::WARNING, "Dropped"), quoted(variables));
    }
    if !statics.is_empty() {
        text += &format!("{}: {}. ", colours::painted(colours::WARNING, "At its first value again"), quoted(statics));
    }
    if !types.is_empty() {
        text += &format!(
            "The cell changes the definition of {}, and a value made by the old one cannot be used by the new one.",
            quoted(types)
        );
    }
    if !crates.is_empty() {
        text += &format!(
            "{}{} has changed, and a value made of the old one's types cannot be used by the new one.",
            if types.is_empty() { "" } else { " " },
            crates_named(crates)
        );
    }
    if !variables.is_empty() {
        text += " Run the cells again that made these variables.";
    }
    colours::bundle(&text)
}

/// `The crate `a`` or `The crates …`, for a verb in the singular.
fn crates_named(crates: &[String]) -> String {
    match crates {
        [krate] => format!("The crate `{krate}`"),
        several => format!("Each of the crates {}", quoted(several)),
    }
}

/// A cell that did not compile. `fallback` is for errors that lie in none of the user's lines.
pub fn compile_error(diagnostics: &[Diagnostic], sources: &Sources, hints: &[&str], fallback: &str) -> Report {
    let Some(first) = diagnostics.first() else {
        return plain(
            "CompileError",
            fallback.lines().next().unwrap_or("the cell did not compile"),
            &lines(fallback, 1, hints),
        );
    };
    let code = first.error_code().map(|code| format!("[{code}]")).unwrap_or_default();
    let place = first.place(sources);
    let place = place.map(|(cell, line, column)| format!(" ({}, line {line}, column {column})", cell_label(cell)));
    let evalue = format!("error{code}: {}{}", first.message(), place.unwrap_or_default());
    let last = diagnostics.len() - 1;
    let traceback = diagnostics
        .iter()
        .enumerate()
        .flat_map(|(n, diagnostic)| {
            let text = diagnostic.render(sources, if n == last { hints } else { &[] });
            text.lines().map(str::to_owned).chain([String::new()]).collect::<Vec<_>>()
        })
        .collect();
    Report { ename: "CompileError".into(), evalue, traceback }
}

/// A cell that the preprocessing pass refused.
pub fn problems(number: u32, code: &str, problems: &[Problem]) -> Report {
    let mut traceback = Vec::new();
    for problem in problems {
        let mut title = Level::ERROR.primary_title(problem.message.clone());
        if let Some(code) = &problem.code {
            title = title.id(code.clone());
        }
        let mut snippet = Snippet::source(code.to_owned()).path(cell_label(number));
        for (n, span) in problem.spans.iter().enumerate() {
            let start = byte_offset(code, span.line, span.col);
            let end = byte_offset(code, span.end_line, span.end_col).max(start);
            let kind = if n == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            snippet = snippet.annotation(kind.span(start..end).label(span.label.clone()));
        }
        let mut group = Group::with_title(title);
        if !problem.spans.is_empty() {
            group = group.element(snippet);
        }
        for help in &problem.help {
            group = group.element(Level::HELP.message(help.clone()));
        }
        traceback.extend(renderer().render(&[group]).lines().map(str::to_owned));
        traceback.push(String::new());
    }
    let label = cell_label(number);
    let evalue = problems.first().map_or_else(String::new, |problem| {
        let place = problem.spans.first().map(|span| format!(" ({label}, line {}, column {})", span.line, span.col));
        format!("error: {}{}", problem.message, place.unwrap_or_default())
    });
    let ename = if problems.iter().all(|problem| problem.is_command) { "CommandError" } else { "CompileError" };
    Report { ename: ename.into(), evalue, traceback }
}

/// How a cell ended, as the child tells it.
pub fn outcome(outcome: &CellOutcome, sources: &Sources) -> Outcome {
    match outcome {
        CellOutcome::Ok => Outcome::Ok,
        CellOutcome::Failed { failure: how } => Outcome::Error(failure(how, sources)),
    }
}

/// A cell whose code failed while it ran.
pub fn failure(failure: &Failure, sources: &Sources) -> Report {
    let ename = match failure.kind {
        FailureKind::Panic => "Panic",
        FailureKind::Error => "Error",
        FailureKind::Interrupted => "Interrupted",
    };
    let mut traceback = vec![heading(ename, &failure.message)];
    traceback.extend(failure.chain.iter().map(|cause| format!("  caused by: {cause}")));
    traceback.extend(place(failure, sources));
    let at = failure.site.map(|site| format!(" ({}, line {})", cell_label(site.cell), site.line)).unwrap_or_default();
    Report { ename: ename.into(), evalue: format!("{}{at}", failure.message), traceback }
}

/// Adds to the report of a failed cell which old values went with it: evcxr drops what a failed cell defines anew.
pub fn with_lost_values(mut report: Report, lost: &[String]) -> Report {
    if !lost.is_empty() {
        let names = quoted(lost);
        report.traceback.push(format!("Lost: the old value of {names}, which this cell was defining anew."));
    }
    report
}

/// The kernel's own fault.
pub fn internal(what: &str) -> Report {
    let next = "Please report it. Variables and tasks are still there; if the next cells fail too, restart the kernel.";
    plain("CompileError", &format!("the kernel failed on this cell: {what}"), &[next.to_owned()])
}

/// A task that nobody awaits has failed: what to show under the cell that caused it.
pub fn failed_task(task: TaskId, name: Option<&str>, failure: &Failure, sources: &Sources) -> MimeBundle {
    let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let mut lines = vec![heading("Panic", &format!("background task {task}{name} panicked: {}", failure.message))];
    lines.extend(place(failure, sources));
    lines.push("Nobody awaits this task, so its panic is shown here; the other tasks go on.".into());
    colours::bundle(&lines.join("\n"))
}

/// A bundle as the event that displays it under a cell.
pub fn display(cell: CellId, data: MimeBundle) -> Event {
    Event::Display { cell, kind: DisplayKind::Display, data, metadata: Map::new(), display_id: None }
}

fn plain(ename: &str, evalue: &str, more: &[String]) -> Report {
    let mut traceback = vec![heading(ename, evalue)];
    traceback.extend(more.iter().cloned());
    Report { ename: ename.into(), evalue: evalue.into(), traceback }
}

/// Names as code, in a row.
pub(in crate::evaluator) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn heading(ename: &str, message: &str) -> String {
    format!("{}: {message}", colours::painted(colours::ERROR, ename))
}

fn lines(text: &str, skip: usize, hints: &[&str]) -> Vec<String> {
    text.lines().skip(skip).map(str::to_owned).chain(hints.iter().map(|hint| format!("help: {hint}"))).collect()
}

fn place(failure: &Failure, sources: &Sources) -> Vec<String> {
    let Some(Site { cell, line, column }) = failure.site else {
        return failure.location.iter().map(|location| format!("  at {location}")).collect();
    };
    match sources.get(cell) {
        Some(source) => quote(&source, line, column),
        None => vec![format!("  at {}, line {line}", cell_label(cell))],
    }
}

/// The line itself, with a mark where it failed if that is known, as rustc quotes.
fn quote(source: &Source, line: u32, column: Option<u32>) -> Vec<String> {
    let at = |column| byte_offset(&source.code, line, column);
    let (kind, range) = match column {
        Some(column) => (AnnotationKind::Primary, at(column)..at(column + 1)),
        None => (AnnotationKind::Visible, at(1)..at(1)),
    };
    let path = cell_label(source.number);
    let path = if column.is_some() { path } else { format!("{path}:{line}") };
    let snippet = Snippet::source(source.code.clone()).path(path).annotation(kind.span(range));
    let group = Group::with_level(Level::ERROR.no_name()).element(snippet);
    renderer().render(&[group]).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_quoted_with_a_mark_only_if_the_column_is_known() {
        let source = Source { number: 3, code: "f();\n\tg(); ä!();".into(), ..Source::default() };
        let quoted = |column| colours::bundle(&quote(&source, 2, column).join("\n"))["text/plain"].clone();
        assert_eq!(quoted(Some(7)), " --> In[3]:2:7\n  |\n2 |     g(); ä!();\n  |          ^");
        assert_eq!(quoted(None), " --> In[3]:2\n  |\n2 |     g(); ä!();\n  |");
    }
}
