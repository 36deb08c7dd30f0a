#!/usr/bin/env python3
"""Debian's glewlwyd, set up as an OpenID provider, on loopback, for one test run.

Prints {"issuer", "pid", "client_id", "redirect_uris"} once it listens; glewlwyd compares redirect URIs including their
port. When its stdin closes, it ends glewlwyd, removes its files and exits.
"""

import http.cookiejar
import json
import shutil
import socket
import sqlite3
import string
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = tempfile.TemporaryDirectory(prefix="glewlwyd.")
DATA = Path(FOLDER.name)
SCHEMA = Path("/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3")
WEBAPP = Path("/usr/share/glewlwyd/webapp")
EMAIL, PASSWORD = "test@example.com", "password"
SCOPES = ["openid", "profile", "email", "offline_access"]
READY_S = 30


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports


PORT, *REDIRECT_PORTS = free_ports(4)
ORIGIN = f"http://127.0.0.1:{PORT}"
ISSUER = f"{ORIGIN}/api/oidc"
REDIRECT_URIS = [f"http://127.0.0.1:{port}/callback" for port in REDIRECT_PORTS]


def prepare():
    database = sqlite3.connect(DATA / "database")
    database.executescript(SCHEMA.read_text())
    database.close()
    shutil.copytree(WEBAPP, DATA / "webapp", ignore=shutil.ignore_patterns("config.json"))
    # Debian's config.json is a link to a folder that contains the file.
    config = WEBAPP / "config.json"
    shutil.copy(config / config.name if config.is_dir() else config, DATA / "webapp/config.json")
    template = string.Template((HERE / "glewlwyd.conf").read_text())
    (DATA / "glewlwyd.conf").write_text(template.substitute(PORT=PORT, ORIGIN=ORIGIN, DATA=DATA))


def rsa_key():
    def openssl(*arguments, **options):
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True, **options).stdout

    private = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    return private, openssl("pkey", "-pubout", input=private)


def start():
    # glewlwyd must not outlive this program, however it ends.
    command = ["setpriv", "--pdeathsig", "KILL", "glewlwyd", f"--config-file={DATA}/glewlwyd.conf"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def wait_for(url, process):
    end = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < end:
        try:
            return urllib.request.urlopen(url, timeout=5)
        except urllib.error.HTTPError as error:
            return error
        except OSError:
            time.sleep(0.05)
    sys.exit(f"glewlwyd does not respond at {url}")


class Administrator:
    """Sets glewlwyd up through its own API."""

    def __init__(self):
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)
        # The credentials in a new database.
        self.send("POST", "auth", username="admin", password="password")

    def send(self, method, path, **members):
        headers = {"content-type": "application/json"}
        body = json.dumps(members).encode()
        request = urllib.request.Request(f"{ORIGIN}/api/{path}/", body, headers, method=method)
        try:
            self.opener.open(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}")

    def add_scopes(self):
        for name in SCOPES:
            details = {"display_name": name, "description": name, "scheme": {}}
            limits = {"password_required": True, "password_max_age": 0}
            known = name == "openid"
            path = f"scope/{name}" if known else "scope"
            self.send("PUT" if known else "POST", path, name=name, **details, **limits)

    def add_user(self):
        user = {"username": EMAIL, "password": PASSWORD, "name": "Test User", "email": EMAIL}
        self.send("POST", "user", **user, enabled=True, scope=[*SCOPES, "g_profile"])

    def add_client(self):
        self.send(
            "POST",
            "client",
            client_id="cli",
            name="Command line",
            enabled=True,
            confidential=False,
            token_endpoint_auth_method=["none"],
            redirect_uri=REDIRECT_URIS,
            authorization_type=["code", "refresh_token", "delete_token", "device_authorization"],
            scope=SCOPES,
        )

    def add_provider(self):
        private, public = rsa_key()
        parameters = json.loads((HERE / "provider.json").read_text())
        parameters |= {"iss": ISSUER, "key": private, "cert": public}
        module = {"module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "enabled": True}
        self.send("POST", "mod/plugin", **module, parameters=parameters)


prepare()
glewlwyd = start()
wait_for(f"{ORIGIN}/api/", glewlwyd)
administrator = Administrator()
administrator.add_scopes()
administrator.add_user()
administrator.add_client()
administrator.add_provider()
ready = {"issuer": ISSUER, "pid": glewlwyd.pid, "client_id": "cli", "redirect_uris": REDIRECT_URIS}
print(json.dumps(ready), flush=True)
sys.stdin.buffer.read()
glewlwyd.kill()
glewlwyd.wait()
