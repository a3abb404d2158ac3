#!/usr/bin/env python3
"""Sends tickets of plans to a real tracker on this machine: Roundup, from PyPI, behind a gate that loses answers, loses
requests, and kills the program at the worst moment. Whatever happens, each ticket must exist exactly once in the end.

    tests/roundup.py --prepare             makes Roundup ready; exit code 1 and the reason if it cannot be had
    tests/roundup.py [PROGRAM]             PROGRAM is target/debug/cmkdiag if nothing else is said

The environment with Roundup stays in target/roundup-venv; tracker, plans and ledgers are in a temporary folder. Whatever
it starts it ends, by its process id.
"""

import base64
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
VENV = TARGET / "roundup-venv"
VERSION = "2.6.0"
HOST = socket.inet_ntoa(socket.INADDR_LOOPBACK.to_bytes(4, "big"))
PASSWORD = "invented-password-0001"
LONGEST = 150  # seconds of a run of the program
ACCOUNT, REGION, INSTANCE = "1234567890123456", "cn-hangzhou", "kst-hzz62ee817bvyyr5x0001"


# ---------------------------------------------------------------------------------------------------
# Roundup.


def prepare():
    """The environment with Roundup; nothing is done if it is there."""
    if (VENV / "bin/roundup-server").exists():
        return
    # As root, the server gives its rights away, and then must still be able to read what it is made of.
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    quiet = dict(check=True, capture_output=True, text=True, timeout=300)
    try:
        subprocess.run([python, "-m", "venv", VENV], **quiet)
        subprocess.run([VENV / "bin/pip", "install", "--quiet", "--disable-pip-version-check", f"roundup=={VERSION}"], **quiet)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise SystemExit(f"Roundup cannot be had: {said[-1] if said else error}")


def free_port():
    with socket.create_server((HOST, 0)) as free:
        return free.getsockname()[1]


class Roundup:
    """A tracker in a folder; people and programs reach it by the address of the gate."""

    def __init__(self, folder, gate):
        self.home, self.port, self.address = folder / "tracker", free_port(), gate
        self.home.mkdir()
        self.admin("install", "classic", "sqlite")
        config = self.home / "config.ini"
        text = config.read_text()
        settings = {"#web = NO DEFAULT": f"web = {gate}", "#domain = NO DEFAULT": "domain = example.invalid", "#host = NO DEFAULT": f"host = {HOST}"}
        for old, new in settings.items():
            assert old in text, f"{old} is not in config.ini"
            text = re.sub(f"^{re.escape(old)}", new, text, flags=re.MULTILINE)
        config.write_text(re.sub(r"^debug = *$", f"debug = {folder}/mail.log", text, flags=re.MULTILINE))
        self.admin("initialise", PASSWORD)
        command = [VENV / "bin/roundup-server", "-n", HOST, "-p", str(self.port), "-t", "thread", f"demo={self.home}"]
        if os.getuid() == 0:
            folder.chmod(0o755)
            for path in [folder, *folder.rglob("*")]:
                shutil.chown(path, "nobody", "nogroup")
            command[1:1] = ["-u", "nobody", "-g", "nogroup"]
        with open(folder / "server.log", "wb") as self.log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.wait()

    def admin(self, *arguments):
        subprocess.run([VENV / "bin/roundup-admin", "-i", self.home, *arguments], check=True, capture_output=True, timeout=120)

    def wait(self):
        for _ in range(300):
            assert self.process.poll() is None, f"the server ended: see {self.log.name}"
            try:
                return socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the server does not answer")

    def get(self, path):
        """What the REST interface says, without the gate."""
        origin = self.address.removesuffix("/demo/")
        proof = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {proof}", "X-Requested-With": "rest", "Origin": origin, "Referer": self.address, "Accept": "application/json"}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        connection.request("GET", f"/demo/rest/data/{path}", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status, answer.read())
        return json.loads(answer.read())["data"]

    def titles(self):
        return [issue["title"] for issue in self.get("issue?@fields=title")["collection"]]

    def messages(self):
        """How many messages there are that were not retired."""
        return len(self.get("msg")["collection"])

    def text(self, issue):
        """What an issue says."""
        messages = self.get(f"issue/{issue}")["attributes"]["messages"]
        return "\n".join(self.get(f"msg/{message['id']}/content")["data"] for message in messages)

    def end(self):
        for end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, end)
                self.process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass


