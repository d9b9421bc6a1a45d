#!/usr/bin/env python3
"""cpp.py HEADER: a header of bindings/cpp as Doxygen reads it.

The headers describe one form of a function. This program describes the others: without exceptions, of a temporary, and
the functions that every class has.
"""

import re
import sys

FORMS = [
    (r"\bstd::nothrow_t\)", "Without exceptions: returns the error instead of throwing it."),
    (r"\) const &&", "Of a temporary, which cannot lend its text: returns a copy."),
    (r"^requirements \w+\(.*\) &&", "Of a temporary: returns it."),
    (r"^T &&value\(\) &&", "Moves the value out. Throws the error if there is none."),
    (r"^using native_type\b", "The handle of the C API."),
    (r"\bnative\(\) const", "Returns the handle of the C API, which stays with this object."),
    (r"^using time_point\b", "A time."),
    (r"^explicit \w+\(const torii_client_t \*", "Calls the API through a handle of the C API, which must live as long."),
    (r"^(\w+)\(const \1 &|^(\w+) &operator=\(const \2 &", "Copies."),
    (r"^(\w+)\(\1 &&|^(\w+) &operator=\(\2 &&", "Moves."),
    (r"^(\w+_options|patch)\(\)", "Creates it empty."),
]


def main(path):
    lines = open(path, encoding="utf-8").read().replace("\nprotected:", "\nprivate:").split("\n")
    if path.endswith("/torii.hpp"):
        print("/// @mainpage libtorii for C++\n///")
        lines = [line if line.startswith("///  ") else re.sub(r"\btorii::\w[\w:]*", r"@ref \g<0>", line) for line in lines]
    for i, line in enumerate(lines):
        template = line.startswith("    template <")
        if re.match(r" {4}[\w:]", line) and not lines[i - 1].strip().startswith(("///", "template")):
            head = " ".join(each.strip() for each in lines[i + template:i + template + 8])
            head = re.split(r"[{;]", head)[0]
            text = next((text for form, text in FORMS if re.search(form, head)), None)
            if text:
                print(f"    /// {text}")
        print(line)


main(sys.argv[1])
