//! Which variables a cell does not keep.

use crate::evaluator::cell::{Finding, Notebook, PreparedCell, Why, prepare, tests::without_marks};

fn notebook() -> Notebook {
    let stored = [("v", "Vec<i32>"), ("m", "std::sync::Arc<std::sync::Mutex<u8>>"), ("s", "&'static str"), ("n", "u8")];
    let types = stored.iter().map(|(name, ty)| ((*name).to_owned(), (*ty).to_owned()));
    Notebook {
        variables: stored.iter().map(|(name, _)| (*name).to_owned()).collect(),
        variable_types: types.collect(),
        ..Notebook::default()
    }
}

fn prepared(code: &str) -> PreparedCell {
    prepare(1, code, &notebook()).expect("a good cell")
}

fn not_kept(code: &str) -> Vec<(String, Why)> {
    prepared(code).unstored.into_iter().map(|local| (local.name, local.why)).collect()
}

#[test]
fn what_cannot_be_kept_is_foreseen() {
    for (code, why) in [
        ("let x = |x: i32| x + 1; x(2)", Why::Closure),
        ("let x = async move |x: i32| x + n;", Why::Closure),
        ("let mut x = Box::new(|x: i32| x + 1);", Why::Closure),
        ("let x = v.iter().map(|n| n * 2); x.sum::<i32>()", Why::Chain),
        ("let x = (0..9).filter(|n| n % 2 == 0);", Why::Chain),
        ("let x = stream::interval(d).take(3).map(|_| \"tick\");", Why::Chain),
        ("let x = text().lines().map(|l| l?.parse()).filter(|l| l.is_ok());", Why::Chain),
        ("let x = &v; x.len()", Why::Borrows),
        ("let x = &mut v;", Why::Borrows),
        ("let x = &v[1..];", Why::Borrows),
        ("let x = v.iter();", Why::Borrows),
        ("let x = v.iter().max().unwrap();", Why::Borrows),
        ("let Some(x) = v.first() else { return };", Why::Borrows),
        ("let x = m.lock().unwrap(); *x", Why::Borrows),
        (
            "let text = String::from(\"a b\"); let x: Vec<&str> = vec![]; let x = text.split(' ').collect::<Vec<_>>();",
            Why::Borrows,
        ),
        ("let c = std::cell::RefCell::new(1); let x = c.borrow_mut();", Why::Borrows),
    ] {
        assert_eq!(not_kept(code), [("x".to_owned(), why)], "{code}");
    }
}

#[test]
fn what_may_be_kept_is_left_to_the_compiler() {
    for code in [
        "let x: Box<dyn Fn(i32) -> i32> = Box::new(|x| x + 1);",
        "let x: fn(i32) -> i32 = |x| x + 1;",
        "let x = opt.map(|n| n * 2);",
        "let x = v.iter().map(|n| n * 2).sum::<i32>();",
        "let x = v.iter().map(|n| n * 2).collect::<Vec<_>>();",
        "let x = \"static\"; let y = &\"static\"; let z = &[1, 2];",
        "let x = &s[1..]; let y = s.chars(); let z = s.split(' ').next().unwrap();",
        "let x = *v.iter().max().unwrap(); let y = v.iter().max().copied();",
        "let (i, x) = v.iter().enumerate().max().unwrap();",
        "let Some(&x) = v.first() else { return };",
        "let x = M.lock().unwrap(); let y = &COUNT;",
        "let x = v.iter().collect::<String>(); let y = Some(1).into_iter().map(|n| n);",
        "let x = unknown.lock().unwrap();",
    ] {
        assert_eq!(not_kept(code), [], "{code}");
    }
}

