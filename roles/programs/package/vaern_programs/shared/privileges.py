"""How a program that root has started lets go of root."""

from __future__ import annotations

import grp
import os
import pwd


def become(name: str, *groups: str) -> None:
    """Go on as a user of this host, with the groups it has and these. Raises KeyError when there is no such user.

    What is written afterwards belongs to that user, as in the service that runs as it.
    """
    user = pwd.getpwnam(name)
    more = [grp.getgrnam(group).gr_gid for group in groups]
    os.setgroups(sorted({*os.getgrouplist(name, user.pw_gid), *more}))
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
