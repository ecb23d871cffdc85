//! Statics of cells: one value for all cells and tasks.
//!
//! A cell is compiled with every earlier item repeated in it, so a `static` written in a cell would exist once per cell.
//! The kernel turns its declaration into a [`Slot`], whose value lives here, in the one library that all cells share.
//!
//! Two declarations are one static if they agree in name, in the hash of their text, and in name, size and alignment of
//! their type. That tells an edited declaration from the old one, and a type with another name, size or alignment. Two
//! types of the same name, size and alignment that differ inside are told apart by [`generations`]: when a type is
//! redefined, the kernel names the statics that can hold one, and from that cell on they begin anew.

use crate::expansion::generations;
use std::{
    collections::HashMap,
    fmt::{self, Debug, Display},
    marker::PhantomData,
    ops::Deref,
    ptr,
    sync::{
        LazyLock, Mutex, OnceLock, PoisonError,
        atomic::{AtomicPtr, Ordering},
    },
};

/// Stands in a cell where the user wrote a `static` of type `T`; behaves like a `T` behind a reference.
///
/// ```
/// use loopbook::__private::Slot;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// // Two cells, in which the same declaration was compiled twice.
/// static IN_CELL_1: Slot<AtomicU32> = Slot::new("HITS", 7, || AtomicU32::new(0));
/// static IN_CELL_2: Slot<AtomicU32> = Slot::new("HITS", 7, || AtomicU32::new(0));
/// IN_CELL_1.fetch_add(1, Ordering::Relaxed);
/// assert_eq!(IN_CELL_2.load(Ordering::Relaxed), 1);
/// ```
pub struct Slot<T> {
    name: &'static str,
    hash: u64,
    init: fn() -> T,
    /// Null until this copy of the declaration was used once.
    found: AtomicPtr<T>,
    /// As with a real static, only a `Sync` type is accepted.
    value: PhantomData<T>,
}

impl<T> Slot<T> {
    /// A slot for the static called `name`; `hash` stands for the text of its declaration, so that an edited declaration
    /// gets a value of its own. `init` runs at the first use, once per process.
    pub const fn new(name: &'static str, hash: u64, init: fn() -> T) -> Self {
        Self { name, hash, init, found: AtomicPtr::new(ptr::null_mut()), value: PhantomData }
    }

    #[cold]
    fn find(&self) -> *mut T {
        let key = Key::new::<T>(self.name, self.hash, generations::of(self.name, ptr::from_ref(self).cast()));
        // Initialising happens outside the table's lock, because it may well use another static.
        let Address(address) = *entry(key).get_or_init(|| Address(Box::into_raw(Box::new((self.init)())).cast()));
        let found = address.cast::<T>();
        self.found.store(found, Ordering::Release);
        found
    }
}

impl<T> Deref for Slot<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let mut found = self.found.load(Ordering::Acquire);
        if found.is_null() {
            found = self.find();
        }
        // SAFETY: the pointer is that of a leaked box made for a declaration with the same text, type name, size, alignment
        // and generation, so it is never freed, and only shared references to it are ever given out. That types of the
        // same name that differ inside belong to different generations is what the kernel sees to (see above).
        unsafe { &*found }
    }
}

impl<T: Debug> Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Display> Display for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq<U>, U> PartialEq<U> for Slot<T> {
    fn eq(&self, other: &U) -> bool {
        **self == *other
    }
}

impl<'a, T> IntoIterator for &'a Slot<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (**self).into_iter()
    }
}

/// What makes two declarations the same static.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Key {
    name: &'static str,
    hash: u64,
    type_name: &'static str,
    size: usize,
    align: usize,
    generation: usize,
}

impl Key {
    pub(crate) fn new<T>(name: &'static str, hash: u64, generation: usize) -> Self {
        let (size, align) = (size_of::<T>(), align_of::<T>());
        Self { name, hash, type_name: std::any::type_name::<T>(), size, align, generation }
    }
}

#[derive(Clone, Copy)]
struct Address(*mut ());

// SAFETY: an address alone gives no access. The value behind it is reached only through a `Slot<T>` that is shared between
// threads, and that needs `T: Sync`.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

fn entry(key: Key) -> &'static OnceLock<Address> {
    static TABLE: LazyLock<Mutex<HashMap<Key, &'static OnceLock<Address>>>> = LazyLock::new(Mutex::default);
    TABLE.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert_with(|| Box::leak(Box::default()))
}
