//! Panics of user code: where they happened, what they said, and who is told.
//!
//! The message comes from the payload, the place from the panic hook. Nothing is printed for a task: whoever awaits it,
//! or the kernel, gets the [`Failure`]. A thread without a task gets one line on stderr, like anywhere else.

use crate::cell::{self, Interrupted};
use crate::{beside, brief, context, site};
use loopbook_channel::{Failure, FailureKind, Site, TaskKind, line_label};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{PanicHookInfo, resume_unwind};

thread_local! {
    static LAST: RefCell<Place> = const { RefCell::new(Place { site: None, location: None }) };
}

#[derive(Default)]
struct Place {
    site: Option<Site>,
    location: Option<String>,
}

/// Installs our panic hook. Done before each cell, because an earlier one may have set its own.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(hook));
}

/// What is known of a panic that was caught on this thread just now.
pub(crate) fn failure(payload: &(dyn Any + Send)) -> Failure {
    if payload.is::<Interrupted>() {
        return interrupted();
    }
    let Place { site, location } = LAST.try_with(|last| last.take()).unwrap_or_default();
    Failure { kind: FailureKind::Panic, message: brief::message(message(payload)), chain: Vec::new(), site, location }
}

/// The failure of an interrupted cell.
pub(crate) fn interrupted() -> Failure {
    Failure {
        kind: FailureKind::Interrupted,
        message: "the cell was interrupted".into(),
        chain: Vec::new(),
        site: None,
        location: None,
    }
}

/// Notes on this thread where the panic happened that is about to be raised again here.
pub(crate) fn remember(failure: &Failure) {
    set_last(Place { site: failure.site, location: failure.location.clone() });
}

/// The payload of a panic that no line of code has raised.
pub(crate) fn of_nowhere(message: String) -> Box<dyn Any + Send> {
    set_last(Place::default());
    Box::new(message)
}

/// Raises the panic of a future that a `block_on` has run, here in the caller. On a thread without a task this is where
/// the panic leaves what we watch.
pub(crate) fn raise(payload: Box<dyn Any + Send>) -> ! {
    if context::current_task().is_none() && !is_cells_thread() {
        let place = LAST.try_with(RefCell::take).unwrap_or_default();
        place.print(&thread_title(), payload.as_ref());
        set_last(place);
    }
    resume_unwind(payload)
}

fn hook(info: &PanicHookInfo<'_>) {
    let Some(location) = info.location() else { return };
    // SAFETY: a panic's location is a static that the compiler made; the hook's signature only hides that.
    let location: &'static std::panic::Location<'static> = unsafe { std::mem::transmute(location) };
    let (site, location) = site::resolve(location);
    let place = Place { site, location };
    match context::current() {
        None if !is_cells_thread() => place.print(&thread_title(), info.payload()),
        // Who else would tell? A task of tokio keeps its panic for a handle that may be gone.
        Some(task) if task.kind == TaskKind::Tokio => place.print(&task.title(), info.payload()),
        _ => {}
    }
    set_last(place);
}

impl Place {
    fn print(&self, who: &str, payload: &(dyn Any + Send)) {
        let place = match (&self.site, &self.location) {
            (Some(site), _) => line_label(site.cell, site.line),
            (None, Some(location)) => location.clone(),
            (None, None) => "an unknown place".into(),
        };
        eprintln!("{who} panicked at {place}: {}", brief::message(message(payload)));
    }
}

fn thread_title() -> String {
    format!("thread '{}'", std::thread::current().name().unwrap_or("unnamed"))
}

/// The cell's own panics are the cell's report.
fn is_cells_thread() -> bool {
    (cell::is_running() && cell::is_main_thread()) || beside::here().is_some()
}

fn set_last(place: Place) {
    let _ = LAST.try_with(|last| last.replace(place));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return text;
    }
    payload.downcast_ref::<String>().map_or("a value that is not text", String::as_str)
}
