//! Which variables and statics a changed definition, or a changed crate, makes unusable.
//!
//! Every cell is compiled into a crate of the same name and identity, so a struct that was edited keeps its `TypeId`,
//! and so does one with a field of a crate's type that has changed: evcxr would hand the old bytes of a variable to
//! code that lays them out differently, and a static would do the same. So variables whose type can reach a changed
//! definition are given up before the new definition is used, and statics begin anew.

use super::{Layout, PreparedCell, SlotName, UNKNOWN};
use std::collections::{BTreeMap, BTreeSet};

/// What can hold a value of any type, and give it back as the type that it is asked for.
const HOLDS_ANYTHING: &str = "Any";

/// The same for types that implement it.
const HOLDS_ERRORS: &str = "Error";

/// Names of types and traits that stand for themselves in every cell, besides those of [`PRELUDE`].
const KNOWN: [&str; 30] = [
    "AsMut",
    "AsRef",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Clone",
    "Copy",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Duration",
    "Eq",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Into",
    "IntoIterator",
    "Instant",
    "Iterator",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Self",
    "Send",
    "Sized",
    "Sync",
];

/// Types that every crate sees, and what they are imported as by those who import them all the same.
const PRELUDE: [(&str, &str); 5] = [
    ("Box", "std::boxed::Box"),
    ("Option", "std::option::Option"),
    ("Result", "std::result::Result"),
    ("String", "std::string::String"),
    ("Vec", "std::vec::Vec"),
];

/// The definitions of the notebook that decide how values are laid out, and its statics.
#[derive(Debug, Clone, Default)]
pub struct Types {
    layouts: BTreeMap<String, Layout>,
    slots: BTreeMap<String, BTreeSet<String>>,
}

/// What a cell changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redefined {
    /// The definitions whose text differs.
    pub types: Vec<String>,
    /// The notebook's own crates that have changed.
    pub crates: Vec<String>,
    /// The variables that can hold a value of one of them.
    pub variables: Vec<String>,
    /// The statics that can, as the runtime knows them.
    pub statics: Vec<String>,
}

