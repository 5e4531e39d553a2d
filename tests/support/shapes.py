"""One frame of every shape the collector knows, for tests that take them all."""

import random
import ssl

from scapy.contrib.geneve import GENEVE
from scapy.contrib.mpls import MPLS
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX, DNSRROPT, DNSRRSOA, DNSRRSRV
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.sctp import SCTP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet

from tests.support.frames import ether

CLIENT, SERVER = IP(src="10.0.0.1", dst="10.0.0.2"), IP(src="10.0.0.2", dst="10.0.0.1")
CLIENT_6 = IPv6(src="fd00::1", dst="fd00::2")
OUTER = IP(src="192.0.2.1", dst="192.0.2.2")


def shapes() -> list[bytes]:
    random.seed(7)  # scapy draws what a frame does not say
    inner = ether() / CLIENT / TCP(sport=4444, dport=80, flags="S")
    frames = [
        *_connection(),
        *_messages(),
        ether() / CLIENT_6 / TCP(sport=5, dport=443, flags="S"),
        ether() / CLIENT_6 / IPv6ExtHdrHopByHop() / UDP(sport=5, dport=6),
        ether() / CLIENT_6 / IPv6ExtHdrFragment(m=1, id=4) / UDP(sport=5, dport=6, len=80) / bytes(16),
        ether() / CLIENT_6 / IPv6ExtHdrFragment(nh=17, offset=3, id=4) / bytes(16),
        ether() / IP(src="10.0.0.1", dst="10.0.0.2", flags=1, id=5) / UDP(sport=50000, dport=60000) / bytes(16),
        ether() / IP(src="10.0.0.1", dst="10.0.0.2", frag=3, id=5, proto=17) / bytes(16),
        ether() / IP(src="10.0.0.1", dst="10.0.0.2", frag=3, id=6, proto=17) / bytes(16),
        ether() / CLIENT / ICMP(type=8),
        ether() / CLIENT_6 / ICMPv6EchoRequest(),
        ether() / CLIENT / SCTP(sport=1, dport=2),
        ether() / IP(src="10.0.0.1", dst="10.0.0.2", proto=89) / b"ospf",
        ether() / Dot1Q(vlan=5) / CLIENT / UDP(),
        ether() / Dot1AD(vlan=5) / Dot1Q(vlan=4095) / CLIENT / UDP(),
        ether() / MPLS(label=16, s=0) / MPLS(label=17, s=1) / CLIENT / UDP(),
        ether() / PPPoE(sessionid=1) / PPP(proto=0x21) / CLIENT / UDP(),
        ether() / OUTER / UDP(dport=4789) / VXLAN(vni=0xFFFFFF, flags=8) / inner,
        ether() / OUTER / UDP(dport=6081) / GENEVE(vni=9) / inner,
        ether() / OUTER / GRE(key_present=1, key=0xFFFFFFFF) / CLIENT / UDP(),
        ether() / OUTER / CLIENT / UDP(),
        ether() / OUTER / CLIENT_6 / UDP(),
        ether() / ARP(),
        ether(type=0x0800) / b"\x45",
    ]
    return [bytes(frame) for frame in frames]


def _connection() -> list[Packet]:
    there, back = TCP(sport=40000, dport=443, window=512), TCP(sport=443, dport=40000, window=512)
    script = [
        CLIENT / there.copy(),
        SERVER / back.copy(),
        CLIENT / there.copy() / client_hello(),
        SERVER / back.copy() / bytes(9),
        SERVER / back.copy() / bytes(9),
        CLIENT / there.copy(),
        SERVER / back.copy(),
    ]
    for packet, flags, seq in zip(
        script, ("S", "SA", "PA", "PA", "PA", "FA", "FA"), (9, 0, 10, 1, 1, 900, 10), strict=True
    ):
        packet[TCP].flags, packet[TCP].seq = flags, seq
    return [ether() / packet for packet in script]


def _messages() -> list[Packet]:
    name = "Web.Example.com."
    records = [
        DNSRR(rrname=name, type="CNAME", rdata="b.example."),
        DNSRR(rrname="b.example.", type="A", rdata="192.0.2.9"),
        DNSRR(rrname="b.example.", type="AAAA", rdata="2001:db8::9"),
        DNSRR(rrname=name, type="TXT", rdata=[b'say "hi"', b"\xff\0"]),
        DNSRRMX(rrname=name, preference=10, exchange="mx.example."),
        DNSRRSRV(rrname=name, target="srv.example.", port=5060),
        DNSRRSOA(rrname=name, mname="ns.example.", rname="admin.example."),
        DNSRR(rrname=name, type=65280, rdata=b"\x01\x02"),
    ]
    ask = DNS(id=77, rd=1, qd=DNSQR(qname=name), ar=DNSRROPT(z=0x8000, rdata=[]))
    reply = DNS(id=77, qr=1, rd=1, ra=1, qd=DNSQR(qname=name), an=records)
    lost = DNS(id=78, rd=1, qd=DNSQR(qname="lost.example", qtype="HTTPS"))
    asked, answered = UDP(sport=41000, dport=53), UDP(sport=53, dport=41000)
    bodies = [CLIENT / asked / ask, CLIENT / asked / ask, SERVER / answered / reply, CLIENT / asked / lost]
    return [ether() / body for body in [*bodies, CLIENT / asked / b"no message"]]


def client_hello(name: str = "api.stripe.example") -> bytes:
    """A ClientHello of a fixed random: two runs must agree."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("no server was there to answer")
