"""Rules for ext/: compiled code is a leaf, and a function that cannot raise says so."""

import re
from pathlib import Path

from tests.lint.sources import cython_files, shown, text

SHARED = "kcore.scalars"
"""The only file that may be cimported across packages."""

C_TYPES = (
    r"(?:const\s+)?(?:unsigned\s+|signed\s+)?"
    r"(?:void|bint|char|short|int|long|float|double|size_t|Py_ssize_t|ssize_t|ptrdiff_t|u?int(?:8|16|32|64)_t|[A-Z]\w*\s*\*)"
)
C_FUNCTION = re.compile(rf"^\s*cp?def\s+(?:inline\s+)?{C_TYPES}[\s*]+\w+\s*\((?P<rest>.*?):\s*$", re.MULTILINE | re.DOTALL)


def package_of(file: Path) -> str:
    return ".".join(Path(shown(file)).parts[1:-1])


def test_nothing_is_cimported_across_packages() -> None:
    found = []
    for file in cython_files():
        for module in re.findall(r"^\s*(?:from\s+(kcore[\w.]*)\s+cimport|cimport\s+(kcore[\w.]*))", text(file), re.MULTILINE):
            name = "".join(module)
            if name != SHARED and not name.startswith(f"{package_of(file)}."):
                found.append(f"{shown(file)} cimports {name}")
    assert found == []


def test_there_are_no_includes_templates_or_numpy_headers() -> None:
    forbidden = re.compile(r"^\s*(include\s+[\"']|c?import\s+numpy|from\s+numpy\s+cimport|cimport\s+numpy).*", re.MULTILINE)
    assert [f"{shown(file)}: {found[0].strip()}" for file in cython_files() if (found := forbidden.search(text(file)))] == []


def test_functions_of_c_types_say_whether_they_raise() -> None:
    silent = []
    for file in cython_files():
        for match in C_FUNCTION.finditer(text(file)):
            if not re.search(r"\)\s*(noexcept|except)\b", match["rest"]):
                silent.append(f"{shown(file)}: {match[0].split('(')[0].strip()}")
    assert silent == []
