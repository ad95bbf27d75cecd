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
      - A word without a dot is the name of an entry of C(clouds.yaml), as in O(profile) with O(auth_method=clouds_yaml).
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
          - Base URL of IAM, used for signing in with a password, for assuming an agency and for looking up a project.
          - Environment variables C(HUAWEICLOUD_SDK_REGION_IAM_REGION) (as above), E(HUAWEICLOUD_SDK_IAM_ENDPOINT), E(HW_AUTH_URL), E(OS_AUTH_URL).
        type: str
      metadata:
        description:
          - Base URL of the metadata service that O(auth_method=machine) asks, instead of C(http://169.254.169.254).
          - It must be a loopback address, as it is there for tests.
        type: str
  validate_certs:
    description:
      - Whether the certificates of the services are checked. Set it to V(false) for tests only.
      - When it is not given, they are checked, unless the profile from which the credentials are says otherwise.
      - Environment variables E(HW_INSECURE), E(OS_INSECURE), which mean the opposite, so that V(true), V(yes), V(on) and V(1) turn the check off.
    type: bool
  ca_path:
    description:
      - A file or folder with the CA certificates to trust, instead of those that Python's C(requests) brings along.
      - Environment variables E(OS_CACERT), E(REQUESTS_CA_BUNDLE).
    type: path
  client_cert:
    description:
      - A PEM file with the certificate by which the module shows who it is, where a service or a gateway asks for one.
      - Environment variable E(OS_CERT).
    type: path
  client_key:
    description:
      - A PEM file with the key of O(client_cert), not encrypted. Not needed when the key is in the same file as the certificate.
      - It is looked for only where the certificate is found, be that the options, the environment or a profile.
      - Environment variable E(OS_KEY).
    type: path
  proxy:
    description:
      - The proxy through which the services are reached, such as V(http://proxy.example.com:3128). A user name and a password may stand before the host.
      - Plain C(http) requests, which only go to loopback addresses and to the metadata service, never use a proxy.
      - Environment variables E(https_proxy), E(HTTPS_PROXY), E(all_proxy), E(ALL_PROXY).
    type: str
  no_proxy:
    description:
      - Hosts, domains and networks that are reached without the proxy, separated by commas.
      - Environment variables E(no_proxy), E(NO_PROXY).
    type: str
  connect_timeout:
    description:
      - Seconds to wait for a connection.
      - Environment variable E(HWCLOUD_CONNECT_TIMEOUT).
    type: int
    default: 10
  read_timeout:
    description:
      - Seconds to wait for an answer, or for the next part of it.
      - Environment variable E(HWCLOUD_READ_TIMEOUT).
    type: int
    default: 60
  retries:
    description:
      - How often a request is repeated where that is safe.
      - Reading and deleting are repeated after connection errors, time-outs and the statuses 429, 500, 502, 503 and 504.
        Cancelling a spec change is repeated only when it was certainly not received, or refused with 429.
      - Environment variable E(HW_MAX_RETRIES).
    type: int
    default: 4
  deadline:
    description:
      - Seconds after which the task ends, whatever happens; requests, their repetition and waiting included.
      - When it is not given, this is 900, plus C(wait_timeout) where the module has that option.
      - Environment variable E(HWCLOUD_DEADLINE).
    type: int
  max_concurrency:
    description:
      - How many requests are sent at the same time at most, each over a connection of its own that is used again.
      - After HTTP 429 the whole task waits, and then sends fewer at the same time until the service keeps up again.
      - Environment variable E(HWCLOUD_MAX_CONCURRENCY).
    type: int
    default: 8
"""
