"""Settings of the verbs that run on: who is believed, what is refused, what is shown."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from socket import gethostname

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.collect import of_this_node
from cli.config import MASK, VERBS, CollectConfig, EnrichConfig, Kafka, Spool, keys
from cli.configuring import configuration, dumped, variable
from contract.errors import UsageError

BOTH_ENDS = {"interfaces": ["eth0"], "lake": "lake"}
SECRET = "correct horse battery staple"
LOGIN = f'mechanism = "SCRAM-SHA-512"\nusername = "tailrace"\npassword = "{SECRET}"\n'


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TAILRACE_")]:
        monkeypatch.delenv(name)


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "tailrace.toml"
    path.write_text(text)
    return str(path)


def refusal(flags: dict[str, object], file: str | None = None) -> str:
    with pytest.raises(UsageError) as refused:
        configuration(CollectConfig, flags, file)
    text = str(refused.value)
    assert text.isprintable()
    return text


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, 'interval = "30s"\nround = 20\nsnap = 100\nthreads = 2')
    monkeypatch.setenv("TAILRACE_ROUND", "30s")
    monkeypatch.setenv("TAILRACE_SNAP", "128")
    config = configuration(CollectConfig, BOTH_ENDS | {"snap": 256}, file)
    assert (config.snap, config.round, config.interval, config.patience) == (256, 30, 30, 60)


def test_a_key_of_the_verbs_table_beats_that_at_the_top(tmp_path: Path) -> None:
    file = written(tmp_path, 'lake = "all"\nround = 30\n[enrich]\nround = 40\n[collect]\nto = "kafka://b:9092"')
    assert configuration(CollectConfig, {"interfaces": ["eth0"]}, file).round == 30
    enrich = configuration(EnrichConfig, {"from": "kafka://b:9092"}, file)
    assert (enrich.round, enrich.lake) == (40, "all")


def test_what_excludes_each_other_is_replaced_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_LAKE", "everybodys")
    config = configuration(CollectConfig, {"interfaces": ["eth0"], "to": "kafka://b:9092"}, None)
    assert config.lake is None
    file = written(tmp_path, f"[kafka]\n{LOGIN}")
    password = tmp_path / "password"
    password.write_text("from the file\n")
    monkeypatch.setenv("TAILRACE_KAFKA_PASSWORD_FILE", str(password))
    assert configuration(CollectConfig, BOTH_ENDS, file).kafka.secret() == "from the file"


def test_the_environment_tells_lists_with_commas_and_tables_with_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_INTERFACES", "eth0, veth*,!veth-test*")
    monkeypatch.setenv("TAILRACE_DNS_PORT", "53,1053")
    monkeypatch.setenv("TAILRACE_SPOOL_BYTES", "4GiB")
    monkeypatch.setenv("TAILRACE_KAFKA_TLS", "true")
    monkeypatch.setenv("TAILRACE_NODE", "")
    config = configuration(CollectConfig, {"lake": "lake"}, None)
    assert config.interfaces == ("eth0", "veth*", "!veth-test*")
    assert (config.dns_port, config.spool.bytes, config.kafka.tls, config.node) == ((53, 1053), 4 << 30, True, None)


def test_brokers_and_addresses_are_taken_apart() -> None:
    flags = {"interfaces": ["eth0"], "to": "kafka://one:9092,[fd00::2]:9093", "health": ":9100"}
    config = configuration(CollectConfig, flags, None)
    assert config.to and config.health
    assert config.to.servers == ("one:9092", "[fd00::2]:9093")
    assert (config.to.topic, config.health) == ("tailrace", ("", 9100))
    assert str(config.to) == "kafka://one:9092,[fd00::2]:9093/tailrace"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kafak.tls = true", "kafak.tls: there is no such key; did you mean kafka.tls?"),
        ("[kafka]\npasword_file = 'x'", "kafka.pasword_file: there is no such key; did you mean kafka.password_file?"),
        ("[enrich]\nsnap = 100", "[enrich]: snap: there is no such key"),
        ("[colect]\nsnap = 100", "colect.snap: there is no such key"),
        ("kafka = 3", "kafka: there is no such key"),
        ("collect = 3", "collect is a table"),
        ('snap = "wide"', "snap: input should be a valid integer"),
        ("snap = 9", "snap: input should be greater than or equal to 96, not 9"),
        ("dns_port = [53, 70000]", "dns_port: input should be less than or equal to 65535, not 70000"),
        ("round = nan", "round: input should be"),
        ("interval = 60\npatience = 60", "interval is to be less than patience"),
        ('to = "http://b"', "to: that is no address of Kafka; write kafka://"),
        ('to = "kafka://me:pw@b:1"', "is no address of Kafka"),
        ('to = "kafka://b"', "to: kafka: 'b' is no HOST:PORT"),
        ('health = "localhost"', "health: 'localhost' is not HOST:PORT"),
        ('health = "localhost:99999"', "health: 'localhost:99999' is not HOST:PORT"),
        ("[kafka]\ntls = true\ncertfile = '/dev/null'", "kafka.certfile and kafka.keyfile belong together"),
        ("[kafka]\ncafile = '/dev/null'", "want kafka.tls = true"),
        ("[kafka]\nmechanism = 'PLAIN'", "kafka.mechanism wants kafka.username"),
        ("[kafka]\nusername = 'x'", "want kafka.mechanism"),
        (
            "[kafka]\nmechanism = 'GSSAPI'",
            "kafka.mechanism: input should be 'PLAIN', 'SCRAM-SHA-256' or 'SCRAM-SHA-512'",
        ),
        ("kube = '/nowhere.json'", "kube: /nowhere.json: No such file or directory"),
        ("kube = '/dev/null'\nkube_api = 'cluster'", "kube and kube_api: only one of them can be"),
        ("round = ", "is no TOML"),
        ("x" * 10_000 + " = 1", "there is no such key"),
        ('"\\u001b[2J" = 1', "\\x1b[2J: there is no such key"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_that_says_where(tmp_path: Path, text: str, says: str) -> None:
    told = refusal({"interfaces": ["eth0"]} if "to =" in text else BOTH_ENDS, written(tmp_path, text))
    assert says in told
    assert len(told) < 400


def test_nothing_to_read_and_nowhere_to_write() -> None:
    assert "name interfaces (-i) or captures (--from)" in refusal({"lake": "lake"})
    assert "name brokers (--to kafka://…) or a lake (--lake)" in refusal({"interfaces": ["eth0"]})
    assert "to and lake: only one" in refusal(BOTH_ENDS | {"to": "kafka://b:1"})


def test_a_variable_that_is_no_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_SNPA", "100")
    assert refusal(BOTH_ENDS) == "the environment: TAILRACE_SNPA: there is no such key; did you mean TAILRACE_SNAP?"


def test_variables_of_kubernetes_services_and_other_verbs_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SERVICE_HOST",
        "APP_SERVICE_PORT",
        "APP_SERVICE_PORT_HTTP",
        "PORT",
        "APP_PORT_8501_TCP_ADDR",
        "CACHE",
    ):
        monkeypatch.setenv(f"TAILRACE_{name}", "tcp://10.0.0.1:8501")
    assert configuration(CollectConfig, BOTH_ENDS, None).snap == 192


def test_no_two_keys_have_one_variable() -> None:
    for model in VERBS.values():
        names = [variable(path) for path, _ in keys(model)]
        assert len(names) == len(set(names))


def test_a_secret_is_shown_nowhere(tmp_path: Path) -> None:
    config = configuration(CollectConfig, BOTH_ENDS, written(tmp_path, f"[kafka]\n{LOGIN}"))
    assert config.kafka.secret() == SECRET
    assert SECRET not in dumped(config) + repr(config) + str(config.model_dump())
    assert SECRET not in refusal(BOTH_ENDS, written(tmp_path, f"[kafka]\n{LOGIN}tls = 'maybe'"))
    assert SECRET not in refusal(BOTH_ENDS, written(tmp_path, f"[kafka]\npassword = ['{SECRET}']"))
    assert SECRET not in refusal(BOTH_ENDS, written(tmp_path, f"[kafka]\npassword = '{SECRET}"))
    assert "--dump-config" in refusal(BOTH_ENDS, written(tmp_path, f"[kafka]\npassword = '{MASK}'"))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(
    node=TEXT,
    interfaces=st.lists(TEXT, min_size=1, max_size=4),
    snap=st.integers(96, 65535),
    interval=st.floats(0.001, 59),
    kafka=st.fixed_dictionaries({}, optional={"group": TEXT, "tls": st.booleans()}),
)
def test_what_is_dumped_reads_back(
    node: str, interfaces: list[str], snap: int, interval: float, kafka: dict[str, str | bool]
) -> None:
    values = {"node": node, "interfaces": interfaces, "snap": snap, "interval": interval, "kafka": kafka, "lake": "l"}
    config = CollectConfig.model_validate(values)
    assert CollectConfig.model_validate(tomllib.loads(dumped(config))) == config


def test_defaults_are_values_that_could_be_told() -> None:
    for model in (Kafka, Spool):
        assert model.model_validate(model().model_dump()) == model()


def test_verbs_that_read_do_not_pay_for_settings() -> None:
    program = "import sys, cli.main; sys.exit('pydantic' in sys.modules or 'prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_the_folder_of_the_spool_need_not_be_there_yet(tmp_path: Path) -> None:
    file = written(tmp_path, f'[spool]\ndir = "{tmp_path}/spool"')
    assert configuration(CollectConfig, BOTH_ENDS, file).spool.dir == tmp_path / "spool"


@pytest.mark.parametrize("pattern", ["", "!"])
def test_an_empty_pattern_of_interfaces_is_refused(pattern: str, tmp_path: Path) -> None:
    says = ": an empty pattern: give a name or a glob such as eth0, 'veth*' or '!veth0'"
    assert refusal({"interfaces": ["eth0", pattern], "lake": "lake"}) == f"-i{says}"
    file = written(tmp_path, f'[collect]\ninterfaces = ["{pattern}"]')
    assert refusal({"lake": "lake"}, file) == f"{file}: [collect]: interfaces{says}"


def test_a_user_that_this_machine_does_not_have_is_refused() -> None:
    assert refusal(BOTH_ENDS | {"user": "nosuch-user"}) == "--user: no user 'nosuch-user' on this machine"


def test_a_live_capture_has_a_node_and_a_file_need_not() -> None:
    live = CollectConfig.model_validate(BOTH_ENDS)
    assert of_this_node(live).node == gethostname()
    assert of_this_node(live.model_copy(update={"node": "n1"})).node == "n1"
    assert of_this_node(CollectConfig.model_validate({"from": ["a.pcap"], "lake": "lake"})).node is None
