# Copyright 2026 The vla_accel_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The SROS 2 policy of a deployment, made from the rights of its processes."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from vla_accel_ros.graph.rights import Enclave

# Of the policy files that `ros2 security` reads.
VERSION = '0.2.0'
# What stands for each list of rights: tag of the group, its attribute, tag of one name.
_GROUPS = {
    'publish': ('topics', 'publish', 'topic'),
    'subscribe': ('topics', 'subscribe', 'topic'),
    'reply': ('services', 'reply', 'service'),
    'request': ('services', 'request', 'service'),
}


def render(enclaves: Iterable[Enclave]) -> str:
    """Return the policy: what it does not name is denied.

    Every name is absolute, so that it means the same whatever namespace reads it.
    """
    root = ElementTree.Element('policy', version=VERSION)
    listed = ElementTree.SubElement(root, 'enclaves')
    for each in enclaves:
        enclave = ElementTree.SubElement(listed, 'enclave', path=each.path)
        profiles = ElementTree.SubElement(enclave, 'profiles')
        profile = ElementTree.SubElement(profiles, 'profile', ns=each.namespace, node=each.name)
        for right, (group, attribute, tag) in _GROUPS.items():
            names = getattr(each.rights, right)
            if names:
                allowed = ElementTree.SubElement(profile, group, {attribute: 'ALLOW'})
                for name in names:
                    ElementTree.SubElement(allowed, tag).text = name
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'
