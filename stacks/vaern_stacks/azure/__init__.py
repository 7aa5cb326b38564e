"""The Azure target: shared hubs, and one Event Hubs namespace and archive a municipality.

    naming       identifiers  addressing  what things are called and where they are: pure
    place        where one stack's resources are made, and how they are protected
    network      endpoints  hubs  vault  archive  monitor  alerts  governance   parts, each a function that declares it
    shared       municipality   the parts put together
    target       what `vaern_stacks.collector` and `vaern_stacks.municipality` ask of a target
    baseline     the policy every declared resource must satisfy, as data

Nothing here has been deployed to a subscription; docs/azure.md says what that means.
"""
