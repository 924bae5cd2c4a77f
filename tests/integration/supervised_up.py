"""``kcore up`` for the supervisor's tests: a supervisor over parts that are given as JSON."""

import json
import sys
from argparse import ArgumentParser

from kcore.base import service
from kcore.base.config import DataDir
from kcore.base.supervisor import HeldError, Part, PartFailedError, Supervisor


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("parts")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--ready-fd", type=int)
    options = parser.parse_args()
    directory = DataDir.at(options.data_dir)
    parts = [
        Part(name, (name, *arguments), tuple(after), module="tests.integration.supervised_part")
        for name, arguments, after in json.loads(options.parts)
    ]
    supervisor = Supervisor(directory, parts, lambda _: service.report_ready(options.ready_fd), volatile=[directory.endpoints])
    try:
        supervisor.run()
    except (HeldError, PartFailedError) as error:
        service.report_failed(options.ready_fd, str(error))
        sys.exit(str(error))


if __name__ == "__main__":
    main()
