"""What every target must provide for one municipality's connection, and the Pulumi program over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.outputs import MunicipalityOutputs

if TYPE_CHECKING:
    import pulumi


class MunicipalityTarget(Protocol):
    """A place where a municipality can be connected.

    Every declared host becomes reachable by ssh under its inventory name, in declared order. A target that simulates
    the sites also returns, for each site, the network namespace its devices send from. No municipality can reach
    another.
    """

    def municipality(
        self, deployment: Deployment, municipality: Municipality, slug: str
    ) -> pulumi.Output[MunicipalityOutputs]:
        """Declare the resources inside a running program and return what later stages need."""


def municipality_program(
    target: MunicipalityTarget,
    deployment: Deployment,
    municipality: Municipality,
    slug: str,
    result: Callable[[MunicipalityOutputs], None],
) -> Callable[[], None]:
    """The program of one municipality's stack. `result` is called once everything is made; never in some previews."""

    def program() -> None:
        import pulumi

        def done(outputs: MunicipalityOutputs) -> dict[str, object]:
            result(outputs)
            return asdict(outputs)

        pulumi.export("municipality", target.municipality(deployment, municipality, slug).apply(done))

    return program
