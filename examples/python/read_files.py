"""Reads files of the file sink: python read_files.py data/cam-1/2026-01-31/*.pb"""

import sys
from typing import Iterator

from sightline_records import Record, decode, show


def messages(path: str) -> Iterator[bytes]:
    """Lines, or protobuf messages after their lengths. What is cut off at the end is left out."""
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".ndjson"):
        yield from (line for line in data.split(b"\n")[:-1] if line)
        return
    at = 0
    while at < len(data):
        length = shift = 0
        while at < len(data):
            byte = data[at]
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        if at + length > len(data):
            return
        yield data[at : at + length]
        at += length


def read(path: str) -> Iterator[Record]:
    for message in messages(path):
        yield from decode(message)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for found in read(name):
            show(found)
