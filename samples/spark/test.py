#!/usr/bin/env python3
"""Runs usage.py on a Spark cluster of one master and two workers on this machine, and compares its results with those of a
single process, byte by byte.

    samples/spark/test.py [PROGRAM]        PROGRAM is target/debug/cmkdiag if nothing else is said

It needs pyspark and Java. Logs, inputs and results are in target/spark-test. Whatever it starts it ends.
"""

import gzip
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import types

import pyspark
import usage

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "target" / "spark-test"
SPARK = pathlib.Path(pyspark.__file__).parent
HOST = socket.inet_ntoa(socket.INADDR_LOOPBACK.to_bytes(4, "big"))
LONGEST = 240  # seconds of a job
AGENTS = ["AlibabaCloud (linux; amd64) Golang/1.22 Core/0.01 TeaDSL/1", "AlibabaCloud (Linux; amd64) Java/17 TeaDSL/1", "curl/8.0"]


def event(number):
    """An event; the same for the same number."""
    chosen = random.Random(number)
    hour = chosen.randrange(700)
    made = {
        "eventId": f"00000000-0000-4000-8000-{number:012}",
        "eventName": chosen.choice(["Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt"]),
        "eventTime": f"2026-11-{hour // 24 + 1:02}T{hour % 24:02}:{chosen.randrange(60):02}:07Z",
        "serviceName": "Ecs" if chosen.random() < 0.1 else "Kms",
        "acsRegion": chosen.choice(["cn-hangzhou", "cn-shanghai"]),
        "recipientAccountId": "1234567890123456",
        "sourceIpAddress": chosen.choice(["10.0.3.17", "203.0.113.9", "Internal"]),
        "userAgent": chosen.choice(AGENTS),
        "userIdentity": {"type": "assumed-role", "userName": f"orders-密:session-{number}"},
        "requestParameters": {"Note": 'brackets ]} and "quotes"'},
    }
    if chosen.random() < 0.9:
        made["requestParameters"]["KeyId"] = f"key-{chosen.randrange(300):04}"
    if chosen.random() < 0.1:
        made["errorCode"] = "Forbidden.NoPermission"
    return made


def text(number):
    return json.dumps(event(number), ensure_ascii=False)


def lines(path, written):
    path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8")
    return ["--lines", path]


def trail(folder, pages):
    """Files as a trail delivers them."""
    for number, page in enumerate(pages):
        path = folder / f"2026/11/{number + 1:02}" / f"Actiontrail_cn-hangzhou_202611{number + 1:02}000000_1002_1_2_{number:032x}.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(page.encode("utf-8")))
    return ["--lists", folder / "*/*/*/*.gz"]


def layouts():
    """Logs: a name, arguments of usage.py, and the number of partitions."""
    yield "lines", lines(PLACE / "lines.jsonl", map(text, range(6000))), 5
    yield "lists", trail(PLACE / "lists", [json.dumps([event(day * 300 + number) for number in range(300)], indent=day) for day in range(8)]), 4
    # Deliveries that are doubled in other files and layouts, broken events, and more partitions than events.
    rows = [json.dumps({"__topic__": "actiontrail_event", "event": text(number) if number % 2 else event(number)}) for number in range(40, 60)]
    broken = ["nonsense", '{"eventName": ', '{"eventId":"no-time","eventName":"Decrypt","serviceName":"Kms"}', "", '{"a":\r1}\r']
    pages = [
        json.dumps({"Records": [event(number) for number in range(20, 50)]}),
        json.dumps({"RequestId": "x", "Events": [event(number) for number in range(10)], "NextToken": "y"}, indent=1),
        f"[{text(5)},{{\"eventName\": }},{text(6)},{text(61)[:90]}",
        "[]",
    ]
    twice = [*map(text, range(30)), *broken, *rows, *map(text, range(10, 25))]
    yield "doubled", lines(PLACE / "doubled.jsonl", twice) + trail(PLACE / "doubled", pages), 61
    kinds = [set() for _ in range(61)]
    for line in [*broken, *map(text, range(60))]:
        service = json.loads(line)["serviceName"] if line.startswith('{"eventId": ') else "broken"
        kinds[usage.spread(line)[0] % len(kinds)].add(service)
    assert all(kind in kinds for kind in (set(), {"Ecs"}, {"broken"})), "the partitions are not as varied as they should be"


