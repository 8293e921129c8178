"""Starts the lab on ports of its own and headless Chromium, runs all cells of a notebook, types into a new cell if it is
told to, and takes a picture. The notebook on the disk stays as it is."""

import argparse
import asyncio
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tornado.websocket import websocket_connect

PORTS = {"HAETAE_FLIGHT_PORT": "50951", "HAETAE_LAB_PORT": "8951"}
READY = """(() => {
    const panel = [...(window.jupyterapp?.shell?.widgets('main') ?? [])].find(widget => widget.sessionContext);
    if (!panel?.context.isReady || !panel.sessionContext.isReady || !panel.sessionContext.session?.kernel) return false;
    jupyterapp.shell.activateById(panel.id);
    return jupyterapp.shell.currentWidget === panel;
})()"""
CLEAR = "jupyterapp.commands.execute('notebook:clear-all-cell-outputs').then(() => true)"
BEGIN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells'); true"
RUN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)"
# Counted in the model: cells outside the window have no elements in the page.
STATE = """(() => {
    const cells = [...jupyterapp.shell.currentWidget.model.cells].filter(c => c.type === 'code');
    const outputs = c => c.toJSON().outputs;
    return {
        cells: cells.length,
        run: cells.filter(c => c.executionCount !== null).length,
        errors: cells.flatMap(outputs).filter(o => o.output_type === 'error').map(o => `${o.ename}: ${o.evalue}`),
    };
})()"""
SHOW_CELL = """(() => {{
    const content = jupyterapp.shell.currentWidget.content;
    content.activeCellIndex = {cell};
    return content.scrollToItem({cell}, 'start').then(() => true);
}})()"""
# The cursor is behind the text, as after typing it.
TYPE = """(async () => {{
    const content = jupyterapp.shell.currentWidget.content;
    content.activeCellIndex = {cell};
    await jupyterapp.commands.execute('notebook:insert-cell-below');
    await jupyterapp.commands.execute('notebook:enter-edit-mode');
    const cell = content.activeCell;
    await cell.ready;
    const text = {text};
    cell.model.sharedModel.setSource(text);
    await content.scrollToItem({cell}, 'start');
    cell.editor.focus();
    cell.editor.setCursorPosition(cell.editor.getPositionAt(text.length));
    return content.activeCellIndex;
}})()"""
# Of one cell: whether it runs, and whether there is something to be seen of it.
CELL = """(() => {{
    const cell = jupyterapp.shell.currentWidget.model.cells.get({cell});
    return {{running: cell.executionState === 'running', shown: cell.toJSON().outputs.length > 0}};
}})()"""
POPUP = "document.querySelector('.jp-Completer:not(.lm-mod-hidden) .jp-Completer-item, .jp-Tooltip') !== null"
ADDED = {"@jupyter/nbgrader": True, "@jupyter-notebook/lab-extension": True}
KEYS = {"Tab": 9, "Enter": 13}
SHIFT = 8
POPS_UP = ["Tab", "Shift+Tab"]
CHOOSE = "jupyterapp.shell.currentWidget.content.activeCellIndex = {cell}; true"
CLICK = """(() => {{
    const element = jupyterapp.shell.currentWidget.content.activeCell.node.querySelector({selector});
    element?.click();
    return Boolean(element);
}})()"""
# The cell that is active, with what has popped up over it.
BOX = """(() => {
    const cell = jupyterapp.shell.currentWidget.content.activeCell.node;
    const shown = [cell, ...document.querySelectorAll('.jp-Completer:not(.lm-mod-hidden), .jp-Tooltip')];
    const boxes = shown.map(element => element.getBoundingClientRect());
    const x = Math.min(...boxes.map(box => box.left)), y = Math.min(...boxes.map(box => box.top));
    const right = Math.max(...boxes.map(box => box.right)), bottom = Math.max(...boxes.map(box => box.bottom));
    return {x, y, width: right - x, height: Math.min(bottom, innerHeight) - y, scale: 1};
})()"""
HIDE_FILES = "jupyterapp.shell.collapseLeft(); jupyterapp.shell.currentWidget.content.deselectAll(); true"


class Page:
    """One tab, spoken to in the DevTools protocol."""

    def __init__(self, socket):
        self.socket, self.sent = socket, 0

    async def call(self, method, **parameters):
        self.sent += 1
        await self.socket.write_message(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while True:
            text = await self.socket.read_message()
            if text is None:
                raise RuntimeError(f"Chromium ended during {method}")
            answer = json.loads(text)
            if answer.get("id") == self.sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    async def evaluate(self, script):
        result = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script[:60]}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def until(self, script, seconds):
        for _ in range(int(seconds * 5)):
            if await self.evaluate(script):
                return
            await asyncio.sleep(0.2)
        raise RuntimeError(f"not within {seconds} s: {script}")

    async def press(self, name):
        """A key, as in Tab or Shift+Enter."""
        *shift, key = name.split("+")
        known = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": SHIFT if shift else 0}
        await self.call("Input.dispatchKeyEvent", type="rawKeyDown", **known)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **known)


def set_option(folder, extension, **options):
    file = folder / f"settings/@jupyterlab/{extension}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(options))


