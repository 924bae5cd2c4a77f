"""The functions that Kubernetes adds to the language: their names, what they take and what they give.

A line is `receiver.name(arguments)->result`; without a receiver the function stands alone. A line with `~A` stands
for one with each of `SCALARS` in its place. What may be absent is `dyn`, since the implementation takes no signature with optional types.

Source: Kubernetes apiserver `pkg/cel/library`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

# Extensions of the language that come with its implementation, by the names they have there. That of strings is written out below, since
# `indexOf` is also a function of lists.
EXTENSIONS: Final = ("optional", "sets", "two-var-comprehensions")

# What stands before the dot of functions that have no receiver.
_MODULES: Final = ("", "format", "ip", "jsonpatch", "strings")

SCALARS: Final = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")

FUNCTIONS: Final = """
list<~A>.isSorted()->bool
list<~A>.min()->~A
list<~A>.max()->~A
list<~A>.sum()->~A
list<dyn>.indexOf(dyn)->int
list<dyn>.lastIndexOf(dyn)->int
string.charAt(int)->string
string.indexOf(string)->int
string.indexOf(string,int)->int
string.lastIndexOf(string)->int
string.lastIndexOf(string,int)->int
string.lowerAscii()->string
string.upperAscii()->string
string.replace(string,string)->string
string.replace(string,string,int)->string
string.split(string)->list<string>
string.split(string,int)->list<string>
string.substring(int)->string
string.substring(int,int)->string
string.trim()->string
string.format(list<dyn>)->string
strings.quote(string)->string
list<string>.join()->string
list<string>.join(string)->string
string.find(string)->string
string.findAll(string)->list<string>
string.findAll(string,int)->list<string>
url(string)->kubernetes.URL
isURL(string)->bool
kubernetes.URL.getScheme()->string
kubernetes.URL.getHost()->string
kubernetes.URL.getHostname()->string
kubernetes.URL.getPort()->string
kubernetes.URL.getEscapedPath()->string
kubernetes.URL.getQuery()->map<string,list<string>>
quantity(string)->kubernetes.Quantity
isQuantity(string)->bool
kubernetes.Quantity.sign()->int
kubernetes.Quantity.isInteger()->bool
kubernetes.Quantity.asInteger()->int
kubernetes.Quantity.asApproximateFloat()->double
kubernetes.Quantity.isGreaterThan(kubernetes.Quantity)->bool
kubernetes.Quantity.isLessThan(kubernetes.Quantity)->bool
kubernetes.Quantity.compareTo(kubernetes.Quantity)->int
kubernetes.Quantity.add(kubernetes.Quantity)->kubernetes.Quantity
kubernetes.Quantity.add(int)->kubernetes.Quantity
kubernetes.Quantity.sub(kubernetes.Quantity)->kubernetes.Quantity
kubernetes.Quantity.sub(int)->kubernetes.Quantity
ip(string)->net.IP
isIP(string)->bool
ip.isCanonical(string)->bool
net.IP.family()->int
net.IP.isUnspecified()->bool
net.IP.isLoopback()->bool
net.IP.isLinkLocalMulticast()->bool
net.IP.isLinkLocalUnicast()->bool
net.IP.isGlobalUnicast()->bool
cidr(string)->net.CIDR
isCIDR(string)->bool
net.CIDR.containsIP(net.IP)->bool
net.CIDR.containsIP(string)->bool
net.CIDR.containsCIDR(net.CIDR)->bool
net.CIDR.containsCIDR(string)->bool
net.CIDR.ip()->net.IP
net.CIDR.masked()->net.CIDR
net.CIDR.prefixLength()->int
semver(string)->kubernetes.Semver
semver(string,bool)->kubernetes.Semver
isSemver(string)->bool
isSemver(string,bool)->bool
kubernetes.Semver.major()->int
kubernetes.Semver.minor()->int
kubernetes.Semver.patch()->int
kubernetes.Semver.isGreaterThan(kubernetes.Semver)->bool
kubernetes.Semver.isLessThan(kubernetes.Semver)->bool
kubernetes.Semver.compareTo(kubernetes.Semver)->int
format.named(string)->dyn
format.dns1123Label()->kubernetes.NamedFormat
format.dns1123Subdomain()->kubernetes.NamedFormat
format.dns1035Label()->kubernetes.NamedFormat
format.qualifiedName()->kubernetes.NamedFormat
format.dns1123LabelPrefix()->kubernetes.NamedFormat
format.dns1123SubdomainPrefix()->kubernetes.NamedFormat
format.dns1035LabelPrefix()->kubernetes.NamedFormat
format.labelValue()->kubernetes.NamedFormat
format.uri()->kubernetes.NamedFormat
format.uuid()->kubernetes.NamedFormat
format.byte()->kubernetes.NamedFormat
format.date()->kubernetes.NamedFormat
format.datetime()->kubernetes.NamedFormat
kubernetes.NamedFormat.validate(string)->dyn
jsonpatch.escapeKey(string)->string
kubernetes.authorization.Authorizer.path(string)->kubernetes.authorization.PathCheck
kubernetes.authorization.Authorizer.group(string)->kubernetes.authorization.GroupCheck
kubernetes.authorization.Authorizer.serviceAccount(string,string)->kubernetes.authorization.Authorizer
kubernetes.authorization.PathCheck.check(string)->kubernetes.authorization.Decision
kubernetes.authorization.GroupCheck.resource(string)->kubernetes.authorization.ResourceCheck
kubernetes.authorization.ResourceCheck.subresource(string)->kubernetes.authorization.ResourceCheck
kubernetes.authorization.ResourceCheck.namespace(string)->kubernetes.authorization.ResourceCheck
kubernetes.authorization.ResourceCheck.name(string)->kubernetes.authorization.ResourceCheck
kubernetes.authorization.ResourceCheck.fieldSelector(string)->kubernetes.authorization.ResourceCheck
kubernetes.authorization.ResourceCheck.labelSelector(string)->kubernetes.authorization.ResourceCheck
kubernetes.authorization.ResourceCheck.check(string)->kubernetes.authorization.Decision
kubernetes.authorization.Decision.errored()->bool
kubernetes.authorization.Decision.error()->string
kubernetes.authorization.Decision.reason()->string
kubernetes.authorization.Decision.allowed()->bool
"""


def declarations(cel: Any) -> list[Any]:
    """Build the declarations of all functions for the library `cel`."""
    overloads: dict[str, list[Any]] = defaultdict(list)
    for line in FUNCTIONS.split():
        for kind in SCALARS if "~A" in line else ("",):
            name, overload = _declared(cel, line.replace("~A", kind))
            overloads[name].append(overload)
    return [cel.FunctionDecl(name, found) for name, found in overloads.items()]


def _declared(cel: Any, line: str) -> tuple[str, Any]:
    head, _, result = line.partition("->")
    where, _, arguments = head.removesuffix(")").partition("(")
    receiver, _, name = where.rpartition(".")
    types = [cel.Type(text) for text in arguments.split(",") if text]
    if receiver in _MODULES:
        return where, cel.Overload(head, cel.Type(result), types, False)
    return name, cel.Overload(head, cel.Type(result), [cel.Type(receiver), *types], True)
