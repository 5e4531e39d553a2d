"""Who lived when: the recorder's own book of pods, and whose an address was at a time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from samples.cluster.plan import Plan, Pod


@dataclass
class Life:
    """Unix times of one pod; ``deleted`` is when its deletion was asked for."""

    created: float
    finished: float | None = None
    deleted: float | None = None


@dataclass
class Book:
    plan: Plan
    lives: dict[str, Life] = field(default_factory=dict)
    began: float = 0.0
    captured_from: float = 0.0
    captured_until: float = 0.0

    def holder(self, ip: str, time: float) -> Pod | None:
        """The pod that held an address; times are as coarse as Kubernetes tells them."""
        for key, life in self.lives.items():
            if self.plan.pods[key].ip == ip and int(life.created) <= time < (life.finished or time) + 1:
                return self.plan.pods[key]
        return None


def stamp(time: float | None) -> str | None:
    """Kubernetes' way of writing a time: whole seconds, cut off."""
    return None if time is None else datetime.fromtimestamp(int(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