def start_lab(folder, notebook, dark):
    """The lab with settings of its own, and the address of the notebook in it."""
    set_option(folder, "docmanager-extension/plugin", autosave=False)
    if dark:
        set_option(folder, "apputils-extension/themes", theme="JupyterLab Dark")
    # A picture shows the lab as `make lab` installs it, without what the tests add.
    (folder / "config/labconfig").mkdir(parents=True)
    (folder / "config/labconfig/page_config.json").write_text(json.dumps({"disabledExtensions": ADDED}))
    environment = {
        **os.environ,
        **PORTS,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "HAETAE_LAB_OPTIONS": "--LabApp.expose_app_in_browser=True",
    }
    process = subprocess.Popen(["scripts/lab"], env=environment, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if found := re.match(r"(http://\S+/lab/tree/)\S+(\?token=\S+)", line):
            return process, f"{found[1]}{notebook}{found[2]}&reset"
    raise RuntimeError("the lab did not start")


def start_browser(folder, width, height):
    """Headless Chromium, and the address of its only tab."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        sys.exit("error: there is no chromium on the PATH; on Debian: apt-get install chromium")
    words = [
        program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder / 'browser'}",
        f"--window-size={width},{height}", "--hide-scrollbars", "--disable-gpu", "--no-first-run", "about:blank",
    ]
    if os.geteuid() == 0:
        words.append("--no-sandbox")
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if found := re.search(r"DevTools listening on ws://([^/]+)/", line):
            tabs = json.load(urllib.request.urlopen(f"http://{found[1]}/json/list"))
            return process, next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
    raise RuntimeError("Chromium did not start")


async def photograph(tab, address, options):
    page = Page(await websocket_connect(tab, max_message_size=1 << 28))
    clip = {}
    try:
        good = await run_all(page, address, options)
        if options.crop:
            clip = {"clip": await page.evaluate(BOX)}
        return good
    finally:
        # Also of what went wrong.
        picture = await page.call("Page.captureScreenshot", format="png", **clip)
        Path(options.out).write_bytes(base64.b64decode(picture["data"]))


async def run_all(page, address, options):
    size = {"width": options.width, "height": options.height, "deviceScaleFactor": 1, "mobile": False}
    await page.call("Emulation.setDeviceMetricsOverride", **size)
    # Without a window there is no focus, and JupyterLab has no current notebook.
    await page.call("Emulation.setFocusEmulationEnabled", enabled=True)
    await page.call("Page.navigate", url=address)
    await page.until(READY, seconds=120)
    await page.evaluate(HIDE_FILES)
    await page.evaluate(CLEAR)
    # Only what is typed can be met while it runs, where something is typed.
    if options.while_running and not options.type:
        await page.evaluate(BEGIN_ALL)
        await meet(page, options.cell)
    else:
        await page.evaluate(RUN_ALL)
    state = await page.evaluate(STATE)
    cell = await type_cell(page, options) if options.type else options.cell
    # A move would close what the key has opened.
    if options.press not in POPS_UP:
        await page.evaluate(SHOW_CELL.format(cell=options.cell))
        await page.evaluate(CHOOSE.format(cell=cell))
    for selector in options.click:
        await page.until(CLICK.format(selector=json.dumps(selector)), seconds=30)
    # Charts are drawn after the outputs have arrived; nothing in the page tells when the last one is.
    await asyncio.sleep(1 if options.while_running else 3)
    print(f"{options.out}: {state['run']} of {state['cells']} code cells run, {len(state['errors'])} errors", *state["errors"])
    return not state["errors"] and (state["run"] == state["cells"] or options.while_running)


async def meet(page, cell):
    """Waits until a cell runs and shows something."""
    await page.until(f"(({{running, shown}}) => running && shown)({CELL.format(cell=cell)})", seconds=300)


async def type_cell(page, options):
    """Types a cell below the one at the top of the picture, and presses a key in it; the cell's place."""
    cell = await page.evaluate(TYPE.format(cell=options.cell, text=json.dumps(options.type)))
    if options.press:
        await page.press(options.press)
    if options.press in POPS_UP:
        await page.until(POPUP, seconds=30)
    elif options.while_running:
        await meet(page, cell)
    elif options.press:
        await page.until(f"(({{running, shown}}) => !running && shown)({CELL.format(cell=cell)})", seconds=300)
    return cell


def main():
    parser = argparse.ArgumentParser(prog="scripts/screenshot")
    parser.add_argument("notebook", help="path below the repository, as in notebooks/welcome.ipynb")
    parser.add_argument("out", help="the picture to write")
    parser.add_argument("--cell", type=int, default=0, help="the cell at the top of the picture, counted from 0")
    parser.add_argument("--type", metavar="TEXT", help="after that, type this into a new cell below it")
    keys = [shift + key for key in KEYS for shift in ("", "Shift+")]
    parser.add_argument("--press", choices=keys, metavar="KEY", help=f"then press a key: {', '.join(keys)}")
    parser.add_argument("--while-running", action="store_true", help="as soon as the cell shows something, before its end")
    parser.add_argument("--click", action="append", default=[], metavar="SELECTOR", help="then click this in the cell; may be repeated")
    parser.add_argument("--crop", action="store_true", help="only that cell, and what has popped up over it")
    parser.add_argument("--dark", action="store_true", help="in JupyterLab's dark theme")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1600)
    options = parser.parse_args()
    started = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            lab, address = start_lab(Path(folder), options.notebook, options.dark)
            started.append(lab)
            browser, tab = start_browser(Path(folder), options.width, options.height)
            started.append(browser)
            good = asyncio.run(photograph(tab, address, options))
        finally:
            for process in reversed(started):
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
    sys.exit(0 if good else "error: the notebook did not run to its end; the picture shows it")


if __name__ == "__main__":
    main()
