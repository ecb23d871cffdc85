"""A hundred mutated and broken cells. An error with a line, nothing lost, no panic."""

import random

import pytest

SOUND = [
    'let x = vec![1, 2, 3];\nprintln!("{:?}", x);',
    "async fn f(n: u32) -> u32 {\n    async_std::task::yield_now().await;\n    n\n}\nf(1).await",
    '#[derive(Debug)]\nstruct P { a: u8 }\nimpl P {\n    fn new() -> Self { P { a: 1 } }\n}\nformat!("{:?}", P::new())',
    "match 3 {\n    1 => 'a',\n    _ => '🦀',\n}",
    'let s = r#"raw "text""#;\n/* a /* nested */ comment */\ns.len()',
]

# A cell, and the line that its error must name; `None` where any line will do.
BROKEN = {
    "string": ('let a = 1;\nlet s = "never closed;\nlet b = 2;', 2),
    "raw string": ('let s = r#"never closed";', 1),
    "comment": ("let a = 1;\n/* never closed", 2),
    "nested comment": ("/* /* */ 1", 1),
    "character": ("let a = 1;\nlet c = 'ab';", 2),
    "brace": ("fn f() {\n    if true {\n}", 2),
    "lone brace": ("let a = 1;\n}", 2),
    "bracket": ("let a = [1, 2;\nlet b = 3;", 1),
    "windows lines": ("let a = 1;\r\nlet b: u8 = \"x\";\r\n", 2),
    "emoji before": ('let a = "🦀🦀";\nlet b: u8 = "🦀";', 2),
    "byte order mark": ("\ufefflet a: u8 = \"x\";", 1),
    "shebang": ("#!/usr/bin/env run\nlet a: u8 = \"x\";", 2),
    "tabs": ("\tlet a = 1;\n\t\tlet b: u8 = \"x\";", 2),
    "a line of a megabyte": (f'let a = "{"x" * 1_000_000}";\nlet b: u8 = "x";', 2),
    "null character": ("let a = 1;\n\0", 2),
    "two files of code": ("mod m { pub fn f() {} }\nm::g()", 2),
    "unicode name": ("let größe: u8 = \"x\";", 1),
}

UNBROKEN = {
    "byte order mark": "\ufeff1 + 1",
    "shebang": "#!/usr/bin/env run\n1 + 1",
    "windows lines": "let a = 1;\r\na + 1\r\n",
    "a line of hashes": "# a line for a grading tool\n1 + 1",
    "nothing but a comment": "// nothing\n",
    "nothing": "",
    "white space": "\n \n\t\n",
}


@pytest.fixture(scope="module")
def with_a_variable(module_kernel):
    module_kernel.run("let kept = 7;").ok()


@pytest.fixture
def kept(with_a_variable, kernel):
    """A kernel with a variable, which must be there in the end."""
    yield kernel
    assert kernel.run("kept").ok().text == "7"


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_cell_is_an_error_with_its_line(kept, what):
    code, line = BROKEN[what]
    result = kept.run(code)
    assert (result.status, result.reply["ename"]) == ("error", "CompileError"), str(result)
    assert f":{line}:" in result.report, result.report[:2000]


@pytest.mark.parametrize("what", UNBROKEN)
def test_what_is_unusual_but_sound_runs(kept, what):
    result = kept.run(UNBROKEN[what]).ok()
    assert result.text in (None, "2")


def test_a_hundred_mutated_cells(kept):
    chance = random.Random(14)
    for _ in range(100):
        code = mutated(chance, chance.choice(SOUND))
        result = kept.run(code)
        assert result.status in ("ok", "error"), code
        if result.status == "error":
            assert result.reply["ename"] in ("CompileError", "Panic", "CommandError"), f"{code}\n{result}"
    assert kept.run("kept + 1").ok().text == "8"


def mutated(chance, code):
    """The code with one to three pieces cut out, doubled, or exchanged for a character that opens or closes something."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(code))
        end = min(len(code), at + chance.randint(1, 5))
        piece = chance.choice(["", code[at:end] * 2, *"\"'{}()[]/*#\\;`é🦀"])
        code = code[:at] + piece + code[end:]
    return code
