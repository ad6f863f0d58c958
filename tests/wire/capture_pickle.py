"""Writes the file of JSON values and their pickles anew."""

import json
import sys

import plain_pickle
from calls import write

NUMBERS = [0, 255, 256, 65535, 65536, -1, -128, -129, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, -(2**63), 2**64 - 1]
NUMBERS += [2**70, -(2**65), 2**127 - 1, -(2**127), 2**128 - 1, 2**255, -(2**255), 10**19, 10**38, -(10**4200), 2**2040 - 1]
FLOATS = ["0.0", "-0.0", "1.5", "1e+308", "1E5", "5e-324", "1.7976931348623157e308", "0.1", "-1e-7", "1e16"]
TEXTS = ["", "a", "x" * 255, "x" * 256, "h\u00e9llo \u2603 \U0001f600", "\x00\x1f\x7f\u2028\"\\/", "\u2603" * 85, "\u2603" * 86]
OTHERS = ["null", "true", "false", "-0", "[]", "{}", "[[]]", "[{}]", "[1]", "[1,2]", '{"a":1}', '{"a":{"b":[]},"c":[null]}']
OTHERS += ['{"a":1,"a":2}', '"\\u00e9\\ud83d\\ude00"', "[" * 64 + "]" * 64]
SPACED = [' [ 1 , {"a" : [ ] } ] ', '"h\\u00e9llo \\u2603"', "[1, [2]]", '{"a": [1, {"b": null}]}']

sys.set_int_max_str_digits(0)
texts = [str(number) for number in NUMBERS] + FLOATS + OTHERS + SPACED + [json.dumps(text) for text in TEXTS]
values = []
for text in texts:
    # Python keeps the last of two fields of one name; what is written has both.
    pairs = text == '{"a":1,"a":2}'
    value = {"a": 1} if pairs else json.loads(text)
    pickled = plain_pickle.dumps(value).hex()
    values.append({"json": text, "hex": pickled.replace("4b01752e", "4b018c01614b02752e") if pairs else pickled})
write("pickle", "values", lib=f"CPython {sys.version.split()[0]}", values=values)
