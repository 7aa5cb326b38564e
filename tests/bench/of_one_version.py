"""Relay and collector as one checkout makes them, for loads when asked: `PYTHON of_one_version.py FOLDER COUNT SHARE`.

It is run by the Python of that checkout with its `tests` on the path, so that two versions can take turns; it uses
only what versions since 0.1.0 have. Each line it reads is one load, and is answered by one line of JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from support.bench.transport_hosts import site
from support.bench.transport_ways import rendered


def main(folder: Path, count: int, share: float) -> None:
    with site(folder, count, share) as made:
        way = rendered(made)
        print(json.dumps("ready"), flush=True)
        for _ in sys.stdin:
            print(json.dumps(asdict(way.run(made))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
