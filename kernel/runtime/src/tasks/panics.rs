//! Panics of user code: where they happened, what they said, and who is told.
//!
//! The message comes from the payload, the place from the panic hook. Nothing is printed for a task: whoever awaits it,
//! or the kernel, gets the [`Failure`]. A thread without a task gets one line on stderr, like anywhere else.

use crate::running::{
    cell::{self, Interrupted},
    subshells,
};
use crate::support::brief;
use crate::tasks::{context, site};
use loopbook_channel::{Failure, FailureKind, Site, TaskKind, line_label};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{PanicHookInfo, resume_unwind};
use std::sync::OnceLock;

/// What std says when a panic cannot go on; it ends the process then. The first is that of a destructor that panics while
/// another panic is under way.
const NO_WAY_ON: [&str; 2] = ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

/// Why the process is about to end.
static LAST_CAUSE: OnceLock<String> = OnceLock::new();

thread_local! {
    static LAST: RefCell<Place> = const { RefCell::new(Place { site: None, location: None, message: String::new() }) };
}

#[derive(Default)]
struct Place {
    site: Option<Site>,
    location: Option<String>,
    /// What was said there.
    message: String,
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
    let Place { site, location, .. } = LAST.try_with(|last| last.take()).unwrap_or_default();
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
    let Failure { site, location, message, .. } = failure;
    set_last(Place { site: *site, location: location.clone(), message: message.clone() });
}

/// The payload of a panic that no line of code has raised.
pub(crate) fn of_nowhere(message: String) -> Box<dyn Any + Send> {
    set_last(Place::default());
    Box::new(message)
}

/// Which panic it is that ends the process, if one does. Neither allocates nor waits.
pub(crate) fn last_cause() -> Option<&'static str> {
    LAST_CAUSE.get().map(String::as_str)
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
    let place = Place { site, location, message: message(info.payload()).to_owned() };
    if NO_WAY_ON.contains(&&*place.message) {
        note_cause(&place.message);
        return;
    }
    match context::current() {
        None if !is_cells_thread() => place.print(&thread_title(), info.payload()),
        // Who else would tell? A task of tokio keeps its panic for a handle that may be gone.
        Some(task) if task.kind == TaskKind::Tokio => place.print(&task.title(), info.payload()),
        _ => {}
    }
    set_last(place);
}

/// Notes the panic before this one, which cannot go on, as what ends the process.
fn note_cause(why: &str) {
    let before = LAST.try_with(RefCell::take).unwrap_or_default();
    let what = if why == NO_WAY_ON[0] {
        "a destructor panicked while another panic was under way"
    } else {
        "a panic came to a function through which it cannot go (`extern \"C\"`, or a panic hook)"
    };
    let _only_the_first_counts = LAST_CAUSE.set(format!("{what}: \"{}\", at {}", before.message, before.label()));
}

impl Place {
    fn print(&self, who: &str, payload: &(dyn Any + Send)) {
        eprintln!("{who} panicked at {}: {}", self.label(), brief::message(message(payload)));
    }

    fn label(&self) -> String {
        match (&self.site, &self.location) {
            (Some(site), _) => line_label(site.cell, site.line),
            (None, Some(location)) => location.clone(),
            (None, None) => "an unknown place".into(),
        }
    }
}

fn thread_title() -> String {
    format!("thread '{}'", std::thread::current().name().unwrap_or("unnamed"))
}

/// The cell's own panics are the cell's report.
fn is_cells_thread() -> bool {
    (cell::is_running() && cell::is_main_thread()) || subshells::here().is_some()
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
