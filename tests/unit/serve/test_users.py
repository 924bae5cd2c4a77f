"""Tokens: private, long, one for each user, made once."""

from pathlib import Path

from kcore.serve import users


def test_every_user_has_a_private_token_of_its_own(tmp_path: Path) -> None:
    users.ensure_tokens(tmp_path / "pki")
    files = list((tmp_path / "pki").glob("*.token"))
    assert {path.name.removesuffix(".token") for path in files} == users.USERS.keys()
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    tokens = {path.read_text() for path in files}
    assert len(tokens) == len(users.USERS) and min(map(len, tokens)) >= 40


def test_a_token_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("mine")
    users.ensure_tokens(tmp_path)
    assert (tmp_path / "admin.token").read_text() == "mine"
