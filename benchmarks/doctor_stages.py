"""Every question of the doctor over the last day of a lake, one after the other in one process, and the page; seconds, as JSON."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import viz
from analysis.questions import ask, catalogue
from store.lake import Lake
from viz import data
from viz.dns import findings, health

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

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
FIGURES = "the page DNS: its figures, endings, latencies, who waits"
PAGE = "with the resolver map"
COMPARED, FINDINGS = "after that: compared with the day before", "after that: findings of the doctor and the detections"
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
        names_page(opened(Path(empty) / "lake"))  # so that no import is timed
    taken |= page_by_parts(lake.folder)
    print(json.dumps(counts | {"taken": taken}), flush=True)
    os._exit(0)


def page_by_parts(lake: Path) -> dict[str, float]:
    """The parts in the order in which they come; the map with what comes before it."""
    app = opened(lake, "1d")
    with (
        measured(data, "resolver_map") as drawing,
        measured(health, "compare") as comparing,
        measured(data, "examined") as examining,
        measured(findings, "shown") as showing,
    ):
        whole = timed(lambda: names_page(app))
    drawn, compared, found = sum(drawing), sum(comparing), sum(examining + showing)
    page = whole - compared - found
    return {FIGURES: page - drawn, PAGE: page, COMPARED: compared, FINDINGS: found}


@contextmanager
def measured(module: ModuleType, name: str) -> Iterator[list[float]]:
    """How long each call of a function of ``module`` took, in seconds."""
    original, taken = getattr(module, name), list[float]()

    def function(*parameters: Any) -> Any:
        start = time.perf_counter()
        try:
            return original(*parameters)
        finally:
            taken.append(time.perf_counter() - start)

    setattr(module, name, function)
    yield taken
    setattr(module, name, original)


def opened(lake: Path, last: str | None = None) -> "AppTest":
    """The app as it opens: the overview, which has asked for what the filters offer."""
    from streamlit.testing.v1 import AppTest

    sys.argv[1:] = ["--lake", str(lake)]
    app = AppTest.from_file(str(VIZ / "main.py"), default_timeout=TIMEOUT_S)
    app.run()
    return app.selectbox(key="time").set_value(last).run() if last else app


def names_page(app: "AppTest") -> None:
    app.switch_page("app_pages/names.py").run()
    assert not app.exception, app.exception


if __name__ == "__main__":
    main()
