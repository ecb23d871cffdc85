//! What values show as. Warnings are errors here, because a warning from a macro would be shown under every cell.
#![deny(warnings)]
#![allow(clippy::arc_with_non_send_sync, clippy::diverging_sub_expression, clippy::empty_loop)]

use loopbook::facade::task;
use std::{cell::Cell, collections::BTreeMap, fmt::Debug, rc::Rc, sync::Arc};

/// What a cell with this last expression would show as plain text.
macro_rules! shown {
    ($value:expr) => {
        loopbook::__bundle!($value).map(|bundle| bundle["text/plain"].as_str().unwrap_or_default().to_owned())
    };
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[derive(Debug, Clone, PartialEq)]
struct Point {
    x: i32,
}

struct Opaque;

thread_local! {
    static DISPLAYED: Cell<u32> = const { Cell::new(0) };
}

struct Picture(u32);

impl Picture {
    fn evcxr_display(&self) {
        DISPLAYED.set(self.0);
    }
}

#[test]
fn values_show_as_their_debug() {
    assert_eq!(shown!(1 + 1), some("2"));
    assert_eq!(shown!(2.5), some("2.5"));
    assert_eq!(shown!("a\"b"), some(r#""a\"b""#));
    assert_eq!(shown!(*"unsized"), some("\"unsized\""));
    assert_eq!(shown!(String::from("s")), some("\"s\""));
    assert_eq!(shown!(vec![Point { x: 1 }]), some("[Point { x: 1 }]"));
    assert_eq!(shown!([1, 2][..]), some("[1, 2]"));
    assert_eq!(shown!(BTreeMap::from([(1, "one")])), some(r#"{1: "one"}"#));
    assert_eq!(shown!("5".parse::<i32>()), some("Ok(5)"));
    assert_eq!(shown!(if 1 > 2 { 'a' } else { 'b' }), some("'b'"));
}

#[test]
fn values_are_seen_through_pointers() {
    let point = Point { x: 2 };
    assert_eq!(shown!(&point), some("Point { x: 2 }"));
    assert_eq!(shown!(&&&&point), some("Point { x: 2 }"));
    assert_eq!(shown!(Some(&point)), some("Some(Point { x: 2 })"));
    assert_eq!(shown!(Arc::new(Rc::new(Box::new(1)))), some("1"));
    let dynamic: Box<dyn Debug> = Box::new(3);
    assert_eq!(shown!(dynamic), some("3"));
    let error: Box<dyn std::error::Error + Send + Sync> = "broken".into();
    assert_eq!(shown!(error), some("\"broken\""));
    assert_eq!(point, Point { x: 2 }, "showing borrows only");
}

#[test]
fn unit_shows_nothing() {
    assert_eq!(shown!(()), None);
    assert_eq!(shown!(for _ in 0..3 {}), None);
    assert_eq!(shown!(println!()), None);
    assert_eq!(shown!(Box::new(())), None);
}

#[test]
fn what_can_be_waited_for_shows_in_one_line() {
    let shown_by = |handle: &task::JoinHandle<u8>| shown!(handle).expect("a line");
    let handle = task::Builder::new().name("poller".into()).spawn(std::future::pending::<u8>()).expect("spawned");
    let line = shown_by(&handle);
    let id = loopbook::all_tasks().iter().find(|task| task.name.as_deref() == Some("poller")).expect("listed").id;
    assert!(line.starts_with(&format!("JoinHandle of task {id} \"poller\"")), "{line}");
    assert!(line.ends_with(": write `.await` behind it for its value"), "{line}");
    let debug = shown!((7, [&handle])).expect("its Debug");
    assert!(debug.starts_with(&format!("(7, [JoinHandle {{ task: {id}, name: \"poller\", state: ")), "{debug}");
    task::block_on(handle.cancel());
    let ended = task::spawn(async { 1_u8 });
    while !shown_by(&ended).contains("completed") {
        std::thread::yield_now();
    }
    assert_eq!(task::block_on(ended), 1);
    let thread = shown!(std::thread::Builder::new().name("t".into()).spawn(|| ()).expect("spawned")).expect("a line");
    assert!(thread.starts_with("JoinHandle of the thread \"t\", ") && thread.contains("`.join()`"), "{thread}");
    let tokios = shown!(Box::new(loopbook::facade::tokio_task::spawn(async {}))).expect("a line");
    assert!(tokios.starts_with("JoinHandle of tokio's task ") && tokios.contains("`.await`"), "{tokios}");
    let current = task::block_on(async { shown!(task::current()) }).expect("a line");
    assert!(current.starts_with("the task, async-std's number "), "{current}");
}

#[test]
fn what_is_displayed_shows_once() {
    let handle = loopbook::display("text");
    assert_eq!((shown!(handle), shown!(&handle), shown!(loopbook::display_as("text/plain", "x"))), (None, None, None));
    assert!(shown!(Some(handle)).expect("its Debug").starts_with("Some(DisplayHandle"));
}

#[test]
fn a_type_that_displays_itself_is_left_to_it() {
    assert_eq!(loopbook::__bundle!(Picture(1)), None);
    assert_eq!(DISPLAYED.get(), 1);
    let pictures = [Picture(2), Picture(3)];
    assert_eq!(loopbook::__bundle!(&pictures[0]), None);
    assert_eq!(DISPLAYED.get(), 2);
    assert_eq!(loopbook::__bundle!(Box::new(&pictures[1])), None);
    assert_eq!(DISPLAYED.get(), 3);
}

#[test]
fn so_is_one_that_does_so_through_a_trait_even_if_it_has_debug() {
    trait EvcxrResult {
        fn evcxr_display(&self);
    }
    impl EvcxrResult for Point {
        fn evcxr_display(&self) {
            DISPLAYED.set(self.x as u32);
        }
    }
    assert_eq!(loopbook::__bundle!(Point { x: 40 }), None);
    assert_eq!(DISPLAYED.get(), 40);
    assert_eq!(loopbook::__bundle!(Rc::new(Point { x: 41 })), None);
    assert_eq!(DISPLAYED.get(), 41);
    // A generic one, as image crates have it.
    let points = vec![Point { x: 1 }];
    assert_eq!(shown!(points), some("[Point { x: 1 }]"));
}

#[test]
fn a_forgotten_await_is_pointed_out() {
    async fn fetch(n: u32) -> u32 {
        n
    }
    let hint = some("a future of `fetch`: nothing of it has run yet, write `.await` behind it to run it");
    assert_eq!(shown!(fetch(1)), hint);
    let kept = loopbook::keep(fetch(2));
    assert!(shown!(kept).is_some_and(|text| text.starts_with("a future: nothing")), "boxed");
}

#[test]
fn a_type_without_debug_is_named() {
    let hint = "which has no Debug: give its type `#[derive(Debug)]` to see what is in it";
    assert_eq!(shown!(Opaque), Some(format!("a `Opaque`, {hint}")));
    assert_eq!(shown!(vec![Opaque]), Some(format!("a `Vec<Opaque>`, {hint}")));
    assert_eq!(shown!(|n: u32| n + 1), Some(format!("a closure, {hint}")));
}

#[test]
fn rich_values_bring_their_form() {
    let html = loopbook::__bundle!(loopbook::Html("<b>x</b>")).expect("a bundle");
    assert_eq!(html["text/html"], "<b>x</b>");
    assert_eq!(html["text/plain"], "Html(\"<b>x</b>\")");
    let png = loopbook::Png([1, 2, 3]);
    assert_eq!(loopbook::__bundle!(&png).expect("a bundle")["image/png"], "AQID");
    let json = serde_json::json!({"a": [1]});
    let shown = loopbook::__bundle!(&json).expect("a bundle");
    assert_eq!(shown["application/json"], json);
    assert_eq!(shown["text/plain"], "{\n  \"a\": [\n    1\n  ]\n}");
    assert_eq!(shown!(loopbook::all_tasks()), some("no tasks"));
    let table = loopbook::__bundle!(loopbook::all_tasks()).expect("a bundle");
    assert!(table.contains_key("text/html") && !table.contains_key("application/json"), "{table:?}");
}

#[test]
fn content_is_made_of_any_text() {
    let owned = String::from("<b>x</b>");
    for html in [
        loopbook::Html("<b>x</b>"),
        loopbook::Html(&owned),
        loopbook::Html(owned.clone()),
        loopbook::Html(format!("<b>{}</b>", 'x')),
        loopbook::Html(std::borrow::Cow::Borrowed("<b>x</b>")),
        loopbook::Html(owned.clone().into_boxed_str()),
    ] {
        assert_eq!(loopbook::__bundle!(&html).expect("a bundle")["text/html"], "<b>x</b>");
    }
    assert_eq!(loopbook::__bundle!(loopbook::Svg("<svg/>")).expect("a bundle")["image/svg+xml"], "<svg/>");
    assert_eq!(loopbook::__bundle!(loopbook::Markdown("*x*")).expect("a bundle")["text/markdown"], "*x*");
    for png in [loopbook::Png(vec![1]), loopbook::Png([1]), loopbook::Png(&[1][..]), loopbook::Png(b"\x01")] {
        assert_eq!(loopbook::__bundle!(png).expect("a bundle")["image/png"], "AQ==");
    }
    loopbook::display_as(String::from("text/html"), &owned).update_as(String::from("text/html"), "x");
}

#[test]
fn long_values_show_their_ends_and_all_on_request() {
    let bytes = vec![0_u8; 1_000_000];
    let first = "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ";
    let text = shown!(bytes).expect("a text");
    assert!(text.starts_with(first) && text.contains("… 999,970 more …, 0, ") && text.len() < 300, "{text}");
    assert!(text.ends_with("\n1,000,000 items in all; `loopbook::whole(&value)` shows all of it"), "{text}");
    assert_eq!(shown!(&bytes[..]).as_ref(), Some(&text));
    assert_eq!(shown!(Arc::new(&bytes)).as_ref(), Some(&text));
    assert_eq!(shown!(std::collections::VecDeque::from(bytes.clone())).as_ref(), Some(&text));
    assert_eq!(shown!([0_u8; 1_000_000]).as_ref(), Some(&text));
    assert!(shown!(Some(&bytes)).expect("a text").starts_with("Some([0, 0, "));
    let map: BTreeMap<u32, Point> = (0..100_000).map(|n| (n, Point { x: n as i32 })).collect();
    let text = shown!(map).expect("a text");
    assert!(text.starts_with("{0: Point { x: 0 }, 1: Point") && text.contains("100,000 items in all"), "{text}");
    let long = "x".repeat(1_000_000);
    assert!(shown!(long.as_str()).expect("a text").contains("\n1,000,000 characters in all"));
    let whole = shown!(loopbook::whole(&bytes)).expect("a text");
    assert_eq!(whole, format!("{bytes:?}"));
    assert_eq!(shown!(loopbook::whole(&long)), Some(long));
}

#[test]
fn long_json_is_text_of_bounded_length() {
    let json = serde_json::Value::from(vec![1; 1_000_000]);
    let bundle = loopbook::__bundle!(&json).expect("a bundle");
    assert!(bundle["text/plain"].as_str().is_some_and(|text| text.lines().count() < 1_100));
    assert!(!bundle.contains_key("application/json"));
}

#[test]
fn what_never_returns_compiles_as_a_last_expression() {
    #[allow(dead_code)]
    fn exits() {
        loopbook::__show!(std::process::exit(3));
    }
    #[allow(dead_code)]
    fn loops() {
        loopbook::__show!(loop {});
    }
    #[allow(dead_code)]
    fn unfinished() {
        loopbook::__show!(todo!());
    }
    assert!(std::panic::catch_unwind(|| loopbook::__show!(panic!("on purpose"))).is_err());
}

#[test]
fn anything_with_debug_can_be_displayed() {
    let point = Point { x: 1 };
    let handle = loopbook::display(&point);
    handle.update(vec![&point]);
    handle.update_as("text/html", format!("<b>{}</b>", point.x));
    assert_eq!(handle, handle.clone());
    loopbook::display("text");
    loopbook::display(loopbook::Markdown("*x*"));
    loopbook::display_as("image/png", &[1_u8, 2][..]);
    loopbook::clear_output(true);
}
