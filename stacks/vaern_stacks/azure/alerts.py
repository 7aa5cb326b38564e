"""Alert rules and who is notified: a hub is down, a queue fills, a municipality is silent or exceeds its limit."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import eventhub, monitor, operationalinsights

from vaern.model.declaration import Municipality
from vaern_stacks.azure.hubs import HubMachine
from vaern_stacks.azure.identifiers import ACTION_GROUP
from vaern_stacks.azure.place import Place

CRITICAL, ERROR, WARNING = 0, 1, 2
WINDOWS = {5: "PT5M", 15: "PT15M", 30: "PT30M", 60: "PT1H", 360: "PT6H", 720: "PT12H", 1440: "P1D"}
"""Windows of a metric alert, in minutes; Azure takes no others."""
FULL_PERCENT = 80
SHORT_NAME = "vaern"
"""At most 12 characters; the sender of text messages."""


def silence_window(municipality: Municipality) -> int:
    """Minutes after which nothing at all from a municipality is an alert.

    Its least patient source decides, rounded up to a window Azure knows; a single silent source is the collector's
    to notice, since Azure counts events and not sources.
    """
    wanted = min(source.silent_after_minutes for source in municipality.log_sources)
    return next((minutes for minutes in WINDOWS if minutes >= wanted), max(WINDOWS))


def action_group(place: Place) -> monitor.ActionGroup:
    """The action group: the owner and the contacts of the budget."""
    receivers = dict.fromkeys((place.settings.owner, *place.settings.budget.contacts))
    return monitor.ActionGroup(
        "alert-receivers",
        action_group_name=ACTION_GROUP,
        resource_group_name=place.group.name,
        location="global",
        group_short_name=SHORT_NAME,
        enabled=True,
        email_receivers=[
            monitor.EmailReceiverArgs(name=f"mail-{number}", email_address=email, use_common_alert_schema=True)
            for number, email in enumerate(receivers, start=1)
        ],
        tags=place.tags,
        opts=place.options(),
    )


def hub_alerts(place: Place, hubs: Sequence[HubMachine], into: operationalinsights.Workspace) -> None:
    """A machine that Azure sees down for five minutes, and a disk of queues that fills."""
    for hub in hubs:
        _metric(
            place,
            f"hub-down-{hub.hub.name}",
            f"Hub {hub.hub.name} is down",
            monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                all_of=[_criterion("VmAvailabilityMetric", "LessThan", 1, "Average")],
            ),
            [hub.machine.id],
            severity=CRITICAL,
            minutes=5,
        )
    query = f'Perf | where CounterName == "% Used Space" and CounterValue > {FULL_PERCENT}'
    monitor.ScheduledQueryRule(
        "alert-queue-high",
        rule_name="queue-high",
        resource_group_name=place.group.name,
        location=place.settings.location,
        kind="LogAlert",
        display_name="A disk of a hub is filling: queues or archive grow faster than they empty",
        enabled=True,
        severity=ERROR,
        scopes=[into.id],
        evaluation_frequency="PT5M",
        window_size="PT15M",
        # The table is not there until the first counter has arrived.
        skip_query_validation=True,
        criteria=monitor.ScheduledQueryRuleCriteriaArgs(
            all_of=[
                monitor.ConditionArgs(
                    query=query,
                    time_aggregation="Count",
                    operator="GreaterThan",
                    threshold=0,
                    failing_periods=monitor.ConditionFailingPeriodsArgs(
                        number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                    ),
                )
            ]
        ),
        actions=monitor.ActionsArgs(action_groups=[place.identifiers.action_group]),
        tags=place.tags,
        opts=place.options(),
    )


def municipality_alerts(place: Place, municipality: Municipality, namespace: eventhub.Namespace) -> None:
    """Nothing arrives, or the declared ceiling of throughput is reached and Azure turns events away."""
    cases = {
        "silent": (f"{municipality.name} is silent", "IncomingMessages", "LessThan", 1, silence_window(municipality)),
        "throttled": (f"{municipality.name} sends more than its ceiling", "ThrottledRequests", "GreaterThan", 0, 15),
    }
    for name, (text, metric, operator, threshold, minutes) in cases.items():
        _metric(
            place,
            name,
            text,
            monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                all_of=[_criterion(metric, operator, threshold, "Total")],
            ),
            [namespace.id],
            severity=ERROR if name == "silent" else WARNING,
            minutes=minutes,
        )


def _criterion(metric: str, operator: str, threshold: float, aggregation: str) -> monitor.MetricCriteriaArgs:
    return monitor.MetricCriteriaArgs(
        criterion_type="StaticThresholdCriterion",
        name=metric,
        metric_name=metric,
        operator=operator,
        threshold=threshold,
        time_aggregation=aggregation,
    )


def _metric(
    place: Place,
    name: str,
    text: str,
    criteria: monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs,
    scopes: Sequence[pulumi.Input[str]],
    *,
    severity: int,
    minutes: int,
) -> None:
    monitor.MetricAlert(
        f"alert-{name}",
        rule_name=name,
        resource_group_name=place.group.name,
        location="global",
        description=text,
        enabled=True,
        auto_mitigate=True,
        severity=severity,
        scopes=list(scopes),
        criteria=criteria,
        evaluation_frequency="PT5M",
        window_size=WINDOWS[minutes],
        actions=[monitor.MetricAlertActionArgs(action_group_id=place.identifiers.action_group)],
        tags=place.tags,
        opts=place.options(),
    )
