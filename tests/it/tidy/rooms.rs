//! The directions of the source: which room may use which.
//!
//! A room is a file or folder directly below one of the folders here; an arrow is a path in code, in a `use` or in place, from
//! one room into another. What the root module re-exports counts for the room that it comes from; tests do not count. Each
//! list goes from the top down, and a room may use only rooms below its own line: so there is no circle. A new arrow is
//! a decision, and is written down here.

use super::sources;
use ra_ap_syntax::ast::{self, HasAttrs};
use ra_ap_syntax::{AstNode, Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxToken};
use std::collections::{BTreeMap, BTreeSet};

/// A folder of rooms.
struct House {
    folder: &'static str,
    /// Path of its root module in the crate.
    module: &'static [&'static str],
    /// More would be a hall.
    most: usize,
    /// From the top down: a room, and what it uses.
    rooms: &'static [(&'static str, &'static str)],
}

const RUNTIME: House = House {
    folder: "kernel/runtime/src",
    module: &[],
    most: 16,
    rooms: &[
        ("prelude", "gather show"),
        ("process", "expansion show lessons inspect facade executor tasks connection running support"),
        ("expansion", "tasks connection running support"),
        ("gather", "tasks"),
        ("show", "lessons inspect facade tasks connection support"),
        ("lessons", "inspect executor tasks running support"),
        ("inspect", "event_loop facade executor tasks support"),
        ("event_loop", "facade executor tasks connection running support"),
        ("facade", "executor tasks connection support"),
        ("executor", "tasks running"),
        ("tasks", "connection running support"),
        ("connection", "running support"),
        ("running", "support"),
        ("support", ""),
    ],
};

const PROGRAM: House = House {
    folder: "src",
    module: &[],
    most: 16,
    rooms: &[
        ("child", ""),
        ("cli", "image kernel sockets evaluator wire home transport"),
        ("image", ""),
        ("kernel", "sockets watch dispatcher evaluator home"),
        ("sockets", "transport"),
        ("watch", "dispatcher"),
        ("dispatcher", "evaluator wire transport"),
        ("evaluator", "home"),
        ("wire", "transport"),
        ("home", ""),
        ("transport", ""),
    ],
};

const EVALUATOR: House = House {
    folder: "src/evaluator",
    module: &["evaluator"],
    most: 12,
    rooms: &[
        ("rust", "child completion errors build cell commands reference support"),
        ("toy", ""),
        ("child", "errors build cell support"),
        ("completion", "build cell commands reference"),
        ("errors", "build cell support"),
        ("build", "reference support"),
        ("cell", "commands support"),
        ("commands", "support"),
        ("reference", "support"),
        ("support", ""),
    ],
};

const CELL: House = House {
    folder: "src/evaluator/cell",
    module: &["evaluator", "cell"],
    most: 16,
    rooms: &[
        ("changed_types", "prepared items"),
        ("only_items", "prepared rewrites parse"),
        ("second_tries", "prepared rewrites items"),
        ("subshell", "prepared notebook parse"),
        ("variable_types", "prepared parse"),
        ("prepared", "rewrites map notebook items parse"),
        ("rewrites", "map notebook items parse"),
        ("map", "parse"),
        ("notebook", "items"),
        ("items", "parse"),
        ("parse", ""),
    ],
};

const DISPATCHER: House = House {
    folder: "src/dispatcher",
    module: &["dispatcher"],
    most: 16,
    rooms: &[
        ("comms", "event"),
        ("execute", "shells"),
        ("history", "history_store"),
        ("input", ""),
        ("outbox", ""),
        ("output", "content late_output printed utf8"),
        ("requests", "event"),
        ("subshells", ""),
        ("usage", ""),
        ("content", ""),
        ("event", ""),
        ("history_store", ""),
        ("late_output", ""),
        ("printed", ""),
        ("shells", ""),
        ("utf8", ""),
    ],
};

const CHILD: House = House {
    folder: "src/child",
    module: &[],
    most: 16,
    rooms: &[
        ("cells", "runtime descriptors dl loading"),
        ("runtime", "descriptors dl interpose loading stacks fatal"),
        ("descriptors", ""),
        ("dl", ""),
        ("interpose", ""),
        ("loading", ""),
        ("stacks", "fatal"),
        ("fatal", ""),
    ],
};

