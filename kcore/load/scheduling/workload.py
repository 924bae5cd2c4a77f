"""The cases of `bench/workloads/scheduling`: what each file says, and the plan of one size. Pure but for reading the files.

A file names a case, what it is beside (others' figures), its targets in full size, its sizes (numbers by name) and its steps:

    create  objects of a template, so many; `wait` says what has to become of pods before the next step (`scheduled`, `attempted`),
            `measured` that they are what is measured, `status` that their status is written, too
    churn   objects of templates that come and go, or only come (`recreate: false`), in a rhythm, from now on
    delete  the pods of an earlier step, so many a second, from now on

Where a number is wanted, a name stands for that number of the size. A template is an object in which `{index}` is the place in its step,
and further words in braces take the values of the step's `with` in turn, or 0, 1, 2 ... below a number; a value may hold later words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import Any, Final, NamedTuple, TypeVar

import orjson
import yaml

from kcore.client import kinds
from kcore.client.kinds import Resource
from kcore.load.bench.plane import BenchError
from kcore.machinery import codec

FOLDER: Final = "scheduling"
WAITS: Final = ("", "scheduled", "attempted")
Object = dict[str, Any]
Numbers = Mapping[str, int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Create:
    """Objects of a template; `turns` are the values of further words."""

    template: str
    count: int
    name: str = ""
    turns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wait: str = ""
    measured: bool = False
    status: bool = False


@dataclass(frozen=True, slots=True)
class Churn:
    """One object of each template every so often; the last ones are deleted in turn with it, unless they only come."""

    templates: tuple[str, ...]
    interval_s: float
    recreate: bool = True


@dataclass(frozen=True, slots=True)
class Delete:
    """The pods of the step of this name, the oldest first."""

    name: str
    per_s: float


Step = Create | Churn | Delete


@dataclass(frozen=True, slots=True)
class Workload:
    """A case as its file has it. `hollow` is the number of hollow nodes that run, `controllers` those that are off by default; without
    either, API server and scheduler are all that runs, and nodes are objects."""

    name: str
    about: str
    sizes: Mapping[str, Numbers]
    steps: tuple[Mapping[str, Any], ...]
    templates: Mapping[str, Object]
    targets: Mapping[str, float] = field(default_factory=dict)
    beside: Mapping[str, float] = field(default_factory=dict)
    hollow: str = ""
    controllers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A case in one size."""

    workload: Workload
    numbers: Numbers
    steps: tuple[Step, ...]
    targets: Mapping[str, float]

    @property
    def hollow(self) -> int:
        """How many hollow nodes run."""
        return self.numbers[self.workload.hollow] if self.workload.hollow else 0


class Made(NamedTuple):
    """An object that is to be created."""

    resource: Resource
    namespace: str
    name: str
    raw: bytes

    @property
    def key(self) -> str:
        """By which a watch names it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def workloads() -> list[Workload]:
    """All cases, in the order of their files."""
    folder = resources.files("kcore.workloads").joinpath(FOLDER)
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return [read(file.read_text(), file.name) for file in files]


def read(text: str, source: str) -> Workload:
    """The case of a file. Raises BenchError."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BenchError(f"{source}: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise BenchError(f"{source} holds no case")
    return workload(found, source)


def chosen(found: list[Workload], case: str) -> list[Workload]:
    """The case of this name, else those that have it in their name, whatever its letters' case."""
    exact = [each for each in found if each.name.lower() == case.lower()]
    return exact or [each for each in found if case.lower() in each.name.lower()]


def workload(found: Mapping[str, Any], source: str) -> Workload:
    """A case from what its file holds. Raises BenchError."""
    return built(Workload, {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}, source)


def plan(found: Workload, size: str) -> Plan:
    """The steps of a size. Raises BenchError where the file has a mistake."""
    if size not in found.sizes:
        raise BenchError(f"{found.name}: there is no size {size}, but {', '.join(found.sizes)}")
    numbers = found.sizes[size]
    steps = tuple(step(each, found, numbers) for each in found.steps)
    if sum(isinstance(each, Create) and each.measured for each in steps) != 1:
        raise BenchError(f"{found.name}: one step is what is measured")
    return Plan(found, numbers, steps, found.targets if size == "full" else {})


