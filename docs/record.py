#!/usr/bin/env python3
"""Records each way to sign in for the documentation, with the real command on a real terminal.

    docs/record.py [WAY…]       demo, browser, device, paste, doctor (default: all)

Writes docs/recordings/WAY.cast (asciicast v2, for `asciinema play`) and docs/images/WAY.png, a picture of the last screen.
Needs the built command (target/release/hallpass or $HALLPASS), `npm ci` in tests/foreign, and Chromium.
"""
import html, http.cookiejar, json, os, pty, re, select, subprocess, sys, tempfile, termios, time, fcntl, struct
import urllib.parse, urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HALLPASS = os.environ.get("HALLPASS", str(ROOT / "target/release/hallpass"))
FOREIGN = ROOT / "tests/foreign"
BROWSER = f"{FOREIGN}/node_modules/.bin/node {FOREIGN}/browser.mjs"
COLUMNS, ROWS = 100, 40
LIMIT = 60
SSH = {"SSH_CONNECTION": "198.51.100.7 50000 203.0.113.5 22", "USER": "ada"}


class Screen:
    """The last screen of a terminal: lines of (character, style)."""

    def __init__(self):
        self.lines, self.column, self.style = [[]], 0, ""

    def feed(self, text):
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.|[\s\S]", text):
            if part.startswith("\x1b["):
                self.control(part)
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.lines.append([])
                self.column = 0
            elif not part.startswith("\x1b") and part >= " ":
                self.put(part)

    def control(self, part):
        if part.endswith("K"):
            del self.lines[-1][self.column:]
        elif part.endswith("m"):
            names = {"1": "bold", "32": "green", "34": "blue", "31": "red", "38;5;16;48;5;231": "paper"}
            codes = [part[2:-1]] if part[2:-1] in names else part[2:-1].split(";")
            self.style = " ".join(names[code] for code in codes if code in names)

    def put(self, character):
        if self.column == COLUMNS:
            self.lines.append([])
            self.column = 0
        self.lines[-1][self.column:self.column + 1] = [(character, self.style)]
        self.column += 1

    def html(self):
        span = lambda cell: f'<span class="{cell[1]}">{html.escape(cell[0])}</span>' if cell[1] else html.escape(cell[0])
        return "\n".join("".join(map(span, line)) for line in self.lines).rstrip()


class Session:
    """A command on a terminal of its own, with its output and the time of each piece."""

    def __init__(self, words, home, variables):
        self.title = "hallpass " + " ".join(words)
        self.text, self.events, self.begun = "", [], time.time()
        self.type(f"\x1b[1m$ {self.title}\x1b[0m\r\n")
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8", **variables}
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execve(HALLPASS, ["hallpass", *words], environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def type(self, text):
        self.text += text
        self.events.append((time.time() - self.begun, text))

    def read(self, pattern):
        """Reads until the output matches the pattern, or the command ends."""
        end = time.time() + LIMIT
        while time.time() < end and not (pattern and re.search(pattern, self.text)):
            if not select.select([self.terminal], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(self.terminal, 65536)
            except OSError:
                piece = b""
            if not piece:
                break
            self.type(piece.decode())
        found = re.search(pattern, self.text) if pattern else True
        return found or sys.exit(f"{self.title}: expected {pattern} in the output: {self.text!r}")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def keep(self, way):
        header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": self.title}
        lines = [header, *([round(at, 3), "o", text] for at, text in self.events)]
        (ROOT / f"docs/recordings/{way}.cast").write_text("".join(json.dumps(line) + "\n" for line in lines))
        picture(way, self.title, self.text)


PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #fff; font: 14.5px/21px "DejaVu Sans Mono", monospace }
main { margin: 22px; border-radius: 10px; background: #16171c; color: #dcdde3; box-shadow: 0 4px 18px #0004 }
header { padding: 9px 14px 7px; color: #8d8f9b; font-family: "DejaVu Sans", sans-serif; text-align: center; font-size: 13px }
pre { margin: 0; padding: 8px 22px 22px; font: inherit }
.bold { color: #fff; font-weight: bold } .green { color: #7fdd9b } .blue { color: #8fb0ff } .red { color: #ff8d85 }
.paper { display: inline-block; height: 21px; background: #fff; color: #000; line-height: 21px }
</style><main><header>%s</header><pre>%s</pre></main>"""


def picture(way, title, text):
    screen = Screen()
    screen.feed(text)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(PAGE % (html.escape(title.split(" --")[0]), screen.html()))
        height = 44 + 36 + 30 + 21 * len(screen.html().split("\n"))
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
             "--force-device-scale-factor=1.5", f"--window-size=962,{height}",
             f"--screenshot={ROOT / f'docs/images/{way}.png'}", page.as_uri()],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class StopAtCallback(urllib.request.HTTPRedirectHandler):
    """A browser on another machine, which cannot reach the callback: it stops there."""

    def redirect_request(self, request, file, code, message, headers, url):
        if "/callback?" in url:
            raise Landed(url)
        return super().redirect_request(request, file, code, message, headers, url)


class Landed(Exception):
    pass


def landed(url):
    """Signs in through the development server's forms; returns the URL that the browser ends on."""
    opener = urllib.request.build_opener(StopAtCallback, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    opener.addheaders = [("Sec-Fetch-Site", "same-origin")]
    form = None
    try:
        for _ in range(6):
            response = opener.open(url, urllib.parse.urlencode(form).encode() if form else None)
            text = response.read().decode()
            form = {name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)}
            form |= {"email": "test@example.com", "password": "password"} if 'type="password"' in text else {"decision": "allow"}
            url = urllib.parse.urljoin(response.url, html.unescape(re.search(r'<form[^>]*action="([^"]*)"', text)[1]))
    except Landed as end:
        return end.args[0]
    sys.exit(f"the browser did not reach the callback: {url}")


def record(way, issuer):
    at = ["--issuer", issuer, "--client-id", "demo"]
    authorization_url = rf"({re.escape(issuer)}/authorize\S+)\r\n\r"
    with tempfile.TemporaryDirectory(prefix="home-", dir="/tmp") as home:
        if way == "browser":
            program = Path(home) / "bin/chromium"
            program.parent.mkdir()
            program.write_text(f'#!/bin/sh\nexec {BROWSER} "$@"\n')
            program.chmod(0o755)
            path = f"{program.parent}:{os.environ['PATH']}"
            session = Session(["login", "--browser=chromium", *at], home, {"PATH": path, "DISPLAY": ":0", "CHROMIUM": "/usr/bin/chromium"})
        elif way == "demo":
            session = Session(["demo", "--headless"], home, {})
        elif way == "device":
            session = Session(["login", "--device", *at], home, {})
            code = session.read(r"\r\n    ([A-Z]{4}-[A-Z]{4})\r\n")[1]
            subprocess.run([*BROWSER.split(), f"{issuer}/device"], env={**os.environ, "USER_CODE": code}, check=True, stdout=subprocess.DEVNULL)
        elif way == "paste":
            session = Session(["login", *at], home, SSH)
            url = session.read(authorization_url)[1]
            session.read("characters|Ctrl-C")
            session.send(landed(url) + "\n")
        else:
            session = Session(["doctor", *at], home, SSH)
        session.read(None)
        session.keep(way)


def main():
    server = subprocess.Popen([HALLPASS, "dev", "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        issuer = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())[0]
        for way in sys.argv[1:] or ["demo", "browser", "device", "paste", "doctor"]:
            record(way, issuer)
    finally:
        server.terminate()


main()
