"""Security contexts of containers and pods."""

from typing import Any

import pytest

from tests.unit.machinery.kinds.core.pods import container, wrong_container, wrong_spec

IDS = "must be between 0 and 2147483647, inclusive"
SYSCTL = r"must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
EMPTY = (
    '{"Capabilities":null,"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,'
    '"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,'
    '"AppArmorProfile":null}'
)


def wrong_context(**fields: Any) -> list[str]:
    return [message.removeprefix("securityContext") for message in wrong_container(securityContext=fields)]


def wrong_pod_context(**fields: Any) -> list[str]:
    return [message.removeprefix("spec.securityContext.") for message in wrong_spec(securityContext=fields)]


def test_users_and_groups_are_small_numbers() -> None:
    assert wrong_context(runAsUser=0, runAsGroup=2147483647) == []
    assert wrong_context(runAsUser=-1) == [f".runAsUser: Invalid value: -1: {IDS}"]
    assert wrong_pod_context(fsGroup=-1, supplementalGroups=[1, -2]) == [
        f"fsGroup: Invalid value: -1: {IDS}", f"supplementalGroups[1]: Invalid value: -2: {IDS}",
    ]


def test_privileges_are_not_given_and_taken_at_once() -> None:
    assert wrong_context(privileged=True, allowPrivilegeEscalation=False) == [
        f": Invalid value: {EMPTY}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
    ]
    wrong = wrong_context(capabilities={"add": ["CAP_SYS_ADMIN"]}, allowPrivilegeEscalation=False)
    assert len(wrong) == 1
    assert wrong[0].endswith("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")


def test_an_unmasked_proc_needs_a_user_namespace() -> None:
    assert wrong_context(procMount="Unmasked") == ['.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`']
    assert wrong_spec(hostUsers=False, containers=[container(securityContext={"procMount": "Unmasked"})]) == []
    assert wrong_context(procMount="x") == ['.procMount: Unsupported value: "x": supported values: "Default", "Unmasked"']


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"type": "RuntimeDefault"}, []),
        ({"type": "Localhost", "localhostProfile": "a/b.json"}, []),
        ({"type": "Localhost"}, ["localhostProfile: Required value: must be set when seccomp type is Localhost"]),
        ({"type": "Localhost", "localhostProfile": "../a"}, ["localhostProfile: Invalid value: \"../a\": must not contain '..'"]),
        ({"type": "Unconfined", "localhostProfile": "x"}, [
            'localhostProfile: Invalid value: {"Type":"Unconfined","LocalhostProfile":"x"}: can only be set when seccomp type is Localhost',
        ]),
        ({}, ["type: Required value: type is required when seccompProfile is set"]),
        ({"type": "x"}, ['type: Unsupported value: "x": supported values: "Localhost", "RuntimeDefault", "Unconfined"']),
    ],
)
def test_seccomp_profiles_are_local_files_or_known(profile: dict[str, Any], expected: list[str]) -> None:
    assert wrong_pod_context(seccompProfile=profile) == [f"seccompProfile.{message}" for message in expected]
    assert wrong_context(seccompProfile=profile) == [f".seccompProfile.{message}" for message in expected]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"type": "Localhost", "localhostProfile": "p"}, []),
        ({"type": "Localhost"}, ["localhostProfile: Required value: must be set when AppArmor type is Localhost"]),
        ({"type": "Localhost", "localhostProfile": ""}, ["localhostProfile: Required value: must be set when AppArmor type is Localhost"]),
        ({"type": "Localhost", "localhostProfile": " p"}, ['localhostProfile: Invalid value: " p": must not be padded with whitespace']),
        ({"type": "Localhost", "localhostProfile": "p" * 4096}, ["localhostProfile: Too long: may not be more than 4095 bytes"]),
        ({"type": "Unconfined", "localhostProfile": "p"}, [
            'localhostProfile: Invalid value: "p": can only be set when AppArmor type is Localhost',
        ]),
        ({}, ["type: Required value: type is required when appArmorProfile is set"]),
        ({"type": "x"}, ['type: Unsupported value: "x": supported values: "Localhost", "RuntimeDefault", "Unconfined"']),
    ],
)
def test_apparmor_profiles_are_named_or_known(profile: dict[str, Any], expected: list[str]) -> None:
    assert wrong_pod_context(appArmorProfile=profile) == [f"appArmorProfile.{message}" for message in expected]