class Cluster:
    """What was started: each with its own group of processes, which is ended with it."""

    def __init__(self):
        self.started = []
        self.environment = dict(os.environ, SPARK_LOCAL_IP=HOST, SPARK_LOCAL_DIRS=str(PLACE / "scratch"), PYSPARK_PYTHON=sys.executable)
        with socket.create_server((HOST, 0)) as free:
            self.port = free.getsockname()[1]

    def start(self, name, *command):
        with open(PLACE / f"{name}.log", "wb") as log:
            settings = dict(stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=PLACE, env=self.environment, start_new_session=True)
            self.started.append(subprocess.Popen([str(part) for part in command], **settings))
        return self.started[-1]

    def __enter__(self):
        deploy, web = [SPARK / "bin/spark-class", "org.apache.spark.deploy"], ["--host", HOST, "--webui-port", "0"]
        self.start("master", deploy[0], f"{deploy[1]}.master.Master", *web, "--port", self.port)
        for name in ("worker-1", "worker-2"):
            size = ["--cores", "1", "--memory", "1g", "--work-dir", PLACE / name]
            self.start(name, deploy[0], f"{deploy[1]}.worker.Worker", *web, *size, f"spark://{HOST}:{self.port}")
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            for end in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, end)
                    process.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass

    def submit(self, name, *arguments):
        """Runs usage.py as its README says, and gives its exit code."""
        driver = {"spark.driver.host": HOST, "spark.driver.bindAddress": HOST, "spark.ui.enabled": "false", "spark.executor.memory": "512m"}
        settings = [part for pair in driver.items() for part in ("--conf", "=".join(pair))]
        submit = [SPARK / "bin/spark-submit", "--master", f"spark://{HOST}:{self.port}", *settings, "--files", "cmkdiag,networks.csv"]
        return self.start(name, *submit, pathlib.Path(usage.__file__), *arguments).wait(LONGEST)


def single(arguments):
    """The result of one process, and its exit code."""
    paths = [found for path in arguments[1::2] for found in sorted(PLACE.glob(str(path.relative_to(PLACE))))]
    ran = subprocess.run([PLACE / "cmkdiag", "usage", "--quiet", "--networks", PLACE / "networks.csv", *paths], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return ran.stdout, ran.returncode


def unreadable():
    """What usage.py makes of files that cannot be read."""
    for name, content in [("cut.gz", gzip.compress(b"[]" * 99)[:20]), ("empty", b""), ("picture", b"\x89PNG")]:
        told = []
        assert usage.of_file((name, content), types.SimpleNamespace(add=told.extend)) == ["unread"], name
        assert told[0].startswith(f"{name}: "), told


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/debug/cmkdiag")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    shutil.copy(program, PLACE / "cmkdiag")
    (PLACE / "networks.csv").write_text("203.0.113.0/24,office\n")
    unreadable()
    with Cluster() as cluster:
        for name, paths, partitions in layouts():
            began, output = time.monotonic(), PLACE / f"{name}.usage.jsonl"
            code = cluster.submit(name, *paths, "--partitions", partitions, "--output", output, "--networks", "networks.csv")
            result, expected = single(paths)
            assert code == expected, f"{name}: exit code {code}, not {expected}: see {PLACE / name}.log"
            assert output.read_bytes() == result, f"{name}: {output} is not what a single process says"
            print(f"{name}: {partitions} partitions, the same {len(result)} bytes, {time.monotonic() - began:.1f} s")
            print(result.decode().splitlines()[0])
        lost = PLACE / "lost.usage.jsonl"
        code = cluster.submit("lost", *paths, "--partitions", 2, "--output", lost, "--program", shutil.which("false"))
        assert code not in (0, 3) and not lost.exists(), "a program that fails must end the job"
        print("a program that fails ends the job")
    for worker in ("worker-1", "worker-2"):
        assert list((PLACE / worker).glob("*/*/cmkdiag")), f"{worker} took no part"


if __name__ == "__main__":
    main()
