//! How a cell can name what rustc names.

use super::{CRATES, Kind, Reference, absolute};

/// The modules of our runtime that are the crates `async_std` and `tokio` of cells.
const FACADE: &str = "loopbook::facade::";

/// What a cell calls what stands there, if it is of `async_std`.
const FACED: &str = "async_std::";

/// Is not read, since nobody looks for a name there.
const UNREAD: &str = "std::arch::";

impl Reference {
    /// The path by which a cell can import what rustc finds at `path`; `None` if no cell can: it is unstable, or lies in a
    /// crate that only other crates name. `has` knows the notebook's own crates.
    pub(in crate::evaluator) fn usable(&self, path: &str, has: impl Fn(&str) -> bool) -> Option<String> {
        if let Some(rest) = path.strip_prefix("crate::") {
            // What a name of the prelude stands for has a path that says more.
            let meant = absolute(rest).filter(|meant| self.is_known(meant));
            return meant.or_else(|| (!rest.starts_with("evcxr")).then(|| path.to_owned()));
        }
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        if ["core", "alloc"].contains(&first) {
            return self.usable(&format!("std::{rest}"), has);
        }
        if has(first) || self.is_known(path) || path.starts_with(UNREAD) {
            return Some(path.to_owned());
        }
        if self.modules.is_empty() {
            return (CRATES.contains(&first) && !path.starts_with(FACADE)).then(|| path.to_owned());
        }
        let faced = path.strip_prefix(FACADE).map(|rest| format!("{FACED}{rest}")).filter(|path| self.is_known(path));
        let elsewhere = || self.items.iter().find(|item| item.canonical == path).map(|item| item.path.clone());
        faced.or_else(elsewhere)
    }

    /// Whether a cell can write this path. A variant is known by its enum.
    fn is_known(&self, path: &str) -> bool {
        let Some((module, name)) = path.rsplit_once("::") else { return CRATES.contains(&path) };
        let names = self.modules.get(module).into_iter().flatten();
        names.into_iter().any(|(known, _)| known == name)
            || self.find_exactly(module).is_some_and(|item| item.kind == Kind::Type)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Item, Reference};
    use super::*;

    fn small() -> Reference {
        let mut reference = Reference::default();
        for (path, canonical, kind) in [
            ("async_std::task::sleep", "loopbook::facade::task::sleep", Kind::Function),
            ("tokio::spawn", "loopbook::facade::tokio_task::spawn", Kind::Function),
            ("std::sync::Mutex", "std::sync::poison::Mutex", Kind::Type),
            ("std::cmp::Ordering", "core::cmp::Ordering", Kind::Type),
            ("futures::StreamExt", "futures_util::stream::stream::StreamExt", Kind::Trait),
        ] {
            let (path, canonical) = (path.to_owned(), canonical.to_owned());
            let (module, name) = path.rsplit_once("::").expect("a path");
            reference.modules.entry(module.to_owned()).or_default().push((name.to_owned(), reference.items.len()));
            reference.items.push(Item { path, canonical, kind, signature: String::new(), docs: String::new() });
        }
        reference
    }

    #[test]
    fn a_path_is_given_as_a_cell_can_write_it() {
        for (path, wanted) in [
            ("std::sync::Mutex", Some("std::sync::Mutex")),
            ("std::sync::nonpoison::Mutex", None),
            ("core::cmp::Ordering", Some("std::cmp::Ordering")),
            ("std::cmp::Ordering::Less", Some("std::cmp::Ordering::Less")),
            ("std::arch::x86_64::_rdtsc", Some("std::arch::x86_64::_rdtsc")),
            ("async_std::task::sleep", Some("async_std::task::sleep")),
            ("loopbook::facade::task::sleep", Some("async_std::task::sleep")),
            ("loopbook::facade::tokio_task::spawn", Some("tokio::spawn")),
            ("crate::task::sleep", Some("async_std::task::sleep")),
            ("crate::task::mine", Some("crate::task::mine")),
            ("crate::evcxr_store", None),
            ("futures_util::stream::stream::StreamExt", Some("futures::StreamExt")),
            ("futures_lite::stream::StreamExt", None),
            ("itertools::Itertools", Some("itertools::Itertools")),
        ] {
            assert_eq!(small().usable(path, |name| name == "itertools").as_deref(), wanted, "{path}");
        }
        let unread = Reference::default();
        assert_eq!(unread.usable("std::rc::Rc", |_| false).as_deref(), Some("std::rc::Rc"));
        assert_eq!(unread.usable("loopbook::facade::task::sleep", |_| false), None);
        assert_eq!(unread.usable("futures_lite::stream::StreamExt", |_| false), None);
    }
}
