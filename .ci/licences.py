"""Checks that every dependency states a licence that deny.toml allows: licences.py METADATA.json deny.toml"""
import json
import re
import sys
import tomllib

metadata = json.load(open(sys.argv[1], encoding="utf-8"))
allowed = set(tomllib.load(open(sys.argv[2], "rb"))["licenses"]["allow"])


def accepted(expression):
    """An SPDX expression is accepted if a choice of its alternatives needs allowed licences only."""
    tokens = [f"'{token}'" if re.match(r"[A-Za-z0-9]", token) and token not in ("AND", "OR", "WITH") else token
              for token in re.findall(r"\(|\)|[^\s()/]+|/", expression)]
    words, joined = [token.strip("'") for token in tokens], []
    skip = 0
    for index, word in enumerate(words):
        if skip:
            skip -= 1
        elif word in "()":
            joined.append(word)
        elif word in ("OR", "/"):
            joined.append("or")
        elif word == "AND":
            joined.append("and")
        elif index + 2 < len(words) and words[index + 1] == "WITH":
            joined.append(str(f"{word} WITH {words[index + 2]}" in allowed))
            skip = 2
        else:
            joined.append(str(word in allowed))
    return eval(" ".join(joined), {"__builtins__": {}})


bad = [f"{package['name']} {package['version']}: {package['license']}"
       for package in metadata["packages"] if not (package["license"] and accepted(package["license"]))]
print("\n".join(bad) if bad else f"{len(metadata['packages'])} packages, every licence is allowed")
sys.exit(bool(bad))