def test_sysctls_have_names_and_respect_the_host() -> None:
    assert wrong_pod_context(sysctls=[{"name": "kernel.shm_rmid_forced", "value": "0"}, {"name": "net/ipv4/tcp_x", "value": "1"}]) == []
    assert wrong_pod_context(sysctls=[{}, {"name": "a..b"}, {"name": "a"}, {"name": "a"}]) == [
        "sysctls[0].name: Required value", f'sysctls[1].name: Invalid value: "a..b": {SYSCTL}', 'sysctls[3].name: Duplicate value: "a"',
    ]
    shared = {"sysctls": [{"name": "net.core.somaxconn"}, {"name": "net/x"}, {"name": "kernel.sem"}, {"name": "fs.mqueue.x"}]}
    at = "spec.securityContext.sysctls"
    assert wrong_spec(hostNetwork=True, securityContext=shared) == [
        f"{at}[0].name: Invalid value: \"net.core.somaxconn\": may not be specified when 'hostNetwork' is true",
        f"{at}[1].name: Invalid value: \"net/x\": may not be specified when 'hostNetwork' is true",
    ]
    assert wrong_spec(hostIPC=True, securityContext=shared) == [
        f"{at}[2].name: Invalid value: \"kernel.sem\": may not be specified when 'hostIPC' is true",
        f"{at}[3].name: Invalid value: \"fs.mqueue.x\": may not be specified when 'hostIPC' is true",
    ]


def test_policies_of_the_pod_are_known_ones() -> None:
    assert wrong_pod_context(fsGroupChangePolicy="x", supplementalGroupsPolicy="y", seLinuxChangePolicy="z") == [
        'fsGroupChangePolicy: Unsupported value: "x": supported values: "Always", "OnRootMismatch"',
        'supplementalGroupsPolicy: Unsupported value: "y": supported values: "Merge", "Strict"',
        'seLinuxChangePolicy: Unsupported value: "z": supported values: "MountOption", "Recursive"',
    ]


def test_processes_are_shared_within_the_pod_or_with_the_host() -> None:
    context = {"runAsNonRoot": True}
    assert wrong_spec(shareProcessNamespace=True, hostPID=True, securityContext=context) == [
        "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NT AUTHORITY\\SYSTEM", []),
        ("a.b\\u", []),
        ("", ["cannot be an empty string"]),
        ("a\nb", ["cannot contain control characters"]),
        ("a\\b\\c", ["cannot contain more than one backslash"]),
        ("a\\", ["'s User cannot be empty"]),
        (".a\\u", ["'s Domain doesn't match the NetBios nor the DNS format"]),
        ("d" * 256 + "\\u", ["'s Domain length must be under 256 characters", "'s Domain doesn't match the NetBios nor the DNS format"]),
        ("u" * 105, ["'s User length must not be longer than 104 characters"]),
        (". .", ["'s User cannot contain only periods or spaces"]),
        ("a*b", ['\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]']),
    ],
)
def test_windows_users_have_the_form_that_windows_takes(name: str, expected: list[str]) -> None:
    wrong = [message.partition(": runAsUserName")[2].lstrip() for message in wrong_context(windowsOptions={"runAsUserName": name})]
    assert wrong == [message.lstrip() for message in expected]


def test_windows_credentials_are_bounded() -> None:
    assert wrong_context(windowsOptions={"gmsaCredentialSpecName": "a.b", "gmsaCredentialSpec": "x"}) == []
    assert [message.rpartition(": ")[2] for message in wrong_context(windowsOptions={"gmsaCredentialSpec": ""})] == [
        "gmsaCredentialSpec cannot be an empty string",
    ]
    assert [message.rpartition(": ")[2] for message in wrong_context(windowsOptions={"gmsaCredentialSpec": "x" * 65537})] == [
        "gmsaCredentialSpec size must be under 64 KiB",
    ]


def test_host_processes_come_all_together_with_the_host_network() -> None:
    host = {"windowsOptions": {"hostProcess": True}}
    assert wrong_spec(hostNetwork=True, securityContext=host) == []
    assert wrong_spec(securityContext=host) == [
        "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers",
    ]
    mixed = [container(securityContext=host), container(name="d")]
    assert wrong_spec(hostNetwork=True, containers=mixed) == [
        'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
    ]
    contrary = container(securityContext={"windowsOptions": {"hostProcess": False}})
    assert wrong_spec(securityContext=host, containers=[contrary]) == [
        "spec.containers[0].securityContext.windowsOptions.hostProcess: Invalid value: false: "
        "pod hostProcess value must be identical if both are specified, was true",
    ]


def test_each_operating_system_forbids_what_it_does_not_know() -> None:
    windows = {"windowsOptions": {"runAsUserName": "u"}}
    assert wrong_spec(os={"name": "linux"}, securityContext=windows, containers=[container(securityContext=windows)]) == [
        "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
        "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
    ]
    linux = container(securityContext={"privileged": False, "runAsUser": 1})
    context = {"fsGroup": 1, "sysctls": []}
    assert wrong_spec(os={"name": "windows"}, hostPID=True, hostUsers=True, securityContext=context, containers=[linux]) == [
        f"spec.{field}: Forbidden: cannot be set for a windows pod"
        for field in (
            "hostUsers", "hostPID", "securityContext.fsGroup", "containers[0].securityContext.privileged",
            "containers[0].securityContext.runAsUser",
        )
    ]
    assert wrong_spec(os={}) == ["spec.os.name: Required value"]
    assert wrong_spec(os={"name": "x"}) == ['spec.os: Unsupported value: "x": supported values: "linux", "windows"']
