"""Names of pods: the same for whoever looks at the same, others for others."""

from itertools import islice
from typing import Any

from kcore.base.entropy import NAME_ALPHABET
from kcore.controllers.pod_names import free_names
from tests.property.controllers.world import replicaset


def owner(name: str = "web", uid: str = "u", generation: int = 1) -> Any:
    found = replicaset(name, 1)
    found.metadata.uid, found.metadata.generation = uid, generation
    return found


def first(count: int, found: Any, in_use: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    return list(islice(free_names(found, in_use.__contains__), count))


def test_names_are_the_same_for_the_same_owner() -> None:
    assert first(40, owner()) == first(40, owner())


def test_a_name_has_five_characters_of_the_alphabet_behind_the_owners_name() -> None:
    for name in first(100, owner()):
        prefix, _, suffix = name.rpartition("-")
        assert prefix == "web" and len(suffix) == 5 and set(suffix) <= set(NAME_ALPHABET)


def test_no_name_comes_twice() -> None:
    names = first(20_000, owner())
    assert len(set(names)) == len(names)


def test_names_in_use_are_left_out_and_the_others_stay() -> None:
    names = first(10, owner())
    assert first(8, owner(), {names[0], names[5]}) == [*names[1:5], *names[6:]]


def test_another_uid_or_generation_has_other_names() -> None:
    names = set(first(100, owner()))
    assert not names & set(first(100, owner(uid="v")))
    assert not names & set(first(100, owner(generation=2)))


def test_a_long_name_is_cut_so_that_it_stays_a_label() -> None:
    (name,) = first(1, owner(name="x" * 80))
    assert len(name) == 63


def test_lives_and_prefixes_have_names_of_their_own() -> None:
    def name(**options: str) -> str:
        return next(free_names(owner(), lambda _: False, **options))

    assert len({name(), name(life="1"), name(life="2")}) == 3
    assert name(prefix="web-7-").startswith("web-7-") and name(prefix="web-7-")[-5:] == name()[-5:]
