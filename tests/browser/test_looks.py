"""What a person sees, by day and by night: whether all of it can be read, and what stands where."""

import pytest

# What a person can read needs a contrast of 4.5 (WCAG AA); the themes' own ANSI colours have less.
LEAST_CONTRAST = 3.0
CONTRASTS = """area => {
    const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
    const light = ([red, green, blue]) => [red, green, blue].map(part => part / 255)
        .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = element => {
        for (; element; element = element.parentElement) {
            const colour = numbers(getComputedStyle(element).backgroundColor);
            if (colour.length == 3 || colour[3] > 0.5) return colour;
        }
        return [255, 255, 255];
    };
    const texts = [...area.querySelectorAll("*")].filter(element =>
        [...element.childNodes].some(child => child.nodeType == 3 && child.textContent.trim()));
    return texts.filter(element => element.offsetParent).map(element => {
        const pair = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
        return [(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), element.textContent.trim().slice(0, 40)];
    });
}"""
EVERYTHING = """println!("printed");
eprintln!("warned");
loopbook::display_as("text/html", "<b>bold</b>");
for step in loopbook::progress(0..3) { let _ = step; }
1 + 1"""


@pytest.fixture(params=["Light", "Dark"])
def theme(request, notebook):
    notebook.choose_theme(request.param)
    return request.param


def test_everything_can_be_read_in_a_light_and_in_a_dark_page(notebook, theme, logs):
    for name, source in {
        "outputs": EVERYTHING,
        "tasks": "async_std::task::spawn(async_std::task::sleep(std::time::Duration::from_secs(60)));\n:tasks",
        "compile-error": 'let number: u32 = "text";',
        "panic": 'panic!("on purpose")',
        "failed": 'let number: u32 = "text".parse()?;',
        "lints": ":lints",
        "help": ":help",
        "variables": "let kept = vec![1, 2, 3];\n:vars",
    }.items():
        notebook.run_last(source)
        notebook.page.screenshot(path=logs / f"{theme}-{name}.png")
        seen = notebook.outputs(0).evaluate(CONTRASTS)
        assert seen, f"{name} shows nothing"
        assert not [text for text in seen if text[0] < LEAST_CONTRAST], name
