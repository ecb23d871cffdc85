//! How values look, and what the last expression of a cell shows as.
//!
//! `mime` has a table of our types with what each becomes as text and HTML, which `views` write; `display`, `forms`,
//! `progress` and `input` are what cells call; `handles`, `showing` and `json` are parts of this.
//!
//! The last expression shows as the first that its type has: `evcxr_display`, a line about what can be waited for, a
//! form that [`mime`] knows, `Debug`; else its name, with a hint. All of it is found out when the cell is compiled,
//! once, by method lookup: a method for a value behind fewer references is taken before one behind more. The value is
//! only borrowed, so a variable can be shown and used on.

pub(crate) mod display;
pub(crate) mod forms;
mod handles;
pub(crate) mod input;
pub(crate) mod json;
pub(crate) mod mime;
pub(crate) mod progress;
pub(crate) mod showing;
pub(crate) mod views;

use crate::support::{brief::Items, bundle, erased::Erased, type_names};
use crate::tasks::outbox;
use handles::Handle;
use loopbook_channel::{DisplayKind, MimeBundle};
use std::{fmt::Debug, future::Future, rc::Rc, sync::Arc};

/// Shows the value of a cell.
#[doc(hidden)]
#[macro_export]
macro_rules! __show {
    ($value:expr) => {
        $crate::__private::show($crate::__bundle!($value))
    };
}

/// Shows the value of a cell, and before it its type (`:types`).
#[doc(hidden)]
#[macro_export]
macro_rules! __show_typed {
    ($value:expr) => {
        #[allow(unreachable_code)]
        match &($value) {
            value => {
                $crate::__private::show_type(value);
                $crate::__show!(value)
            }
        }
    };
}

/// See [`crate::__show_typed`].
pub fn show_type<T: ?Sized>(_value: &T) {
    let name = type_names::of::<T>();
    if name != "()" {
        outbox::display(DisplayKind::Display, bundle::text(name), None);
    }
}

/// What a value shows as: `None` if it shows itself (`evcxr_display`) or there is nothing to see in it.
#[doc(hidden)]
#[macro_export]
macro_rules! __bundle {
    ($value:expr) => {{
        // A cell may well end with `process::exit(0)`.
        #[allow(unreachable_code)]
        let bundle = match &($value) {
            value => {
                #[allow(unused_imports)]
                use $crate::__private::{
                    BundleDebug as _, BundleFuture as _, BundleHandle as _, BundleItems as _, BundleName as _,
                    BundleShown as _, NoEvcxrDisplay as _, PeelNothing as _, PeelPointer as _,
                };
                // Twice, because a reference to a box or a box of a reference is common; more is not.
                let value = (&&$crate::__private::Peel(value)).peel();
                let value = (&&$crate::__private::Peel(value)).peel();
                let showing = $crate::__private::Showing::begin();
                let shown = value.evcxr_display();
                drop(showing);
                (&&&&&&$crate::__private::Outcome(shown)).bundle()
            }
        };
        bundle
    }};
}

/// Sends the value of the running cell.
pub fn show(bundle: Option<MimeBundle>) {
    if let Some(bundle) = bundle {
        outbox::display(DisplayKind::Result, bundle, None);
    }
}

/// A value that may be a pointer to what is to be shown.
pub struct Peel<'a, T: ?Sized>(pub &'a T);

/// The pointers that are looked through.
pub trait PeelPointer<'a> {
    /// What they point to.
    type Inner: ?Sized;

    /// Follows the pointer.
    fn peel(&self) -> &'a Self::Inner;
}

macro_rules! peel_pointer {
    ($($pointer:ty),+) => {
        $(impl<'a, T: ?Sized> PeelPointer<'a> for &Peel<'a, $pointer> {
            type Inner = T;

            fn peel(&self) -> &'a T {
                self.0
            }
        })+
    };
}
peel_pointer!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

/// Everything else.
pub trait PeelNothing<'a> {
    /// The type itself.
    type Inner: ?Sized;

    /// The value itself.
    fn peel(&self) -> &'a Self::Inner;
}

impl<'a, T: ?Sized> PeelNothing<'a> for Peel<'a, T> {
    type Inner = T;

    fn peel(&self) -> &'a T {
        self.0
    }
}

/// Stands in where a type has no `evcxr_display` of its own: one reference further away than any method of the user's.
pub trait NoEvcxrDisplay<'a> {
    /// The type.
    type Type: ?Sized;

    /// Hands the value on.
    fn evcxr_display(&self) -> NotShown<'a, Self::Type>;
}

impl<'a, T: ?Sized> NoEvcxrDisplay<'a> for &'a T {
    type Type = T;

    fn evcxr_display(&self) -> NotShown<'a, T> {
        NotShown(self)
    }
}

/// A value that has not shown itself.
pub struct NotShown<'a, T: ?Sized>(&'a T);

/// What `evcxr_display` gave: [`NotShown`], or something of the user's.
pub struct Outcome<R>(pub R);

/// What can be waited for.
pub trait BundleHandle {
    /// Its form.
    fn bundle(&self) -> Option<MimeBundle>;
}

impl<H: Handle + ?Sized> BundleHandle for &&&&&Outcome<NotShown<'_, H>> {
    fn bundle(&self) -> Option<MimeBundle> {
        Some(bundle::text(self.0.0.line()))
    }
}

/// A collection whose items have `Debug`.
pub trait BundleItems {
    /// Its form.
    fn bundle(&self) -> Option<MimeBundle>;
}

impl<T: Debug + Items + ?Sized> BundleItems for &&&&Outcome<NotShown<'_, T>> {
    fn bundle(&self) -> Option<MimeBundle> {
        let value = self.0.0;
        mime::result(&Erased::collection(value, &value, &value))
    }
}

/// A value with `Debug`, and perhaps a richer form.
pub trait BundleDebug {
    /// Its form.
    fn bundle(&self) -> Option<MimeBundle>;
}

impl<T: Debug + ?Sized> BundleDebug for &&&Outcome<NotShown<'_, T>> {
    fn bundle(&self) -> Option<MimeBundle> {
        let value = self.0.0;
        mime::result(&Erased::new(value, &value))
    }
}

/// A future that nobody awaited.
pub trait BundleFuture {
    /// The hint.
    fn bundle(&self) -> Option<MimeBundle>;
}

impl<F: Future + ?Sized> BundleFuture for &&Outcome<NotShown<'_, F>> {
    fn bundle(&self) -> Option<MimeBundle> {
        let origin = type_names::function_of_future::<F>().map(|name| format!(" of `{name}`")).unwrap_or_default();
        Some(bundle::text(format!("a future{origin}: nothing of it has run yet, write `.await` behind it to run it")))
    }
}

/// Anything else.
pub trait BundleName {
    /// The name and a hint.
    fn bundle(&self) -> Option<MimeBundle>;
}

impl<T: ?Sized> BundleName for &Outcome<NotShown<'_, T>> {
    fn bundle(&self) -> Option<MimeBundle> {
        let name = type_names::of::<T>();
        let what = if name.ends_with("{…}") { "a closure".to_owned() } else { format!("a `{name}`") };
        Some(bundle::text(format!("{what}, which has no Debug: give its type `#[derive(Debug)]` to see what is in it")))
    }
}

/// A value that has shown itself.
pub trait BundleShown {
    /// Nothing.
    fn bundle(&self) -> Option<MimeBundle>;
}

impl<R> BundleShown for Outcome<R> {
    fn bundle(&self) -> Option<MimeBundle> {
        None
    }
}
