"""``tailrace policy recommend``: least-privilege policies out of what was seen."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as o
from cli import policy_options as p
from cli.output import say
from cli.reading import open_lake, window
from contract.errors import UsageError

if TYPE_CHECKING:
    from analysis.policy.recommend.cluster import Cluster

SYSTEM = "kube-"


class DialectName(StrEnum):
    """Spelled here too, so that --help need not load what writes them."""

    KUBERNETES = "kubernetes"
    CALICO = "calico"
    CILIUM = "cilium"


def recommend(
    *,
    namespaces: Annotated[
        list[str] | None, typer.Option("--namespace", "-n", metavar="NAME", help="For this namespace; may be repeated.")
    ] = None,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="For every namespace but those of the system (kube-…).")
    ] = False,
    dialect: Annotated[DialectName, typer.Option("--dialect", help="Whose policies.")] = DialectName.KUBERNETES,
    staged: Annotated[
        bool, typer.Option("--staged", help="Calico: as staged policies, which report and deny nothing.")
    ] = False,
    domains: Annotated[
        bool, typer.Option("--domains", help="Calico Enterprise, Cloud: outside by domain, not by its addresses.")
    ] = False,
    lake: o.LakeOption,
    kube: p.KubeOption = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    cluster: o.ClusterOption = None,
) -> None:
    """Policies that allow what was seen and no more, as YAML with the evidence of every rule.

    Default deny in both directions, DNS for every pod, and one policy for each workload that talks. What looks like an
    attack is not learned, but listed: scans, metadata addresses, what was never answered. The policies are read back and
    replayed on what they were learned from; if they would deny any of it nothing is printed, and the exit status is 1.
    It is 2 for wrong usage, else 0.
    """
    from analysis.policy.recommend.cluster import read_cluster
    from analysis.policy.recommend.dialects import Dialect
    from analysis.policy.recommend.model import Style
    from analysis.policy.recommend.proposal import propose
    from analysis.policy.replay import Asked

    if (staged or domains) and dialect is not DialectName.CALICO:
        raise UsageError(f"{'--staged' if staged else '--domains'} is for --dialect calico alone")
    opened = open_lake(lake, cluster)
    objects = read_cluster(p.objects(opened, kube, cluster))
    chosen = _chosen(namespaces or [], all_namespaces, objects)
    asked = Asked(**window(since, until, cluster))
    style = Style(staged, domains)
    proposal = propose(opened, objects, asked, chosen, Dialect(dialect.value), style)
    sys.stdout.write(proposal.text)
    for line in proposal.found.words:
        say(line)


def _chosen(namespaces: list[str], everything: bool, objects: "Cluster") -> list[str]:
    if bool(namespaces) == everything:
        raise UsageError("name the namespaces with --namespace, or give --all-namespaces")
    found = {member.workload.namespace for member in objects.members}
    return namespaces or sorted(name for name in found if not name.startswith(SYSTEM))
