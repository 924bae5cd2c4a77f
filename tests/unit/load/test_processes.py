"""What the kernel says of a process is read rightly."""

from kcore.load import processes


def test_pss_is_read_in_bytes_and_not_one_of_its_parts() -> None:
    text = "00400000-7ffd0000 ---p 00000000 00:00 0 [rollup]\nRss:  9000 kB\nPss:   1234 kB\nPss_Anon:  99 kB\n"
    assert processes.read_pss_bytes(text) == 1234 * 1024


def test_cpu_time_is_found_behind_a_name_with_parentheses() -> None:
    stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 70 30 5 5 20 0 9 0 12345 1000 200"
    assert processes.read_cpu_ticks(stat) == 100


def test_a_process_that_was_not_there_before_is_left_out() -> None:
    assert processes.spent_s({"nodes": 1.0}, {"nodes": 1.5, "scheduler": 3.0}) == {"nodes": 0.5}


def test_of_a_process_that_was_started_again_only_the_new_one_counts() -> None:
    assert processes.spent_s({"nodes": 9.0}, {"nodes": 0.5}) == {"nodes": 0.5}
