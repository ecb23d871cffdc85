//! Panics of user code: where they happened, what they said, and who is told.
//!
//! The message comes from the payload, the place from the panic hook. Nothing is printed for a task: whoever awaits it,
//! or the kernel, gets the [`Failure`]. A thread without a task gets one line on stderr, like anywhere else.

use crate::cell::{self, Interrupted};
use crate::{context, site};
use loopbook_channel::{Failure, FailureKind, Site};
use std::any::Any;
use std::cell::RefCell;
use std::panic::PanicHookInfo;

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
    Failure { kind: FailureKind::Panic, message: message(payload).to_owned(), chain: Vec::new(), site, location }
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

fn hook(info: &PanicHookInfo<'_>) {
    let Some(location) = info.location() else { return };
    // SAFETY: a panic's location is a static that the compiler made; the hook's signature only hides that.
    let location: &'static std::panic::Location<'static> = unsafe { std::mem::transmute(location) };
    let (site, location) = site::resolve(location);
    if context::current_task().is_none() && !(cell::is_running() && cell::is_main_thread()) {
        let place = match (&site, &location) {
            (Some(site), _) => format!("In[{}]:{}", site.cell, site.line),
            (None, Some(location)) => location.clone(),
            (None, None) => "an unknown place".into(),
        };
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        eprintln!("thread '{name}' panicked at {place}: {}", message(info.payload()));
    }
    set_last(Place { site, location });
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
