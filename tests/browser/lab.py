"""A JupyterLab server, and a notebook in a browser as a person uses it: by menus, buttons and keys."""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from playwright.sync_api import TimeoutError as PlaywrightTimeout

# Machines differ in speed; every deadline grows with this.
SLACK = float(os.environ.get("LOOPBOOK_TEST_SLACK", "4"))
SERVER_DEADLINE = 15 * SLACK
CELL_DEADLINE = 30 * SLACK
NOTEBOOK_DEADLINE = 120 * SLACK
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KERNEL_STATUS = """() => {
    const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return session?.isReady ? session.session?.kernel?.status : "no kernel";
}"""
# All cells are in the page at once, where a person would scroll; nothing asks about news.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none", "kernelShutdown": True},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


def find_browser():
    """The Chromium to use: `LOOPBOOK_CHROMIUM`, else the first one in PATH, else `None`."""
    return os.environ.get("LOOPBOOK_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def running_lab(place, notebooks, log):
    """A JupyterLab whose configuration and settings are in `place`. Gives its address."""
    for name, content in SETTINGS.items():
        file = place / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "run",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    port, token = free_port(), secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.root_dir={notebooks}", "--LabApp.expose_app_in_browser=True"]
    with open(log, "wb") as output:
        environment = {**os.environ, **{name: str(place / folder) for name, folder in own.items()}}
        server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_for_server(server, f"http://127.0.0.1:{port}/api/status?token={token}", log)
        yield Address(f"http://127.0.0.1:{port}/lab", token)
    finally:
        server.terminate()
        server.wait(SERVER_DEADLINE)


class Address:
    """Where a JupyterLab is."""

    def __init__(self, base, token):
        self.base, self.token = base, token

    def of(self, name, workspace=None):
        """Opens one notebook, in a layout of its own: the workspace's, if it is given."""
        return f"{self.base}/workspaces/{workspace or pathlib.Path(name).stem}/tree/{name}?token={self.token}"


    def of_notebook_7(self, name):
        """Opens one notebook in Jupyter Notebook, which the same server serves."""
        return f"{self.base.removesuffix('/lab')}/notebooks/{name}?token={self.token}"


class Notebook:
    """A notebook that is open in a page, until the end of the `with`. Cells are counted from 0, code cells only."""

    def __init__(self, page, address, name, workspace=None):
        self.page, self.name = page, name
        page.goto(address.of(name, workspace))
        self._find_panel()

    def _find_panel(self, statuses=("idle",)):
        self.panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.panel.locator(".jp-Cell").first.wait_for(timeout=SERVER_DEADLINE * 1000)
        # What is run before there is a kernel makes JupyterLab ask for one.
        self.wait_for(lambda: self.kernel_status() in statuses, "the kernel to be there", SERVER_DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()

    def save(self):
        """Writes the notebook to the disk."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")

    def reload(self):
        """Loads the page again, as with F5; the kernel runs on."""
        self.page.reload()
        self._find_panel(("idle", "busy"))

    def code_cell(self, index):
        return self.panel.locator(".jp-CodeCell").nth(index)

    def outputs(self, index):
        """The output area of a code cell."""
        return self.code_cell(index).locator(".jp-Cell-outputArea")

    def text(self, index):
        """What a person reads below a code cell."""
        return self.outputs(index).inner_text().replace("\xa0", " ")

    def shown(self):
        """What a person reads below each code cell."""
        return [self.text(index).strip() for index in range(self.panel.locator(".jp-CodeCell").count())]

    def source(self, index):
        return self.code_cell(index).locator(".cm-content").inner_text()

    def prompt(self, index):
        """`[3]:`, or `[*]:` while the cell runs or waits."""
        return self.code_cell(index).locator(".jp-InputPrompt").inner_text().strip()

    def kernel_status(self):
        """What JupyterLab knows of the kernel: `idle`, `busy`, …; its own indicator shows `idle` before there is one."""
        return self.page.evaluate(KERNEL_STATUS)

    def menu(self, *path):
        """Chooses an entry of the menu bar."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=path[0]).first.click()
        self.page.locator(".lm-Menu-itemLabel").get_by_text(path[1], exact=True).click()

    def choose_theme(self, name):
        """Colours the page by one of JupyterLab's themes, `Light` or `Dark`."""
        command = "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: `JupyterLab ${name}`})"
        self.page.evaluate(command, name)
        is_light = str(name == "Light").lower()
        self.page.locator(f"body[data-jp-theme-light='{is_light}']").wait_for(state="attached", timeout=SERVER_DEADLINE * 1000)

    def accept_dialog(self):
        self.page.locator(".jp-Dialog .jp-mod-accept").click()

    def press_stop(self):
        """The square in the toolbar."""
        self.panel.locator("[data-jp-item-name='interrupt']").click()

    def box(self, index):
        """Where the person types what a cell asks for."""
        return self.outputs(index).locator(".jp-Stdin-input")

    def answer(self, index, text):
        """Types into the box when it is there. Gives the kind of the box: `text` or `password`."""
        box = self.box(index)
        box.wait_for(timeout=CELL_DEADLINE * 1000)
        kind = box.get_attribute("type") or "text"
        self._type_into(box, text)
        return kind

    def _type_into(self, box, text, deadline=CELL_DEADLINE):
        box.fill(text, timeout=deadline * 1000)
        # Not `box.press`: JupyterLab takes the box away with the key, and Playwright would wait for another one.
        self.page.keyboard.press("Enter")

    def write_last(self, source):
        """Replaces what is in the last code cell. Gives its index."""
        index = self.panel.locator(".jp-CodeCell").count() - 1
        self.code_cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        # Typing would have brackets closed and lines indented by the editor.
        self.page.keyboard.insert_text(source)
        return index

    def start_last(self, source):
        """Runs code in the last code cell and does not wait for it."""
        index = self.write_last(source)
        before = self.prompt(index)
        self.page.keyboard.press("Control+Enter")
        # It may be done before anybody looks: then it has another number.
        self.wait_for(lambda: self.prompt(index) != before, "the cell to start")
        return index

    def run_last(self, source):
        """Runs code in the last code cell. Gives what is shown below it."""
        index = self.start_last(source)
        self.wait_until_done()
        return self.text(index)

    def run_all(self, *menu):
        """Runs all cells by an entry of the menu bar and waits for them."""
        self.menu(*(menu or ("Run", "Run All Cells")))
        if "Restart" in "".join(menu):
            self.accept_dialog()
        self.wait_for(lambda: self.waiting() > 0, "the first cell to start")
        self.wait_for(lambda: self._answer_if_asked() or self.is_done(), "all cells to end", NOTEBOOK_DEADLINE)

    def _answer_if_asked(self):
        """Types a name into the box of a cell that asks, as a person would who runs a notebook. False: that ends nothing."""
        box = self.panel.locator(".jp-Stdin-input")
        if box.count():
            # A box that has just been answered may still be there; when it goes, nothing is to be waited for.
            with contextlib.suppress(PlaywrightTimeout):
                self._type_into(box.first, "Ada", 2)
        return False

    def waiting(self):
        """How many cells run or wait."""
        return self.panel.locator(".jp-InputPrompt").get_by_text("[*]:", exact=True).count()

    def wait_until_done(self, deadline=CELL_DEADLINE):
        self.wait_for(self.is_done, "all cells to end", deadline)

    def is_done(self):
        """Whether no cell runs or waits."""
        return self.waiting() == 0 and self.kernel_status() == "idle"

    def wait_for(self, condition, what, deadline=CELL_DEADLINE):
        end = time.monotonic() + deadline
        while not condition():
            assert time.monotonic() < end, f"waited {deadline:.0f} s for {what}"
            # Playwright handles the page's events only while it is asked something.
            self.page.wait_for_timeout(50)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(server, address, log):
    end = time.monotonic() + SERVER_DEADLINE
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        assert server.poll() is None and time.monotonic() < end, f"JupyterLab does not start:\n{log.read_text()}"
        time.sleep(0.2)
