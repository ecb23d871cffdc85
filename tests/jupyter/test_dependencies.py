"""A `:dep` costs nothing: what a notebook has made of its own types stays, whatever crate is added. If a crate that it uses
already changes, what was made of that crate's types is given up, with its reason, before new code can see it."""

import time

import pytest

from client import CELL_DEADLINE
from starting import connect_apart, running_kernel
from test_crates import crate, registry_is_reachable
from test_protocol import ask
from test_subshells import shown

TYPES = r"""
use std::{collections::{BTreeMap, HashMap, VecDeque}, rc::Rc, cell::RefCell, sync::{Arc, Mutex, OnceLock, atomic::{AtomicU64, Ordering}}};
use async_std::{channel, task::{self, JoinHandle}};
use std::pin::Pin; use std::future::Future; use std::any::Any;
#[derive(Debug, Clone, Default, PartialEq, PartialOrd)] struct Pt { x: f64, name: String }
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)] enum Kind { A, B(u32), C { s: String } }
#[derive(Debug, Clone)] struct Pair<T, U = Kind> { t: T, u: U }
struct Unit;
union Bits { a: u32, b: f32 }
trait Speak: Send { fn say(&self) -> String; }
impl Speak for Pt { fn say(&self) -> String { format!("{} at {}", self.name, self.x) } }
#[derive(Debug)] struct Oops(Pt);
impl std::fmt::Display for Oops { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "oops {}", self.0.x) } }
impl std::error::Error for Oops {}
macro_rules! pair_of { ($name:ident) => { #[derive(Debug, Clone)] pub struct $name(pub u8, pub u8); } }
mod shapes { crate::pair_of!(Sides); #[derive(Debug)] pub struct Square(pub super::Pt); pub mod deep { #[derive(Debug)] pub enum E { X(u8) } } }
struct Dropper(Arc<AtomicU64>);
impl Drop for Dropper { fn drop(&mut self) { self.0.fetch_add(1, Ordering::SeqCst); } }
static SEEN: Mutex<Vec<Pt>> = Mutex::new(Vec::new());
static ONCE: OnceLock<Kind> = OnceLock::new();
thread_local! { static HERE: RefCell<Vec<Kind>> = RefCell::new(Vec::new()); }
fn pt(x: f64) -> Pt { Pt { x, name: "p".into() } }
"""

