#!/usr/bin/env python3
"""python.py OUT: writes the reference of torii_backend to OUT with pdoc.

It fails on a public class, function or property without a docstring.
"""

import inspect
import re
import sys
from pathlib import Path

import pdoc
import pdoc.doc
import pdoc.docstrings
import pdoc.render

MODULES = ["torii_backend", "torii_backend.client", "torii_backend.fastapi", "torii_backend.pytest_plugin",
           "torii_backend.testing"]


def undocumented(namespace):
    """Yields the public names of a module, or those that a class defines itself."""
    whole = isinstance(namespace, pdoc.doc.Module)
    for member in namespace.members.values() if whole else namespace.own_members:
        if member.name.startswith("_") or isinstance(member, pdoc.doc.Module):
            continue
        if isinstance(member, pdoc.doc.Variable):
            # Of variables, only properties: the names and types of fields say enough.
            needed = isinstance(inspect.getattr_static(namespace.obj, member.name, None), property)
        else:
            needed = member.name != "__init__"
        if needed and not member.docstring:
            yield member.fullname
        if isinstance(member, pdoc.doc.Class):
            yield from undocumented(member)


def fields(contents, convert=pdoc.docstrings._rst_fields):
    """Has the name of a field end at its first colon: pdoc takes the last, which may be one of a URL."""
    hidden = re.sub(r"^(:\w+ [^:\n]+:)(.*)$", lambda line: line[1] + line[2].replace(":", "\0"), contents, flags=re.MULTILINE)
    return convert(hidden).replace("\0", ":")


def main(out):
    missing = sorted({name for module in MODULES for name in undocumented(pdoc.doc.Module.from_name(module))})
    if missing:
        raise SystemExit(f"no docstring: {', '.join(missing)}")
    pdoc.docstrings._rst_fields = fields
    pdoc.render.configure(docformat="restructuredtext", show_source=False, footer_text="libtorii for Python",
                          template_directory=Path(__file__).parent / "pdoc")
    pdoc.pdoc(*MODULES, output_directory=Path(out))
    for page in Path(out).rglob("*.html"):
        text = page.read_text()
        anchors = set(re.findall(r' id="([^"]+)"', text))
        # pdoc links to the bases of a class even where it omits them.
        page.write_text(re.sub(r'<a href="#([^"]+)">(.*?)</a>',
                               lambda link: link[0] if link[1] in anchors else link[2], text))


main(sys.argv[1])
