"""The same in Jupyter Notebook 7, where a notebook has the page for itself."""

from playwright.sync_api import expect

from lab import CELL_DEADLINE

WAITS = CELL_DEADLINE * 1000


def test_notebook_7_runs_asks_fails_and_stops(browser, lab, notebook, logs):
    page = browser.new_page(viewport=notebook.page.viewport_size)
    page.goto(lab.of_notebook_7(notebook.name))
    expect(page.locator(".jp-Toolbar-kernelName")).to_have_text("Rust (async)", timeout=WAITS)
    outputs = page.locator(".jp-Cell-outputArea")

    run(page, 0, "use async_std::task;\nlet kept = async_std::future::ready(41).await + 1;\nkept")
    expect(outputs.nth(0)).to_contain_text("42", timeout=WAITS)
    run(page, 1, 'let name = loopbook::input("Who? ").await?;\nprintln!("hello, {name}");')
    box = page.locator(".jp-Stdin-input")
    box.wait_for(timeout=WAITS)
    box.fill("Ada")
    box.press("Enter")
    expect(outputs.nth(1)).to_contain_text("hello, Ada", timeout=WAITS)
    run(page, 2, 'let number: u32 = "text";')
    expect(outputs.nth(2)).to_contain_text("mismatched types", timeout=WAITS)
    run(page, 3, 'println!("waiting");\ntask::sleep(std::time::Duration::from_secs(3600)).await;')
    expect(outputs.nth(3)).to_contain_text("waiting", timeout=WAITS)
    page.locator("[data-jp-item-name='interrupt']").click()
    expect(outputs.nth(3)).to_contain_text("Interrupted", timeout=WAITS)
    run(page, 4, ":tasks")
    expect(outputs.nth(4)).to_contain_text("tasks", timeout=WAITS)
    page.screenshot(path=logs / "notebook-7.png")
    page.close()


def run(page, index, source):
    """Writes code into a cell and runs it; the next cell comes by itself."""
    page.locator(".jp-CodeCell .cm-content").nth(index).click()
    page.keyboard.insert_text(source)
    page.keyboard.press("Shift+Enter")