impl Types {
    /// What a cell would change, given the variables with their types.
    pub fn redefined<'a>(&self, cell: &PreparedCell, variables: impl Iterator<Item = (&'a str, &'a str)>) -> Redefined {
        let variables: Vec<_> = variables.map(|(name, ty)| (name, paths(ty))).collect();
        let is_named = |name: &String| variables.iter().any(|(_, paths)| paths.iter().any(|path| path[0] == *name));
        let changed = |layout: &&Layout| match self.layouts.get(&layout.key) {
            Some(known) => known.hash != layout.hash,
            // The first definition of this name takes it from what came with the standard library.
            None => takes_its_name(layout) && is_named(&layout.key),
        };
        let changed: Vec<&Layout> = cell.layouts.iter().filter(changed).collect();
        if changed.is_empty() {
            return Redefined::default();
        }
        let reached = self.reached_by(&changed);
        let lost = lost(&variables, |path| self.may_be_of(path, &reached));
        let statics = self.slots.iter().filter(|(_, mentions)| !mentions.is_disjoint(&reached));
        let statics = statics.map(|(path, _)| path.clone()).collect();
        let types = changed.iter().map(|layout| layout.key.clone()).collect();
        Redefined { types, variables: lost, statics, ..Redefined::default() }
    }

    /// What it costs that these crates, by the names that code knows them by, are not what they were.
    pub fn reached_by_crates<'a>(
        &self,
        crates: &BTreeSet<String>,
        variables: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Redefined {
        let reached = self.reached_from_crates(crates);
        let variables: Vec<_> = variables.map(|(name, ty)| (name, paths(ty))).collect();
        let is_new = |name: &str| reached.contains(UNKNOWN) && self.is_unknown(name);
        let lost = lost(&variables, |path| {
            crates.contains(path[0]) || path.len() == 1 && is_new(path[0]) || self.may_be_of(path, &reached)
        });
        let mentioned =
            |mentions: &BTreeSet<String>| mentions.iter().any(|name| reached.contains(name) || is_new(name));
        let statics = self.slots.iter().filter(|(_, mentions)| mentioned(mentions));
        let statics = statics.map(|(path, _)| path.clone()).collect();
        Redefined { crates: crates.iter().cloned().collect(), variables: lost, statics, ..Redefined::default() }
    }

    /// Takes note of a cell that was compiled.
    pub fn learn(&mut self, cell: &PreparedCell) {
        self.layouts.extend(cell.layouts.iter().map(|layout| (layout.key.clone(), layout.clone())));
        let slots = cell.slots.iter().map(|SlotName { path, mentions }| (path.clone(), mentions.clone()));
        self.slots.extend(slots);
    }

    /// The names of these definitions and of all that mention them, however far away.
    fn reached_by(&self, changed: &[&Layout]) -> BTreeSet<String> {
        let mut reached: BTreeSet<String> = changed.iter().flat_map(|layout| layout.names.iter().cloned()).collect();
        let before = changed.iter().filter_map(|layout| self.layouts.get(&layout.key));
        reached.extend(before.flat_map(|layout| layout.names.iter().cloned()));
        reached.insert(HOLDS_ANYTHING.to_owned());
        self.spread(&mut reached, |layout, reached| !layout.mentions.is_disjoint(reached));
        reached
    }

    /// These crates, and the names of all definitions that mention them, however far away.
    fn reached_from_crates(&self, crates: &BTreeSet<String>) -> BTreeSet<String> {
        let mut reached = crates.clone();
        let mentions = |layout: &Layout, reached: &BTreeSet<String>| {
            let any_name = reached.contains(UNKNOWN) && !layout.is_import;
            layout.mentions.iter().any(|name| reached.contains(name) || any_name && self.is_unknown(name))
        };
        self.spread(&mut reached, mentions);
        // A value of a crate's own type is told from one of the changed crate's; one of a cell's type is not.
        let is_made_here =
            |layout: &Layout| !layout.is_import && layout.names.iter().any(|name| reached.contains(name));
        if self.layouts.values().any(is_made_here) {
            reached.insert(HOLDS_ANYTHING.to_owned());
            self.spread(&mut reached, mentions);
        }
        reached
    }

    /// Adds the names of definitions that mention what is reached, until there are no more.
    fn spread(&self, reached: &mut BTreeSet<String>, mentions: impl Fn(&Layout, &BTreeSet<String>) -> bool) {
        loop {
            let before = reached.len();
            for layout in self.layouts.values() {
                if mentions(layout, reached) {
                    reached.extend(layout.names.iter().cloned());
                }
            }
            if reached.len() == before {
                return;
            }
        }
    }

    /// Whether a path in a variable's type can mean one of these names.
    fn may_be_of(&self, path: &[&str], reached: &BTreeSet<String>) -> bool {
        // A path that begins in another crate ends in that crate, whatever its last name is.
        let is_known = |name: &str| self.layouts.contains_key(name) || ["crate", "self", "super"].contains(&name);
        let is_holder = path.last().is_some_and(|name| [HOLDS_ANYTHING, HOLDS_ERRORS].contains(name));
        let is_elsewhere = path.len() > 1 && !is_known(path[0]) && !is_holder;
        !is_elsewhere && path.iter().any(|name| reached.contains(*name))
    }

    /// Whether this looks like the name of a type of which no definition is known.
    fn is_unknown(&self, name: &str) -> bool {
        let is_known = || self.layouts.values().any(|layout| layout.names.contains(name));
        let is_std = || KNOWN.contains(&name) || PRELUDE.iter().any(|(known, _)| *known == name);
        name.starts_with(char::is_uppercase) && !is_std() && !is_known()
    }
}

impl Redefined {
    /// Whether it costs nothing.
    pub fn is_nothing(&self) -> bool {
        self.variables.is_empty() && self.statics.is_empty()
    }

    /// What two changes cost together.
    pub fn and(mut self, other: Self) -> Self {
        let Self { types, crates, variables, statics } = other;
        let all = [(&mut self.types, types), (&mut self.crates, crates), (&mut self.variables, variables)];
        for (mine, theirs) in all.into_iter().chain([(&mut self.statics, statics)]) {
            let new: Vec<_> = theirs.into_iter().filter(|name| !mine.contains(name)).collect();
            mine.extend(new);
        }
        self
    }
}

/// The names of the variables in whose types such a path stands, in order.
fn lost(variables: &[(&str, Vec<Vec<&str>>)], is_lost: impl Fn(&[&str]) -> bool) -> Vec<String> {
    let lost = variables.iter().filter(|(_, paths)| paths.iter().any(|path| is_lost(path)));
    let mut lost: Vec<String> = lost.map(|(name, _)| (*name).to_owned()).collect();
    lost.sort();
    lost
}

/// Whether a definition hides a type that was known without one. An import mostly only repeats what is known.
fn takes_its_name(layout: &Layout) -> bool {
    if !layout.is_import {
        return layout.names.contains(&layout.key);
    }
    PRELUDE
        .iter()
        .any(|(name, path)| layout.key == *name && path.split("::").any(|part| !layout.mentions.contains(part)))
}