#[test]
fn the_others_of_a_pattern_are_shown_to_evcxr() {
    let cell = prepared("let (mut a, b, c) = f(); let c = b;");
    let learnt = cell.having_learnt(&[Finding::NotKept("b".into(), Why::Unnameable)]).expect("another cell");
    let expected = "::loopbook::__unstored!(let (mut a, b, c) = f(););let mut a = a; let c = b;";
    assert_eq!(without_marks(&learnt.rust), expected);
    assert_eq!(learnt.map.locate("let/*lb:1:1:1*/ mut a = a;", 21), Some((1, 10)));
    assert_eq!(learnt.having_learnt(&[Finding::NotKept("b".into(), Why::Unnameable)]), None);
}

#[test]
fn what_has_no_type_that_can_be_seen_is_shown_in_a_let_of_its_own_first() {
    let cell = prepared("let (a, b) = futures::join!(f(), g());");
    let unknown = |name: &str| [Finding::NotKept(name.into(), Why::Unknown)];
    let tried = cell.having_learnt(&unknown("b")).expect("another cell");
    let expected = "::loopbook::__unstored!(let (a, b) = futures::join!(f(), g()););let a = a;let b = b;";
    assert_eq!((without_marks(&tried.rust).as_str(), tried.unstored.len()), (expected, 0));
    // That did not help, with whichever of them evcxr looks at first.
    let refused = tried.having_learnt(&unknown("a")).expect("another cell");
    assert!(without_marks(&refused.rust).ends_with(");let b = b;"), "{}", refused.rust);
    assert_eq!(refused.unstored.iter().map(|local| local.name.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn what_is_hidden_last_is_hidden_everywhere() {
    let cell = prepared("let f = 1; let g = f; let f = |x: i32| x + g;");
    let expected = "::loopbook::__unstored!(let f = 1;); let g = f; ::loopbook::__unstored!(let f = |x: i32| x + g;);";
    assert_eq!(without_marks(&cell.rust), expected);
    // Shadowed by what can be kept, it is no business of evcxr's either way.
    assert_eq!(not_kept("let f = |x: i32| x; let f = f(2);"), []);
}

#[test]
fn a_guard_of_a_new_variable_is_dropped_before_that_is_stored() {
    let new = "let k = std::sync::Mutex::new(1);";
    let ended = |rest: &str| without_marks(&prepared(&format!("{new} {rest}")).rust).contains("::core::mem::drop(g)");
    for rest in ["let g = k.lock().unwrap(); *g", "let mut g = k.lock()?; *g += 1; println!(\"{}\", g); g.add(&g)"] {
        assert!(ended(rest), "{rest}");
    }
    for rest in ["let g = k.lock().unwrap(); drop(g);", "let g = m.lock().unwrap();", "if c { let g = k.lock(); }"] {
        assert!(!ended(rest), "{rest}");
    }
    let cell = prepared("let k = f(); let g = k.lock().unwrap(); let h = |x: u8| x; *g");
    let learnt = cell
        .having_learnt(&[Finding::NotKept("g".into(), Why::Borrows), Finding::Ends("g".into(), "k".into())])
        .expect("learnt");
    assert!(without_marks(&learnt.rust).ends_with("__show!(*g); ::core::mem::drop(g);"), "{}", learnt.rust);
    let learnt = learnt.having_learnt(&[Finding::Moves("g".into())]).expect("learnt");
    assert!(!learnt.rust.contains("::core::mem::drop"), "{}", learnt.rust);
    let learnt = learnt.having_learnt(&[Finding::Ends("g".into(), "k".into())]).expect("learnt");
    assert!(learnt.unstored.iter().any(|local| local.name == "k" && local.why == Why::Borrowed), "{learnt:?}");
}

#[test]
fn a_stored_value_is_not_handed_over_for_what_is_not_kept() {
    let rust = prepared("let n = |x: u8| x; n(1)").rust;
    assert!(!rust.contains("keep_old(") && rust.contains("__unstored!"), "{rust}");
    let uses_old = |code: &str| prepared(code).unstored[0].uses_old;
    assert!(uses_old("let v = v.iter();") && !uses_old("let v = |x: u8| x;"));
    let kept = prepared("let n = 5;").rust;
    assert!(kept.contains("keep_old(\"n\", n)"), "{kept}");
}
