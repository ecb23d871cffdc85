//! Statics that cells share.
#![deny(warnings)]

use loopbook::__private::Slot;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

#[test]
fn two_copies_of_a_declaration_are_one_value() {
    static FIRST: Slot<Mutex<Vec<u32>>> = Slot::new("SEEN", 1, || Mutex::new(vec![]));
    static SECOND: Slot<Mutex<Vec<u32>>> = Slot::new("SEEN", 1, || Mutex::new(vec![]));
    FIRST.lock().expect("not poisoned").push(1);
    SECOND.lock().expect("not poisoned").push(2);
    assert_eq!(*FIRST.lock().expect("not poisoned"), [1, 2]);
}

#[test]
fn another_name_text_or_type_is_another_value() {
    static A: Slot<AtomicUsize> = Slot::new("A", 1, || AtomicUsize::new(1));
    static OTHER_NAME: Slot<AtomicUsize> = Slot::new("B", 1, || AtomicUsize::new(2));
    static OTHER_TEXT: Slot<AtomicUsize> = Slot::new("A", 2, || AtomicUsize::new(3));
    static OTHER_TYPE: Slot<[u8; 1]> = Slot::new("A", 1, || [4]);
    let values = [&A, &OTHER_NAME, &OTHER_TEXT].map(|slot| slot.load(Ordering::Relaxed));
    assert_eq!((values, OTHER_TYPE[0]), ([1, 2, 3], 4));
}

#[test]
fn it_is_initialised_once_whoever_comes_first() {
    static INITIALISED: AtomicUsize = AtomicUsize::new(0);
    static SLOW: Slot<String> = Slot::new("SLOW", 1, || {
        INITIALISED.fetch_add(1, Ordering::Relaxed);
        thread::yield_now();
        "made".to_owned()
    });
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(|| SLOW.len())).collect();
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), 4);
    }
    assert_eq!(INITIALISED.load(Ordering::Relaxed), 1);
}

#[test]
fn a_static_may_be_made_from_another() {
    static BASE: Slot<usize> = Slot::new("BASE", 1, || 20);
    static TWICE: Slot<usize> = Slot::new("TWICE", 1, || *BASE * 2);
    assert_eq!(TWICE, 40);
}

#[test]
fn it_reads_like_the_value_itself() {
    static NAMES: Slot<[&str; 2]> = Slot::new("NAMES", 1, || ["a", "b"]);
    static NAME: Slot<&str> = Slot::new("NAME", 1, || "x");
    assert_eq!(format!("{NAME} {NAMES:?}"), "x [\"a\", \"b\"]");
    assert_eq!((&NAMES).into_iter().count(), 2);
    assert_eq!(NAMES.len(), 2);
    assert_eq!(NAMES[1], "b");
}
