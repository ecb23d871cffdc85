//! Which variables and statics a changed definition makes unusable.
//!
//! Every cell is compiled into a crate of the same name, so a struct that was edited keeps its `TypeId`: evcxr would hand
//! the old bytes of a variable to code that lays them out differently, and a static would do the same. So variables whose
//! type can reach a changed definition are given up before the new definition is used, and statics begin anew.

use super::cell::{Layout, Prepared, SlotName};
use std::collections::{BTreeMap, BTreeSet};

/// What can hold a value of any type, and give it back as the type that it is asked for.
const HOLDS_ANYTHING: &str = "Any";

/// The same for types that implement it.
const HOLDS_ERRORS: &str = "Error";

/// Types that every crate sees, and what they are imported as by those who import them all the same.
const PRELUDE: [(&str, &str); 5] = [
    ("Box", "std::boxed::Box"),
    ("Option", "std::option::Option"),
    ("Result", "std::result::Result"),
    ("String", "std::string::String"),
    ("Vec", "std::vec::Vec"),
];

/// The definitions of the notebook that decide how values are laid out, and its statics.
#[derive(Debug, Default)]
pub struct Types {
    layouts: BTreeMap<String, Layout>,
    slots: BTreeMap<String, BTreeSet<String>>,
}

/// What a cell changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redefined {
    /// The definitions whose text differs.
    pub types: Vec<String>,
    /// The variables that can hold a value of one of them.
    pub variables: Vec<String>,
    /// The statics that can, as the runtime knows them.
    pub statics: Vec<String>,
}

impl Types {
    /// What a cell would change, given the variables with their types.
    pub fn redefined<'a>(&self, cell: &Prepared, variables: impl Iterator<Item = (&'a str, &'a str)>) -> Redefined {
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
        let known = |name: &str| self.layouts.contains_key(name) || ["crate", "self", "super"].contains(&name);
        let holds = |path: &Vec<&str>| {
            // A path that begins in another crate ends in that crate, whatever its last name is.
            let is_holder = path.last().is_some_and(|name| [HOLDS_ANYTHING, HOLDS_ERRORS].contains(name));
            let is_elsewhere = path.len() > 1 && !known(path[0]) && !is_holder;
            !is_elsewhere && path.iter().any(|name| reached.contains(*name))
        };
        let mut lost: Vec<String> =
            variables.iter().filter(|(_, paths)| paths.iter().any(holds)).map(|(name, _)| (*name).to_owned()).collect();
        lost.sort();
        let statics = self.slots.iter().filter(|(_, mentions)| !mentions.is_disjoint(&reached));
        let statics = statics.map(|(path, _)| path.clone()).collect();
        let types = changed.iter().map(|layout| layout.key.clone()).collect();
        Redefined { types, variables: lost, statics }
    }

    /// Takes note of a cell that was compiled.
    pub fn learn(&mut self, cell: &Prepared) {
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
        loop {
            let before = reached.len();
            for layout in self.layouts.values() {
                if !layout.mentions.is_disjoint(&reached) {
                    reached.extend(layout.names.iter().cloned());
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }
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
    use super::super::cell::{Known, prepare};
    use super::*;

    fn cell(code: &str) -> Prepared {
        prepare(1, code, &Known::default()).expect("a good cell")
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
        let expected = Redefined { types: vec!["Conf".into()], variables: vec!["x".into()], statics: Vec::new() };
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
}
