#!/usr/bin/env python3
"""Usage evidence from logs of ActionTrail, on Apache Spark.

Every event is brought to the partition that its eventId chooses, so that an event which was delivered twice is there
twice. One `cmkdiag usage -` for each partition counts it, and `cmkdiag usage merge` puts the results together, two by two.
"""

import argparse
import gzip
import itertools
import json
import re
import subprocess
import sys
import zlib

from pyspark import AccumulatorParam
from pyspark.sql import SparkSession

# Where several events stand in a list: pages of LookupEvents, and `Records`.
PAGE = r'"(?:Records|Events)"\s*:\s*(?=\[)'
# Such a place, a string, or a bracket.
TOKEN = re.compile(f"({PAGE})" + r'|"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)
SEVERAL = re.compile(r"\A\s*\[|" + PAGE)
# Also where the event is JSON in a text, as a log store has it.
EVENT_ID = re.compile(r'eventId\\*"\s*:\s*\\*"([^"\\]+)')
# A page without events stands before those of a partition: it tells that one event stands on each line, whichever the first.
EMPTY_PAGE = '{"Records":[]}'


def objects(text):
    """The objects of a text, each on one line, out of lists and pages; behind a bracket that is never closed, the rest."""
    depth = start = 0
    for token in TOKEN.finditer(text):
        mark = token[0]
        if mark == "{" or mark == "[" and depth:
            start = start if depth else token.start()
            depth += 1
        elif mark in "}]" and depth:
            depth -= 1
            if not depth:
                yield text[start : token.end()].replace("\n", " ")
        elif depth == 1 and token[1]:
            # What stands in the list are the objects, not what stands around it.
            depth = 0
    if depth:
        yield text[start:].replace("\n", " ")


def of_line(line):
    """The events of a line: nearly always it is one."""
    return objects(line) if SEVERAL.search(line) else [line]


def of_file(file, unread):
    """The events of a whole file. One that cannot be read is told, and counts as one broken event."""
    path, content = file
    try:
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        unread.add([f"{path}: {error}"])
        return ["unread"]
    text = content.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
    if text[:1] not in ("[", "{"):
        unread.add([f"{path}: neither JSON nor gzip"])
        return ["unread"]
    return objects(text)


def spread(event):
    """Before the event, a number that is the same for all its deliveries."""
    event_id = EVENT_ID.search(event)
    return zlib.crc32((event_id[1] if event_id else event).encode()), event


def merge(program, results, *options):
    """Puts results together. What is broken in them is in their first lines, and no failure of the program."""
    command = [program, "usage", "merge", "-", "--allow-rejects", *options]
    return subprocess.run(command, input="\n".join(results), stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout


class Told(AccumulatorParam):
    """Sentences that tasks tell the driver."""

    def zero(self, value):
        return []

    def addInPlace(self, one, other):
        return one + other


def usage(context, arguments, unread):
    """The result of all logs."""
    parts, program = arguments.partitions, arguments.program
    logs = [context.textFile(path, parts).flatMap(of_line) for path in arguments.lines]
    logs += [context.binaryFiles(path, parts).flatMap(lambda file: of_file(file, unread)) for path in arguments.lists]
    events = context.union(logs).map(spread).partitionBy(parts, lambda number: number).values()
    # Broken events are in the first line of each result; whatever else ends the program with an error ends the job.
    command = f"{program} usage - --jobs 1 --quiet --allow-rejects"
    if arguments.networks:
        command += f" --networks {arguments.networks}"
    lines = events.mapPartitions(lambda part: itertools.chain([EMPTY_PAGE], part)).pipe(command, checkCode=True)
    return lines.glom().map("\n".join).treeReduce(lambda one, other: merge(program, [one, other], "--quiet"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", action="append", default=[], metavar="PATH", help="logs with one event on each line")
    parser.add_argument("--lists", action="append", default=[], metavar="PATH", help="logs that are lists of events, or pages")
    parser.add_argument("--output", required=True, help="where the result is written, on the driver")
    parser.add_argument("--partitions", type=int, default=200, help="how many parts; of at most about 890,000 events each")
    parser.add_argument("--program", default="./cmkdiag", help="the program, as the driver and all executors find it")
    parser.add_argument("--networks", help="your own networks, as `cmkdiag usage --networks` reads them")
    arguments = parser.parse_args()
    if not arguments.lines and not arguments.lists:
        parser.error("name a log with --lines or --lists")
    # Lines end as the program ends them: a lone carriage return is a blank.
    builder = SparkSession.builder.appName("cmkdiag usage").config("spark.hadoop.textinputformat.record.delimiter", "\n")
    with builder.getOrCreate() as session:
        unread = session.sparkContext.accumulator([], Told())
        result = usage(session.sparkContext, arguments, unread)
        for told in sorted(set(unread.value)):
            print(f"rejected: {told}", file=sys.stderr)
    head = json.loads(result.partition("\n")[0])
    if head["events"] == head["broken"]:
        sys.exit("no event was read; expected events of ActionTrail")
    merge(arguments.program, [result], "--output", arguments.output)
    sys.exit(3 if head["broken"] or head["unread_files"] else 0)


if __name__ == "__main__":
    main()
