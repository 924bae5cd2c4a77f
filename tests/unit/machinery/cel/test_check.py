"""What is wrong with expressions, in the words of Kubernetes."""
import subprocess
import sys

import pytest

from kcore.machinery import cel

PLAIN = cel.admission()
COMPOSED = cel.admission(params=True, composed=(("v", "dyn"), ("count", "int")))
MUTATING = cel.admission(mutating=True)


@pytest.mark.parametrize(("expression", "scope"), [
    ("object.spec.replicas <= 5 && oldObject == null", PLAIN),
    ("request.userInfo.username == 'a' && 'x' in request.userInfo.groups && request.kind.group == ''", PLAIN),
    ("namespaceObject.metadata.labels['a'] == 'b'", PLAIN),
    ("authorizer.group('apps').resource('deployments').namespace('n').check('create').allowed()", PLAIN),
    ("authorizer.requestResource.check('x').allowed()", PLAIN),
    ("variables.v > variables.count && params.data.limit == '1'", COMPOSED),
    ("object.spec.containers.all(c, c.image.startsWith('x')) && [1, 2].all(i, v, v > i)", PLAIN),
    ("quantity('1Gi').isGreaterThan(quantity('1')) && isQuantity(object.x)", PLAIN),
    ("ip.isCanonical('::1') || cidr('10.0.0.0/8').containsIP('10.1.1.1')", PLAIN),
    ("[1, 2].sum() == 3 && ['b', 'a'].isSorted() && 'ab'.find('a') == 'a' && 'a,b'.split(',').join('-') == 'a-b'", PLAIN),
    ("object.?x.orValue(1) == 1 && sets.contains([1], [1])", PLAIN),
    ("url('https://a/b').getHost() == 'a' && semver('1.2.3').isLessThan(semver('1.3.0'))", PLAIN),
    ("format.dns1123Label().validate('a') == optional.none()", PLAIN),
    ("device.driver == 'd' && device.attributes['d'].model == 'x'", cel.device()),
    ("device.capacity['d'].memory.isGreaterThan(quantity('1'))", cel.device()),
])  # fmt: skip
def test_expressions_that_say_yes_or_no_are_fine(expression: str, scope: cel.Scope) -> None:
    assert cel.fault(expression, scope, ("bool",)) == ""


@pytest.mark.parametrize(("expression", "wanted"), [
    ("Object{}", "Object"),
    ("Object{spec: Object.spec{replicas: object.spec.replicas + 1, labels: {'a': 'b'}}}", "Object"),
    ('[JSONPatch{op: "add", path: "/a", value: Object.spec{x: 1}}, JSONPatch{op: "remove", path: jsonpatch.escapeKey("a/b")}]',
     "list(JSONPatch)"),
])  # fmt: skip
def test_mutations_make_objects_and_patches(expression: str, wanted: str) -> None:
    assert cel.fault(expression, MUTATING, (wanted,)) == ""
    assert "undeclared reference" in cel.fault(expression, PLAIN)


@pytest.mark.parametrize(("expression", "errors"), [
    ("1 )", "ERROR: <input>:1:3: Syntax error: extraneous input ')' expecting <EOF>\n | 1 )\n | ..^"),
    ("here + 1", "ERROR: <input>:1:1: undeclared reference to 'here' (in container '')\n | here + 1\n | ^"),
    ("1 == there.is . none", "ERROR: <input>:1:6: undeclared reference to 'there' (in container '')\n | 1 == there.is . none\n | .....^"),
    ("request.odd", "ERROR: <input>:1:8: undefined field 'odd'\n | request.odd\n | .......^"),
    ("1 + 'a'", "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n | 1 + 'a'\n | ..^"),
    ("a && b", (
        "ERROR: <input>:1:1: undeclared reference to 'a' (in container '')\n | a && b\n | ^\n"
        "ERROR: <input>:1:6: undeclared reference to 'b' (in container '')\n | a && b\n | .....^"
    )),
])  # fmt: skip
def test_compilers_errors_name_the_place(expression: str, errors: str) -> None:
    assert cel.fault(expression, PLAIN) == f"compilation failed: {errors}"


def test_the_empty_expression_ends_before_it_began() -> None:
    assert cel.compile_expression("", PLAIN).errors.startswith("ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {")


def test_names_are_known_only_where_they_are_declared() -> None:
    assert "undeclared reference to 'params'" in cel.fault("params.x", PLAIN)
    assert "undeclared reference to 'variables'" in cel.fault("variables.v", PLAIN)
    assert "undefined field 'w'" in cel.fault("variables.w", COMPOSED)
    assert "no matching overload for '_+_' applied to '(int, string)'" in cel.fault("variables.count + 'a'", COMPOSED)
    assert "undeclared reference to 'authorizer'" in cel.fault("authorizer", cel.admission(authorizer=False))
    assert "undeclared reference to 'object'" in cel.fault("object", cel.device())


@pytest.mark.parametrize(("expression", "wanted", "sentence"), [
    ("'a'", ("bool",), "must evaluate to bool but got string"),
    ("object.x", ("bool",), "must evaluate to bool but got dyn"),
    ("[{'a': 1}]", ("bool",), "must evaluate to bool but got list(map(string, int))"),
    ("timestamp('2024-01-01T00:00:00Z')", ("bool",), "must evaluate to bool but got google.protobuf.Timestamp"),
    ("1", ("string", "null_type"), "must evaluate to one of [string null_type] but got int"),
    ("null", ("string", "null_type"), ""),
    ("1", (), ""),
])  # fmt: skip
def test_an_expression_has_a_wanted_type(expression: str, wanted: tuple[str, ...], sentence: str) -> None:
    assert cel.fault(expression, PLAIN, wanted) == sentence


def test_identifiers_are_no_words_of_the_language() -> None:
    assert [name for name in ("a", "_a1", "1a", "a-b", "in", "namespace", "") if cel.is_identifier(name)] == ["a", "_a1"]


def test_a_long_expression_is_compiled_without_being_remembered() -> None:
    assert cel.fault("true" + " && true" * 1000, PLAIN, ("bool",)) == ""


def test_an_expression_that_nests_without_end_is_refused() -> None:
    assert cel.fault("(" * 5000 + "1" + ")" * 5000, PLAIN).startswith("compilation failed: ")


def test_the_compiler_is_loaded_when_it_is_needed() -> None:
    code = "import sys; from kcore.machinery import cel; cel.admission(); print('cel_expr_python' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