def step(said: Mapping[str, Any], of: Workload, numbers: Numbers) -> Step:
    """One step, with its numbers. Raises BenchError."""
    (action, arguments), *others = said.items()
    if others or action not in READERS:
        raise BenchError(f"{of.name}: a step is one of {', '.join(READERS)}")
    return READERS[action](dict(arguments), of, numbers)


def create(given: dict[str, Any], of: Workload, numbers: Numbers) -> Create:
    """A step that creates."""
    turns = {word: values_of(values, numbers) for word, values in given.pop("with", {}).items()}
    found = built(Create, given | {"count": number(given.get("count", 1), numbers), "turns": turns}, of.name)
    if found.wait not in WAITS:
        raise BenchError(f"{of.name}: pods are waited for until they are {' or '.join(filter(None, WAITS))}")
    known([found.template], of)
    return found


def churn(given: dict[str, Any], of: Workload, _numbers: Numbers) -> Churn:
    """A step that begins a churn."""
    found = built(Churn, given | {"templates": tuple(given.get("templates", ()))}, of.name)
    known(found.templates, of)
    return found


def delete(given: dict[str, Any], of: Workload, _numbers: Numbers) -> Delete:
    """A step that begins to delete."""
    return built(Delete, given, of.name)


READERS: Final[Mapping[str, Callable[[dict[str, Any], Workload, Numbers], Step]]] = {"create": create, "churn": churn, "delete": delete}


def known(templates: Iterable[str], of: Workload) -> None:
    """Hold names of templates against those that there are. Raises BenchError."""
    if missing := sorted(set(templates) - of.templates.keys()):
        raise BenchError(f"{of.name}: there is no template {missing[0]}")


def built(of: type[T], given: Mapping[str, Any], where: str) -> T:
    """An instance of a class from fields by name. Raises BenchError if one is unknown or missing."""
    if unknown := sorted(set(given) - {each.name for each in fields(of)}):  # type: ignore[arg-type]
        raise BenchError(f"{where}: {unknown[0]} is not known")
    try:
        return of(**given)
    except TypeError as error:
        raise BenchError(f"{where}: {error}") from error


def number(said: int | str, numbers: Numbers) -> int:
    """A number, or that of this name. Raises BenchError."""
    if isinstance(said, str) and said not in numbers:
        raise BenchError(f"there is no number {said} in this size")
    return numbers[said] if isinstance(said, str) else said


def values_of(said: list[Any] | int | str, numbers: Numbers) -> tuple[str, ...]:
    """Values that are taken in turn."""
    return tuple(map(str, said if isinstance(said, list) else range(number(said, numbers))))


def objects(created: Create, templates: Mapping[str, Object]) -> Iterator[Made]:
    """The objects of a step."""
    template = templates[created.template]
    resource, text = resource_of(template), orjson.dumps(template).decode()
    for index in range(created.count):
        words = {word: values[index % len(values)] for word, values in created.turns.items()}
        yield made(resource, filled(text, words | {"index": str(index)}))


def one(template: Object, index: int) -> Made:
    """An object of a template that needs no further words."""
    return made(resource_of(template), filled(orjson.dumps(template).decode(), {"index": str(index)}))


def resource_of(template: Object) -> Resource:
    """What a template makes objects of. Raises BenchError."""
    api_version, kind = str(template.get("apiVersion", "")), str(template.get("kind", ""))
    group, _, version = api_version.rpartition("/")
    try:
        return kinds.of_kind(group, version, kind)
    except LookupError:
        raise BenchError(f"a template is of no kind that is served: {kind} of {api_version}") from None


def filled(text: str, words: Mapping[str, str]) -> Object:
    """A template's text with words filled in."""
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    found: Object = orjson.loads(text)
    return found


def made(resource: Resource, obj: Object) -> Made:
    """An object as bytes."""
    meta = obj.get("metadata") or {}
    if not meta.get("name"):
        raise BenchError(f"a template of {resource} has no name")
    unknown: list[str] = []
    try:
        raw = codec.encode(resource.spec.message, codec.normalise(resource.spec.message, obj, unknown))
    except codec.DecodeError as error:
        raise BenchError(f"a template of {resource} is wrong: {error}") from error
    if unknown:
        raise BenchError(f"a template of {resource} has {unknown[0]}")
    return Made(resource, meta.get("namespace", ""), meta["name"], raw)
