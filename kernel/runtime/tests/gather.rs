//! Gathering: order, concurrency, borrowing, cancellation.
#![deny(warnings)]

use async_std::task;
use loopbook::{gather, gather_all, race, try_gather, try_gather_all};
use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

async fn after(milliseconds: u64, value: &'static str) -> &'static str {
    task::sleep(Duration::from_millis(milliseconds)).await;
    value
}

/// Notes its name when it is dropped.
struct Note(&'static str, Rc<RefCell<Vec<&'static str>>>);

impl Drop for Note {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

#[test]
fn results_stand_in_the_order_of_the_arguments_and_the_waits_overlap() {
    task::block_on(async {
        let began = Instant::now();
        let results = gather!(after(200, "a"), after(100, "b"), after(150, "c"));
        assert_eq!(results, ("a", "b", "c"));
        assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
        assert_eq!(gather_all((1..=3).map(async |n| n * 2)).await, [2, 4, 6]);
        assert_eq!(gather_all(Vec::<std::future::Ready<()>>::new()).await, []);
    });
}

#[test]
fn branches_start_in_the_order_of_the_arguments() {
    task::block_on(async {
        let log = RefCell::new(vec![]);
        let step = async |n| {
            log.borrow_mut().push(n);
            task::yield_now().await;
            log.borrow_mut().push(n + 10);
        };
        gather!(step(1), step(2), step(3));
        assert_eq!(*log.borrow(), [1, 2, 3, 11, 12, 13]);
    });
}

#[test]
fn one_to_twelve_futures_of_any_types_fit() {
    task::block_on(async {
        let () = gather!();
        assert_eq!(gather!(async { 1 }), (1,));
        let (a, b, c, d, e, f, g, h, i, j, k, l) = gather!(
            async { 1 },
            async { "2" },
            async { '3' },
            async { 4.0 },
            async { 5_u8 },
            async { Some(6) },
            async { [7] },
            async { (8,) },
            async { String::from("9") },
            async {},
            async { 11_u128 },
            async { vec![12] },
        );
        assert_eq!((a, b, c, d, e, f), (1, "2", '3', 4.0, 5, Some(6)));
        assert_eq!((g, h, i.as_str(), j, k, l), ([7], (8,), "9", (), 11, vec![12]));
    });
}

#[test]
fn branches_may_borrow_and_gathers_nest() {
    task::block_on(async {
        let text = String::from("borrowed");
        let mut counted = 0;
        let (length, (), (one, two)) =
            gather!(async { text.len() }, async { counted += 1 }, async { gather!(async { 1 }, async { 2 }) });
        assert_eq!((length, counted, one, two), (8, 1, 1, 2));
    });
}

#[test]
fn a_gather_of_send_futures_can_be_spawned() {
    let sum = task::block_on(task::spawn(async {
        let (a, b) = gather!(async { 1 }, async { 2 });
        a + b
    }));
    assert_eq!(sum, 3);
}

#[test]
fn the_first_error_drops_the_others() {
    task::block_on(async {
        let dropped = Rc::new(RefCell::new(vec![]));
        let slow = async |name| {
            let _note = Note(name, Rc::clone(&dropped));
            task::sleep(Duration::from_secs(60)).await;
            Ok::<_, String>(name)
        };
        let fast = async || {
            task::sleep(Duration::from_millis(20)).await;
            Err::<(), _>(String::from("no"))
        };
        assert_eq!(try_gather!(slow("a"), fast(), slow("b")), Err("no".into()));
        dropped.borrow_mut().sort_unstable();
        assert_eq!(*dropped.borrow(), ["a", "b"]);
        let failing = [1, 2, 3].map(async |n| if n == 2 { Err(n) } else { Ok(n) });
        assert_eq!(try_gather_all(failing).await, Err(2));
        assert_eq!(try_gather!(async { Ok::<_, ()>(1) }, async { Ok("b") }), Ok((1, "b")));
        assert_eq!(try_gather_all([async { Ok::<_, ()>(1) }]).await, Ok(vec![1]));
    });
}

#[test]
fn the_first_to_finish_wins_and_the_others_are_dropped() {
    task::block_on(async {
        let dropped = Rc::new(RefCell::new(vec![]));
        let slow = async {
            let _note = Note("slow", Rc::clone(&dropped));
            after(60_000, "slow").await
        };
        assert_eq!(race!(slow, after(20, "fast")), "fast");
        assert_eq!(*dropped.borrow(), ["slow"]);
        assert_eq!(race!(async { 1 }, async { 2 }), 1, "of several that are done the first wins");
    });
}
