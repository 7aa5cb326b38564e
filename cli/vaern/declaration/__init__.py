"""Declaration stage: YAML files in, frozen and validated model objects out.

    opening      a file's bytes and text, bounded
    document     values with the line of every key
    reading      YAML to plain values
    explaining   pydantic's errors, rewritten for the person who wrote the file
    rules        what one file must satisfy across its fields
    azure        the same for the sections about Azure
    fleet        all of them together: loading, codes and names, target, SOC profiles

A bad file always raises DeclarationError, which carries every fault found.
"""

from __future__ import annotations

from vaern.declaration.fleet import declared_slugs, load_deployment, load_fleet, load_municipality

__all__ = ["declared_slugs", "load_deployment", "load_fleet", "load_municipality"]
