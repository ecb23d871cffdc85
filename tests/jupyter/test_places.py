"""Code that asks where it stands is told its cell, and what replaces an earlier definition is recognised however it is written."""

import pytest


def number(result):
    return result.reply["execution_count"]


def test_dbg_tells_the_place_in_the_cell(kernel):
    result = kernel.run("dbg!(1 + 1)").ok()
    assert result.stderr == f"[In[{number(result)}]:1:1] 1 + 1 = 2\n"
    assert result.text == "2"


def test_dbg_in_other_macros_functions_and_with_several_values(kernel):
    result = kernel.run('struct P;\nlet pair = dbg!("a", vec![1]);\nprintln!("{}", std::dbg!(3));\ndbg!();').ok()
    n = number(result)
    lines = result.stderr.splitlines()
    assert lines[0] == f'[In[{n}]:2:12] "a" = "a"' and lines[1] == f"[In[{n}]:2:12] vec![1] = ["
    assert f"[In[{n}]:3:16] 3 = 3" in lines and lines[-1] == f"[In[{n}]:4:1]"
    assert kernel.run("pair.1").ok().text == "[1]"


def test_a_question_mark_in_dbg_is_shown_as_typed(kernel):
    result = kernel.run('let parsed = dbg!("7".parse::<i32>()?);').ok()
    assert result.stderr == f'[In[{number(result)}]:1:14] "7".parse::<i32>()? = 7\n'


def test_a_function_of_an_earlier_cell_tells_its_own_place(kernel):
    defined = number(kernel.run("fn place() -> (&'static str, u32, u32) {\n    (file!(), line!(), column!())\n}\nfn debug() { dbg!(1); }").ok())
    assert kernel.run("place()").ok().text == f'("In[{defined}]", 2, 24)'
    assert kernel.run("debug()").ok().stderr == f"[In[{defined}]:4:14] 1 = 1\n"


def test_places_are_constants_and_pieces_of_text(kernel):
    result = kernel.run('const LINE: u32 = line!();\nconst PLACE: &str = concat!(file!(), ":", line!());\nformat!("{LINE} {PLACE} {}", column!())').ok()
    assert result.text == f'"1 In[{number(result)}]:2 30"'


def test_a_macro_of_that_name_is_the_users(kernel):
    kernel.run("macro_rules! line { () => { \"mine\" } }").ok()
    assert kernel.run("line!()").ok().text == '"mine"'


# What a block is replaced by, and what then holds.
BLOCKS = {
    "names and places of bounds": (
        "trait Mammal { fn name(&self) -> String; }\nstruct Dog; impl Mammal for Dog { fn name(&self) -> String { \"dog\".into() } }",
        "impl<T: Mammal> Mammal for Vec<T> { fn name(&self) -> String { \"old\".into() } }",
        "impl<M> Mammal for Vec<M> where M: Mammal { fn name(&self) -> String { format!(\"{} {}s\", self.len(), self[0].name()) } }",
        "vec![Dog, Dog].name()",
        '"2 dogs"',
    ),
    "lifetimes": (
        "trait Size { fn size(&self) -> usize; } struct Part<'a>(&'a str);",
        "impl<'a> Size for Part<'a> { fn size(&self) -> usize { 0 } }",
        "impl Size for Part<'_> { fn size(&self) -> usize { self.0.len() } }",
        'Part("four").size()',
        "4",
    ),
    "constants": (
        "trait Count { fn count(&self) -> usize; }",
        "impl<const N: usize> Count for [u8; N] { fn count(&self) -> usize { 0 } }",
        "impl<const LEN: usize> crate::Count for [u8; LEN] { fn count(&self) -> usize { LEN } }",
        "[1u8, 2, 3].count()",
        "3",
    ),
    "a type's own": (
        "struct Pair<T>(T, T);",
        "impl<T> Pair<T> { fn sum(self) -> u32 where T: Into<u32> { 0 } }",
        "impl<N: Into<u32>> Pair<N> { fn sum(self) -> u32 { self.0.into() + self.1.into() } }",
        "Pair(1u8, 2u8).sum()",
        "3",
    ),
}


@pytest.mark.parametrize("what", BLOCKS)
def test_an_edited_impl_replaces_the_one_before(kernel, what):
    types, first, second, asked, answer = BLOCKS[what]
    for code in (types, first, second):
        kernel.run(code).ok()
    assert kernel.run(asked).ok().text == answer


@pytest.mark.parametrize(
    "code, line, words",
    [
        ("#[derive(Debug)]", 1, "expected item after attributes"),
        ("let kept = 1;\n\n#[derive(Debug)]\n", 3, "expected item after attributes"),
        ("/// What it is.", 1, "expected item after doc comment"),
        ("fn f() {}\n/// What it is.\n", 2, "expected item after doc comment"),
    ],
)
def test_what_belongs_to_no_item_is_told_in_the_compilers_words(kernel, code, line, words):
    result = kernel.run(code)
    assert result.reply["ename"] == "CompileError"
    assert words in result.reply["evalue"] and f"In[{number(result)}], line {line}" in result.reply["evalue"]
