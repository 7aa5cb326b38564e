"""A program that takes one resource as it is found, instead of making it: for what a run made whose answer was lost."""

from __future__ import annotations

from collections.abc import Callable

import pulumi


def importing(program: Callable[[], None], name: str, identity: str) -> Callable[[], None]:
    """The program, with the resource of that name read from what is there under that id.

    Whatever differs is left as found, since the engine refuses to take what is not exactly as declared; the next run
    makes it so.
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
