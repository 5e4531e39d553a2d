"""Every detection over one window of a lake: what may be an attack, in the form of the doctor's findings."""

from collections.abc import Mapping, Sequence

from analysis.detect import dga, fast_flux, rebinding, tunnelling, typosquat
from analysis.detect.known import KNOWN
from analysis.dns.each_cluster import each_cluster
from analysis.dns.examination import Examination, Report, chosen
from analysis.dns.finding import Context, Diagnosis
from analysis.questions import TIMEOUT_S
from store.lake import Lake

DETECTIONS: tuple[Diagnosis, ...] = (
    dga.DIAGNOSIS,
    fast_flux.DIAGNOSIS,
    rebinding.DIAGNOSIS,
    tunnelling.DIAGNOSIS,
    typosquat.DIAGNOSIS,
)


def detect(
    lake: Lake,
    parameters: Mapping[str, object],
    names: Sequence[str] = (),
    known: frozenset[str] = KNOWN,
    timeout_s: float = TIMEOUT_S,
) -> Report:
    """``parameters``: since, until, cluster, namespace, workload; ``names`` of detections, all where there are none.

    Where the lake has several clusters and none is named, each is examined by itself.
    """
    detections = chosen(DETECTIONS, names, "detection")

    def of_one(asked: Mapping[str, object]) -> Report:
        return Examination(lake, "detect", asked, Context(harmless=known), timeout_s).report(detections)

    return each_cluster(lake, parameters, of_one, timeout_s)
