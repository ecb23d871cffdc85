//! What values show as. Warnings are errors here, because a warning from a macro would be shown under every cell.
#![deny(warnings)]
#![allow(clippy::arc_with_non_send_sync, clippy::diverging_sub_expression, clippy::empty_loop)]

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
    let html = loopbook::__bundle!(loopbook::Html("<b>x</b>".into())).expect("a bundle");
    assert_eq!(html["text/html"], "<b>x</b>");
    assert_eq!(html["text/plain"], "Html(\"<b>x</b>\")");
    let png = loopbook::Png(vec![1, 2, 3]);
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
    loopbook::display(loopbook::Markdown("*x*".into()));
    loopbook::display_as("image/png", &[1_u8, 2][..]);
    loopbook::clear_output(true);
}
