"""lynis's points, as its log has them."""

from __future__ import annotations

from support.lynis_points import read_points

LOG = """Performing test ID SSH-7408 (Check SSH specific defined options)
Hardening: assigned partial number of hardening points (1 of 3). Currently having 1 points (out of 3)
Hardening: assigned maximum number of hardening points. Currently having 4 points (out of 6)
Performing test ID USB-3000 (Check for presence of USBGuard)
Hardening: assigned partial number of hardening points (0 of 8). Currently having 4 points (out of 14)
""".splitlines()


def test_what_each_test_has_not_given_is_counted() -> None:
    points = read_points(LOG)
    assert (points.reached, points.possible, points.lost) == (4, 14, {"SSH-7408": 2, "USB-3000": 8})
    assert points.index == 28


def test_no_more_is_left_out_than_a_test_has_not_given() -> None:
    assert read_points(LOG).without({"USB-3000": 99, "KRNL-6000": 8}) == 66
    assert read_points(LOG).without({}) == 28
