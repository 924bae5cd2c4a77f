"""Rules for tests: no sleeping, no skipping, sentences as names."""

import ast

from tests.lint.sources import TAKEN_OVER, python_files, shown, tree

SLEEPS = {"time.sleep", "asyncio.sleep"}
SLEEPERS = {"tests/integration/supervised_part.py", *TAKEN_OVER}
"""A part that has nothing to do but to be there; the comparers that came with the recordings poll, as they did when they were made."""

SKIPS = {"pytest.skip", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.skipif", "unittest.skip", "pytest.xfail"}
LEVELS = {"lint", "unit", "reference", "property", "golden", "conformance", "simulation", "integration", "clients"}


def dotted(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""


def test_no_test_sleeps() -> None:
    found = []
    for file in python_files("tests"):
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and dotted(node.func) in SLEEPS and not yields_only(node) and shown(file) not in SLEEPERS:
                found.append(f"{shown(file)}:{node.lineno}")
    assert found == []


def yields_only(call: ast.Call) -> bool:
    """Whether a sleep of zero only lets others run."""
    return [ast.unparse(argument) for argument in call.args] == ["0"]


def test_no_test_is_skipped() -> None:
    found = []
    for file in python_files("tests", "bench"):
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Attribute) and dotted(node) in SKIPS:
                found.append(f"{shown(file)}:{node.lineno}")
    assert found == []


def test_names_of_tests_are_sentences() -> None:
    short = []
    for file in python_files("tests"):
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") and node.name.count("_") < 3:
                short.append(f"{shown(file)}:{node.lineno} {node.name}")
    assert short == []


def test_every_test_has_a_level() -> None:
    strays = {shown(file) for file in python_files("tests") if shown(file).split("/")[1] not in LEVELS}
    assert strays - {"tests/conftest.py", "tests/__init__.py"} == set()
