"""A rich console whose own control sequences are the only ones that reach the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.errors import MarkupError
from rich.segment import Segment
from rich.text import Text

from vaern.runtime.visible_text import visible


class HarmlessConsole(Console):
    """Makes text visible before it is laid out, so that columns fit, and again when it is written."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Rich's own markup in a text; a text that only looks like markup is shown as it is."""
        shown = visible(text)
        try:
            return super().render_str(shown, **options)
        except MarkupError:
            return super().render_str(shown, **options | {"markup": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of text, harmless; those of control are rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def literal(*cells: object) -> list[Text]:
    """Cells of a table that are shown as they are, since markup in them would be somebody else's."""
    return [Text(visible(str(cell))) for cell in cells]
