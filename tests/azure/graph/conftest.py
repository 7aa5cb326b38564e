"""The documented example as graphs, made once: importing the SDK is most of what these tests cost."""

from __future__ import annotations

import pytest
from support.azure.graph import Graph, municipality_graph, shared_graph


@pytest.fixture(scope="session")
def shared() -> Graph:
    """The shared stack."""
    return shared_graph()


@pytest.fixture(scope="session")
def favrskov() -> Graph:
    """The stack of the example municipality."""
    return municipality_graph()