# Each with what shows that it is what it was.
VARIABLES = {
    "p": ("pt(1.0)", "p.x == 1.0"),
    "points": ("vec![pt(2.0), pt(3.0)]", "points[1].x == 3.0"),
    "boxed": ("Box::new(pt(4.0))", "boxed.name == \"p\""),
    "arc": ("Arc::new(Mutex::new(pt(5.0)))", "arc.lock().unwrap().x == 5.0"),
    "rc": ("Rc::new(RefCell::new(pt(6.0)))", "rc.borrow().x == 6.0"),
    "kind": ("Kind::B(7)", "kind == Kind::B(7)"),
    "kinds": ("[Kind::A, Kind::C { s: \"c\".into() }]", "matches!(&kinds[1], Kind::C { s } if s == \"c\")"),
    "by_name": ("HashMap::from([(\"a\".to_string(), pt(8.0))])", "by_name[\"a\"].x == 8.0"),
    "by_kind": ("BTreeMap::from([(Kind::A, 9)])", "by_kind[&Kind::A] == 9"),
    "queue": ("VecDeque::from([Kind::A])", "queue.front() == Some(&Kind::A)"),
    "option": ("Some(pt(10.0))", "option.as_ref().unwrap().x == 10.0"),
    "result": ("Err::<u8, Oops>(Oops(pt(11.0)))", "result.as_ref().unwrap_err().0.x == 11.0"),
    "tuple": ("(pt(12.0), Kind::A, 3)", "tuple.0.x == 12.0"),
    "pair": ("Pair { t: pt(13.0), u: Kind::A }", "pair.t.x == 13.0"),
    "nested": ("Pair { t: Some(Pair { t: vec![pt(14.0)], u: Kind::A }), u: 1u8 }", "nested.t.as_ref().unwrap().t[0].x == 14.0"),
    "unit": ("Unit", "{ let _ = &unit; true }"),
    "bits": ("Bits { b: 1.0 }", "unsafe { bits.a } == 0x3f80_0000"),
    "speaker": ("{ let s: Box<dyn Speak> = Box::new(pt(15.0)); s }", "speaker.say() == \"p at 15\""),
    "speakers": ("{ let s: Vec<Arc<dyn Speak + Sync>> = vec![Arc::new(pt(16.0))]; s }", "speakers[0].say() == \"p at 16\""),
    "closure": ("{ let p = pt(17.0); let f: Box<dyn Fn(f64) -> Pt + Send> = Box::new(move |x| Pt { x: p.x + x, name: p.name.clone() }); f }", "closure(1.0).x == 18.0"),
    "function": ("{ let f: fn(f64) -> Pt = pt; f }", "function(19.0).x == 19.0"),
    "any": ("{ let a: Box<dyn Any + Send> = Box::new(pt(20.0)); a }", "any.downcast_ref::<Pt>().unwrap().x == 20.0"),
    "error: Box<dyn std::error::Error>": ("Box::new(Oops(pt(21.0)))", "error.downcast_ref::<Oops>().unwrap().0.x == 21.0"),
    "sides": ("shapes::Sides(1, 2)", "sides.1 == 2"),
    "square": ("shapes::Square(pt(22.0))", "square.0.x == 22.0"),
    "deep": ("shapes::deep::E::X(3)", "matches!(deep, shapes::deep::E::X(3))"),
    "later": ("{ let f: Pin<Box<dyn Future<Output = Pt> + Send>> = Box::pin(async { pt(23.0) }); f }", "{ let _ = &later; true }"),
    "sender": ("channels.0.clone()", "sender.receiver_count() > 0"),
    "receiver": ("channels.1.clone()", "!receiver.is_closed()"),
    "dropped": ("Dropper(drops.clone())", "dropped.0.load(Ordering::SeqCst) == 0"),
}

TASKS = r"""
let ticks = Arc::new(AtomicU64::new(0));
let (stop, stopped) = channel::bounded::<()>(1);
let mut handles: Vec<JoinHandle<Pt>> = Vec::new();
for n in 0..10 {
    let (ticks, stopped, sender, receiver) = (ticks.clone(), stopped.clone(), sender.clone(), receiver.clone());
    handles.push(task::spawn(async move {
        let mut mine = pt(n as f64);
        while stopped.is_empty() && !stopped.is_closed() {
            ticks.fetch_add(1, Ordering::SeqCst);
            sender.send(mine.clone()).await.unwrap();
            mine = receiver.recv().await.unwrap();
            task::sleep(std::time::Duration::from_millis(20)).await;
        }
        mine
    }));
}
SEEN.lock().unwrap().push(pt(30.0));
ONCE.set(Kind::B(31)).unwrap();
HERE.with_borrow_mut(|here| here.push(Kind::B(32)));
"""


def make(kernel):
    """The types, thirty variables of them, ten tasks that send them to each other, statics and a thread-local."""
    kernel.run(TYPES).ok()
    kernel.run("let channels = channel::unbounded::<Pt>();\nlet drops = Arc::new(AtomicU64::new(0));").ok()
    kernel.run("\n".join(f"let {name} = {value};" for name, (value, _) in VARIABLES.items())).ok()
    kernel.run(TASKS).ok()


CHECK = "({}, {}, {}, {})".format(
    " && ".join(check for _, check in VARIABLES.values()),
    "SEEN.lock().unwrap()[0].x == 30.0",
    "ONCE.get() == Some(&Kind::B(31))",
    "HERE.with_borrow(|here| here.len() == 1 && here[0] == Kind::B(32))",
)


