"""Configuration of the programs in the pods that are not roles: two different name servers, and nginx."""

from pathlib import Path

from samples.cluster.daemons import TTL_S, cluster_records, nginx, unbound, written
from samples.cluster.plan import Pod
from samples.resolvers import plan
from samples.resolvers.plan import RESOLVERS

FORWARDS = {".": plan.PROVIDER_IP, "slow-bank.example.": plan.SLOW_IP, "corp.example.": plan.CORP_DNS_IP}
PATIENCE_MS = (1000, 8000)  # the slow upstream is slow, not dead


def server_command(directory: Path, pod: Pod) -> list[str]:
    if pod.key == "coredns-1":
        local = "".join(f'  local-data: "{record}"\n' for record in cluster_records(RESOLVERS))
        return unbound(directory, pod.ip, local, FORWARDS, PATIENCE_MS)
    if pod.key == "coredns-2":
        return dnsmasq(directory, pod)
    if pod.listens:
        return nginx(directory, '  server { listen 8080; location / { return 200 "ok"; } }')
    return ["sleep", "infinity"]  # a container that runs, and on whose port nobody listens


def dnsmasq(directory: Path, pod: Pod) -> list[str]:
    """As kube-dns once had it: the cluster's names from its own list, everything else forwarded and cached."""
    hosts = "".join(
        f"host-record={service.fqdn},{service.cluster_ip}\n" for service in RESOLVERS.services if service.cluster_ip
    )
    servers = "".join(f"server=/{zone.rstrip('.') or '#'}/{ip}\n" for zone, ip in FORWARDS.items())
    text = f"""user=root
port=53
listen-address={pod.ip}
bind-interfaces
no-resolv
no-hosts
no-poll
pid-file=
log-queries=extra
log-facility={directory / "queries.log"}
local-ttl={TTL_S}
local=/cluster.local/
{hosts}{servers}"""
    return ["dnsmasq", "-k", "-C", written(directory / "dnsmasq.conf", text)]
