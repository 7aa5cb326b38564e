"""A program that imports one existing resource instead of making it, such as one that an interrupted run made."""

from __future__ import annotations

from collections.abc import Callable

import pulumi


def importing(program: Callable[[], None], name: str, identity: str) -> Callable[[], None]:
    """The program, with the resource of that name imported from the one with that Azure id.

    Differences are ignored, because the engine refuses to import what is not exactly as declared; the next run corrects
    them.
    """

    def import_existing(arguments: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if arguments.name != name:
            return None
        arguments.opts.import_ = identity
        arguments.opts.ignore_changes = list(arguments.props)
        return pulumi.ResourceTransformationResult(arguments.props, arguments.opts)

    def run() -> None:
        pulumi.runtime.register_stack_transformation(import_existing)
        program()

    return run