def all_is_there(kernel, when):
    kernel_says = kernel.run(CHECK)
    assert kernel_says.ok().text == "(true, true, true, true)", when
    assert "lost" not in kernel_says.stderr and "Dropped" not in str(kernel_says), when
    before = int(kernel.run("ticks.load(Ordering::SeqCst)").ok().text)
    after = int(kernel.run("task::sleep(std::time::Duration::from_millis(200)).await; ticks.load(Ordering::SeqCst)").ok().text)
    assert after > before, f"the tasks run {when}"


def tasks_end(kernel):
    kernel.run("stop.send(()).await.unwrap();").ok()
    assert kernel.run("let mut ended = 0;\nfor handle in handles { if handle.await.name == \"p\" { ended += 1; } }\nended").ok().text == "10"
    assert kernel.run("later.await.x").ok().text == "23.0"


def test_thirty_variables_and_ten_tasks_survive_five_dependencies(fresh_kernel):
    if not registry_is_reachable():
        pytest.skip("new dependencies need a network, and there is none")
    make(fresh_kernel)
    for dependency in ('itertools = "0.13"', 'hex = "0.4"', 'semver = "1"', 'rand = "0.9"', 'regex = "1"'):
        begun = time.monotonic()
        added = fresh_kernel.run(f":dep {dependency}", timeout=20 * CELL_DEADLINE).ok()
        print(f"{time.monotonic() - begun:6.1f} s  :dep {dependency}")
        assert "lost" not in added.stderr
        all_is_there(fresh_kernel, f"after {dependency}")
    assert fresh_kernel.run("use itertools::Itertools;\npoints.iter().map(|p| p.x).join(\" \")").ok().text == '"2 3"'
    tasks_end(fresh_kernel)


def test_variables_survive_everything_that_changes_how_cells_are_compiled(fresh_kernel, tmp_path):
    make(fresh_kernel)
    crate(tmp_path, "one", "pub fn f() -> u8 { 1 }\n")
    crate(tmp_path, "two", "pub struct T(pub u8);\n")
    for what in (":opt 1", ":dep ./one", "let first = one::f();", ":dep ./two", ":opt 0", ":dep ./one", ":types", ":types"):
        fresh_kernel.run(what, timeout=3 * CELL_DEADLINE).ok()
        all_is_there(fresh_kernel, f"after {what}")
    assert fresh_kernel.run("first").ok().text == "1"
    tasks_end(fresh_kernel)


OLD = """
#[derive(Debug, Clone)] pub struct Conf { pub a: u8, pub name: String }
#[derive(Debug)] pub struct Gone(pub u8);
pub trait Run { fn run(&self) -> u8; }
pub fn conf() -> Conf { Conf { a: 1, name: "old".into() } }
#[macro_export] macro_rules! count { () => { 1u8 } }
"""
NEW = """
#[derive(Debug, Clone)] pub struct Conf { pub name: String, pub more: [u64; 4], pub a: u16 }
pub trait Run { fn other(&self) -> u8 { 9 } fn run(&self) -> u8; }
pub fn conf() -> Conf { Conf { a: 2, name: "new".into(), more: [3; 4] } }
#[macro_export] macro_rules! count { () => { 2u16 } }
"""

