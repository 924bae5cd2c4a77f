"""Commands of which everybody knows how they end, and those that say nothing."""

import pytest

from kcore.agent.command import NEVER, Ending, ending
from kcore.base import limits


@pytest.mark.parametrize(
    ("command", "after_s", "code"),
    [
        (["true"], 0, 0),
        (["/bin/false"], 0, 1),
        (["echo", "$(NAME)", "|", "hello"], 0, 0),
        (["sleep", "5"], 5, 0),
        (["/usr/bin/sleep", "1.5m", ".5"], 90.5, 0),
        (["sh", "-c", "exit 3"], 0, 3),
        (["/bin/sh", "-c", "exit 256"], 0, 0),
        (["bash", "-ec", "echo working; sleep 5 && exit 42"], 5, 42),
        (["sh", "-c", "sleep 1\nsleep 2\n"], 3, 0),
        (["sh", "-c", "false; true"], 0, 0),
        (["sh", "-ec", "false; sleep 9"], 0, 1),
        (["sh", "-ec", "false && true; sleep 9"], 9, 0),
        (["sh", "-c", "false && exit 7"], 0, 1),
        (["sh", "-c", ""], 0, 0),
    ],
)
def test_a_plain_command_says_when_and_how_it_ends(command: list[str], after_s: float, code: int) -> None:
    assert ending(command, ()) == Ending(after_s, code)


@pytest.mark.parametrize("command", [["sleep", "infinity"], ["sleep", "99999999d"], ["sh", "-c", "echo on; sleep infinity; exit 1"]])
def test_who_sleeps_for_ever_never_ends(command: list[str]) -> None:
    assert ending(command, ()) == NEVER


def test_arguments_go_on_where_the_command_ends() -> None:
    assert ending(["sleep"], ["7"]) == Ending(7, 0)
    assert ending(["sh", "-c"], ["exit 4"]) == Ending(0, 4)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["python", "main.py"],
        ["exit", "1"],
        ["sleep"],
        ["sleep", "long"],
        ["sh"],
        ["sh", "script.sh"],
        ["sh", "-c", "exit $CODE"],
        ["sh", "-c", "exit $(( $RANDOM / 16384 ))"],
        ["sh", "-c", "sleep 5 & exit 1"],
        ["sh", "-c", "true || exit 1"],
        ["sh", "-c", "echo done > /dev/termination-log"],
        ["sh", "-c", "while true; do sleep 1; done"],
        ["sh", "-c", "echo 'a; exit 1'"],
        ["sh", "-c", "&& true"],
        ["sh", "-c", "true;" * limits.HOLLOW_SCRIPT_CHARS_MAX],
    ],
)
def test_any_other_command_says_nothing(command: list[str]) -> None:
    assert ending(command, ()) is None
