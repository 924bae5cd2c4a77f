"""The layout rules: sizes, names, docstrings, and what no file may hold."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.lint.sources import ROOT, TAKEN_OVER, cython_files, python_files, shown, text, tracked, tree

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 500
CYTHON_LINES_MAX = 400
PACKAGE_MODULES_MAX = 20
ONE_EACH = ("kcore/cli", "kcore/controllers", "kcore/scheduler/plugins", "kcore/machinery/kinds/core")
"""Packages with one module per command, controller, plugin or noun of core/v1: as many as there are."""

ONE_TABLE = {"kcore/base/limits.py"}
"""Every bound stands in one module with its reason: a table is looked up, not read, so it may be long."""

WRITTEN = {"bench/micro/kernels.c", "tests/integration/disk/recorder.c"}
"""C that people wrote: the plain loops that kernels are measured beside, the recorder of what a process does to a disk."""

TOP_LEVEL = {
    ".ci", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md",
    "bench", "ext", "kcore", "proto", "pyproject.toml", "setup.py", "tests",
}  # fmt: skip
JUNK_DRAWERS = {"util", "utils", "common", "helper", "helpers", "misc"}
CODE_FOLDERS = ("kcore", "bench", "tests", "proto")

BROAD_HANDLERS: set[str] = {
    "kcore/client/workqueue.py",
    "kcore/apiserver/rest/frontend.py",
    "kcore/apiserver/rpc_frontend.py",
    "kcore/base/supervisor.py",
}
"""The places that may catch everything: the workqueue worker, the outermost handler of each front-end, the supervisor."""


def code_files() -> list[Path]:
    return [*python_files(*CODE_FOLDERS), ROOT / "setup.py", *cython_files(), *sorted((ROOT / "proto").rglob("*.proto"))]


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def cython_function_sizes(file: Path) -> Iterator[tuple[str, int]]:
    """Yield name and line count of each function of a Cython file, by indentation."""
    lines = text(file).splitlines()
    starts = re.compile(r"^(\s*)(?:async\s+)?(?:cp?def|def)\b.*\(")
    for number, line in enumerate(lines):
        head = starts.match(line)
        if head is None:
            continue
        indent, end, is_open = len(head[1]), number + 1, True
        for offset, later in enumerate(lines[number:], number):
            if is_open:  # the signature may take several lines
                is_open = not later.split("#")[0].rstrip().endswith(":")
            elif later.strip() and len(later) - len(later.lstrip()) <= indent:
                break
            if later.strip():
                end = offset + 1
        yield line.strip(), end - number


def test_every_module_says_what_it_decides_or_does() -> None:
    modules = [file for file in python_files("kcore", "bench", "tests") if text(file).strip() or file.is_relative_to(ROOT / "kcore")]
    assert [shown(file) for file in modules if not ast.get_docstring(tree(file))] == []
    assert [shown(file) for file in cython_files() if file.suffix == ".pyx" and '"""' not in text(file)[:300]] == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {file.parent for file in python_files("kcore")} | {ROOT / file.parent.relative_to(ROOT / "ext") for file in cython_files()}
    assert [shown(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_functions_end_before_the_page_does() -> None:
    long = [
        f"{shown(file)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for file in [*python_files("kcore", "bench", "tests"), ROOT / "setup.py"]
        for node in functions(file)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    for file in cython_files():
        long += [f"{shown(file)} {name} has {size} lines" for name, size in cython_function_sizes(file) if size > FUNCTION_LINES_MAX]
    assert long == []


def test_modules_are_one_noun_long() -> None:
    sized = [(file, MODULE_LINES_MAX) for file in [*python_files("kcore", "bench", "tests"), ROOT / "setup.py"]]
    sized += [(file, CYTHON_LINES_MAX) for file in cython_files()]
    counted = [(shown(file), len(text(file).splitlines()), limit) for file, limit in sized]
    assert [f"{name} has {count} lines" for name, count, limit in counted if count > limit and name not in TAKEN_OVER | ONE_TABLE] == []


def test_packages_can_be_looked_over() -> None:
    counts = Counter(shown(file.parent) for file in python_files("kcore") if file.name != "__init__.py")
    assert {name: count for name, count in counts.items() if count > PACKAGE_MODULES_MAX and name not in ONE_EACH} == {}


def test_there_is_no_junk_drawer() -> None:
    parts = {part: path for path in tracked() for part in Path(path).with_suffix("").parts}
    assert {path for part, path in parts.items() if part.strip("_") in JUNK_DRAWERS} == set()


def test_the_top_level_holds_only_what_the_design_names() -> None:
    assert {Path(path).parts[0] for path in tracked()} - TOP_LEVEL == set()


def test_nothing_generated_is_committed() -> None:
    patterns = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*.so", "*.c", "*.pyc", "*.binpb")
    assert [path for path in tracked() if any(Path(path).match(pattern) for pattern in patterns) and path not in WRITTEN] == []
    assert [path for path in tracked() if path.startswith(("kcore/api/", "build/"))] == []


def test_there_is_no_unfinished_mark() -> None:
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    own = Path(__file__)
    assert [f"{shown(file)}: {found[0]}" for file in code_files() if file != own and (found := mark.search(text(file)))] == []


def test_only_few_places_catch_everything() -> None:
    found = set()
    for file in python_files("kcore"):
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.ExceptHandler) and catches_everything(node.type):
                found.add(f"{shown(file)}:{node.lineno}")
    broad = re.compile(r"^\s*except\s*(:|\(?.*\b(Exception|BaseException)\b)", re.MULTILINE)
    found |= {shown(file) for file in cython_files() if broad.search(text(file))}
    assert {place for place in found if place.split(":")[0] not in BROAD_HANDLERS} == set()


def catches_everything(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in names)


def test_no_machine_is_named() -> None:
    path = re.compile(r"(?<![\w./])/(work|farm|root|home)/[a-z]")
    places = [ROOT / name for name in tracked() if not name.startswith("tests/conformance/") and (ROOT / name).suffix != ".xz"]
    found = []
    for file in places:
        try:
            content = file.read_text()
        except UnicodeDecodeError:
            continue
        if file != Path(__file__) and path.search(content):
            found.append(shown(file))
    assert found == []


def test_every_bound_has_its_reason() -> None:
    body = tree(ROOT / "kcore" / "base" / "limits.py").body
    bare = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            is_reasoned = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if not is_reasoned:
                bare.append(ast.unparse(target))
    assert bare == []


def test_names_of_compiled_modules_start_with_an_underscore() -> None:
    sources = [file.relative_to(ROOT / "ext") for file in cython_files() if file.suffix == ".pyx"]
    assert [str(source) for source in sources if not source.name.startswith("_")] == []
