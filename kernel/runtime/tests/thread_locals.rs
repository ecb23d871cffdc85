//! Thread-locals that cells share.
#![deny(warnings)]

use loopbook::__private::LocalSlot;
use std::{
    cell::{Cell, RefCell},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

#[test]
fn two_copies_of_a_declaration_are_one_value_on_each_thread() {
    static FIRST: LocalSlot<RefCell<Vec<u32>>> = LocalSlot::new("SEEN", 1, || RefCell::new(vec![0]));
    static SECOND: LocalSlot<RefCell<Vec<u32>>> = LocalSlot::new("SEEN", 1, || RefCell::new(vec![0]));
    FIRST.with_borrow_mut(|seen| seen.push(1));
    SECOND.with(|seen| seen.borrow_mut().push(2));
    assert_eq!(FIRST.with_borrow(Vec::clone), [0, 1, 2]);
    assert_eq!(thread::spawn(|| SECOND.take()).join().expect("no panic"), [0]);
}

#[test]
fn another_name_text_or_type_is_another_value() {
    static A: LocalSlot<Cell<u32>> = LocalSlot::new("A", 1, || Cell::new(1));
    static OTHER_NAME: LocalSlot<Cell<u32>> = LocalSlot::new("B", 1, || Cell::new(2));
    static OTHER_TEXT: LocalSlot<Cell<u32>> = LocalSlot::new("A", 2, || Cell::new(3));
    static OTHER_TYPE: LocalSlot<u8> = LocalSlot::new("A", 1, || 4);
    assert_eq!([&A, &OTHER_NAME, &OTHER_TEXT].map(|slot| slot.replace(9)), [1, 2, 3]);
    assert_eq!(OTHER_TYPE.with(|value| *value), 4);
}

#[test]
fn a_thread_local_may_be_made_from_another_and_from_itself() {
    static BASE: LocalSlot<u32> = LocalSlot::new("BASE", 1, || 20);
    static TWICE: LocalSlot<u32> = LocalSlot::new("TWICE", 1, || BASE.with(|base| base * 2));
    static DEPTH: AtomicUsize = AtomicUsize::new(0);
    static ITSELF: LocalSlot<usize> = LocalSlot::new("ITSELF", 1, || match DEPTH.fetch_add(1, Ordering::Relaxed) {
        0 => ITSELF.with(|inner| inner + 1),
        depth => depth,
    });
    assert_eq!(TWICE.with(|twice| *twice), 40);
    assert_eq!((ITSELF.with(|value| *value), ITSELF.with(|value| *value)), (1, 1));
}

#[test]
fn values_end_with_their_thread_and_say_so_while_they_do() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            assert!(OTHER.try_with(|_| ()).is_err());
            ENDED.fetch_add(1, Ordering::Relaxed);
        }
    }
    static LAST: LocalSlot<Last> = LocalSlot::new("LAST", 1, || Last);
    static OTHER: LocalSlot<u8> = LocalSlot::new("OTHER", 1, || 0);
    thread::spawn(|| LAST.with(|_| ())).join().expect("no panic");
    assert_eq!(ENDED.load(Ordering::Relaxed), 1);
}
