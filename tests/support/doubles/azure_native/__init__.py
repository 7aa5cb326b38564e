"""A test double of the azure-native provider: the real engine talks to it as it would to Azure, without any network.

It is not Azure. It refuses what the pulumi-azure-native SDK does not declare, keeps resources between runs, and answers
with the faults of Azure Resource Manager (ARM) when a scenario asks for them. What only the cloud can know
(whether a combination of valid settings is accepted, quotas, policies, real delays) it cannot show.
"""
