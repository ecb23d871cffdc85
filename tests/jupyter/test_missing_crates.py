"""A cell that names a crate which the notebook does not have says the line that adds it; nothing is fetched or compiled."""

import pytest

from client import CELL_DEADLINE
from starting import compiled_crates
from test_crates import registry_is_reachable

# What a cell says, and the line that is the answer.
MISSING = {
    "use rand::Rng;": '`:dep rand = "0.9"`',
    "use ::rand::Rng;": '`:dep rand = "0.9"`',
    "use rand as r;": '`:dep rand = "0.9"`',
    "let x: f64 = rand::random();": '`:dep rand = "0.9"`',
    "rand::random::<f64>()": '`:dep rand = "0.9"`',
    "fn f() -> f64 { rand::random() }": '`:dep rand = "0.9"`',
    "extern crate rand;": '`:dep rand = "0.9"`',
    "#[macro_use] extern crate rand as r;": '`:dep rand = "0.9"`',
    "use tokio_util::codec::Decoder;": '`:dep tokio-util = { version = "0.7", features = ["full"] }`',
    "use serde::{Serialize, Deserialize};": '`:dep serde = { version = "1", features = ["derive"] }`',
    "#[derive(Debug, Serialize)] struct S { a: u8 }": '`:dep serde = { version = "1", features = ["derive"] }`',
    "#[derive(serde::Serialize)] struct S { a: u8 }": '`:dep serde = { version = "1", features = ["derive"] }`',
    "struct S; impl serde::Serialize for S {}": '`:dep serde = { version = "1", features = ["derive"] }`',
    "let s: Option<serde_json::Value> = None;": '`:dep serde_json = "1"`',
    'anyhow!("x")': '`:dep anyhow = "1"`',
    'anyhow::anyhow!("x")': '`:dep anyhow = "1"`',
    "#[async_trait] trait T { async fn f(&self); }": '`:dep async-trait = "0.1"`',
    "mod m { use regex::Regex; }": '`:dep regex = "1"`',
    "use such_a_crate_is_not_known::X;": "if `such_a_crate_is_not_known` is a crate, `:dep such_a_crate_is_not_known`",
}


@pytest.mark.parametrize("code", MISSING)
def test_a_missing_crate_is_answered_with_the_line_that_adds_it(kernel, code):
    compiled = len(compiled_crates(kernel.pid))
    result = kernel.run(code)
    assert result.status == "error" and MISSING[code] in result.report, str(result)
    assert "cargo add" not in result.report and "Cargo.toml" not in result.report, str(result)
    assert set(compiled_crates(kernel.pid)[compiled:]) <= {"ctx"}, "nothing but the cell"
    assert kernel.run("1 + 1").ok().text == "2"


def test_a_crate_of_the_compilers_needs_no_extern_crate(kernel):
    result = kernel.run("extern crate alloc;")
    assert result.status == "error" and "use std as alloc;" in result.report, str(result)
    assert kernel.run("use std as alloc;\nalloc::vec::Vec::<u8>::new().len()").ok().text == "0"


def test_what_is_advised_works(fresh_kernel):
    if not registry_is_reachable():
        pytest.skip("new dependencies need a network, and there is none")
    code = "use serde::Serialize;\n#[derive(Serialize)] struct S { a: u8 }"
    report = fresh_kernel.run(code).report
    line = report.split("`:dep ")[1].split("` in")[0]
    fresh_kernel.run(f":dep {line}\n{code}", timeout=10 * CELL_DEADLINE).ok()
    fresh_kernel.run("extern crate serde;\nlet s = S { a: 1 };").ok()
    assert fresh_kernel.run("s.a").ok().text == "1"
