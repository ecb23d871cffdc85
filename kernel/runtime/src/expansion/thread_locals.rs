//! `thread_local!`s of cells: one value per thread, whichever cell asks.
//!
//! As a cell's `static` becomes a [`Slot`](super::statics::Slot), its `thread_local!` becomes a static
//! [`LocalSlot`]. The values live in a thread-local of this library, and end with their thread.

use crate::expansion::{generations, statics::Key};
use crate::support::sync::lock;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::AccessError;

thread_local! {
    /// By [`LocalSlot::index`].
    static VALUES: RefCell<Vec<Option<Box<dyn Any>>>> = const { RefCell::new(Vec::new()) };
}

/// Stands in a cell where the user wrote a static in `thread_local!`; has the methods of `std::thread::LocalKey`.
///
/// ```
/// use loopbook::__private::LocalSlot;
/// use std::cell::Cell;
/// // Two cells, in which the same declaration was compiled twice.
/// static IN_CELL_1: LocalSlot<Cell<u32>> = LocalSlot::new("HITS", 7, || Cell::new(0));
/// static IN_CELL_2: LocalSlot<Cell<u32>> = LocalSlot::new("HITS", 7, || Cell::new(0));
/// IN_CELL_1.set(5);
/// assert_eq!(IN_CELL_2.get(), 5);
/// assert_eq!(std::thread::spawn(|| IN_CELL_2.get()).join().expect("no panic"), 0);
/// ```
pub struct LocalSlot<T: 'static> {
    name: &'static str,
    hash: u64,
    init: fn() -> T,
    /// Place in each thread's [`VALUES`], plus one; 0 until this copy of the declaration was used once.
    found: AtomicUsize,
}

impl<T: 'static> LocalSlot<T> {
    /// A slot for the thread-local called `name`; the arguments are those of
    /// [`Slot::new`](super::statics::Slot::new), and what is said there about `hash` holds here. `init` runs at the first use on each thread.
    pub const fn new(name: &'static str, hash: u64, init: fn() -> T) -> Self {
        Self { name, hash, init, found: AtomicUsize::new(0) }
    }

    /// Gives the closure this thread's value.
    ///
    /// # Panics
    /// While the thread is ending and its values have been destroyed.
    pub fn with<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with(look).expect("this thread is ending: its thread-locals have been destroyed")
    }

    /// Like [`LocalSlot::with`], but does not panic.
    ///
    /// # Errors
    /// While the thread is ending and its values have been destroyed.
    pub fn try_with<R>(&'static self, look: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let index = self.index();
        let value = match VALUES.try_with(|values| find(&values.borrow(), index))? {
            Some(value) => value,
            None => {
                // The initialiser may well use another thread-local, or this one, so the table is not borrowed.
                let made: Box<dyn Any> = Box::new((self.init)());
                VALUES.try_with(|values| enter(&mut values.borrow_mut(), index, made))?
            }
        };
        // SAFETY: the value was made for a declaration with the same key (see `Slot`), so it is a `T`. Its box is neither
        // replaced nor freed before the thread ends, which cannot happen while this function runs on it.
        Ok(look(unsafe { &*value.cast::<T>() }))
    }

    fn index(&self) -> usize {
        static INDICES: Mutex<Option<HashMap<Key, usize>>> = Mutex::new(None);
        if let Some(index) = self.found.load(Ordering::Relaxed).checked_sub(1) {
            return index;
        }
        let generation = generations::of(self.name, std::ptr::from_ref(self).cast());
        let mut indices = lock(&INDICES);
        let indices = indices.get_or_insert_default();
        let next = indices.len();
        let index = *indices.entry(Key::new::<T>(self.name, self.hash, generation)).or_insert(next);
        self.found.store(index + 1, Ordering::Relaxed);
        index
    }
}

impl<T: 'static> LocalSlot<Cell<T>> {
    /// Replaces this thread's value.
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// Copies this thread's value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes this thread's value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Replaces this thread's value and gives the old one.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalSlot<RefCell<T>> {
    /// Lends this thread's value.
    ///
    /// # Panics
    /// If it is borrowed mutably.
    pub fn with_borrow<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| look(&cell.borrow()))
    }

    /// Lends this thread's value mutably.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn with_borrow_mut<R>(&'static self, change: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| change(&mut cell.borrow_mut()))
    }

    /// Replaces this thread's value.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn set(&'static self, value: T) {
        self.replace(value);
    }

    /// Takes this thread's value and leaves the default.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Replaces this thread's value and gives the old one.
    ///
    /// # Panics
    /// If it is borrowed.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> Debug for LocalSlot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

fn find(values: &[Option<Box<dyn Any>>], index: usize) -> Option<*const dyn Any> {
    values.get(index)?.as_deref().map(std::ptr::from_ref)
}

/// Keeps the value, unless its own initialiser has entered one meanwhile.
fn enter(values: &mut Vec<Option<Box<dyn Any>>>, index: usize, made: Box<dyn Any>) -> *const dyn Any {
    if values.len() <= index {
        values.resize_with(index + 1, || None);
    }
    std::ptr::from_ref(&**values[index].get_or_insert(made))
}
