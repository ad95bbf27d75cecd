# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options with which a user signs in. The order of the sources is decided in module_utils/_credentials.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Options and environment variables of the credentials and the project."""

    DOCUMENTATION = r"""
options:
  access_key:
    description:
      - The id of an access key (AK). Needs O(secret_key). This is the recommended way to sign in, as it costs no extra request.
      - Credentials are taken from the first source that holds a complete set, and sources are never mixed. The sources are
        the options of the task, then the environment variables E(HUAWEICLOUD_SDK_*), then E(HW_*), then E(OS_*).
      - Within one source a token is preferred to an access key, and an access key to a user name with password.
      - A source with an incomplete set is an error that says what is missing.
      - Environment variables E(HUAWEICLOUD_SDK_AK), E(HW_ACCESS_KEY), E(OS_ACCESS_KEY).
    type: str
  secret_key:
    description:
      - The secret part (SK) of O(access_key).
      - Environment variables E(HUAWEICLOUD_SDK_SK), E(HW_SECRET_KEY), E(OS_SECRET_KEY).
    type: str
  security_token:
    description:
      - Comes with temporary access keys, and is needed with them.
      - Environment variables E(HUAWEICLOUD_SDK_SECURITY_TOKEN), E(HW_SECURITY_TOKEN), E(OS_SECURITY_TOKEN).
    type: str
  auth_token:
    description:
      - A token that IAM has issued, for the project that is used.
      - Environment variables E(HW_AUTH_TOKEN), E(OS_AUTH_TOKEN).
    type: str
  username:
    description:
      - The name of an IAM user. Needs O(password) and O(domain_name); each task then signs in with one more request.
      - Environment variables E(HW_USER_NAME), E(OS_USERNAME).
    type: str
  password:
    description:
      - The password of O(username).
      - Environment variables E(HW_USER_PASSWORD), E(OS_PASSWORD).
    type: str
  domain_name:
    description:
      - The name of the account to which O(username) belongs.
      - Environment variables E(HW_DOMAIN_NAME), E(OS_USER_DOMAIN_NAME), E(OS_DOMAIN_NAME).
    type: str
  project_id:
    description:
      - The id of the project. Without it the project is looked up by O(project_name) with one more request.
      - Environment variables E(HUAWEICLOUD_SDK_PROJECT_ID), E(HW_PROJECT_ID), E(OS_PROJECT_ID), E(OS_TENANT_ID).
    type: str
  project_name:
    description:
      - The name by which the project is looked up when there is no O(project_id).
      - When it is not given either, this is the project that has the name of the O(region).
      - Environment variables E(HW_PROJECT_NAME), E(OS_PROJECT_NAME), E(OS_TENANT_NAME).
    type: str
"""
