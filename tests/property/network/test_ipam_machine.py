"""NodeIpam against a plain model: no address twice, over releases, restarts and crashes, and none reused while another is free."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from kcore.network.ipam import Exhausted, NodeIpam
from kcore.network.record import FileRecord

CIDRS = ("10.1.0.0/29", "fd00:1::/125")
ROOM = 5
RELEASES_SEEN = 2


class IpamMachine(RuleBasedStateMachine):
    """One node with room for five pods, whose process is killed and started again."""

    owners: Bundle[str] = Bundle("owners")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ipam"
        self.model: dict[str, tuple[str, ...]] = {}
        self.last_released: list[tuple[str, ...]] = []
        self.count = 0
        self.open()

    def open(self) -> None:
        self.record = FileRecord(self.path)
        self.ipam = NodeIpam(CIDRS, self.record)

    def teardown(self) -> None:
        self.record.close()
        self.folder.cleanup()

    @rule(target=owners)
    def allocate(self) -> str:
        self.count += 1
        owner = f"pod-{self.count}"
        answer = self.ipam.allocate(owner)
        if isinstance(answer, Exhausted):
            assert len(self.model) == ROOM
            return owner
        assert len(self.model) < ROOM
        assert len(answer) == len(CIDRS)
        assert not {address for held in self.model.values() for address in held} & set(answer)
        free_before = ROOM - len(self.model)
        if free_before > len(self.last_released):
            assert answer not in self.last_released, "an address came back while another was free"
        self.last_released = [each for each in self.last_released if each != answer]
        self.model[owner] = answer
        return owner

    @rule(owner=owners)
    def allocate_again(self, owner: str) -> None:
        if owner in self.model:
            assert self.ipam.allocate(owner) == self.model[owner]

    @rule(owner=consumes(owners))
    def release(self, owner: str) -> None:
        released = self.ipam.release(owner)
        assert released == self.model.pop(owner, ())
        if released:
            self.last_released = [*self.last_released, released][-RELEASES_SEEN:]

    @rule(torn=st.binary(max_size=30))
    def crash(self, torn: bytes) -> None:
        """The process dies in the middle of an append; what it had begun to write is whatever it is."""
        self.record.close()
        with open(self.path, "ab") as file:
            file.write(torn.replace(b"\n", b""))
        self.open()

    @rule()
    def rebuild_from_status(self) -> None:
        """A hollow node has no record: it adopts what the pods' status says."""
        self.record.close()
        self.path.unlink()
        self.open()
        for owner, addresses in sorted(self.model.items()):
            assert self.ipam.adopt(owner, addresses) == ()
        self.last_released = []

    @rule(keep=st.sets(st.integers(0, 20)))
    def retain(self, keep: set[int]) -> None:
        kept = {f"pod-{number}" for number in keep}
        assert set(self.ipam.retain(kept)) == self.model.keys() - kept
        self.model = {owner: held for owner, held in self.model.items() if owner in kept}
        self.last_released = []

    @invariant()
    def both_agree(self) -> None:
        assert {owner: self.ipam.addresses(owner) for owner in self.ipam.owners()} == self.model
        assert self.ipam.free() == ROOM - len(self.model)


IpamMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestIpamMachine = IpamMachine.TestCase