USES = """
use std::sync::{Arc, Mutex}; use std::any::Any;
#[derive(Debug, Clone)] struct Own { n: u32 }
#[derive(Debug, Clone)] struct Holds { conf: lib::Conf, n: u32 }
struct Deep(Vec<Option<Holds>>);
trait Tell { fn tell(&self) -> u32; fn conf(&self) -> Option<lib::Conf> { None } }
impl Tell for Own { fn tell(&self) -> u32 { self.n } }
trait Plain { fn plain(&self) -> u32; }
impl Plain for Own { fn plain(&self) -> u32 { self.n } }
mod m { #[derive(Debug)] pub struct Inner(pub lib::Conf); #[derive(Debug)] pub struct Also(pub u8); }
static CONFS: Mutex<Vec<Holds>> = Mutex::new(Vec::new());
static OWNS: Mutex<Vec<Own>> = Mutex::new(Vec::new());
let plain = vec![1, 2, 3];
let own = Arc::new(Own { n: 5 });
let owns: Vec<Box<dyn Plain + Send>> = vec![Box::new(Own { n: 6 })];
let made: Box<dyn Fn() -> u32 + Send> = { let conf = lib::conf(); Box::new(move || conf.a as u32 + conf.name.len() as u32) };
let conf = lib::conf();
let holds = Holds { conf: lib::conf(), n: 7 };
let deep = Deep(vec![Some(holds.clone())]);
let tells: Box<dyn Tell> = Box::new(Own { n: 8 });
let inner = m::Inner(lib::conf());
let any: Box<dyn Any + Send> = Box::new(holds.clone());
let (tx, rx) = async_std::channel::unbounded::<Holds>();
let task = async_std::task::spawn(async move { let got: Holds = rx.recv().await.unwrap(); got.conf.name.len() as u32 + got.n });
let handle = async_std::task::spawn(async { lib::conf() });
CONFS.lock().unwrap().push(holds.clone()); OWNS.lock().unwrap().push(Own { n: 9 });
"""
LOST = {"conf", "holds", "deep", "tells", "inner", "any", "tx", "handle"}


def given_up(result):
    """What a cell says that it costs."""
    [said] = [bundle["text/plain"] for bundle in result.displays if "has changed" in bundle["text/plain"]]
    return said


def check_what_is_left(kernel, changed, why):
    for name in LOST:
        assert f"`{name}`" in changed, changed
    assert why in changed and "CONFS" in changed and "OWNS" not in changed and "`own`" not in changed, changed
    assert kernel.run("(plain.len(), own.n, owns[0].plain(), made(), OWNS.lock().unwrap()[0].n)").ok().text == "(3, 5, 6, 4, 9)"
    assert kernel.run("CONFS.lock().unwrap().len()").ok().text == "0"
    for name in LOST:
        assert kernel.run(f"&{name}").status == "error", name
    kernel.run("let holds = Holds { conf: lib::conf(), n: 1 };\nCONFS.lock().unwrap().push(holds.clone());").ok()
    assert kernel.run("(holds.conf.a, holds.conf.more[3], &CONFS.lock().unwrap()[0].conf.name, lib::count!())").ok().text == '(2, 3, "new", 2)'


def test_another_version_of_a_crate_costs_what_was_made_of_its_types(fresh_kernel, tmp_path):
    crate(tmp_path / "old", "lib", OLD)
    crate(tmp_path / "new", "lib", NEW)
    crate(tmp_path, "other", "pub fn f() -> u8 { 3 }\n")
    fresh_kernel.run(":dep ./old/lib", timeout=3 * CELL_DEADLINE).ok()
    fresh_kernel.run(USES).ok()
    assert fresh_kernel.run(":dep ./other\nholds.n as u8 + other::f()", timeout=3 * CELL_DEADLINE).ok().text == "10"
    changed = fresh_kernel.run(":dep ./new/lib", timeout=3 * CELL_DEADLINE).ok()
    check_what_is_left(fresh_kernel, given_up(changed), "The crate `lib` has changed")


def test_a_crate_that_was_edited_costs_what_was_made_of_its_types(fresh_kernel, tmp_path):
    lib = crate(tmp_path, "lib", OLD)
    fresh_kernel.run(":dep ./lib", timeout=3 * CELL_DEADLINE).ok()
    fresh_kernel.run(USES).ok()
    assert fresh_kernel.run(":dep ./lib\nholds.conf.name", timeout=3 * CELL_DEADLINE).ok().text == '"old"', "not edited"
    (lib / "src" / "lib.rs").write_text(NEW)
    # Also without `:dep`: cargo sees the new text with the next cell.
    changed = fresh_kernel.run("let next = 1;", timeout=3 * CELL_DEADLINE).ok()
    check_what_is_left(fresh_kernel, given_up(changed), "The crate `lib` has changed")
    assert fresh_kernel.run("next").ok().text == "1"


