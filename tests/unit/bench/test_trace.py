"""A trace of a cluster is replayed under policies side by side."""

from pathlib import Path

import pytest

from bench.load import trace
from kcore.cli.main import main

NODES = "sn,cpu_milli,memory_mib,gpu,model\nn0,8000,1024,0,\nn1,16000,2048,2,T4\n"
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time,scheduled_time
p0,1000,512,0,0,,LS,0,900000,10
p1,2000,256,1,600,V100M32|T4,BE,400000,900000,400000
p2,2000,256,1,600,,BE,500000,900000,
"""


def test_the_columns_are_those_of_the_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "pods.csv").write_text(PODS)
    assert main(trace.command(tmp_path, "--jobs", "1", "--policy", "default")) == 0
    told = capsys.readouterr().out
    assert "2 nodes, 0 pods\n5 pods in 2 rounds" in told and "default  100.0%" in told