const HOUSES: [&House; 6] = [&RUNTIME, &PROGRAM, &EVALUATOR, &CELL, &DISPATCHER, &CHILD];

#[test]
fn rooms_use_only_what_their_lists_name() {
    for house in HOUSES {
        let files: Vec<(String, String)> = sources(&[house.folder]);
        let found = arrows(house, &files);
        let listed = house.listed();
        let new: Vec<_> = found.difference(&listed).collect();
        assert!(
            new.is_empty(),
            "{}: these arrows are not in the list of tests/it/tidy/rooms.rs: {new:?}",
            house.folder
        );
        let old: Vec<_> = listed.difference(&found).collect();
        assert!(old.is_empty(), "{}: nothing needs these arrows any more, take them out: {old:?}", house.folder);
    }
}

#[test]
fn the_lists_go_down_only() {
    for house in HOUSES {
        let order: Vec<&str> = house.rooms.iter().map(|(room, _)| *room).collect();
        let line = |room: &str| order.iter().position(|known| *known == room).unwrap_or(usize::MAX);
        let up: Vec<_> = house.listed().into_iter().filter(|(from, to)| line(from) >= line(to)).collect();
        assert!(up.is_empty(), "{}: these arrows go up, which closes circles: {up:?}", house.folder);
    }
}

#[test]
fn no_folder_is_a_hall() {
    for house in HOUSES {
        let rooms: BTreeSet<String> =
            sources(&[house.folder]).iter().filter_map(|(path, _)| house.place(path)?.first().cloned()).collect();
        let listed: BTreeSet<String> = house.rooms.iter().map(|(room, _)| (*room).to_owned()).collect();
        assert_eq!(rooms, listed, "the rooms of {}", house.folder);
        assert!(rooms.len() <= house.most, "{} has {} rooms, of {}", house.folder, rooms.len(), house.most);
    }
}