# ---------------------------------------------------------------------------------------------------
# The gate.


class Gate(http.server.ThreadingHTTPServer):
    """Hands requests on to the tracker and answers back, unless the next one that creates an issue is to go wrong."""

    daemon_threads = True

    def __init__(self):
        super().__init__((HOST, 0), Handler)
        self.address = f"http://{HOST}:{self.server_port}/demo/"
        self.tracker, self.fault, self.victim = None, None, None
        self.reached = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def handle_any(self):
        gate, body = self.server, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = None
        if self.command == "POST" and self.path.endswith("/issue"):
            fault, gate.fault = gate.fault, None
        if fault in ("request lost", "killed before"):
            return self.hang_up(fault)
        if fault == "refused":
            # The tracker itself finds something wrong with the issue.
            body, fault = json.dumps({**json.loads(body), "priority": "no-such-priority"}).encode(), None
            self.headers.replace_header("Content-Length", str(len(body)))
        connection = http.client.HTTPConnection(HOST, gate.tracker.port, timeout=60)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        if fault:
            return self.hang_up(fault)
        self.send_response(answer.status)
        for name in ("Content-Type", "Location", "Retry-After"):
            if answer.getheader(name):
                self.send_header(name, answer.getheader(name))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = handle_any

    def hang_up(self, fault):
        if fault == "held":
            self.server.reached.set()
            time.sleep(4)
        if fault.startswith("killed"):
            self.server.victim.send_signal(signal.SIGKILL)
            self.server.victim.wait(10)
        self.close_connection = True


# ---------------------------------------------------------------------------------------------------
# Plans.