def test_a_crate_below_a_crate_that_was_edited_counts(fresh_kernel, tmp_path):
    base = crate(tmp_path, "base", "#[derive(Debug)] pub struct B { pub a: u8 }\n")
    crate(tmp_path, "upper", "#[derive(Debug)] pub struct U(pub base::B);\npub fn u() -> U { U(base::B { a: 1 }) }\n", more='[dependencies]\nbase = { path = "../base" }\n')
    fresh_kernel.run(":dep ./upper", timeout=3 * CELL_DEADLINE).ok()
    fresh_kernel.run("use upper::*;\n#[derive(Debug)] struct Mine { u: U }\nstruct Free(String);").ok()
    fresh_kernel.run("let mine = Mine { u: u() };\nlet direct = u();\nlet free = Free(\"f\".into());").ok()
    (base / "src" / "lib.rs").write_text("#[derive(Debug)] pub struct B { pub z: String, pub a: u64 }\nimpl B { }\n")
    (tmp_path / "upper" / "src" / "lib.rs").write_text("#[derive(Debug)] pub struct U(pub base::B);\npub fn u() -> U { U(base::B { a: 1, z: \"z\".into() }) }\n")
    changed = fresh_kernel.run("1 + 1", timeout=3 * CELL_DEADLINE).ok()
    assert changed.text == "2" and "`direct`, `mine`" in given_up(changed)
    assert fresh_kernel.run("free.0").ok().text == '"f"'


def test_a_type_that_is_gone_from_its_crate_costs_its_variables_and_nothing_else(fresh_kernel, tmp_path):
    lib = crate(tmp_path, "lib", OLD)
    fresh_kernel.run(":dep ./lib", timeout=3 * CELL_DEADLINE).ok()
    fresh_kernel.run("struct Own(u8);\nlet gone = lib::Gone(1);\nlet own = Own(2);").ok()
    (lib / "src" / "lib.rs").write_text(NEW)
    changed = fresh_kernel.run("own.0 + 1", timeout=3 * CELL_DEADLINE).ok()
    assert changed.text == "3" and "`gone`" in given_up(changed) and "`own`" not in given_up(changed)
    assert "`gone` was given up in In[" in fresh_kernel.run("gone.0").report


def test_cells_of_subshells_see_what_a_dependency_has_left(kernel_name, tmp_path):
    lib = crate(tmp_path, "lib", OLD)
    with running_kernel(kernel_name, tmp_path) as kernel:
        client = connect_apart(kernel.manager)
        subshell = ask(client, "create_subshell_request")["content"]["subshell_id"]
        kernel.run(":dep ./lib", timeout=3 * CELL_DEADLINE).ok()
        kernel.run(USES).ok()
        assert shown(client, "CONFS.lock().unwrap()[0].conf.a", subshell)[1] == "1"
        (lib / "src" / "lib.rs").write_text(NEW)
        assert shown(client, "CONFS.lock().unwrap()[0].conf.a", subshell)[1] == "1", "not compiled yet"
        # A cell that does not compile has compiled the crate all the same.
        assert kernel.run('let wrong: u8 = "x";', timeout=3 * CELL_DEADLINE).status == "error"
        reply, _ = shown(client, "CONFS.lock().unwrap().len()", subshell)
        assert reply["status"] == "error" and "The crate `lib` has changed" in reply["evalue"], reply
        kernel.run("1").ok()
        assert shown(client, "(CONFS.lock().unwrap().len(), OWNS.lock().unwrap()[0].n)", subshell)[1] == "(0, 9)"
        client.stop_channels()
