"""Expressions of the Common Expression Language in objects: whether they compile, and to what.

`check` says what is wrong with an expression in the words of Kubernetes; `scopes` says what an expression of a kind may name; `types` and
`library` hold the messages and functions that Kubernetes adds to the language; `evaluate` tells which devices an expression selects.

- The language itself (parser, type checker) is that of CEL's own C++ implementation, which words its errors as the Go one does.
- The library is loaded when the first expression is checked, since most processes never see one.
- Environments are kept by what they declare; any thread may check.

Differs from upstream: the cost of an expression is not estimated.
"""

from kcore.machinery.cel.check import Compiled, compile_expression, fault, is_identifier
from kcore.machinery.cel.scopes import Scope, admission, device

__all__ = ["Compiled", "Scope", "admission", "compile_expression", "device", "fault", "is_identifier"]