def digest(thing):
    text = json.dumps(thing, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def batch(number, year=2099):
    """A batch that differs from those with other numbers. Its window must be to come."""
    day, next_day = f"{year}-12-{number % 20 + 5:02}", f"{year}-12-{number % 20 + 6:02}"
    keys = [f"00000000-0000-4000-8000-{number:04}{index:08}" for index in range(2)]
    key = dict(aliases=["alias/订单"], **{"class": "migratable"}, confirmed=True, rotation_deadline=None, applications=["orders"], owner="team-a", key_spec="Aliyun_AES_256")
    made = dict(
        id=f"b-{number:04}",
        digest="",
        account_id=ACCOUNT,
        region=REGION,
        destination=INSTANCE,
        window=dict(
            start=f"{day}T18:00:00Z",
            end=f"{day}T20:00:00Z",
            local_start=f"{next_day}T02:00:00+08:00",
            local_end=f"{next_day}T04:00:00+08:00",
            basis="calendar",
        ),
        keys=[dict(key_id=name, **key) for name in keys],
        applications=["orders"],
        split_applications=[],
        rotation_deadline=None,
        change_applications_by=f"{year + 1}-01-20",
        steps_before=[],
        remarks=[],
        conditions=[],
        load=None,
    )
    made["digest"] = digest(made)
    return made


def plan(numbers, year=2099):
    """A plan as `cmkdiag plan` writes it: members in the order of the format, sealed from the inside out."""
    batches = [batch(number, year) for number in numbers]
    keys = 2 * len(batches)
    made = dict(
        format="cmkdiag.plan/1",
        digest="",
        as_of="2026-11-23T00:00:00Z",
        rulebook=dict(domain="cmk", edition="2023-09", digest="sha256:" + 64 * "0"),
        settings=dict(
            keys_per_batch=50,
            window_minutes=120,
            time_zone="Asia/Shanghai",
            has_calendar=True,
            has_usage_evidence=False,
            months_to_change_applications=1,
            assumed=[],
        ),
        summary=dict(
            keys=keys,
            planned=keys,
            conditional=0,
            rotation_to_disable=0,
            not_migrated=0,
            blocked=0,
            undetermined=0,
            left_out=0,
            rejected_records=0,
            batches=len(batches),
            first_window=batches[0]["window"]["start"],
            last_window=batches[-1]["window"]["end"],
        ),
        batches=batches,
        destinations=[
            dict(
                instance_id=INSTANCE,
                account_id=ACCOUNT,
                region=REGION,
                kind="software",
                free_versions=1000,
                planned_versions=keys,
                qps=1000,
                planned_peak_per_second=None,
                expires=None,
                remarks=[],
            )
        ],
        purchases=[],
        consultations=[],
        worklists=[],
        unlocks=[],
        problems=[],
    )
    made["digest"] = digest(made)
    return made


# ---------------------------------------------------------------------------------------------------
# The test.


class Desk:
    """The program with a plan and its ledger, in front of the gate."""

    def __init__(self, program, folder, gate, numbers):
        self.program, self.gate = program, gate
        stem = folder / "-".join(map(str, numbers))
        self.plan, self.ledger = stem.with_suffix(".json"), stem.with_suffix(".sent.jsonl")
        self.numbers = numbers
        self.plan_for(2099)

    def plan_for(self, year):
        """Plans again, for windows in a year."""
        self.plan.write_text(json.dumps(plan(self.numbers, year), ensure_ascii=False, indent=2))

    def start(self, *more):
        keep = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        settings = dict(CMKDIAG_ROUNDUP_URL=self.gate.address, CMKDIAG_ROUNDUP_USER="admin", CMKDIAG_ROUNDUP_PASSWORD=PASSWORD)
        command = [self.program, "ticket", self.plan, "--tracker", "roundup", "--submit", *more, "--ledger", self.ledger]
        pipes = dict(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return subprocess.Popen([str(part) for part in command], env={**keep, **settings}, **pipes)

    def run(self, *more, fault=None):
        """Exit code and words of a run during which something goes wrong."""
        self.gate.fault = fault
        process = self.gate.victim = self.start(*more)
        said = process.communicate(timeout=LONGEST)[0]
        assert PASSWORD not in said, said
        assert fault is None or self.gate.fault is None, f"nothing was created, so that nothing went wrong:\n{said}"
        return process.returncode, said

    def states(self):
        return [json.loads(line)["state"] for line in self.ledger.read_text().splitlines()]

    def age(self):
        """An hour passes: by then, a tracker has what it will ever have."""
        lines = [json.loads(line) for line in self.ledger.read_text().splitlines()]
        past = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
        self.ledger.write_text("".join(json.dumps({**line, "at": past}, ensure_ascii=False) + "\n" for line in lines))


def check(condition, said):
    assert condition, said


def send_and_send_again(desk, tracker):
    code, said = desk.run()
    check(code == 0 and "nothing was sent" in said and not desk.ledger.exists() and not tracker.titles(), said)
    code, said = desk.run("--yes")
    check(code == 0 and desk.states() == ["sending", "created"] * 2, said)
    titles = tracker.titles()
    check(len(titles) == 2 and len(set(titles)) == 2, titles)
    text = tracker.text("1") + tracker.text("2")
    for number in desk.numbers:
        made = batch(number)
        for part in (made["digest"], INSTANCE, made["window"]["start"][:10], *(key["key_id"] for key in made["keys"])):
            check(part in text, f"{part} is not in\n{text}")
        check(all(f"\n{key['key_id']}\n" in text.replace("\r", "") for key in made["keys"]), f"ids do not stand alone\n{text}")
    code, said = desk.run("--yes")
    check(code == 0 and tracker.titles() == titles and len(desk.states()) == 4, said)
    desk.ledger.unlink()
    code, said = desk.run("--yes")
    check(code == 0 and tracker.titles() == titles and desk.states() == ["found"] * 2, said)


def crash_after_creation(desk, tracker):
    before = len(tracker.titles())
    code, _ = desk.run("--yes", fault="killed after")
    check(code == -signal.SIGKILL and desk.states() == ["sending"] and len(tracker.titles()) == before + 1, code)
    code, said = desk.run("--yes")
    check(code == 0 and desk.states() == ["sending", "found"], said)
    code, said = desk.run("--yes")
    check(code == 0 and len(tracker.titles()) == before + 1, said)


def crash_before_creation(desk, tracker):
    before = len(tracker.titles())
    code, _ = desk.run("--yes", fault="killed before")
    check(code == -signal.SIGKILL and desk.states() == ["sending"] and len(tracker.titles()) == before, code)
    desk.age()
    code, said = desk.run("--yes")
    check(code == 0 and desk.states() == ["sending", "not-created", "sending", "created"], said)
    check(len(tracker.titles()) == before + 1, tracker.titles())


def lost_answer(desk, tracker):
    before = len(tracker.titles())
    code, said = desk.run("--yes", fault="answer lost")
    check(code == 0 and desk.states() == ["sending", "found"] and len(tracker.titles()) == before + 1, said)


def lost_request(desk, tracker):
    before = len(tracker.titles())
    code, said = desk.run("--yes", fault="request lost")
    check(code == 4 and desk.states() == ["sending", "not-created"] and len(tracker.titles()) == before, said)
    code, said = desk.run("--yes")
    check(code == 0 and len(tracker.titles()) == before + 1, said)


def two_at_once(desk, tracker):
    before = len(tracker.titles())
    desk.gate.reached.clear()
    desk.gate.fault, first = "held", desk.start("--yes")
    check(desk.gate.reached.wait(60), "the first run sent nothing")
    code, said = desk.run("--yes")
    check(code == 4 and "another run" in said, said)
    said = first.communicate(timeout=LONGEST)[0]
    check(first.returncode == 0 and len(tracker.titles()) == before + 1, said)


def refused(desk, tracker):
    before = len(tracker.titles()), tracker.messages()
    code, said = desk.run("--yes", fault="refused")
    check(code == 4 and desk.states() == ["sending", "refused"] and "no-such-priority" in said, said)
    check((len(tracker.titles()), tracker.messages()) == before, "a message is left")
    code, said = desk.run("--yes")
    check(code == 0 and (len(tracker.titles()), tracker.messages()) == (before[0] + 1, before[1] + 1), said)


def planned_again(desk, tracker):
    before = len(tracker.titles())
    code, said = desk.run("--yes")
    check(code == 0 and len(tracker.titles()) == before + 1, said)
    desk.plan_for(2098)
    for more in ([], ["--yes"]):
        code, said = desk.run(*more)
        check(code == 4 and "2 of its 2 keys" in said and len(tracker.titles()) == before + 1, said)
    code, said = desk.run("--yes", "--supersede")
    check(code == 0 and len(tracker.titles()) == before + 2, said)
    desk.plan_for(2020)
    code, said = desk.run("--yes", "--supersede")
    check(code == 4 and "its window began at 2020-" in said and len(tracker.titles()) == before + 2, said)


def main():
    if sys.argv[1:] == ["--prepare"]:
        return prepare()
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else TARGET / "debug/cmkdiag").resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    prepare()
    steps = [send_and_send_again, crash_after_creation, crash_before_creation, lost_answer, two_at_once, lost_request, refused, planned_again]
    with tempfile.TemporaryDirectory(prefix="cmkdiag-roundup-") as folder:
        folder, plans = pathlib.Path(folder), pathlib.Path(folder) / "plans"
        plans.mkdir()
        gate = Gate()
        tracker = gate.tracker = Roundup(folder, gate.address)
        try:
            for number, step in enumerate(steps):
                began = time.monotonic()
                numbers = [100 * number, 100 * number + 1] if number == 0 else [100 * number]
                step(Desk(program, plans, gate, numbers), tracker)
                print(f"{step.__name__.replace('_', ' ')}: each ticket once, {time.monotonic() - began:.1f} s")
            labels = [re.search(r"cmk-[0-9a-f]{20}", title).group() for title in tracker.titles()]
            assert len(labels) == len(set(labels)) == len(steps) + 2, labels
            print(f"Roundup {VERSION}: {len(labels)} tickets, none twice")
        finally:
            tracker.end()
            gate.shutdown()


if __name__ == "__main__":
    main()
