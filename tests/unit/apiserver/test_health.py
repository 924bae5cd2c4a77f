"""Health endpoints: what checks find, in the words that clients read."""

from kcore.apiserver.discovery import Check, health

GOOD, BAD = Check("etcd", lambda: None), Check("poststarthook/bootstrap", lambda: "not finished")


def body(path: str, query: dict[str, list[str]], *checks: Check) -> tuple[int, str]:
    found = health.answer(path, query, checks)
    assert found is not None
    return found.status, found.body.decode()


def test_a_healthy_server_says_ok_and_no_more() -> None:
    assert body("/livez", {}, GOOD) == (200, "ok")


def test_verbose_lists_every_check() -> None:
    assert body("/readyz", {"verbose": [""]}, GOOD) == (200, "[+]ping ok\n[+]etcd ok\nreadyz check passed\n")


def test_a_failure_lists_every_check_and_gives_no_reason_away() -> None:
    wanted = "[+]ping ok\n[+]etcd ok\n[-]poststarthook/bootstrap failed: reason withheld\nhealthz check failed\n"
    assert body("/healthz", {}, GOOD, BAD) == (500, wanted)


def test_an_excluded_check_is_not_asked() -> None:
    query = {"exclude": ["poststarthook/bootstrap"], "verbose": [""]}
    assert body("/livez", query, GOOD, BAD) == (
        200, "[+]ping ok\n[+]etcd ok\n[+]poststarthook/bootstrap excluded: ok\nlivez check passed\n",
    )  # fmt: skip


def test_an_exclusion_that_excludes_nothing_is_told() -> None:
    text = body("/livez", {"exclude": ["none", "etcd"], "verbose": ["1"]}, GOOD)[1]
    assert text.splitlines()[1:] == [
        "[+]etcd excluded: ok", 'warn: some health checks cannot be excluded: no matches for "none"', "livez check passed",
    ]  # fmt: skip


def test_one_check_answers_for_itself() -> None:
    assert body("/livez/etcd", {}, GOOD, BAD) == (200, "ok")
    assert body("/livez/poststarthook/bootstrap/", {}, GOOD, BAD) == (500, "internal server error: not finished\n")
    assert health.answer("/livez/none", {}, [GOOD]) is None
