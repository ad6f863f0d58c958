"""Reads lines of a JSON value and of a Huey message that has it as argument, in hexadecimal, and says of the first that both
of CPython's unpicklers don't read as that value."""

import json
import pickle
import sys

count = 0
for line in sys.stdin:
    text, payload = line.rstrip("\n").split("\t")
    # Which tells apart all that JSON does: -0.0 and 0, 1 and 1.0 and true.
    expected = repr(json.loads(text))
    for loads in pickle.loads, pickle._loads:
        message = loads(bytes.fromhex(payload))
        assert type(message).__name__ == "Message" and type(message.args) is tuple and type(message.kwargs) is dict
        got = repr(message.kwargs["value"] if message.kwargs else list(message.args))
        assert got == expected, f"{loads.__module__}: {got[:400]} instead of {expected[:400]}"
    count += 1
print(count, "are equal")
