# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say where requests go, and how long and how often they are tried."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and environment variables of the connection."""

    DOCUMENTATION = r"""
options:
  region:
    description:
      - The region, such as V(cn-north-4). Needed unless every service that is used has an entry in O(endpoints).
      - Environment variables E(HW_REGION_NAME), E(OS_REGION_NAME).
    type: str
  cloud:
    description:
      - The domain under which the services are found. A service then has the address C(https://SERVICE.REGION.CLOUD).
      - When it is not given, this is V(myhuaweicloud.eu) for regions that begin with C(eu-west-1), and V(myhuaweicloud.com) for all others.
      - Environment variable E(HW_CLOUD).
    type: str
  endpoints:
    description:
      - Base URLs of services, instead of those that follow from O(region) and O(cloud).
      - They must use C(https); plain C(http) is accepted for loopback addresses only.
    type: dict
    suboptions:
      dcs:
        description:
          - Base URL of DCS.
          - Environment variable C(HUAWEICLOUD_SDK_REGION_DCS_REGION), with the region in capitals and underscores at its end.
        type: str
      dds:
        description:
          - Base URL of DDS.
          - Environment variable C(HUAWEICLOUD_SDK_REGION_DDS_REGION), with the region in capitals and underscores at its end.
        type: str
      iam:
        description:
          - Base URL of IAM, used for signing in with a password and for looking up a project.
          - Environment variables C(HUAWEICLOUD_SDK_REGION_IAM_REGION) (as above), E(HUAWEICLOUD_SDK_IAM_ENDPOINT), E(HW_AUTH_URL), E(OS_AUTH_URL).
        type: str
  validate_certs:
    description: Whether the certificates of the services are checked. Set it to V(false) for tests only.
    type: bool
    default: true
  ca_path:
    description:
      - A file or folder with the CA certificates to trust, instead of those that Python's C(requests) brings along.
      - Environment variable E(OS_CACERT).
    type: path
  connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 10
  read_timeout:
    description: Seconds to wait for an answer, or for the next part of it.
    type: int
    default: 60
  retries:
    description:
      - How often a request is repeated where that is safe.
      - Reading and deleting are repeated after connection errors, time-outs and the statuses 429, 500, 502, 503 and 504.
        Cancelling a spec change is repeated only when it was certainly not received, or refused with 429.
    type: int
    default: 4
  deadline:
    description:
      - Seconds after which the task ends, whatever happens; requests, their repetition and waiting included.
      - When it is not given, this is 900, plus C(wait_timeout) where the module has that option.
    type: int
"""
