#!/usr/bin/python
"""Ansible module: bring many small files to their content in one step.

`copy` and `template` cost several round trips for each file; a role with fifteen files spends most of its time there.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: vaern_files
short_description: Bring many small files to their content in one step
description:
  - Writes text files whose content, owner or mode differs. Each is validated, then replaces the old one at once.
  - Directories that are missing are made, mode 0755.
  - Supports check mode and diff, also where users and directories are not there yet.
author: The vaern project
options:
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      content: {description: The whole text., type: str, required: true}
      mode: {description: Octal mode in quotes., type: str, default: "0644"}
      owner: {description: User., type: str, default: root}
      group: {description: Group., type: str, default: root}
      validate: {description: Command that accepts the new file; C(%s) is its name., type: str}
      concerns:
        {description: Words handed back in RV(concerns) when it changed., type: list, elements: str, default: []}
"""
EXAMPLES = """
- name: Configure the service
  vaern_files:
    files:
      - path: /etc/example.conf
        content: "{{ lookup('ansible.builtin.template', 'example.conf.j2') }}"
        concerns: [example]
"""
RETURN = """
written: {description: Paths that changed., type: list, elements: str, returned: always}
concerns: {description: Words of the files that changed., type: list, elements: str, returned: always}
"""


def text_of(path: Path) -> str | None:
    """The text of a file, None when there is none."""
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None


def write(module: AnsibleModule, file: dict[str, str]) -> None:
    """Write a file beside its place, validate it and move it there."""
    place = Path(file["path"])
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".vaern-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as new:
            new.write(file["content"])
        if file["validate"]:
            code, out, error = module.run_command(shlex.split(file["validate"].replace("%s", shlex.quote(name))))
            if code != 0:
                module.fail_json(msg=f"{place} is not valid: {error or out}")
        module.set_owner_if_different(name, file["owner"], False)
        module.set_group_if_different(name, file["group"], False)
        module.set_mode_if_different(name, file["mode"], False)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)


def attributes_differ(module: AnsibleModule, file: dict[str, str]) -> bool:
    """Put owner and mode of an existing file right, or only say so in check mode."""
    changed = module.set_owner_if_different(file["path"], file["owner"], False)
    changed = module.set_group_if_different(file["path"], file["group"], changed)
    return bool(module.set_mode_if_different(file["path"], file["mode"], changed))


def main() -> None:
    """Compare each file, and write those that differ."""
    options = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": "root"},
        "validate": {"type": "str"},
        "concerns": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={"files": {"type": "list", "elements": "dict", "required": True, "options": options}},
        supports_check_mode=True,
    )
    written, concerns, differences = [], set(), []
    for file in module.params["files"]:
        before = text_of(Path(file["path"]))
        if before != file["content"]:
            if not module.check_mode:
                write(module, file)
            differences.append(
                {
                    "before": before or "",
                    "after": file["content"],
                    "before_header": file["path"],
                    "after_header": file["path"],
                }
            )
        elif not attributes_differ(module, file):
            continue
        written.append(file["path"])
        concerns.update(file["concerns"])
    module.exit_json(changed=bool(written), written=written, concerns=sorted(concerns), diff=differences)


if __name__ == "__main__":
    main()
