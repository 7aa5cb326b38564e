"""A host as the compliance tests see it: an object whose properties are parsed from the gathered sections on demand."""

from __future__ import annotations

from vaern.verify.baseline_facts import BaselineFacts
from vaern.verify.collector_facts import CollectorFacts
from vaern.verify.network_facts import NetworkFacts
from vaern.verify.relay_facts import RelayFacts
from vaern.verify.sensor_facts import SensorFacts


class Facts(NetworkFacts, CollectorFacts, RelayFacts, SensorFacts, BaselineFacts):
    """The facts of one host. Each property raises VaernError when the host did not return the section it needs."""
