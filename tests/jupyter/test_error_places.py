"""No error without a place: with variables of every kind in the notebook, whatever is wrong with a cell is shown in it."""

import re

KINDS = [
    "use std::collections::{BTreeMap, HashMap, VecDeque}; use std::rc::Rc; use std::cell::{Cell, RefCell};",
    "use std::sync::{Arc, Mutex, RwLock, mpsc};",
    "#[derive(Debug, Clone)] struct Mine<T> { inner: T }\nmod shop { #[derive(Debug)] pub struct Cart(pub u32); }",
    "trait Speak { fn say(&self) -> String; }\nimpl Speak for u8 { fn say(&self) -> String { self.to_string() } }",
    "type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;",
    "async fn fetch(n: u32) -> u32 { n }",
    'let m: HashMap<&str, u32> = [("a", 1)].into(); let s = "text"; let list = vec!["a", "b"];',
    'let pairs: BTreeMap<&str, Vec<&str>> = BTreeMap::new(); let cow = std::borrow::Cow::Borrowed("c");',
    "let boxed: Box<dyn Fn(i32) -> i32> = Box::new(|x| x + 1); let said: Box<dyn Speak> = Box::new(1u8);",
    "let rc = Rc::new(RefCell::new(vec![1])); let cell = Cell::new(1); let arc = Arc::new(Mutex::new(0));",
    "let h = task::spawn(async { 5 }); let never = task::spawn(async { if true { std::future::pending::<()>().await } });",
    "let (tx, rx) = mpsc::channel::<String>(); let (ta, ra) = async_std::channel::unbounded::<&str>();",
    "let lazy = fetch(2); let mine = vec![Mine { inner: Some(1u8) }]; let cart = shop::Cart(1);",
    "let lock = RwLock::new(Mine { inner: \"x\" }); let queue: VecDeque<(usize, Option<&str>)> = VecDeque::new();",
    "let failed: Result<u8> = Ok(1); let iter = vec![1, 2].into_iter(); let range = 0..9; let unit = ();",
    "let function: fn(u32) -> u32 = |n| n + 1; let stat: &'static [u8] = &[1]; let weak = Rc::downgrade(&rc);",
]

# Cells that run, though each has a variable that cannot be kept, or whose type is hard to see.
RIGHT = [
    "let f = |x: i32| x + 1; f(1)",
    "let f = { let k = 1; move |x: i32| x + k }; f(1)",
    "let f = if s.len() > 2 { |x: i32| x } else { |x: i32| -x }; f(1)",
    "let longest = list.iter().max_by_key(|w| w.len()).unwrap(); longest.len()",
    "let found = m.get(\"a\").copied().unwrap_or_default(); found",
    "let words: Vec<&str> = s.split(' ').collect(); words.len()",
    "let owned = String::from(\"a b\"); let parts: Vec<_> = owned.split(' ').map(str::trim).collect(); parts.len()",
    "let g = lock.read().unwrap(); g.inner.len()",
    "let say = said.say(); let r = &cart; r.0",
    "let (a, b) = (&rc, |x: i32| x); b(a.borrow().len() as i32)",
    "let keyed = pairs.iter().next(); keyed.is_none()",
    "let sum = futures::join!(fetch(1), fetch(2)); sum.0",
]

# Cells that do not compile, with rustc's code if there is one.
WRONG = [
    ("let x: u32 = s;", "E0308"),
    ("let f = |x: i32| nothing;", "E0425"),
    ("let f = { let k = 1; |x: i32| x + k + \"a\" };", "E0277"),
    ("let x = missing(1);", "E0425"),
    ("let x = s.nothing();", "E0599"),
    ("let x = Vec::new();", "E0282"),
    ("let x = \"5\".parse().unwrap();", "E0284"),
    ("let x = Default::default(); let y = 1;", ""),
    ("let x = Nothing { a: 1 };", "E0422"),
    ("let x: Missing = 1;", ""),
    ("use nowhere::Nothing;", "E0432"),
    ("let text = String::from(\"b\"); m.len(); let mut m = m; m.insert(&text, 2);", ""),
    ("let text = String::from(\"b\"); ta.send(&text).await?;", "E0597"),
    ("let r = &rc; task::spawn(async move { r.borrow().len() });", ""),
    ("let t = std::thread::spawn(|| s.len() + rc.borrow().len());", ""),
    ("struct Half { a: Missing }", ""),
    ("impl Speak for Mine<u8> {}", "E0046"),
    ("fn f() -> Result<u8> { m.len() }", ""),
    ("let x = boxed; let y = boxed;", "E0382"),
    ("let x = cart.missing;", "E0609"),
    ("s = \"other\";", "E0594"),
    ("list.push(\"c\");", "E0596"),
    ("match unit { 1 => {} }", "E0308"),
    ("let Some(x) = Some(1u8) else { 5 };", "E0308"),
]


def test_every_error_has_a_place_whatever_is_stored(kernel):
    kernel.run(":clear").ok()
    for code in KINDS:
        kernel.run(code, background=True).ok()
    before = kernel.shown(":vars").splitlines()
    assert len(before) >= 28, before
    for code in RIGHT:
        kernel.run(code).ok()
    nowhere = []
    for code, name in WRONG:
        result = kernel.run(code)
        assert result.reply["ename"] == "CompileError" and name in result.reply["evalue"], result
        number = result.reply["execution_count"]
        for title in re.split(r"(?m)^(?=error)", result.report):
            if title.startswith("error") and f"In[{number}]:1:" not in title:
                nowhere.append((code, title))
    assert not nowhere, nowhere
    assert [line for line in before if line not in kernel.shown(":vars").splitlines()] == []
