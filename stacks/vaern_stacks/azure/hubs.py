"""The hub machines: Debian on trusted launch, spread over zones, with a data disk and an address that outlive them.

Operators come over Bastion with ssh keys. What is installed on them is the roles' work, as in the lab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute, network

from vaern.model.deployment import Hub
from vaern_stacks.azure.addressing import plan
from vaern_stacks.azure.identifiers import HUBS_SUBNET
from vaern_stacks.azure.naming import HUB_LOGIN
from vaern_stacks.azure.network import public_address
from vaern_stacks.azure.place import Place

FIRST_ADDRESS = 10
"""Azure keeps the first four addresses of a subnet; the hubs are numbered from .10, as in the lab."""
HOST_KEY_COMMAND = "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub"
PATCHES_BY_PLATFORM = "AutomaticByPlatform"


@dataclass(frozen=True, slots=True)
class HubMachine:
    """One hub and what later stages need of it."""

    hub: Hub
    machine: compute.VirtualMachine
    address: network.PublicIPAddress
    private_address: str
    host_key: pulumi.Output[str]


def hub_machines(place: Place, joined: network.VirtualNetwork) -> list[HubMachine]:
    """Every declared hub, in declared order, in the declared zones in turn."""
    return [_hub(place, joined, hub, number) for number, hub in enumerate(place.deployment.hubs)]


def kept_of(place: Place, hub: Hub) -> tuple[network.PublicIPAddress, compute.Disk]:
    """What of a hub outlives its machine: the address gateways have written down, and the disk of its queues."""
    zone = _zone(place, hub)
    address = public_address(place, hub.name, zones=[zone], label=place.names.label(hub.name), keep=True)
    return address, _data_disk(place, hub, zone)


def _zone(place: Place, hub: Hub) -> str:
    zones = place.settings.zones
    return zones[place.deployment.hubs.index(hub) % len(zones)].value


def _hub(place: Place, joined: network.VirtualNetwork, hub: Hub, number: int) -> HubMachine:
    address, disk = kept_of(place, hub)
    private = str(plan(place.deployment).hubs[FIRST_ADDRESS + number])
    card = _card(place, joined, hub, private, address)
    machine = _machine(place, hub, _zone(place, hub), card, disk)
    _agent(place, hub, machine)
    return HubMachine(hub, machine, address, private, _host_key(place, hub, machine))


def _card(
    place: Place, joined: network.VirtualNetwork, hub: Hub, private: str, address: network.PublicIPAddress
) -> network.NetworkInterface:
    subnet = network.SubnetArgs(id=place.identifiers.subnet(HUBS_SUBNET))
    return network.NetworkInterface(
        f"card-{hub.name}",
        network_interface_name=f"nic-{hub.name}",
        resource_group_name=place.group.name,
        location=place.settings.location,
        enable_accelerated_networking=True,
        enable_ip_forwarding=False,
        ip_configurations=[
            network.NetworkInterfaceIPConfigurationArgs(
                name="ipv4",
                primary=True,
                subnet=subnet,
                private_ip_address=private,
                private_ip_allocation_method="Static",
                private_ip_address_version="IPv4",
                public_ip_address=network.PublicIPAddressArgs(id=address.id),
            ),
            network.NetworkInterfaceIPConfigurationArgs(
                name="ipv6",
                subnet=subnet,
                private_ip_allocation_method="Dynamic",
                private_ip_address_version="IPv6",
            ),
        ],
        tags=place.tags,
        opts=place.options([joined]),
    )


def _data_disk(place: Place, hub: Hub, zone: str) -> compute.Disk:
    """Queues and spool: kept when the machine is made anew, and when the hub leaves the declaration."""
    return compute.Disk(
        f"data-{hub.name}",
        disk_name=f"disk-{hub.name}-data",
        resource_group_name=place.group.name,
        location=place.settings.location,
        zones=[zone],
        creation_data=compute.CreationDataArgs(create_option="Empty"),
        disk_size_gb=place.settings.hubs.data_disk_gib,
        sku=compute.DiskSkuArgs(name="Premium_LRS"),
        encryption=compute.EncryptionArgs(type="EncryptionAtRestWithPlatformKey"),
        network_access_policy="DenyAll",
        public_network_access="Disabled",
        tags=place.tags,
        opts=place.evidence(),
    )


def _machine(
    place: Place, hub: Hub, zone: str, card: network.NetworkInterface, disk: compute.Disk
) -> compute.VirtualMachine:
    settings = place.settings.hubs
    publisher, offer, sku, version = settings.image.split(":")
    return compute.VirtualMachine(
        f"machine-{hub.name}",
        vm_name=hub.name,
        resource_group_name=place.group.name,
        location=place.settings.location,
        zones=[zone],
        hardware_profile=compute.HardwareProfileArgs(vm_size=settings.size),
        identity=compute.VirtualMachineIdentityArgs(type=compute.ResourceIdentityType.SYSTEM_ASSIGNED),
        security_profile=compute.SecurityProfileArgs(
            security_type="TrustedLaunch",
            encryption_at_host=True,
            uefi_settings=compute.UefiSettingsArgs(secure_boot_enabled=True, v_tpm_enabled=True),
        ),
        storage_profile=compute.StorageProfileArgs(
            image_reference=compute.ImageReferenceArgs(publisher=publisher, offer=offer, sku=sku, version=version),
            os_disk=compute.OSDiskArgs(
                name=f"disk-{hub.name}-os",
                create_option="FromImage",
                delete_option="Delete",
                caching=compute.CachingTypes.READ_WRITE,
                disk_size_gb=settings.os_disk_gib,
                managed_disk=compute.ManagedDiskParametersArgs(storage_account_type="Premium_LRS"),
            ),
            data_disks=[
                compute.DataDiskArgs(
                    lun=0,
                    create_option="Attach",
                    delete_option="Detach",
                    caching=compute.CachingTypes.NONE,
                    managed_disk=compute.ManagedDiskParametersArgs(id=disk.id),
                )
            ],
        ),
        os_profile=_login(hub, settings.ssh_keys),
        network_profile=compute.NetworkProfileArgs(
            network_interfaces=[compute.NetworkInterfaceReferenceArgs(id=card.id, primary=True, delete_option="Detach")]
        ),
        diagnostics_profile=compute.DiagnosticsProfileArgs(boot_diagnostics=compute.BootDiagnosticsArgs(enabled=True)),
        tags=place.tags,
        opts=place.options(),
    )


def _login(hub: Hub, keys: Sequence[str]) -> compute.OSProfileArgs:
    path = f"/home/{HUB_LOGIN}/.ssh/authorized_keys"
    return compute.OSProfileArgs(
        computer_name=hub.name,
        admin_username=HUB_LOGIN,
        allow_extension_operations=True,
        linux_configuration=compute.LinuxConfigurationArgs(
            disable_password_authentication=True,
            provision_vm_agent=True,
            patch_settings=compute.LinuxPatchSettingsArgs(
                patch_mode=PATCHES_BY_PLATFORM, assessment_mode=PATCHES_BY_PLATFORM
            ),
            ssh=compute.SshConfigurationArgs(
                public_keys=[compute.SshPublicKeyArgs(key_data=key, path=path) for key in keys]
            ),
        ),
    )


def _agent(place: Place, hub: Hub, machine: compute.VirtualMachine) -> compute.VirtualMachineExtension:
    """Azure Monitor's agent: the machine's own journal and disks, not the municipalities' events."""
    return compute.VirtualMachineExtension(
        f"agent-{hub.name}",
        vm_extension_name="AzureMonitorLinuxAgent",
        vm_name=machine.name,
        resource_group_name=place.group.name,
        location=place.settings.location,
        publisher="Microsoft.Azure.Monitor",
        type="AzureMonitorLinuxAgent",
        type_handler_version="1.33",
        auto_upgrade_minor_version=True,
        enable_automatic_upgrade=True,
        tags=place.tags,
        opts=place.options(),
    )


def _host_key(place: Place, hub: Hub, machine: compute.VirtualMachine) -> pulumi.Output[str]:
    """The public ssh host key, read through Azure's own authenticated channel: nobody has to trust a first use."""
    command = compute.VirtualMachineRunCommandByVirtualMachine(
        f"host-key-{hub.name}",
        run_command_name="host-key",
        vm_name=machine.name,
        resource_group_name=place.group.name,
        location=place.settings.location,
        source=compute.VirtualMachineRunCommandScriptSourceArgs(script=HOST_KEY_COMMAND),
        timeout_in_seconds=60,
        treat_failure_as_deployment_failure=True,
        tags=place.tags,
        opts=place.options(),
    )
    answer = compute.get_virtual_machine_run_command_by_virtual_machine_output(
        expand="instanceView",
        resource_group_name=place.group.name,
        run_command_name=command.name,
        vm_name=machine.name,
        opts=pulumi.InvokeOutputOptions(provider=place.provider, depends_on=[command]),
    )
    return answer.apply(lambda run_command: (run_command.instance_view.output or "").strip())
