"""The reference of each language in the site, each made by the tool its community knows.

A generator fails on a public name without a description.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SITE = ROOT / "docs/site"

# Where the reference of a language begins in the site, by the file or folder it is made from. Links to these lead there.
PAGES = {
    "include/torii.h": "c/index.html",
    "bindings/cpp/include/torii.hpp": "cpp/index.html",
    "bindings/go/doc.go": "go/index.html",
    "bindings/node/lib/index.ts": "node/index.html",
    "bindings/php/src": "php/index.html",
    "bindings/python/src/torii_backend/__init__.py": "python/torii_backend.html",
    "bindings/ruby/lib/torii.rb": "ruby/index.html",
    "src/lib.rs": "rust/torii/index.html",
}
NAMES = {"c": "C", "cpp": "C++", "go": "Go", "node": "Node.js", "php": "PHP", "python": "Python", "ruby": "Ruby",
         "rust": "Rust"}


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


# ---- pages of mdBook: PAGES is the folder of its sources --------------------------------------


def go(pages):
    for folder, path, page in [("bindings/go", "libtorii.internal/go", "index"),
                               ("bindings/go/toriitest", "libtorii.internal/go/toriitest", "toriitest")]:
        with open(pages / f"go/{page}.md", "w") as out:
            run("go", "run", "reference.go", ROOT / folder, path, cwd=SITE / "go", stdout=out)


def php(pages):
    bindings = ROOT / "bindings/php"
    run("php", SITE / "php/reference.php", bindings / "src", "Torii", bindings / "tests/bootstrap.php", pages / "php")


def stubs(pages):
    """Gives each of the others an entry in the table of contents; its own index replaces the stub."""
    for page in PAGES.values():
        stub = (pages / page).with_suffix(".md")
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f"# {NAMES[page.split('/')[0]]} reference\n")


# ---- folders of their own: OUT is that of the site -------------------------------------------------


def c(work, out):
    header = subprocess.run(["awk", "-f", SITE / "doxygen.awk", ROOT / "include/torii.h"],
                            check=True, capture_output=True, text=True).stdout
    groups = "".join(f" * - @ref {group}\n" for group in re.findall(r"@defgroup (\w+)", header))
    (work / "torii.h").write_text(header.replace("*/", f"*\n * By subject:\n *\n{groups} */", 1))
    doxygen(work, "Doxyfile", f'INPUT = torii.h\nOUTPUT_DIRECTORY = "{out}"')


def cpp(work, out):
    headers = ROOT / "bindings/cpp/include"
    doxygen(headers, "Doxyfile.cpp", f'INPUT = .\nINPUT_FILTER = "{sys.executable} \\"{SITE / "cpp.py"}\\""\n'
            f'OUTPUT_DIRECTORY = "{out}"')


def doxygen(folder, settings, more):
    more += f'\nHTML_EXTRA_STYLESHEET = "{SITE / "phone.css"}"\n'
    run("doxygen", "-", cwd=folder, input=f"{(SITE / settings).read_text()}\n{more}", text=True)


def node(work, out):
    build = Path(os.environ.get("BUILD", work.parent)) / "torii-node"
    build.mkdir(parents=True, exist_ok=True)
    binding = ROOT / "bindings/node"
    capture = {"check": True, "stdout": subprocess.PIPE, "text": True}
    path = subprocess.run([binding / "node.sh", build], **capture).stdout.strip()
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    tools = Path(subprocess.run([binding / "tools.sh", build], env=environment, **capture).stdout.strip())
    stage = work / "node"
    stage.mkdir()
    (stage / "node_modules").symlink_to(tools.resolve() / "node_modules")
    shutil.copytree(binding / "lib", stage / "lib")
    for name in (binding / "tsconfig.json", SITE / "typedoc.json", SITE / "node.md"):
        shutil.copy(name, stage)
    run("node", "node_modules/typedoc/bin/typedoc", "--out", out / "node", cwd=stage, env=environment)


def python(work, out, library):
    environment = {**os.environ, "TORII_LIBRARY": str(library), "PYTHONDONTWRITEBYTECODE": "1",
                   "PYTHONPATH": str(ROOT / "bindings/python/src")}
    run(work.parent / "site-tools/bin/python", SITE / "python.py", out / "python", env=environment)


def ruby(work, out):
    stage = work / "ruby"
    shutil.copytree(ROOT / "bindings/ruby/lib", stage / "lib")
    shutil.copy(SITE / "ruby.md", stage / "README.md")
    options = ["--hide-api", "private", "--no-save", "lib/**/*.rb"]
    run("yard", "doc", "--no-stats", "--fail-on-warning", "--title", "libtorii for Ruby", "--output-dir", out / "ruby", *options,
        cwd=stage)
    stats = subprocess.run(["yard", "stats", "--list-undoc", *options], cwd=stage, check=True, capture_output=True, text=True)
    if "Undocumented Objects:" in stats.stdout:
        raise SystemExit(stats.stdout)


def rust(out):
    """Documents the public names of the crate. Its own lint demands that they are described."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    shutil.rmtree(target / "doc", ignore_errors=True)
    run(os.environ.get("CARGO", "cargo"), "doc", "--quiet", "--profile", "ci", "--locked", "--no-deps", "-p", "torii",
        cwd=ROOT, env={**os.environ, "RUSTDOCFLAGS": "-D warnings"})
    shutil.copytree(target / "doc", out / "rust", dirs_exist_ok=True)
    (out / "rust/index.html").write_text('<!DOCTYPE html>\n<meta http-equiv="refresh" content="0; url=torii/index.html">\n')


