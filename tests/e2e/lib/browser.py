"""A headless Chromium, driven through its DevTools protocol on a pair of pipes: no port, no further package."""

import base64
import json
import os
import select
import subprocess
import time

from lib import files

# The descriptors that --remote-debugging-pipe means.
_START = 'exec chromium "${@:3}" 3<&"$1" 4>&"$2"'


class Browser:
    """One browser with one page. `home`: where it finds and keeps everything; a certificate store may lie there."""

    def __init__(self, home):
        self.home = home
        self.complaints = []  # errors in the console, exceptions, what a policy has blocked
        self._next = 0
        self._buffer = b""
        self._events = []
        command_end, self._commands = os.pipe()
        self._answers, answer_end = os.pipe()
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["bash", "-c", _START, "chromium", str(command_end), str(answer_end), "--headless=new", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe",
             f"--user-data-dir={home / 'profile'}", "about:blank"],
            env={**os.environ, "HOME": str(home)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, pass_fds=(command_end, answer_end))
        os.close(command_end)
        os.close(answer_end)
        try:
            self._session = self._attach()
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.stop()
            raise

    def _attach(self):
        self._session = None

        def page():
            targets = self.call("Target.getTargets")["targetInfos"]
            return next((target["targetId"] for target in targets if target["type"] == "page"), None)
        target = files.wait_until(page, "the browser's page")
        return self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def stop(self):
        if self._process.returncode is not None:
            return
        os.close(self._commands)  # it ends by itself
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def _read(self, deadline):
        while b"\0" not in self._buffer:
            if not select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise AssertionError("the browser does not answer")
            piece = os.read(self._answers, 1 << 20)
            if not piece:
                raise AssertionError("the browser has ended")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        """One command of the protocol; its result."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + files.PATIENCE_S
        while True:
            answer = self._read(deadline)
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _note(self, event):
        method, what = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.complaints.append(str([part.get("value") for part in what["args"]]))
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.complaints.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")

    def run(self, script):
        """The value of a script in the page, a promise's too."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def go(self, url):
        """Opens a page: None, or why it is not shown."""
        failure = self.call("Page.navigate", url=url).get("errorText")
        if failure is None:
            self.await_script(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")
        return failure

    def reload(self):
        """As somebody who presses F5; returns when the page is there anew."""
        self.run("window.before = true")
        self.call("Page.reload")
        self.await_script("window.before === undefined && document.readyState === 'complete'")

    def text(self):
        return self.run("document.body.innerText")

    def await_script(self, condition, what=None):
        """Waits until a script is true, and returns its value."""
        def check():
            try:
                return self.run(condition)
            except AssertionError as error:
                # Between two pages there is nothing to run a script in.
                if "context" in str(error) or "navigated" in str(error):
                    return None
                raise
        return files.wait_until(check, what or condition)

    def window(self, width, height=900, dark=False):
        """The size of the window, and whether its owner likes it dark."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, path):
        """The whole page as a PNG."""
        # A scroll bar would narrow the page, but not its picture.
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        self.call("Emulation.setScrollbarsHidden", hidden=False)
        path.write_bytes(base64.b64decode(data))


def open_browser(case):
    """A browser of this test's own, stopped with it."""
    home = case.folder / "home"
    home.mkdir()
    browser = Browser(home)
    case.addCleanup(browser.stop)
    return browser
