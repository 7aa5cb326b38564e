"""A program that takes one resource as it is found, instead of making it: for what a run made whose answer was lost."""

from __future__ import annotations

from collections.abc import Callable

import pulumi


def importing(program: Callable[[], None], name: str, identity: str) -> Callable[[], None]:
    """The program, with the resource of that name read from what is there under that id.

    Whatever differs is left as found, since the engine refuses to take what is not exactly as declared; the next run
    makes it so.
    """

    def take(asked: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if asked.name != name:
            return None
        asked.opts.import_ = identity
        asked.opts.ignore_changes = list(asked.props)
        return pulumi.ResourceTransformationResult(asked.props, asked.opts)

    def run() -> None:
        pulumi.runtime.register_stack_transformation(take)
        program()

    return run
