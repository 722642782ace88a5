"""Checks commit messages: "room: Do this", at most 65 characters, no period; a body that says why,
wrapped at 76.

usage: commits.py [RANGE]      default: the last commit; with a merge base of main, main..HEAD
       commits.py --stdin      one message on standard input
"""

import argparse
import re
import subprocess
import sys

SUBJECT = re.compile(r"^[a-z][a-z0-9_/, -]*: [A-Z0-9].*[^.]$")
TRAILER = re.compile(r"^[A-Z][A-Za-z-]+: ")


def complaints_about(message: str) -> list[str]:
    lines = message.rstrip("\n").split("\n")
    subject, bad = lines[0], []
    if not SUBJECT.match(subject):
        bad.append("subject should read 'room: Do this', without a period")
    if len(subject) > 65:
        bad.append(f"subject has {len(subject)} characters; at most 65")
    if len(lines) > 1 and lines[1] != "":
        bad.append("the second line should be empty")
    body = [line for line in lines[2:] if line and not TRAILER.match(line)]
    if not body:
        bad.append("the body should say why")
    bad += [
        f"body line has {len(line)} characters; at most 76: {line}"
        for line in body
        if len(line) > 76 and " " in line.strip()
    ]
    return bad


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stdin", action="store_true")
    parser.add_argument("range", nargs="?", default="HEAD~1..HEAD")
    options = parser.parse_args()
    failed = False
    if options.stdin:
        messages = [("message", sys.stdin.read())]
    else:
        hashes = git("rev-list", "--no-merges", options.range).split()
        messages = [(h[:10], git("show", "-s", "--format=%B", h)) for h in hashes]
    for name, message in messages:
        for complaint in complaints_about(message):
            print(f"{name}: {complaint}")
            failed = True
    if not failed:
        print(f"{len(messages)} commit messages are well-formed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
