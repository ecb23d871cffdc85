"""Cells that ask. Every question goes through Jupyter's input box and ends, answered or not."""

READ_LINE = """
let mut line = String::new();
let count = std::io::stdin().read_line(&mut line).unwrap();
println!("{count} {line:?}");
"""


def test_read_line_asks_through_the_input_box(kernel):
    result = kernel.run(READ_LINE, answers=["Ada"]).ok()
    assert result.stdout == '4 "Ada\\n"\n'
    assert [question["password"] for question in result.questions] == [False]


def test_read_line_in_each_of_several_cells(kernel):
    for answer in ("one", "", "drei 🦀"):
        assert kernel.run(READ_LINE, answers=[answer]).ok().stdout.endswith(f'"{answer}\\n"\n')
    assert kernel.run("1 + 1").ok().text == "2", "no command of evcxr was eaten"


def test_two_lines_are_two_questions(kernel):
    code = """
    let lines: Vec<String> = std::io::stdin().lines().take(2).map(Result::unwrap).collect();
    println!("{lines:?}");
    """
    result = kernel.run(code, answers=["a", "b"]).ok()
    assert result.stdout == '["a", "b"]\n' and len(result.questions) == 2


def test_without_an_input_box_it_is_the_end_of_the_file(kernel):
    result = kernel.run(READ_LINE).ok()
    assert result.stdout == '0 ""\n'


def test_input_and_password_are_awaited(kernel):
    result = kernel.run('loopbook::input("name? ").await.unwrap()', answers=["Ada"]).ok()
    assert (result.text, result.questions[0]["prompt"]) == ('"Ada"', "name? ")
    result = kernel.run('loopbook::password("secret? ").await.unwrap()', answers=["x"]).ok()
    assert result.questions[0]["password"] is True


def test_tasks_run_while_a_cell_waits_for_an_answer(kernel):
    code = """
    use async_std::task;
    let other = task::spawn(async { task::sleep(std::time::Duration::from_millis(50)).await; println!("meanwhile"); });
    let answer = loopbook::input("").await.unwrap();
    other.await;
    answer
    """
    result = kernel.start(code, answers=["now"])
    kernel.until(lambda: "meanwhile" in result.stdout)
    assert result.reply is None
    assert kernel.wait(result, answers=["now"]).ok().text == '"now"'


def test_input_without_an_input_box_is_an_error_value(kernel):
    assert kernel.run('loopbook::input("name? ").await.is_err()').ok().text == "true"
