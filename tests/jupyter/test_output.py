"""Whatever is printed arrives, whole and in order, before the reply."""

import pytest

MARKERS = [
    "EVCXR_EXECUTION_COMPLETE",
    "EVCXR_PANIC_NOTIFICATION",
    "EVCXR_ERROR_OCCURRED",
    "EVCXR_VARIABLE_CHANGED_TYPE:x",
    "EVCXR_INPUT_REQUEST:name",
    "EVCXR_BEGIN_CONTENT text/plain",
    "EVCXR_END_CONTENT",
]

PROGRESS = r"""
use std::time::Duration;
for percent in [0, 50, 100] {
    print!("{percent}%\r");
    std::thread::sleep(Duration::from_millis(600));
}
println!("done");
"""


def test_partial_lines_arrive_before_the_cell_ends(kernel):
    result = kernel.run(PROGRESS).ok()
    assert result.stdout == "0%\r50%\r100%\rdone\n"
    messages = [m for m in result.messages if m.type == "stream"]
    arrival = {text: next(m.at for m in messages if text in m.content["text"]) for text in ("0%", "50%", "done")}
    assert arrival["done"] - arrival["50%"] > 0.8, "each part arrives when it is printed, not with the next newline"
    assert arrival["50%"] - arrival["0%"] > 0.3


def test_a_hundred_thousand_lines_come_in_few_messages(kernel):
    result = kernel.run('for n in 0..100_000 { println!("line {n}"); }').ok()
    assert result.stdout == "".join(f"line {n}\n" for n in range(100_000))
    assert len(result.messages) < 1_000


def test_a_line_of_ten_megabytes_arrives_whole(kernel):
    result = kernel.run('println!("{}", "x".repeat(10_000_000));').ok()
    assert len(result.stdout) == 10_000_001 and set(result.stdout) == {"x", "\n"}


def test_bytes_that_are_not_utf8_are_replaced(kernel):
    code = r'use std::io::Write; std::io::stdout().write_all(b"before \xff\xfe after \xc3\xa9\n").unwrap();'
    assert kernel.run(code).ok().stdout == "before \ufffd\ufffd after é\n"


def test_a_character_split_between_writes_is_put_together(kernel):
    code = r"""
    use std::io::Write;
    for byte in "é€🦀".bytes() { std::io::stdout().write_all(&[byte]).unwrap(); std::io::stdout().flush().unwrap(); }
    """
    assert kernel.run(code).ok().stdout == "é€🦀"


@pytest.mark.parametrize("marker", MARKERS)
def test_text_like_the_markers_of_evcxr_is_text(kernel, marker):
    result = kernel.run(f'let kept = 7; println!("a"); println!("{marker}"); eprintln!("{marker}"); println!("b");').ok()
    assert result.stdout == f"a\n{marker}\nb\n"
    assert result.stderr == f"{marker}\n"
    assert kernel.run("kept + 1").ok().text == "8", "the variable of that cell is there"


def test_c_code_writes_to_the_same_stream(kernel):
    code = r"""
    unsafe extern "C" {
        fn write(fd: i32, data: *const u8, len: usize) -> isize;
        fn puts(text: *const std::ffi::c_char) -> i32;
    }
    println!("rust 1");
    unsafe { write(1, b"c\n".as_ptr(), 2) };
    println!("rust 2");
    unsafe { write(2, b"c error\n".as_ptr(), 8); puts(c"buffered".as_ptr()) };
    """
    result = kernel.run(code).ok()
    assert result.stdout.startswith("rust 1\nc\nrust 2\n") and "buffered\n" in result.stdout
    assert result.stderr == "c error\n"


def test_a_grandchild_writes_to_the_same_stream(kernel):
    result = kernel.run('std::process::Command::new("echo").arg("from a process").status().unwrap();').ok()
    assert result.stdout == "from a process\n"


def test_stdout_stderr_and_displays_keep_their_order(kernel):
    code = 'println!("a"); loopbook::display("x"); eprintln!("b"); println!("c");'
    kernel.run(code).ok()
    in_a_loop = "for _ in 0..100 { " + code + " }"
    result = kernel.run(in_a_loop).ok()
    # The c of one round and the a of the next are one piece of stdout.
    rounds = [("display", None), ("stderr", "b\n"), ("stdout", "c\na\n")] * 100
    expected = [("stdout", "a\n"), *rounds[:-1], ("stdout", "c\n")]
    assert [(kind, None if kind == "display" else text) for kind, text in result.outputs] == expected


def test_the_order_holds_in_cell_after_cell(kernel):
    code = 'println!("a"); loopbook::display("x"); eprintln!("b"); println!("c");'
    for _ in range(20):
        assert [kind for kind, _ in kernel.run(code).ok().outputs] == ["stdout", "display", "stderr", "stdout"]


def test_a_display_is_updated_in_place_and_cleared(kernel):
    code = """
    let shown = loopbook::display("first");
    shown.update("second");
    loopbook::clear_output(true);
    loopbook::display_as("text/html", "<b>third</b>");
    """
    result = kernel.run(code).ok()
    assert [kind for kind, _ in result.outputs] == ["display", "update", "clear", "display"]
    first, update = [m for m in result.messages if m.type.endswith("display_data")][:2]
    assert first.content["transient"]["display_id"] == update.content["transient"]["display_id"]
    assert result.displays[1]["text/html"] == "<b>third</b>"
