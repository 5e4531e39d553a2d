"""Every question of the doctor over the last day of a lake, one after the other in one process, and the page; seconds, as JSON."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import viz
from analysis.questions import ask, catalogue
from store.lake import Lake

FLOOR = """
select client_namespace, client_workload, qname, rcode, outcome, count(*)
from dns
where not forwarded
group by all
"""
COUNTS = """
select
    (select count(*) from dns) as transactions, (select count(*) from dns_records) as records,
    (select count(*) from resolutions) as resolutions
"""
FOLDERS = ("dns/", "detect/", "egress/")
VIZ = Path(viz.__file__).parent
TIMEOUT_S = 120.0


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    lake = Lake.open(sys.argv[1])
    span = lake.span()
    assert span is not None
    since = span[1] - timedelta(days=1)
    (counts,) = lake.connect(since).sql(COUNTS).to_arrow_table().to_pylist()
    taken = {"floor: clients, names, endings": timed(lambda: lake.connect(since).sql(FLOOR).to_arrow_table())}
    for name, question in catalogue().items():
        if name.startswith(FOLDERS) and not any(parameter.required for parameter in question.parameters):
            taken[name] = timed(lambda name=name: ask(lake, name, {"since": since}, 50, TIMEOUT_S))
    with tempfile.TemporaryDirectory() as empty:
        Lake.create(Path(empty) / "lake")
        page(Path(empty) / "lake", "names.py")  # so that no import is timed
    taken["the page DNS"] = timed(lambda: page(lake.folder, "names.py"))
    print(json.dumps(counts | {"taken": taken}), flush=True)
    os._exit(0)


def page(lake: Path, name: str) -> None:
    """What Streamlit runs for it, over the last day, with nothing of this lake cached."""
    from streamlit.testing.v1 import AppTest

    sys.argv[1:] = ["--lake", str(lake)]
    app = AppTest.from_file(str(VIZ / "main.py"), default_timeout=TIMEOUT_S)
    app.query_params["time"] = "1d"
    app.switch_page(f"app_pages/{name}").run()
    assert not app.exception, app.exception


if __name__ == "__main__":
    main()