#[test]
fn an_arrow_is_seen_however_it_is_written() {
    let house = House { folder: "src", module: &["m"], most: 9, rooms: &[] };
    let file = |path: &str, text: &str| (format!("src/{path}"), text.to_owned());
    let of = |text: &str| {
        let files = [
            file("mod.rs", "mod a; mod b; mod c; pub use c::inner::Thing;"),
            file("a/deep.rs", text),
            file("b.rs", ""),
            file("c/mod.rs", ""),
        ];
        arrows(&house, &files).into_iter().map(|(from, to)| format!("{from}>{to}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("use crate::m::{b::x, c as d};"), "a>b a>c");
    assert_eq!(of("use super::super::b;"), "a>b");
    assert_eq!(of("fn f() { crate::m::b::x(super::near::y()) }"), "a>b");
    assert_eq!(of("macro_rules! x { () => { $crate::m::c::y() } }"), "a>c");
    assert_eq!(of("fn f(_: crate::m::Thing) {}"), "a>c", "what the root re-exports");
    assert_eq!(of("use crate::other::b; // crate::m::b::x\n const C: &str = \"crate::m::b::x\";"), "");
    assert_eq!(of("#[cfg(test)]\nmod tests { use crate::m::b::x; }"), "");
}

impl House {
    fn listed(&self) -> BTreeSet<(String, String)> {
        let pairs = self.rooms.iter().flat_map(|(from, to)| to.split_whitespace().map(|to| (*from, to)));
        pairs.map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
    }

    /// The module that a file is, below the root module; `None` for tests.
    fn place(&self, path: &str) -> Option<Vec<String>> {
        let below = path.strip_prefix(self.folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
        let mut place: Vec<String> = below.split('/').map(str::to_owned).collect();
        if place.iter().any(|part| part.ends_with("tests")) {
            return None;
        }
        let is_root = place.len() == 1 && matches!(place[0].as_str(), "lib" | "main");
        if is_root || place.last().is_some_and(|last| last == "mod") {
            place.pop();
        }
        Some(place)
    }
}

/// All pairs of rooms of which the first uses the second.
fn arrows(house: &House, files: &[(String, String)]) -> BTreeSet<(String, String)> {
    let modules: BTreeMap<Vec<String>, Vec<Vec<String>>> =
        files.iter().filter_map(|(path, text)| Some((house.place(path)?, paths(text)))).collect();
    let rooms: BTreeSet<&String> = modules.keys().filter_map(|place| place.first()).collect();
    let root = modules.get(&Vec::new()).into_iter().flatten();
    let re_exports: BTreeMap<&String, &String> = root
        .filter(|path| path.len() > 1 && rooms.contains(&path[0]))
        .filter_map(|p| Some((p.last()?, &p[0])))
        .collect();
    let mut arrows = BTreeSet::new();
    for (place, paths) in modules.iter().filter(|(place, _)| !place.is_empty()) {
        for path in paths {
            let Some(target) = resolve(house, place, path).and_then(|path| path.into_iter().next()) else { continue };
            let room = rooms.get(&target).copied().or_else(|| re_exports.get(&target).copied());
            if let Some(room) = room.filter(|room| **room != place[0]) {
                arrows.insert((place[0].clone(), room.clone()));
            }
        }
    }
    arrows
}

/// What a path names, from the root module on; `None` if that is elsewhere.
fn resolve(house: &House, place: &[String], path: &[String]) -> Option<Vec<String>> {
    let up = path.iter().take_while(|part| *part == "super").count();
    match path.first()?.as_str() {
        "crate" => {
            let inside =
                path[1..].strip_prefix(&*house.module.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>())?;
            Some(inside.to_vec())
        }
        "super" => Some([place.get(..place.len().checked_sub(up)?)?, &path[up..]].concat()),
        _ => None,
    }
}

/// All paths in the code of a file: what each `use` names, and whatever begins with `crate` or `super`.
fn paths(text: &str) -> Vec<Vec<String>> {
    let tokens = code(text);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_path = matches!(tokens[at].as_str(), "crate" | "super") && (at == 0 || tokens[at - 1] != "::");
        if tokens[at] == "use" {
            at = used(&tokens, at + 1, &mut Vec::new(), &mut paths);
        } else if is_path {
            let mut path = vec![tokens[at].clone()];
            while tokens.get(at + 1).is_some_and(|next| next == "::")
                && tokens.get(at + 2).is_some_and(|next| is_name(next))
            {
                at += 2;
                path.push(tokens[at].clone());
            }
            paths.push(path);
        }
        at += 1;
    }
    paths
}

/// Reads the tree of a `use` that stands at `at`, below `prefix`; gives where it ends.
fn used(tokens: &[String], mut at: usize, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let before = prefix.len();
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "{" => loop {
                at = used(tokens, at + 1, prefix, paths);
                if tokens.get(at).is_none_or(|token| token != ",") {
                    at += 1;
                    break;
                }
            },
            "::" => at += 1,
            "as" => at += 2,
            "self" | "*" => at += 1,
            name if is_name(name) => {
                prefix.push(name.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    paths.push(prefix.clone());
    prefix.truncate(before);
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The tokens of a file, without comments, strings and what is only compiled for tests.
fn code(text: &str) -> Vec<String> {
    let file = SourceFile::parse(text, Edition::Edition2024).syntax_node();
    let tokens = file.descendants_with_tokens().filter_map(NodeOrToken::into_token);
    let is_code = |token: &SyntaxToken| {
        !token.kind().is_trivia()
            && !matches!(token.kind(), SyntaxKind::STRING | SyntaxKind::BYTE_STRING)
            && !is_of_tests(token)
    };
    let mut joined: Vec<String> = Vec::new();
    for token in tokens.filter(is_code) {
        // The tokens of macros are single characters.
        if token.text() == ":" && joined.last().is_some_and(|last| last == ":") {
            joined.pop();
            joined.push("::".to_owned());
        } else {
            joined.push(token.text().to_owned());
        }
    }
    joined
}

/// Whether a token stands in an item that has `#[cfg(test)]`.
fn is_of_tests(token: &SyntaxToken) -> bool {
    token.parent_ancestors().any(|node| {
        let Some(item) = ast::Item::cast(node) else { return false };
        item.attrs().map(|attribute| attribute.to_string()).any(|text| text.replace(' ', "") == "#[cfg(test)]")
    })
}