/// The paths in the text of a type, each as its names.
fn paths(ty: &str) -> Vec<Vec<&str>> {
    let of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let paths = ty.split(|c: char| !of_path(c)).map(|path| path.split(':').filter(|name| !name.is_empty()).collect());
    paths.filter(|path: &Vec<&str>| !path.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::cell::{Notebook, prepare};

    fn cell(code: &str) -> PreparedCell {
        prepare(1, code, &Notebook::default()).expect("a good cell")
    }

    fn changed_by(before: &str, after: &str, ty: &str) -> Redefined {
        let mut types = Types::default();
        types.learn(&cell(before));
        types.redefined(&cell(after), [("x", ty), ("n", "u32")].into_iter())
    }

    fn drops(before: &str, after: &str, ty: &str) -> bool {
        !changed_by(before, after, ty).variables.is_empty()
    }

    #[test]
    fn an_added_field_reaches_variables_through_other_types() {
        let before = "struct Conf { n: u32 } struct App { conf: Conf }";
        let redefined = changed_by(before, "struct Conf { n: u32, urls: Vec<String> }", "std::sync::Arc<App>");
        let expected = Redefined { types: vec!["Conf".into()], variables: vec!["x".into()], ..Redefined::default() };
        assert_eq!(redefined, expected);
    }

    #[test]
    fn blanks_comments_and_derives_change_nothing() {
        let after = "// new\n#[derive(Debug)]\nstruct P {\n    a: u8\n}";
        assert_eq!(changed_by("struct P { a: u8 }", after, "P"), Redefined::default());
    }

    #[test]
    fn a_trait_reaches_what_is_behind_dyn() {
        assert!(drops("trait Speak { fn a(&self); }", "trait Speak { fn b(&self); }", "Box<dyn Speak>"));
    }

    #[test]
    fn a_changed_constant_reaches_arrays_of_that_length() {
        let before = "const N: usize = 2; const fn m() -> usize { 1 } struct Row { cells: [u8; N], more: [u8; m()] }";
        assert!(drops(before, "const N: usize = 3;", "Row"));
        assert!(drops(before, "const fn m() -> usize { 2 }", "Row"));
    }

    #[test]
    fn associated_types_reach_what_is_made_of_them() {
        let before = "trait Tr { type Out; } struct A; impl Tr for A { type Out = u8; } struct W { x: <A as Tr>::Out }";
        assert!(drops(before, "impl Tr for A { type Out = u16; }", "W"));
        assert!(!drops(before, "impl Tr for A { type Out = u8; }", "W"));
    }

    #[test]
    fn types_of_modules_are_reached_by_every_way_to_them() {
        let (before, after) = ("mod m { pub struct P(pub u8); }", "mod m { pub struct P(pub u16); }");
        assert!(drops(before, after, "m::P") && drops(before, after, "crate::m::P"));
        assert!(drops(&format!("{before} use m::P as Q;"), after, "Q"));
        assert!(!drops(before, after, "std::P"));
    }

    #[test]
    fn another_import_of_the_same_name_is_another_type() {
        assert!(drops("use a::P;", "use b::{P, Q};", "Vec<P>"));
        assert!(!drops("use a::P;", "use a::{P, Q};", "Vec<P>"));
        assert!(!drops("use a::Instant;", "use b::Instant;", "std::time::Instant"));
    }

    #[test]
    fn a_new_type_takes_its_name_from_the_standard_library() {
        assert!(drops("", "struct Instant;", "Vec<Instant>"));
        assert!(!drops("", "struct Instant;", "std::time::Instant"));
        assert!(drops("", "type Result<T> = std::result::Result<T, u8>;", "Result<u8, u8>"));
        assert!(drops("", "use std::io::Result;", "Result<u8, u8>"));
        assert!(!drops("", "use std::vec::Vec; use std::time::Duration;", "Vec<Duration>"));
    }

    #[test]
    fn what_can_hold_any_type_is_dropped_with_all_of_them() {
        let (before, after) = ("struct A; trait Node { fn any(&self) -> &dyn std::any::Any; }", "struct A(u8);");
        assert!(drops(before, after, "Box<dyn std::any::Any + Send>") && drops(before, after, "Vec<Box<dyn Node>>"));
        let before = "struct E; impl std::error::Error for E {}";
        assert!(drops(before, "struct E(u8);", "Box<dyn std::error::Error>"));
        assert!(drops("#[derive(Error)] struct E;", "#[derive(Error)] struct E(u8);", "anyhow::Error"));
        assert!(!drops("struct E;", "struct E(u8);", "std::io::Error"));
        assert!(!drops(before, "struct F;", "Box<dyn std::any::Any>"));
    }

    #[test]
    fn other_variables_stay() {
        assert!(!drops("struct A;", "struct A(u8);", "Vec<B>"));
        assert!(!drops("struct A; fn b() {}", "struct A; fn b() { c() }", "A"));
    }

    #[test]
    fn statics_are_found_through_their_types() {
        let before = "struct A; struct B(A); static S: Mutex<Vec<B>> = x; fn f() { static T: OnceLock<B> = y; }";
        assert_eq!(changed_by(before, "struct A(u8);", "u8").statics, ["S", "f::T"]);
        let both = "struct A(u8); static U: Mutex<A> = x;";
        assert_eq!(changed_by("struct A; static U: Mutex<A> = x;", both, "u8").statics, ["U"]);
        assert_eq!(changed_by(before, "struct C;", "u8").statics, Vec::<String>::new());
    }

    fn costs(code: &str, ty: &str) -> bool {
        let mut types = Types::default();
        types.learn(&cell(code));
        let crates = BTreeSet::from(["p".to_owned()]);
        let redefined = types.reached_by_crates(&crates, [("x", ty), ("n", "u32")].into_iter());
        assert!(!redefined.variables.contains(&"n".to_owned()) && redefined.crates == ["p"]);
        !redefined.variables.is_empty()
    }

    #[test]
    fn a_changed_crate_reaches_its_own_types_and_those_that_are_made_of_them() {
        assert!(costs("", "p::T") && costs("", "Vec<std::sync::Arc<p::m::T>>") && !costs("", "q::p::T"));
        let code = "struct S { x: p::T } enum E { A(S) } type A = Vec<E>; struct Other { y: u8 }";
        assert!(costs(code, "Box<S>") && costs(code, "E") && costs(code, "A") && !costs(code, "Vec<Other>"));
        assert!(costs("use p::T; struct S(T);", "S") && costs("use p as q; struct S(q::T);", "S"));
        assert!(costs("use p::m::{self, T as U};", "m::V") && costs("use p::m::{self, T as U};", "U"));
        assert!(costs("extern crate p as q; struct S(q::T);", "S"));
        assert!(costs("mod m { use p::*; pub struct S(T); }", "m::S"));
        assert!(costs("trait Tr { fn f(&self) -> p::T; }", "Box<dyn Tr>"));
        assert!(costs("struct S; impl Tr for S { type Out = p::T; }", "W<S>"));
        assert!(costs("", "fn(u8) -> p::T") && costs("struct S(p::T);", "tokio::sync::mpsc::Sender<S>"));
    }

    #[test]
    fn names_that_nobody_can_know_may_be_a_changed_crates() {
        let code = "use p::*; struct S { x: T, n: u8 } struct Plain { x: String, n: Option<u8> }";
        assert!(costs(code, "T") && costs(code, "S") && !costs(code, "Plain") && !costs(code, "Vec<String>"));
        assert!(!costs("use q::*; struct S(T);", "T") && !costs("use q::*; struct S(T);", "S"));
        let derived = "use p::Builder; #[derive(Builder)] struct S { x: u8 }";
        assert!(costs(derived, "SBuilder") && !costs(derived, "S"));
    }

    #[test]
    fn what_holds_any_type_is_lost_only_if_a_type_of_the_notebook_is() {
        let any = "Box<dyn std::any::Any>";
        assert!(costs("struct S(p::T);", any) && !costs("struct S(u8); use p::T;", any));
        let error = "struct E(p::T); impl std::error::Error for E {}";
        assert!(costs(error, "Box<dyn std::error::Error>") && !costs("struct E(p::T);", "std::io::Error"));
    }

    #[test]
    fn statics_of_a_changed_crates_types_begin_anew() {
        let mut types = Types::default();
        types.learn(&cell("use p::*; struct S(p::T); static A: Mutex<S> = x; static B: Mutex<Vec<u8>> = y;"));
        let crates = BTreeSet::from(["p".to_owned()]);
        assert!(types.reached_by_crates(&crates, std::iter::empty()).statics.contains(&"A".to_owned()));
        let mut types = Types::default();
        types.learn(&cell("static A: OnceLock<p::T> = x; static B: AtomicU8 = y;"));
        assert_eq!(types.reached_by_crates(&crates, std::iter::empty()).statics, ["A"]);
    }
}
