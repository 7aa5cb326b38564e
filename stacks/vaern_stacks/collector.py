"""What every target must provide for the shared collectors, and the Pulumi program over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from vaern.model.deployment import Deployment
from vaern.model.outputs import SharedOutputs

if TYPE_CHECKING:
    import pulumi


class CollectorTarget(Protocol):
    """A place where the shared collectors can be made.

    Every declared hub becomes a reachable Debian host, in declared order, at its declared address, with a known ssh
    host key. Only the VPN port is open from outside. Running it again changes nothing, except that missing parts are
    repaired.
    """

    def collector(self, deployment: Deployment) -> pulumi.Output[SharedOutputs]:
        """Declare the resources inside a running program and return what later stages need."""


def collector_program(
    target: CollectorTarget, deployment: Deployment, result: Callable[[SharedOutputs], None]
) -> Callable[[], None]:
    """The program of the shared stack. `result` is called once everything is made; in a preview it may never be."""

    def program() -> None:
        import pulumi

        def done(outputs: SharedOutputs) -> dict[str, object]:
            result(outputs)
            return asdict(outputs)

        pulumi.export("collector", target.collector(deployment).apply(done))

    return program