def folders(work, out, library):
    c(work, out)
    cpp(work, out)
    node(work, out)
    python(work, out, library)
    ruby(work, out)
    rust(out)
    for name in NAMES.keys() - {"go", "php"}:
        bars(out, name)


# ---- the way back to the pages ------------------------------------------------------------------

# Where the text of a page begins, in the output of each tool.
BEGINNING = re.compile(r'<div id="main" tabindex="-1">|<main class="pdoc">|<main>(?=<div class="width-limiter">)|<body[^>]*>')
STYLE = """<style>
.libtorii { font: 14px/1.7 sans-serif; padding: .3em .8em; border-bottom: 1px solid #8886; }
.libtorii a { margin-right: .9em; color: inherit; text-decoration: none; white-space: nowrap; }
.libtorii a:hover { text-decoration: underline; }
.libtorii [aria-current] { font-weight: bold; }
/* YARD: the box of a class, and phones. */
.box_info dl > * { background: none !important; }
#main pre.code, #main .summary_signature { overflow-x: auto; overflow-wrap: anywhere; }
@media (max-width: 700px) { #main { box-sizing: border-box; max-width: 100vw; } }
</style>
"""


def bars(out, name):
    """Gives each page of a reference links to the first page of the site and to the other references."""
    for page in (out / name).rglob("*.html"):
        text = page.read_text(errors="surrogateescape")
        up = "../" * (len(page.relative_to(out).parts) - 1)
        links = [f'<a href="{up}index.html">libtorii</a>']
        for path in PAGES.values():
            other = path.split("/")[0]
            current = ' aria-current="true"' if other == name else ""
            links.append(f'<a href="{up}{path}"{current}>{NAMES[other]}</a>')
        beginnings = list(BEGINNING.finditer(text))
        if "</head>" in text and beginnings:
            # The last: <body> comes before what is more exact.
            end = beginnings[-1].end()
            bar = f'<div class="libtorii" role="navigation" aria-label="libtorii">{" ".join(links)}</div>'
            text = text[:end] + bar + text[end:]
            page.write_text(text.replace("</head>", STYLE + "</head>", 1), errors="surrogateescape")
