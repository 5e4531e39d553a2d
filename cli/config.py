"""What can be configured of the verbs that run on, each key once: type, bounds, default and meaning."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from cli.addresses import Brokers, Listen
from cli.times import seconds

KeyPath = tuple[str, ...]
MASK = "**********"  # what pydantic shows in place of a secret
MAX_NAME = 253  # octets of the name of a cluster or node, as of any object of Kubernetes


def listed(value: object) -> object:
    """One text is a list with commas, as the environment has it."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Texts = Annotated[tuple[str, ...], BeforeValidator(listed)]
Port = Annotated[int, Field(ge=1, le=65535)]
Ports = Annotated[tuple[Port, ...], BeforeValidator(listed), Field(min_length=1)]
Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, allow_inf_nan=False)]
Level = Literal["debug", "info", "warning", "error"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


class Kafka(Section):
    """How the brokers are spoken to; which they are, ``kafka://…`` says."""

    group: Annotated[Name, Field(description="consumer group of the enrichers")] = "tailrace-enrich"
    session: Annotated[
        Seconds, Field(ge=6, le=300, description="after how long of silence an enricher's partitions go to another one")
    ] = 30.0
    tls: Annotated[bool, Field(description="speak TLS")] = False
    cafile: Annotated[Path | None, Field(description="PEM of the authorities to trust, in place of the system's")] = (
        None
    )
    certfile: Annotated[Path | None, Field(description="PEM of the certificate to show")] = None
    keyfile: Annotated[Path | None, Field(description="PEM of its key")] = None
    mechanism: Annotated[
        Mechanism | None, Field(description="how to log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    ] = None
    username: Annotated[str | None, Field(description="who logs in")] = None
    password: Annotated[SecretStr | None, Field(description="with which password; better is `password_file`")] = None
    password_file: Annotated[
        Path | None, Field(description="file with the password; its last line end is left out")
    ] = None

    @field_validator("password")
    @classmethod
    def _not_the_mask(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value() == MASK:
            raise ValueError("is what --dump-config shows in its place")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certfile is None) is not (self.keyfile is None):
            raise ValueError("kafka.certfile and kafka.keyfile belong together")
        if (self.cafile or self.certfile) and not self.tls:
            raise ValueError("kafka.cafile and kafka.certfile want kafka.tls = true")
        named = self.username is not None and (self.password is not None or self.password_file is not None)
        if self.mechanism and not named:
            raise ValueError("kafka.mechanism wants kafka.username and kafka.password_file")
        if not self.mechanism and (self.username is not None or self.password or self.password_file):
            raise ValueError("kafka.username and kafka.password want kafka.mechanism")
        return self

    def secret(self) -> str | None:
        """The password, wherever it is kept."""
        if self.password_file:
            return self.password_file.read_text().removesuffix("\n")
        return self.password.get_secret_value() if self.password else None


class Spool(Section):
    """Where batches wait while the brokers are away."""

    dir: Annotated[
        Path | None,
        Field(
            description="folder of this process alone; without one they wait in a temporary one, gone with the process"
        ),
    ] = None
    bytes: Annotated[
        ByteSize,
        Field(ge=64 << 20, description="room on disk, such as 4GiB; beyond it the oldest batches are given up"),
    ] = ByteSize(1 << 30)


class Running(Section):
    """What every verb that runs on has."""

    # Of each of these only one is told: a flag takes the place of all of them in the environment and the file.
    ONE_OF: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("kube", "kube_api", "kubeconfig"),
        ("kafka.password", "kafka.password_file"),
    )

    lake: Annotated[str | None, Field(min_length=1, description="the lake to write")] = None
    cluster: Annotated[Name | None, Field(description="name of the cluster, written to every record")] = None
    kube: Annotated[
        Path | None, Field(description="output of kubectl get -A -o json, for names that do not change")
    ] = None
    kube_api: Annotated[
        str | None,
        Field(
            pattern=r"^(cluster|https?://[^\s@]+)$",
            description="the Kubernetes API to watch: a URL that asks for no login, or `cluster` inside a pod",
        ),
    ] = None
    kubeconfig: Annotated[
        Path | None, Field(description="kubeconfig file that says which API to watch, and who asks")
    ] = None
    round: Annotated[Seconds, Field(le=600, description="how long records wait to be put together")] = 15.0
    health: Annotated[Listen | None, Field(description="HOST:PORT to serve /metrics, /healthz and /readyz on")] = None
    patience: Annotated[
        Seconds, Field(ge=5, le=3600, description="how long one turn of the loop may take before /healthz says so")
    ] = 60.0
    log_level: Annotated[Level, Field(description="the least that is logged: debug, info, warning or error")] = "info"
    kafka: Kafka = Kafka()

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for group in self.ONE_OF:
            told = [key for key in group if value_at(self, key)]
            if len(told) > 1:
                raise ValueError(f"{' and '.join(told)}: only one of them can be")
        return self


class CollectConfig(Running):
    ONE_OF: ClassVar[tuple[tuple[str, ...], ...]] = (*Running.ONE_OF, ("to", "lake"), ("interfaces", "from"))

    interfaces: Annotated[Texts, Field(description="patterns of interfaces, such as eth0, veth*, !veth-test*")] = ()
    files: Annotated[
        Texts, Field(alias="from", description="[NODE=]FILE..., captures to read in place of interfaces")
    ] = ()
    to: Annotated[Brokers | None, Field(description="kafka://HOST:PORT[,HOST:PORT]/TOPIC to publish to")] = None
    node: Annotated[
        Name | None,
        Field(description="name of this node, written to every record; without one a live capture has the machine's"),
    ] = None
    dns_port: Annotated[Ports, Field(max_length=64, description="ports DNS is spoken on")] = (53,)
    user: Annotated[Name | None, Field(description="whom root becomes when the socket for packets is open")] = None
    snap: Annotated[int, Field(ge=96, le=65535, description="octets kept of packets that need not be read whole")] = 192
    threads: Annotated[int, Field(ge=1, le=64, description="rings, and threads that read them")] = 1
    interval: Annotated[Seconds, Field(le=300, description="how often records that ended are handed on")] = 10.0
    spool: Spool = Spool()

    @field_validator("interfaces")
    @classmethod
    def _no_empty_pattern(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(pattern.removeprefix("!") for pattern in value):
            raise ValueError("an empty pattern: give a name or a glob such as eth0, 'veth*' or '!veth0'")
        return value

    @model_validator(mode="after")
    def _both_ends(self) -> Self:
        if not self.interfaces and not self.files:
            raise ValueError("nothing to read: name interfaces (-i) or captures (--from)")
        if not self.to and not self.lake:
            raise ValueError("nowhere to write: name brokers (--to kafka://…) or a lake (--lake)")
        if self.interfaces and self.interval >= self.patience:
            raise ValueError("interval is to be less than patience: the loop turns once in it")
        return self


class EnrichConfig(Running):
    source: Annotated[
        Brokers | None, Field(alias="from", description="kafka://HOST:PORT[,HOST:PORT]/TOPIC to consume from")
    ] = None

    @model_validator(mode="after")
    def _both_ends(self) -> Self:
        if not self.source:
            raise ValueError("nothing to read: name the brokers (--from kafka://…)")
        if not self.lake:
            raise ValueError("nowhere to write: name a lake (--lake)")
        return self


VERBS: dict[str, type[Running]] = {"collect": CollectConfig, "enrich": EnrichConfig}


def keys(section: type[BaseModel], above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Each key with its field; those of a table inside come with its name."""
    for name, field in section.model_fields.items():
        path = (*above, field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, path)
        else:
            yield path, field


def value_at(config: BaseModel, key: str) -> Any:
    table, _, rest = key.partition(".")
    names = {field.alias or name: name for name, field in type(config).model_fields.items()}
    value = getattr(config, names[table])
    return value_at(value, rest) if rest else value


def secrets(section: type[BaseModel]) -> set[KeyPath]:
    return {path for path, field in keys(section) if SecretStr in (field.annotation, *get_args(field.annotation))}


def unknown_user(config: BaseModel) -> Iterator[tuple[KeyPath, str]]:
    """A user that is told and that this machine does not have."""
    user = getattr(config, "user", None)
    if user is not None:
        try:
            pwd.getpwnam(user)
        except (KeyError, ValueError):
            yield ("user",), f"no user {user!r} on this machine"


def unreadable(config: BaseModel) -> Iterator[tuple[KeyPath, str]]:
    """Files that are told and cannot be read, with the reason."""
    for path, field in keys(type(config)):
        value = value_at(config, ".".join(path)) if path != ("spool", "dir") else None
        if isinstance(value, Path) and Path in get_args(field.annotation):
            try:
                os.close(os.open(value, os.O_RDONLY))
            except OSError as error:
                yield path, f"{value}: {error.strerror}"
