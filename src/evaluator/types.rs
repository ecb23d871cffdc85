//! Which variables a changed definition of a type makes unusable.
//!
//! Every cell is compiled into a crate of the same name, so a struct that was edited keeps its `TypeId`: evcxr would hand
//! the old bytes of a variable to code that lays them out differently. So variables whose type can reach a changed
//! definition are given up before the new definition is used.

use super::cell::{Item, ItemKind};
use std::collections::{BTreeMap, BTreeSet};

/// The definitions of the notebook that decide how values are laid out.
#[derive(Debug, Default)]
pub struct Types(BTreeMap<String, Definition>);

#[derive(Debug)]
struct Definition {
    hash: u64,
    mentions: BTreeSet<String>,
}

/// What a cell changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redefined {
    /// The definitions whose text differs.
    pub types: Vec<String>,
    /// The variables that can hold a value of one of them.
    pub variables: Vec<String>,
}

impl Types {
    /// What a cell with these items would change, given the variables with their types.
    pub fn redefined<'a>(&self, items: &[Item], variables: impl Iterator<Item = (&'a str, &'a str)>) -> Redefined {
        let changed = |item: &&Item| self.0.get(&item.name).is_some_and(|known| known.hash != item.hash);
        let types: Vec<String> =
            items.iter().filter(|item| decides_layout(item)).filter(changed).map(|item| item.name.clone()).collect();
        if types.is_empty() {
            return Redefined::default();
        }
        let reached = self.reached_by(&types);
        let mut variables: Vec<String> = variables
            .filter(|(_, ty)| words(ty).any(|word| reached.contains(word)))
            .map(|(name, _)| name.to_owned())
            .collect();
        variables.sort();
        Redefined { types, variables }
    }

    /// Takes note of a cell that was compiled.
    pub fn learn(&mut self, items: &[Item]) {
        for item in items.iter().filter(|item| decides_layout(item)) {
            let definition = Definition { hash: item.hash, mentions: item.mentions.clone() };
            self.0.insert(item.name.clone(), definition);
        }
    }

    /// The names of these definitions and of all that mention them, however far away.
    fn reached_by(&self, changed: &[String]) -> BTreeSet<String> {
        let mut reached: BTreeSet<String> = changed.iter().cloned().collect();
        loop {
            let more: Vec<_> = self
                .0
                .iter()
                .filter(|(name, known)| !reached.contains(*name) && !known.mentions.is_disjoint(&reached))
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                return reached;
            }
            reached.extend(more);
        }
    }
}

fn decides_layout(item: &Item) -> bool {
    use ItemKind::{Const, Enum, Mod, Struct, Trait, TypeAlias, Union};
    matches!(item.kind, Struct | Enum | Union | TypeAlias | Trait | Mod | Const)
}

fn words(ty: &str) -> impl Iterator<Item = &str> {
    ty.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::cell::{Known, prepare};
    use super::*;

    fn items(code: &str) -> Vec<Item> {
        prepare(1, code, &Known::default()).expect("a good cell").items
    }

    fn changed_by(before: &str, after: &str, ty: &str) -> Redefined {
        let mut types = Types::default();
        types.learn(&items(before));
        types.redefined(&items(after), [("x", ty), ("n", "u32")].into_iter())
    }

    #[test]
    fn an_added_field_reaches_variables_through_other_types() {
        let before = "struct Conf { n: u32 } struct App { conf: Conf }";
        let redefined = changed_by(before, "struct Conf { n: u32, urls: Vec<String> }", "std::sync::Arc<App>");
        assert_eq!(redefined, Redefined { types: vec!["Conf".into()], variables: vec!["x".into()] });
    }

    #[test]
    fn blanks_and_comments_change_nothing() {
        let redefined = changed_by("struct P { a: u8 }", "// new\nstruct P {\n    a: u8\n}", "P");
        assert_eq!(redefined, Redefined::default());
    }

    #[test]
    fn a_trait_reaches_what_is_behind_dyn() {
        let redefined =
            changed_by("trait Speak { fn a(&self); }", "trait Speak { fn b(&self); fn a(&self); }", "Box<dyn Speak>");
        assert_eq!(redefined.variables, ["x"]);
    }

    #[test]
    fn a_changed_constant_reaches_arrays_of_that_length() {
        let before = "const N: usize = 2; struct Row { cells: [u8; N] }";
        assert_eq!(changed_by(before, "const N: usize = 3;", "Row").variables, ["x"]);
    }

    #[test]
    fn other_variables_stay() {
        assert_eq!(changed_by("struct A;", "struct A(u8);", "Vec<B>").variables, Vec::<String>::new());
    }
}
